//! Reader of the files of one commit.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::client::HubClient;
use super::error::HubError;
use super::id::{CommitId, RepoId};
use super::remote_file::RemoteFile;
use super::signed_url::CopyFault;
use super::source::{HubFile, HubSource};
use crate::model::ContentHash;

/// Maximum number of small files that are read concurrently.
const READS: usize = 8;

/// Reads the files of one commit; the signed URL of a file is requested once for all its readers.
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
    /// Reader of this commit.
    pub(super) fn new(client: Arc<HubClient>, repo: RepoId, sha: CommitId) -> Self {
        Self { client, repo, sha, files: Mutex::default() }
    }

    /// Reason why the blob store cannot copy the weights directly, determined from the first of their URLs; `None` if
    /// it can.
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

    /// Reads a small document, verified by its checksum.
    ///
    /// # Errors
    /// See [`HubError`].
    pub async fn document(&self, file: &HubFile) -> Result<Bytes, HubError> {
        self.file(file).whole().await
    }

    /// SHA-256 of each file, in order: as listed by the Hub, or computed for files in the repository itself, which are
    /// small.
    ///
    /// # Errors
    /// See [`HubError`].
    pub async fn sums(&self, source: &HubSource) -> Result<Vec<ContentHash>, HubError> {
        let sum = |file: HubFile| async move {
            match file.sum.sha256() {
                Some(sum) => Ok(sum),
                None => Ok(ContentHash::of(&self.document(&file).await?)),
            }
        };
        stream::iter(source.files.clone()).map(sum).buffered(READS).try_collect().await
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
