//! Plan of an import: the commit, its selected files, and details of the model, before any content is read.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use super::address::HubAddress;
use super::client::{HubClient, PinnedRevision};
use super::error::HubError;
use super::id::CommitId;
use super::reader::HubReader;
use super::select::{RepositoryFile, select};
use super::similar::similar_paths;
use super::source::{HubExcluded, HubFile, HubPin, HubSource};
use super::wire::Entry;
use crate::model::{FileList, file_name};
use crate::source::{self, Excluded, PlanError, Selection, blob_name};

const CONFIG: &str = "config.json";
/// Maximum size of a document that is read as a whole, in bytes.
pub(crate) const DOCUMENT_BYTES: u64 = 8 << 20;

/// A planned import, and the reader of its files.
#[derive(Clone, Debug)]
pub struct HubImport {
    /// Files and their commit.
    pub source: Arc<HubSource>,
    /// Reader of the files.
    pub reader: Arc<HubReader>,
    /// Commit that the revision now points to, if an earlier attempt of the import pinned another one.
    pub moved_to: Option<CommitId>,
}

/// Plans an import: pins the revision, lists the files, and selects those of a model. The pin of an earlier attempt is
/// used even if the revision now points to another commit.
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
    // A repository that was renamed in the meantime is the same import.
    let repo = earlier.filter(|earlier| earlier.sha == sha).map_or(repo, |earlier| earlier.repo.clone());
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
                let near = similar_paths(root, entries.iter().map(|entry| entry.path.as_str()));
                return Err(HubError::EntryNotFound { repo, path: root.to_owned(), near });
            }
            let has_code = has_code(client, &reader, &inside).await?;
            let candidates = inside.iter().map(|(path, entry)| RepositoryFile { path, bytes: entry.bytes() });
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
        let names: Vec<Excluded> = excluded.iter().map(HubExcluded::entry).collect();
        let unmatched = source::unmatched(selection, &[], &names);
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

/// Returns the commit to import, and the one that the revision now points to if it differs.
async fn pinned(
    client: &HubClient,
    address: &HubAddress,
    earlier: Option<&HubPin>,
) -> Result<(PinnedRevision, Option<CommitId>), HubError> {
    let Some(earlier) = earlier else { return Ok((client.pin(address.repo(), address.revision()).await?, None)) };
    let now = match client.pin(address.repo(), address.revision()).await {
        Ok(now) if now.sha == earlier.sha => return Ok((now, None)),
        Ok(now) => Some(now.sha),
        // The branch is gone; its commit may still exist.
        Err(HubError::RevisionNotFound { .. }) => None,
        Err(error) => return Err(error),
    };
    Ok((client.pin(&earlier.repo, earlier.sha.as_str()).await?, now))
}

/// True if the model's configuration refers to its own code.
async fn has_code(client: &HubClient, reader: &HubReader, inside: &[(String, &Entry)]) -> Result<bool, HubError> {
    let config = inside.iter().find(|(path, entry)| path == CONFIG && entry.bytes() <= DOCUMENT_BYTES);
    let Some((path, entry)) = config else { return Ok(false) };
    let bytes = reader.file(&file_of(client, entry, path)?).whole().await?;
    // The check reports its defects.
    let config: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    Ok(!config["auto_map"].is_null())
}

fn file_of(client: &HubClient, entry: &Entry, path: &str) -> Result<HubFile, HubError> {
    let not_a_hub = |what| HubError::NotAHub { host: client.endpoint().host().to_owned(), what };
    // git cannot have such a path, and the store would change it.
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(not_a_hub("the file list contains a name outside the repository"));
    }
    let sum = entry.sum().ok_or_else(|| not_a_hub("the file list contains a file without a checksum"))?;
    Ok(HubFile { path: blob_name(path)?, repo_path: entry.path.clone(), bytes: entry.bytes(), sum })
}

/// Path relative to a folder; `None` outside the folder.
fn relative<'a>(folder: &str, path: &'a str) -> Option<&'a str> {
    if folder.is_empty() { Some(path) } else { path.strip_prefix(folder)?.strip_prefix('/') }
}
