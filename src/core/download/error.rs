//! Errors of a download.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use super::name::NameHazard;
use crate::model::BlobPath;
use crate::store::{RangeError, StoreError};
use crate::units;

/// Obstacle at the path of a file below the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// A link, which is not followed.
    Link,
    /// Something other than a directory, where one is required.
    NotADirectory,
    /// A directory where the file belongs.
    Directory,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Link => "is a link, which is not followed",
            Self::NotADirectory => "is not a directory",
            Self::Directory => "is a directory",
        })
    }
}

fn are(number: usize, one: &str, several: &str) -> String {
    units::count(number as u64, one, several)
}

/// Failure of a download.
#[derive(Debug, Error)]
pub enum DownloadError {
    /// No file of the model is selected.
    #[error("no file of the model is selected")]
    NothingSelected,
    /// Names that are not valid paths below the directory.
    #[error("{} cannot be stored below the directory", are(.0.len(), "file of the model", "files of the model"))]
    BadNames(Vec<(String, NameHazard)>),
    /// Obstacles below the directory.
    #[error("{} in the way", are(.0.len(), "entry of the directory is", "entries of the directory are"))]
    Blocked(Vec<(String, Obstacle)>),
    /// Files that would be overwritten.
    #[error("{} already there", are(.0.len(), "file is", "files are"))]
    Exists(Vec<String>),
    /// Another process downloads into the directory.
    #[error("another process is downloading to {}", .0.display())]
    InUse(PathBuf),
    /// Not enough free disk space.
    #[error("the download needs {}, but {} has only {} free", units::bytes(*.needed), .directory.display(), units::bytes(*.free))]
    NoRoom {
        /// Bytes that are still needed.
        needed: u64,
        /// Bytes that are available on the disk.
        free: u64,
        /// Directory on that disk.
        directory: PathBuf,
    },
    /// Error of the file system.
    #[error("cannot write {}: {why}", .path.display())]
    Disk {
        /// Path that could not be created or written.
        path: PathBuf,
        /// Message of the operating system.
        why: io::Error,
    },
    /// The blob was overwritten since it was listed, or is gone.
    #[error("{0} was changed in the blob store while it was downloaded")]
    Changed(BlobPath),
    /// The content has a different SHA-256 than the upload recorded.
    #[error("the SHA-256 of {0} differs from the one recorded by the upload")]
    Mismatch(BlobPath),
    /// The content of all files together has a different digest than the registered one.
    #[error("the content digest of the files differs from the one registered with the model")]
    DigestMismatch,
    /// The store rejected the request permanently, or did not respond.
    #[error(transparent)]
    Store(StoreError),
    /// No data was received for this time.
    #[error("no data received from the blob store for {}", units::duration(*.0))]
    Stalled(Duration),
    /// The download was stopped.
    #[error("the download was cancelled")]
    Stopped,
}

impl DownloadError {
    /// True if the same command resumes the download.
    #[must_use]
    pub fn is_resumable(&self) -> bool {
        matches!(self, Self::Disk { .. } | Self::Changed(_) | Self::Store(_) | Self::Stalled(_))
    }
}

impl From<RangeError> for DownloadError {
    fn from(error: RangeError) -> Self {
        match error {
            RangeError::Changed(path) => Self::Changed(path),
            RangeError::Store(error) => Self::Store(error),
        }
    }
}
