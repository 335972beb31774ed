//! The directory of an upload that another process continues, or that a detached process left.

use std::path::{Path, PathBuf};

use super::{DirectoryError, UploadDirectory};
use crate::upload::detached::{DetachedFiles, DetachedRun, RunLock};
use crate::upload::journal::read_journal;

/// Directory that is handed over to the process that continues its upload. A directory created for this purpose is
/// removed if that process never takes it over.
#[derive(Debug)]
pub struct DirectoryHandover {
    path: PathBuf,
    is_new: bool,
}

impl DirectoryHandover {
    /// Path of the directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the directory to the process that took it over. Returns the upload's id.
    #[must_use]
    pub fn keep(mut self) -> String {
        self.is_new = false;
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

impl Drop for DirectoryHandover {
    fn drop(&mut self) {
        if self.is_new
            && let Ok(directory) = UploadDirectory::take(self.path.clone())
            && read_journal(&self.path).is_none()
            && !directory.has_detached()
        {
            drop(directory.remove());
        }
    }
}

impl UploadDirectory {
    /// Prepares the directory for a detached run of this process.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(in crate::upload) fn begin_detached(&self, run: &DetachedRun) -> Result<RunLock, DirectoryError> {
        let files = DetachedFiles::of(&self.path);
        files.begin(run).map_err(|why| DirectoryError::Io { path: self.path.clone(), why })
    }

    /// Releases the directory for the process that continues the upload.
    pub(in crate::upload) fn hand_over(self) -> DirectoryHandover {
        let is_new = read_journal(&self.path).is_none() && !self.has_detached();
        DirectoryHandover { path: self.path, is_new }
    }

    /// True if a detached upload left its result, or is about to begin.
    pub(in crate::upload) fn has_detached(&self) -> bool {
        DetachedFiles::of(&self.path).run().is_some()
    }

    /// Removes the files of an earlier detached run except the journal.
    pub(in crate::upload) fn forget_detached(&self) {
        // Remaining files are removed by the next run.
        drop(DetachedFiles::of(&self.path).remove());
    }
}
