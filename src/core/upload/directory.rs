//! The private directory of one upload, and its lock: one process works in it at a time.
//!
//! `<azd config dir>/ai-models/uploads/<id>/`, readable only by its owner, removed on success.

mod content;
mod handover;

pub(super) use content::run_path;
pub use handover::DirectoryHandover;

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::detached::DETACHED_LOCK;
use super::local::holds_lock;
use crate::files::{create_private, create_private_directory, open_private, remove_directory};
use crate::model::ContentHash;

const LOCK: &str = "lock";
const OWNER: &str = "pid";
/// A directory that only this process works in, until it is dropped.
#[derive(Debug)]
pub struct UploadDirectory {
    path: PathBuf,
    // Never read: the lock ends when the handle is dropped.
    _lock: File,
}

/// Failure to open or create the directory.
#[derive(Debug, Error)]
pub enum DirectoryError {
    /// Another process uploads the same version of the same model.
    #[error("the same model version is being uploaded by another process{}", named(*.process))]
    InUse {
        /// Process id, if it is known.
        process: Option<u32>,
        /// Id of the upload.
        upload: String,
        /// True if the other process is detached.
        detached: bool,
    },
    /// A file operation failed.
    #[error("cannot prepare {}: {why}", .path.display())]
    Io {
        /// Path that could not be created or written.
        path: PathBuf,
        /// Message of the operating system.
        why: io::Error,
    },
}

/// Directory of all uploads of this user.
pub(super) fn uploads_directory(config_dir: &Path) -> PathBuf {
    config_dir.join("ai-models").join("uploads")
}

/// First 16 hex digits of SHA-256 over endpoint, name and version.
fn upload_id(endpoint: &str, name: &str, version: &str) -> String {
    let hash = ContentHash::of(format!("{endpoint}\n{name}\n{version}").as_bytes());
    hash.to_string().chars().take(16).collect()
}

impl UploadDirectory {
    /// Creates the directory for one upload, or opens the one of an earlier attempt.
    ///
    /// # Errors
    /// See [`DirectoryError`].
    pub fn open(config_dir: &Path, endpoint: &str, name: &str, version: &str) -> Result<Self, DirectoryError> {
        Self::take(uploads_directory(config_dir).join(upload_id(endpoint, name, version)))
    }

