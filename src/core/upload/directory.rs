//! The private directory of one upload: AzCopy's log and plan, and the list of its files.
//!
//! `<azd config dir>/ai-models/uploads/<id>/`, readable only by its owner, removed on success.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::detached::{self, DETACHED_LOCK, DetachedFiles, DetachedRun, RunLock};
use super::journal::{JOURNAL, read_journal};
use super::local::holds_lock;
use crate::files::{create_private, create_private_directory, open_private, remove_directory};
use crate::model::{ContentHash, SourceFile};
use crate::native::Record;

const LOCK: &str = "lock";
/// Files that describe an upload after its end.
const RETAINED_FILES: [&str; 8] =
    [LOCK, OWNER, JOURNAL, DETACHED_LOCK, detached::RUN, detached::EVENTS, detached::LOG, detached::RESULT];
const LIST: &str = "files.txt";
const OWNER: &str = "pid";
const RUN: &str = "run-";

/// A directory that this process alone works in, until it is dropped.
#[derive(Debug)]
pub struct UploadDirectory {
    path: PathBuf,
    // Never read: the lock ends with the handle.
    _lock: File,
}

/// Directory that is handed over to the process that continues its upload. One that was created for this is removed
/// where that process never takes it.
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

    /// Leaves the directory to the process that took it; returns the upload's id.
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

/// Failure to open or create the directory.
#[derive(Debug, Error)]
pub enum DirectoryError {
    /// Another process uploads the same version of the same model.
    #[error("the same model version is being uploaded by another process{}", named(*.process))]
    InUse {
        /// Process id, where it is known.
        process: Option<u32>,
        /// Id of the upload.
        upload: String,
        /// The other process is detached.
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

    /// Takes over a directory by its path.
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

    /// Opens the directory of an earlier attempt of this upload; `None` if there is none, or when another process owns
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

    /// The directory of one run of AzCopy, for its log, its plan and its list of files.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn run(&self, number: u32) -> Result<PathBuf, DirectoryError> {
        let path = self.run_path(number);
        match create_private_directory(&path) {
            Ok(()) => Ok(path),
            Err(why) => Err(DirectoryError::Io { path, why }),
        }
    }

    /// Highest run number that has a directory, for a lost journal; 0 where there is none.
    pub(crate) fn highest_run(&self) -> u32 {
        let entries = fs::read_dir(&self.path).into_iter().flatten().filter_map(Result::ok);
        let number = |entry: fs::DirEntry| entry.file_name().to_str()?.strip_prefix(RUN)?.parse().ok();
        entries.filter_map(number).max().unwrap_or(0)
    }

    /// Directory of a run, which may not exist.
    #[must_use]
    pub fn run_path(&self, number: u32) -> PathBuf {
        self.path.join(format!("{RUN}{number}"))
    }

    /// Writes the list of files of a run as AzCopy reads it: one path a line.
    ///
    /// # Errors
    /// When the list cannot be written.
    pub(crate) async fn write_list(&self, run: u32, files: &[SourceFile]) -> Result<PathBuf, DirectoryError> {
        let path = self.run_path(run).join(LIST);
        let names: Vec<_> = files.iter().map(|file| file.path.clone()).collect();
        let target = path.clone();
        let write = move || -> io::Result<()> {
            let mut out = io::BufWriter::new(create_private(&target)?);
            for name in names {
                writeln!(out, "{name}")?;
            }
            out.flush()
        };
        match blocking(write).await {
            Ok(()) => Ok(path),
            Err(why) => Err(DirectoryError::Io { path, why }),
        }
    }

    /// Opens the record of the native engine, with the content of earlier runs of the upload with this key.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub(crate) async fn record(&self, key: &str) -> io::Result<Record> {
        let (path, key) = (self.path.clone(), key.to_owned());
        blocking(move || Record::open(&path, &key)).await
    }

    /// Takes the directory for a detached run of this process.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn begin_detached(&self, run: &DetachedRun) -> Result<RunLock, DirectoryError> {
        let files = DetachedFiles::of(&self.path);
        files.begin(run).map_err(|why| DirectoryError::Io { path: self.path.clone(), why })
    }

    /// Releases the directory for the process that continues the upload.
    pub(super) fn hand_over(self) -> DirectoryHandover {
        let is_new = read_journal(&self.path).is_none() && !self.has_detached();
        DirectoryHandover { path: self.path, is_new }
    }

    /// True if a detached upload left its result, or is about to begin.
    pub(super) fn has_detached(&self) -> bool {
        DetachedFiles::of(&self.path).run().is_some()
    }

    /// Removes the files needed to resume, and keeps those that describe the upload.
    pub(super) fn remove_resume_state(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else if !RETAINED_FILES.iter().any(|name| entry.file_name() == *name) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Removes the files of an earlier detached run except the journal.
    pub(super) fn forget_detached(&self) {
        // Remaining files are removed by the next run.
        drop(DetachedFiles::of(&self.path).remove());
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

    /// Removes the directories of earlier runs, except the one of run `current`.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub(crate) async fn remove_runs_but(&self, current: u32) -> Result<(), DirectoryError> {
        let (path, kept) = (self.path.clone(), self.run_path(current));
        let remove = move || -> io::Result<()> {
            for entry in fs::read_dir(path)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() && entry.path() != kept {
                    remove_directory(&entry.path())?;
                }
            }
            Ok(())
        };
        blocking(remove).await.map_err(|why| DirectoryError::Io { path: self.path.clone(), why })
    }
}

/// Runs file work of 100,000 files where it does not hold up the terminal and the network.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Id of the process that owns the directory. In a file of its own, since Windows makes a locked file unreadable.
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
    use super::*;

    const ENDPOINT: &str = "https://a.services.ai.azure.com/api/projects/p";

    #[cfg(unix)]
    #[tokio::test(flavor = "current_thread")]
    async fn it_is_private_and_goes_with_all_that_is_in_it() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().expect("a directory");
        let directory = UploadDirectory::open(home.path(), ENDPOINT, "m", "1").expect("made");
        let run = directory.run(1).expect("made");
        let files = ["a b.txt", "c"].map(|path| SourceFile { path: path.into(), bytes: 1, modified: 1 });
        let list = directory.write_list(1, &files).await.expect("written");
        assert_eq!(fs::read_to_string(&list).expect("read"), "a b.txt\nc\n");
        let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!((mode(directory.path()), mode(&run), mode(&list)), (0o700, 0o700, 0o600));
        let path = directory.path().to_owned();
        directory.remove().expect("removed");
        assert!(!path.exists());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn one_process_at_a_time_and_each_finds_what_the_last_one_left() {
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
    fn a_detached_upload_that_let_go_of_its_directory_keeps_it_until_its_result_is_written() {
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
    fn starting_over_keeps_what_tells_of_the_detached_upload() {
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
