//! Subject of an import, as data: the commit, its files, and the model card. Holds no secret.

use serde::{Deserialize, Serialize};

use super::address::HubAddress;
use super::id::{CommitId, RepoId};
use super::sum::HubSum;
use crate::model::{BlobPath, FileList, SourceFile};
use crate::source::{ExcludeReason, Excluded};

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
    /// Reason for the exclusion.
    pub reason: ExcludeReason,
}

/// Files of one commit that are imported. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubSource {
    /// Commit and path, as the journal keeps them.
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
    pub(super) list: FileList,
}

/// Commit of an import: everything that a resumed upload needs. Holds no secret.
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

impl HubSource {
    /// Files in the form of all uploads. The first 64 bits of a file's checksum replace its modification time, so that
    /// equal lists have equal contents.
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

impl HubFile {
    pub(super) fn source_file(&self) -> SourceFile {
        SourceFile { path: self.path.clone(), bytes: self.bytes, modified: self.sum.stamp() }
    }
}

impl HubExcluded {
    /// The entry as local sources have it.
    pub(crate) fn entry(&self) -> Excluded {
        Excluded { path: self.path.clone(), reason: self.reason }
    }
}