    /// Takes over an existing directory by its path.
    ///
    /// # Errors
    /// See [`DirectoryError`].
    pub(super) fn take(path: PathBuf) -> Result<Self, DirectoryError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |why| DirectoryError::Io { path, why }
        };
        create_private_directory(&path).map_err(failed(&path))?;
        let lock_path = path.join(LOCK);
        let lock = open_private(&lock_path).map_err(failed(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(&path)),
            Err(TryLockError::Error(why)) => return Err(DirectoryError::Io { path: lock_path, why }),
        }
        // A detached upload that released the directory has yet to write its result.
        if holds_lock(&path.join(DETACHED_LOCK)) {
            return Err(in_use(&path));
        }
        let directory = Self { path, _lock: lock };
        let pid = directory.path.join(OWNER);
        create_private(&pid).and_then(|mut file| write!(file, "{}", std::process::id())).map_err(failed(&pid))?;
        Ok(directory)
    }

    /// Opens the directory of an earlier attempt of this upload; `None` if there is none, or if another process owns
    /// it.
    ///
    /// # Errors
    /// When the file system reports an error.
    pub fn existing(
        config_dir: &Path,
        endpoint: &str,
        name: &str,
        version: &str,
    ) -> Result<Option<Self>, DirectoryError> {
        if !uploads_directory(config_dir).join(upload_id(endpoint, name, version)).is_dir() {
            return Ok(None);
        }
        match Self::open(config_dir, endpoint, name, version) {
            Ok(directory) => Ok(Some(directory)),
            Err(DirectoryError::InUse { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Path of the directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the directory with its content.
    ///
    /// # Errors
    /// When something in it cannot be removed.
    pub fn remove(self) -> io::Result<()> {
        let path = self.path.clone();
        // Windows does not remove open files.
        drop(self);
        remove_directory(&path)
    }
}

/// Runs blocking file work for up to 100,000 files on another thread, so that it does not delay the terminal and the
/// network.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Id of the process that owns the directory. Stored in a separate file, since Windows makes a locked file unreadable.
pub(super) fn owner(path: &Path) -> Option<u32> {
    fs::read_to_string(path.join(OWNER)).ok()?.parse().ok()
}

/// True while a process works in the directory, detached or not.
pub(super) fn is_locked(path: &Path) -> bool {
    [LOCK, DETACHED_LOCK].iter().any(|name| holds_lock(&path.join(name)))
}

fn in_use(path: &Path) -> DirectoryError {
    DirectoryError::InUse {
        process: owner(path),
        upload: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        detached: holds_lock(&path.join(DETACHED_LOCK)),
    }
}

fn named(process: Option<u32>) -> String {
    process.map(|id| format!(" (id {id})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::content::RETAINED_FILES;
    use super::*;
    use crate::upload::detached::{self, DetachedRun};

    const ENDPOINT: &str = "https://a.services.ai.azure.com/api/projects/p";

    #[cfg(unix)]
    #[tokio::test(flavor = "current_thread")]
    async fn the_directory_is_private_and_removed_with_its_content() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().expect("a directory");
        let directory = UploadDirectory::open(home.path(), ENDPOINT, "m", "1").expect("made");
        let run = directory.run(1).expect("made");
        let files = ["a b.txt", "c"].map(|path| crate::model::SourceFile { path: path.into(), bytes: 1, modified: 1 });
        let list = directory.write_list(1, &files).await.expect("written");
        assert_eq!(fs::read_to_string(&list).expect("read"), "a b.txt\nc\n");
        let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!((mode(directory.path()), mode(&run), mode(&list)), (0o700, 0o700, 0o600));
        let path = directory.path().to_owned();
        directory.remove().expect("removed");
        assert!(!path.exists());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn the_directory_has_one_owner_at_a_time_and_keeps_its_content() {
        let home = tempfile::tempdir().expect("a directory");
        let first = UploadDirectory::open(home.path(), ENDPOINT, "m", "1").expect("made");
        for number in [1, 2] {
            first.run(number).expect("made");
        }
        let again = UploadDirectory::open(home.path(), ENDPOINT, "m", "1");
        assert!(matches!(again, Err(DirectoryError::InUse { process, .. }) if process == Some(std::process::id())));
        drop(first);
        let again = UploadDirectory::open(home.path(), ENDPOINT, "m", "1").expect("taken over");
        again.remove_runs_but(2).await.expect("removed");
        assert!(!again.run_path(1).exists() && again.run_path(2).exists());
        let other = UploadDirectory::open(home.path(), ENDPOINT, "m", "2").expect("another version");
        assert_ne!(other.path(), again.path());
    }

    fn detached_run() -> DetachedRun {
        let model = ("m".to_owned(), "1".to_owned());
        DetachedRun::of_this_process(ENDPOINT.to_owned(), model, "model".to_owned(), detached::ResumeHint::default())
    }

    #[test]
    fn a_detached_upload_keeps_its_directory_until_its_result_is_written() {
        let home = tempfile::tempdir().expect("a directory");
        let open = || UploadDirectory::open(home.path(), ENDPOINT, "m", "1");
        let directory = open().expect("made");
        let run = directory.begin_detached(&detached_run()).expect("begun");
        drop(directory);
        assert!(matches!(open(), Err(DirectoryError::InUse { detached: true, .. })));
        drop(run);
        open().expect("free");
    }

    #[test]
    fn starting_over_keeps_the_files_of_the_detached_upload() {
        let home = tempfile::tempdir().expect("a directory");
        let directory = UploadDirectory::open(home.path(), ENDPOINT, "m", "1").expect("made");
        directory.run(1).expect("made");
        let kept = RETAINED_FILES.map(|name| directory.path().join(name));
        for path in kept.iter().chain([&directory.path().join("blocks-1")]).filter(|path| !path.ends_with(LOCK)) {
            fs::write(path, "x").expect("written");
        }
        directory.remove_resume_state().expect("removed");
        let left: std::collections::BTreeSet<PathBuf> =
            fs::read_dir(directory.path()).expect("a directory").map(|entry| entry.expect("an entry").path()).collect();
        assert_eq!(left, kept.into());
    }
}
