//! Plan of an import: which commit, which of its files, and what is known of the model before a byte of it is read.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::address::HubAddress;
use super::client::{HubClient, PinnedRevision};
use super::error::HubError;
use super::id::{CommitId, RepoId};
use super::near::near;
use super::remote_file::RemoteFile;
use super::select::{Candidate, select};
use super::signed_url::CopyFault;
use super::sum::HubSum;
use super::wire::Entry;
use crate::model::{BlobPath, FileList, SourceFile, file_name};
use crate::source::{ExcludeReason, PlanError, Selection, blob_name};

const CONFIG: &str = "config.json";
/// Larger documents are not read as a whole.
pub(crate) const DOCUMENT_BYTES: u64 = 8 << 20;

/// A file that is imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubFile {
    /// Name in the container: the path below the folder that is imported.
    pub path: BlobPath,
    /// Path in the repository.
    pub repo_path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Sum of its content, as the Hub lists it.
    pub sum: HubSum,
}

/// A file of the repository that stays there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubExcluded {
    /// Path below the folder that is imported.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Why it stays.
    pub reason: ExcludeReason,
}

/// What is imported: files of one commit. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubSource {
    /// Commit and place, as the journal keeps them.
    pub pin: HubPin,
    /// Files, sorted by their names in the container; never empty.
    pub files: Vec<HubFile>,
    /// Files that stay, sorted by path.
    pub excluded: Vec<HubExcluded>,
    /// The source is the repository or a folder, not one file of it.
    pub whole_directory: bool,
    /// Access had to be granted.
    pub is_gated: bool,
    /// Licence, by the model card.
    pub license: Option<String>,
    /// First base model, by the model card.
    pub base_model: Option<String>,
    list: FileList,
}

/// Commit that an import is about: what a resumed upload needs. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HubPin {
    /// Address of the Hub.
    pub endpoint: String,
    /// Repository.
    pub repo: RepoId,
    /// Commit.
    pub sha: CommitId,
    /// Revision as the user named it, decoded; `main` where none was named.
    pub reference: String,
    /// Folder or file that is imported; empty for the whole repository.
    pub path: String,
}

/// A planned import, and the reader of its files.
#[derive(Clone, Debug)]
pub struct HubImport {
    /// What is imported.
    pub source: Arc<HubSource>,
    /// Reads it.
    pub reader: Arc<HubReader>,
    /// Commit that the revision names now, where an earlier attempt of the import has pinned another one.
    pub moved_to: Option<CommitId>,
}

/// Reads the files of one commit; a signed URL of a file is obtained once for all who read it.
pub struct HubReader {
    client: Arc<HubClient>,
    repo: RepoId,
    sha: CommitId,
    files: Mutex<HashMap<String, Arc<RemoteFile>>>,
}

impl fmt::Debug for HubReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubReader").field("repo", &self.repo).field("sha", &self.sha).finish_non_exhaustive()
    }
}

impl HubReader {
    fn new(client: Arc<HubClient>, repo: RepoId, sha: CommitId) -> Self {
        Self { client, repo, sha, files: Mutex::default() }
    }

    /// Why the blob store cannot copy the weights by itself, as far as the first of their URLs tells; `None` where it may.
    ///
    /// # Errors
    /// See [`HubError`].
    pub async fn copy_fault(&self, source: &HubSource) -> Result<Option<CopyFault>, HubError> {
        let Some(first) = source.files.iter().find(|file| file.sum.is_large_storage()) else {
            return Ok(Some(CopyFault::NotSigned));
        };
        let signed = self.file(first).signed_url().await?;
        Ok(signed.map_or(Some(CopyFault::NotSigned), |signed| signed.copy_fault()))
    }

    /// A small document, proved by its sum.
    ///
    /// # Errors
    /// See [`HubError`].
    pub async fn document(&self, file: &HubFile) -> Result<Bytes, HubError> {
        self.file(file).whole().await
    }

    /// Reader of one file.
    pub(crate) fn file(&self, file: &HubFile) -> Arc<RemoteFile> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let (client, repo, sha) = (Arc::clone(&self.client), self.repo.clone(), self.sha.clone());
            Arc::new(RemoteFile::new(client, repo, sha, file.clone()))
        };
        Arc::clone(files.entry(file.repo_path.clone()).or_insert_with(make))
    }
}

impl HubSource {
    /// The files in the form of all uploads. The first 64 bits of a file's sum stand for its modification time, so that
    /// equal lists are equal contents.
    #[must_use]
    pub fn list(&self) -> &FileList {
        &self.list
    }

    /// The file of this name in the container.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&HubFile> {
        let at = self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        self.files.get(at)
    }

    /// Bytes that are imported.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Files and bytes of the repository, or of the folder of it that is imported.
    #[must_use]
    pub fn all(&self) -> (u64, u64) {
        let left: u64 = self.excluded.iter().map(|left| left.bytes).sum();
        ((self.files.len() + self.excluded.len()) as u64, self.bytes() + left)
    }

    /// Address of a folder below the one that is imported, in its short form.
    #[must_use]
    pub fn below(&self, folder: &str) -> String {
        HubAddress::new(&self.pin, folder).to_string()
    }

    /// Tags of a model that is made of it.
    #[must_use]
    pub fn tags(&self) -> Vec<(&'static str, String)> {
        let HubPin { repo, sha, reference, path, .. } = &self.pin;
        let folder = Some(path.clone()).filter(|path| !path.is_empty() && self.whole_directory);
        [
            ("hf.repo", Some(repo.to_string())),
            ("hf.revision", Some(sha.to_string())),
            ("hf.ref", Some(reference.clone())),
            ("hf.path", folder),
            ("license", self.license.clone()),
            ("base_model", self.base_model.clone()),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect()
    }
}

