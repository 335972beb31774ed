//! Unfinished uploads of this user that `create` and `uploads resume` can resume.

use std::io;
use std::path::Path;

use super::journal::{Journal, Stage};
use super::local::local_uploads;

/// One unfinished upload.
#[derive(Clone, Debug)]
pub struct UnfinishedUpload {
    /// First 16 hex digits of SHA-256 over endpoint, name and version.
    pub id: String,
    /// Journal of the upload.
    pub journal: Journal,
    /// True if a process is working on it.
    pub running: bool,
}

/// Lists all of them, the most recently updated first. Directories without a readable journal do not count as uploads.
///
/// # Errors
/// When the directory exists and cannot be read.
pub fn unfinished(config_dir: &Path) -> io::Result<Vec<UnfinishedUpload>> {
    let kept = local_uploads(config_dir)?.into_iter();
    let unfinished = kept.filter_map(|upload| {
        let journal = upload.journal.filter(|journal| journal.stage != Stage::Done)?;
        Some(UnfinishedUpload { id: upload.id, journal, running: upload.running })
    });
    Ok(unfinished.collect())
}
