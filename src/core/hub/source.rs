//! Content of an import, as data: the commit, its files, and the model card. Contains no secret.

use serde::{Deserialize, Serialize};

use super::address::HubAddress;
use super::id::{CommitId, RepoId};
use super::sum::HubSum;
use crate::model::{BlobPath, FileList, SourceFile};
use crate::source::{ExcludeReason, Excluded};

/// A file to import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubFile {
    /// Name in the container: the path relative to the imported folder.
    pub path: BlobPath,
    /// Path in the repository.
    pub repo_path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Checksum of its content, as listed by the Hub.
    pub sum: HubSum,
}

/// A file of the repository that is not imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubExcluded {
    /// Path relative to the imported folder.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Reason for the exclusion.
    pub reason: ExcludeReason,
}

/// Files of one commit to import. Contains no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubSource {
    /// Commit and path, as stored in the journal.
    pub pin: HubPin,
    /// Files, sorted by their names in the container; never empty.
    pub files: Vec<HubFile>,
    /// Files that are not imported, sorted by path.
    pub excluded: Vec<HubExcluded>,
    /// True if the source is the repository or a folder, not one file of it.
    pub whole_directory: bool,
    /// True if access had to be granted.
    pub is_gated: bool,
    /// Licence according to the model card.
    pub license: Option<String>,
    /// First base model according to the model card.
    pub base_model: Option<String>,
    pub(super) list: FileList,
}

/// Commit of an import: all data that a resumed upload needs. Contains no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HubPin {
    /// Address of the Hub.
    pub endpoint: String,
    /// Repository.
    pub repo: RepoId,
    /// Commit.
    pub sha: CommitId,
    /// Revision as entered by the user, decoded; `main` by default.
    pub reference: String,
    /// Imported folder or file; empty for the whole repository.
    pub path: String,
}

impl HubSource {
    /// Files in the form that all uploads use. The first 64 bits of a file's checksum replace its modification time, so
    /// that equal lists have equal contents.
    #[must_use]
    pub fn list(&self) -> &FileList {
        &self.list
    }

    /// File with this name in the container.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&HubFile> {
        let at = self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        self.files.get(at)
    }

    /// Total size to import in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Number and total bytes of all files in the repository, or in its imported folder.
    #[must_use]
    pub fn all(&self) -> (u64, u64) {
        let left: u64 = self.excluded.iter().map(|left| left.bytes).sum();
        ((self.files.len() + self.excluded.len()) as u64, self.bytes() + left)
    }

    /// Address of a folder below the imported one, in short form.
    #[must_use]
    pub fn below(&self, folder: &str) -> String {
        HubAddress::new(&self.pin, folder).to_string()
    }

    /// Tags of a model made from it.
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

impl HubFile {
    /// File in the form that all uploads use.
    pub(super) fn source_file(&self) -> SourceFile {
        SourceFile { path: self.path.clone(), bytes: self.bytes, modified: self.sum.stamp() }
    }
}

impl HubExcluded {
    /// Entry in the form that local sources use.
    pub(crate) fn entry(&self) -> Excluded {
        Excluded { path: self.path.clone(), reason: self.reason }
    }
}
