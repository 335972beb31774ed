//! The uploads that this person left unfinished: what `uploads list`, `resume` and `discard` work on.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use super::directory::{DirectoryError, LOCK, UploadDirectory, uploads_directory};
use super::journal::{Journal, read_journal};

/// One unfinished upload.
#[derive(Clone, Debug)]
pub struct Unfinished {
    /// First 16 hex digits of SHA-256 over endpoint, name and version.
    pub id: String,
    /// Its journal.
    pub journal: Journal,
    /// A process works on it now.
    pub running: bool,
}

/// All of them, the one that was worked on last first. Directories without a journal that can be read are no uploads.
///
/// # Errors
/// When the directory is there and cannot be read.
pub fn unfinished(config_dir: &Path) -> io::Result<Vec<Unfinished>> {
    let entries = match fs::read_dir(uploads_directory(config_dir)) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if let (Some(journal), Some(id)) = (read_journal(&path), path.file_name()) {
            found.push(Unfinished { id: id.to_string_lossy().into_owned(), journal, running: is_locked(&path) });
        }
    }
    found.sort_by(|left, right| right.journal.updated_at.cmp(&left.journal.updated_at).then(left.id.cmp(&right.id)));
    Ok(found)
}

impl Unfinished {
    /// Takes its directory over.
    ///
    /// # Errors
    /// See [`DirectoryError`].
    pub fn take(&self, config_dir: &Path) -> Result<UploadDirectory, DirectoryError> {
        UploadDirectory::take(uploads_directory(config_dir).join(&self.id))
    }
}

fn is_locked(directory: &Path) -> bool {
    let lock = File::open(directory.join(LOCK));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}
