//! Errors of the installation of AzCopy.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::azcopy::VerifyError;
use crate::env::var;
use crate::http::HttpError;
use crate::units;

/// Failure to download or unpack AzCopy.
#[derive(Debug, Error)]
pub enum InstallError {
    /// A variable has an unusable value.
    #[error("{variable} cannot be used: {why}")]
    Variable {
        /// Name of the variable.
        variable: &'static str,
        /// Reason; does not repeat the value.
        why: String,
    },
    /// A custom source is set, but no checksum.
    #[error("{} requires {}, the SHA-256 of the archive", var::AZCOPY_URL, var::AZCOPY_SHA256)]
    NoChecksum,
    /// There is no home directory.
    #[error("no home directory found to install AzCopy in")]
    NoHome,
    /// The download failed.
    #[error("{}", http_words(.0))]
    Http(HttpError),
    /// A redirect leads to a host that is not trusted.
    #[error("{from} redirects to {to}, which is not a known download host of AzCopy")]
    Redirect {
        /// Host that redirects.
        from: String,
        /// Target of the redirect, without its query.
        to: String,
    },
    /// Too many consecutive redirects.
    #[error("too many redirects")]
    TooManyRedirects,
    /// The archive is larger than any AzCopy release.
    #[error("the archive is larger than {}", units::bytes(*.limit))]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The archive does not have the expected checksum.
    #[error("the SHA-256 of the archive is {found}, but {} is {wanted}", var::AZCOPY_SHA256)]
    WrongChecksum {
        /// Checksum of the downloaded archive.
        found: String,
        /// Expected checksum.
        wanted: String,
    },
    /// The archive is rejected.
    #[error("{0}")]
    Archive(ArchiveFlaw),
    /// The program in the archive is not an AzCopy that runs here.
    #[error("{0}")]
    Unusable(VerifyError),
    /// A file operation failed.
    #[error("cannot write {}: {why}", .path.display())]
    Io {
        /// Path that could not be created or written.
        path: PathBuf,
        /// Message of the operating system.
        why: io::Error,
    },
}

impl InstallError {
    /// Error of a file operation on this path.
    pub(super) fn io(path: &Path) -> impl Fn(io::Error) -> Self + use<'_> {
        |why| Self::Io { path: path.to_owned(), why }
    }
}

fn http_words(error: &HttpError) -> String {
    match error {
        HttpError::Service(error) => format!("the server returned: {error}"),
        error => error.to_string(),
    }
}

/// Defect of an archive.
#[derive(Debug, Error)]
pub enum ArchiveFlaw {
    /// Neither tar.gz nor zip; often an HTML page of a proxy.
    #[error("not a tar.gz or zip archive")]
    OtherFormat,
    /// Damaged: cannot be read completely.
    #[error("the archive is damaged: {0}")]
    Damaged(String),
    /// A name that leads out of the directory.
    #[error("the archive contains an unsafe name: {0}")]
    UnsafeName(String),
    /// A symbolic or hard link.
    #[error("the archive contains a link: {0}")]
    Link(String),
    /// The entry with the program's name is not a regular file.
    #[error("{0} in the archive is not a regular file")]
    NotAFile(String),
    /// More than one program.
    #[error("the archive contains more than one azcopy")]
    Twice,
    /// No program.
    #[error("the archive contains no azcopy")]
    NoProgram,
    /// Unpacks into more bytes than any AzCopy release has.
    #[error("the archive unpacks to more than {}", units::bytes(*.0))]
    Bomb(u64),
    /// The size differs from the declared one.
    #[error("the size of {0} differs from the one in the archive")]
    WrongSize(String),
}
