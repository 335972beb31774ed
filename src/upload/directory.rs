//! The private directory of one upload: AzCopy's log and plan, and the list of files it is given.
//!
//! `<azd config dir>/ai-models/uploads/<id>/`, readable by its owner alone, removed on success (cli.md 7).

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use thiserror::Error;

use super::plan::PlannedFile;

const LOCK: &str = "lock";
const LIST: &str = "files.txt";
const OWNER: &str = "pid";

/// A directory that this process alone works in, until it is dropped.
#[derive(Debug)]
pub struct UploadDirectory {
    path: PathBuf,
    // Held, not read: the lock ends with the handle.
    _lock: File,
}

/// Why there is no directory.
#[derive(Debug, Error)]
pub enum DirectoryError {
    /// Another process uploads the same version of the same model.
    #[error("the same model version is being uploaded by another process{}", named(*.process))]
    InUse {
        /// Its id, if it told.
        process: Option<u32>,
    },
    /// The disk said no.
    #[error("cannot prepare {}: {why}", .path.display())]
    Io {
        /// What could not be made or written.
        path: PathBuf,
        /// The system's words.
        why: io::Error,
    },
}

impl UploadDirectory {
    /// Makes the directory for one upload, empty; what an earlier try left in it is removed.
    ///
    /// # Errors
    /// See [`DirectoryError`].
    pub fn create(config_dir: &Path, endpoint: &str, name: &str, version: &str) -> Result<Self, DirectoryError> {
        let path = config_dir.join("ai-models").join("uploads").join(id(endpoint, name, version));
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |why| DirectoryError::Io { path, why }
        };
        create_private(&path).map_err(failed(&path))?;
        let lock_path = path.join(LOCK);
        let lock = private_file(&lock_path).map_err(failed(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DirectoryError::InUse { process: owner(&path) }),
            Err(TryLockError::Error(why)) => return Err(DirectoryError::Io { path: lock_path, why }),
        }
        let directory = Self { path, _lock: lock };
        directory.empty().map_err(failed(&directory.path))?;
        let pid = directory.path.join(OWNER);
        private_file(&pid).and_then(|mut file| write!(file, "{}", std::process::id())).map_err(failed(&pid))?;
        Ok(directory)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the list of files as AzCopy takes it: one path a line.
    ///
    /// # Errors
    /// When the list cannot be written.
    pub fn write_list(&self, files: &[PlannedFile]) -> Result<PathBuf, DirectoryError> {
        let path = self.path.join(LIST);
        let write = || -> io::Result<()> {
            let mut out = io::BufWriter::new(private_file(&path)?);
            for file in files {
                writeln!(out, "{}", file.path)?;
            }
            out.flush()
        };
        match write() {
            Ok(()) => Ok(path),
            Err(why) => Err(DirectoryError::Io { path, why }),
        }
    }

    /// Removes the directory with all that is in it.
    ///
    /// # Errors
    /// When something in it cannot be removed.
    pub fn remove(self) -> io::Result<()> {
        let path = self.path.clone();
        // Windows removes no open file.
        drop(self);
        fs::remove_dir_all(path)
    }

    fn empty(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_name() == LOCK {
                continue;
            }
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

/// Who works in the directory. Windows lets nobody read the locked file, so it stands in one of its own.
fn owner(path: &Path) -> Option<u32> {
    fs::read_to_string(path.join(OWNER)).ok()?.parse().ok()
}

fn named(process: Option<u32>) -> String {
    process.map(|id| format!(" (id {id})")).unwrap_or_default()
}

/// First 16 hex digits of SHA-256 over endpoint, name and version.
fn id(endpoint: &str, name: &str, version: &str) -> String {
    let hash = Sha256::digest(format!("{endpoint}\n{name}\n{version}"));
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    // It may have been there with another mode.
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<()> {
    // A user's profile is private on Windows.
    fs::create_dir_all(path)
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDPOINT: &str = "https://a.services.ai.azure.com/api/projects/p";

    #[cfg(unix)]
    #[test]
    fn it_is_private_and_goes_with_all_that_is_in_it() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().expect("a directory");
        let directory = UploadDirectory::create(home.path(), ENDPOINT, "m", "1").expect("made");
        let list = directory
            .write_list(&[PlannedFile { path: "a b.txt".into(), bytes: 1 }, PlannedFile { path: "c".into(), bytes: 1 }])
            .expect("written");
        assert_eq!(fs::read_to_string(&list).expect("read"), "a b.txt\nc\n");
        let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!((mode(directory.path()), mode(&list)), (0o700, 0o600));
        let path = directory.path().to_owned();
        directory.remove().expect("removed");
        assert!(!path.exists());
    }

    #[test]
    fn one_process_at_a_time_and_each_starts_empty() {
        let home = tempfile::tempdir().expect("a directory");
        let first = UploadDirectory::create(home.path(), ENDPOINT, "m", "1").expect("made");
        fs::write(first.path().join("left.log"), "x").expect("written");
        let second = UploadDirectory::create(home.path(), ENDPOINT, "m", "1").expect_err("in use");
        assert!(matches!(second, DirectoryError::InUse { process: Some(id) } if id == std::process::id()));
        let path = first.path().to_owned();
        drop(first);
        let again = UploadDirectory::create(home.path(), ENDPOINT, "m", "1").expect("made again");
        assert!(!again.path().join("left.log").exists() && again.path() == path);
        let other = UploadDirectory::create(home.path(), ENDPOINT, "m", "2").expect("another version");
        assert_ne!(other.path(), again.path());
    }
}
