//! Session of a detached upload, which a process without a terminal continues.

use std::io;
use std::path::PathBuf;

use super::super::detached::{DetachedRun, ResumeHint, RunLock};
use super::super::directory::{DirectoryError, DirectoryHandover, UploadDirectory};
use super::super::error::UploadError;
use super::super::journal::Stage;
use super::{DetachedRole, Session};
use crate::model::BlobUri;

impl Session {
    /// Requests an upload location and probes it, as the upload will do again: rejections by the service are known
    /// before the upload is detached.
    ///
    /// # Errors
    /// See [`UploadError`].
    pub async fn check_location(&self) -> Result<BlobUri, UploadError> {
        self.location().await.map(|location| location.blob_uri)
    }

    /// Releases the directory unchanged to the process that continues the upload.
    #[must_use]
    pub fn hand_over(mut self) -> Option<DirectoryHandover> {
        self.directory.take().map(UploadDirectory::hand_over)
    }

    /// Makes this session a detached one: its directory is kept after the end. The lock must be held until the result
    /// is written.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn begin_detached(&mut self, resume: ResumeHint) -> Result<(RunLock, PathBuf), DirectoryError> {
        let request = &self.request;
        let run = DetachedRun::of_this_process(
            self.foundry.endpoint().to_string(),
            (request.name.to_string(), request.version.to_string()),
            request.shown_source.clone(),
            resume,
        );
        let directory = self.directory()?;
        let (lock, path) = (directory.begin_detached(&run)?, directory.path().to_owned());
        self.detached = DetachedRole::This;
        Ok((lock, path))
    }

    /// Keeps the files that describe the upload, and removes those needed to resume it.
    pub(super) async fn mark_done(&mut self) -> io::Result<()> {
        let Some(mut journal) = self.journal.clone() else { return Ok(()) };
        journal.stage = Stage::Done;
        self.write(&mut journal).await.map_err(io::Error::other)?;
        self.directory.as_ref().map_or(Ok(()), |directory| directory.remove_resume_state())
    }
}