/// Plans an import: pins the revision, lists the files, selects those of a model. An earlier attempt's pin counts, also
/// where the revision names another commit by now.
///
/// # Errors
/// See [`HubError`].
pub async fn plan(
    client: &Arc<HubClient>,
    address: &HubAddress,
    selection: &Selection,
    earlier: Option<&HubPin>,
) -> Result<HubImport, HubError> {
    let (revision, moved_to) = pinned(client, address, earlier).await?;
    let PinnedRevision { repo, sha, is_gated, license, base_model } = revision;
    let reader = Arc::new(HubReader::new(Arc::clone(client), repo.clone(), sha.clone()));
    let entries = client.files(&repo, &sha).await?;
    let root = address.path();
    let shown = || PathBuf::from(address.to_string());
    let (files, excluded, whole_directory) = match entries.iter().find(|entry| entry.path == root) {
        Some(entry) => {
            if let Some(pattern) = selection.first_pattern() {
                return Err(PlanError::NothingToSelect(pattern.to_string()).into());
            }
            (vec![file_of(client, entry, file_name(root))?], Vec::new(), false)
        }
        None => {
            let below = |entry: &Entry| relative(root, &entry.path).map(str::to_owned);
            let inside: Vec<(String, &Entry)> =
                entries.iter().filter_map(|entry| Some((below(entry)?, entry))).collect();
            if inside.is_empty() && !root.is_empty() {
                let near = near(root, entries.iter().map(|entry| entry.path.as_str()));
                return Err(HubError::EntryNotFound { repo, path: root.to_owned(), near });
            }
            let has_code = has_code(client, &reader, &inside).await?;
            let candidates = inside.iter().map(|(path, entry)| Candidate { path, bytes: entry.bytes() });
            let mut excluded = select(candidates.collect(), selection, has_code);
            excluded.sort_by(|left, right| left.path.cmp(&right.path));
            let is_left_out = |path: &str| excluded.binary_search_by(|left| left.path.as_str().cmp(path)).is_ok();
            let taken = inside.iter().filter(|(path, _)| !is_left_out(path));
            let files: Vec<HubFile> =
                taken.map(|(path, entry)| file_of(client, entry, path)).collect::<Result<_, _>>()?;
            (files, excluded, true)
        }
    };
    if files.is_empty() {
        let names: Vec<crate::source::Excluded> = excluded.iter().map(HubExcluded::entry).collect();
        let unmatched = crate::source::unmatched(selection, &[], &names);
        return Err(PlanError::Empty { path: shown(), excluded: excluded.len(), unmatched }.into());
    }
    let pin = HubPin {
        endpoint: client.endpoint().to_string(),
        repo,
        sha,
        reference: address.revision().to_owned(),
        path: root.to_owned(),
    };
    let mut files = files;
    files.sort_by(|left, right| left.path.cmp(&right.path));
    let list = FileList::new(files.iter().map(HubFile::source_file).collect());
    let source = HubSource { pin, files, excluded, whole_directory, is_gated, license, base_model, list };
    Ok(HubImport { source: Arc::new(source), reader, moved_to })
}

/// The commit to import, and the one that the revision names now where that is another.
async fn pinned(
    client: &HubClient,
    address: &HubAddress,
    earlier: Option<&HubPin>,
) -> Result<(PinnedRevision, Option<CommitId>), HubError> {
    let Some(earlier) = earlier else { return Ok((client.pin(address.repo(), address.revision()).await?, None)) };
    let now = match client.pin(address.repo(), address.revision()).await {
        Ok(now) if now.sha == earlier.sha => return Ok((now, None)),
        Ok(now) => Some(now.sha),
        // The branch is gone; its commit may still be there.
        Err(HubError::RevisionNotFound { .. }) => None,
        Err(error) => return Err(error),
    };
    Ok((client.pin(&earlier.repo, earlier.sha.as_str()).await?, now))
}

/// True where the model's configuration names code of its own.
async fn has_code(client: &HubClient, reader: &HubReader, inside: &[(String, &Entry)]) -> Result<bool, HubError> {
    let config = inside.iter().find(|(path, entry)| path == CONFIG && entry.bytes() <= DOCUMENT_BYTES);
    let Some((path, entry)) = config else { return Ok(false) };
    let bytes = reader.file(&file_of(client, entry, path)?).whole().await?;
    // What is wrong with it is for the check to say.
    let config: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    Ok(!config["auto_map"].is_null())
}

fn file_of(client: &HubClient, entry: &Entry, path: &str) -> Result<HubFile, HubError> {
    let host = client.endpoint().host().to_owned();
    let sum = entry.sum().ok_or(HubError::NotAHub { host, what: "its list of files has one without a checksum" })?;
    Ok(HubFile { path: blob_name(path)?, repo_path: entry.path.clone(), bytes: entry.bytes(), sum })
}

/// The path below a folder; `None` outside it.
fn relative<'a>(folder: &str, path: &'a str) -> Option<&'a str> {
    if folder.is_empty() { Some(path) } else { path.strip_prefix(folder)?.strip_prefix('/') }
}

impl HubFile {
    fn source_file(&self) -> SourceFile {
        SourceFile { path: self.path.clone(), bytes: self.bytes, modified: self.sum.stamp() }
    }
}

impl HubExcluded {
    /// The entry as local sources have it.
    pub(crate) fn entry(&self) -> crate::source::Excluded {
        crate::source::Excluded { path: self.path.clone(), reason: self.reason }
    }
}
