//! Why AzCopy was not installed.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::azcopy::VerifyError;
use crate::env::var;
use crate::http::HttpError;
use crate::units;

/// See the module.
#[derive(Debug, Error)]
pub enum InstallError {
    /// A variable has a value that cannot be used.
    #[error("{variable} cannot be used: {why}")]
    Variable {
        /// Name of the variable.
        variable: &'static str,
        /// Reason; does not repeat the value.
        why: String,
    },
    /// An own place is named, and no checksum.
    #[error("{} needs {}, the SHA-256 of the archive at that place", var::AZCOPY_URL, var::AZCOPY_SHA256)]
    NoChecksum,
    /// There is no home directory.
    #[error("there is no home directory to put AzCopy in")]
    NoHome,
    /// The archive did not come.
    #[error("{}", http_words(.0))]
    Http(HttpError),
    /// A redirect leads to a place that is not trusted.
    #[error("{from} leads to {to}, which is no known place of AzCopy")]
    Redirect {
        /// Host that said so.
        from: String,
        /// Target of the redirect, without its query.
        to: String,
    },
    /// One redirect after the other.
    #[error("too many redirects")]
    TooManyRedirects,
    /// The archive is larger than any AzCopy.
    #[error("the archive is larger than {}", units::bytes(*.limit))]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The archive is another one than the checksum says.
    #[error("the archive has the SHA-256 {found}, and {} says {wanted}", var::AZCOPY_SHA256)]
    WrongChecksum {
        /// Of the archive that came.
        found: String,
        /// Expected checksum.
        wanted: String,
    },
    /// The archive is refused.
    #[error("{0}")]
    Archive(ArchiveFlaw),
    /// The program in the archive is no AzCopy that runs here.
    #[error("{0}")]
    Unusable(VerifyError),
    /// The disk said no.
    #[error("cannot write {}: {why}", .path.display())]
    Io {
        /// Path that could not be created or written.
        path: PathBuf,
        /// The system's words.
        why: io::Error,
    },
}

impl InstallError {
    pub(super) fn io(path: &Path) -> impl Fn(io::Error) -> Self + use<'_> {
        |why| Self::Io { path: path.to_owned(), why }
    }
}

fn http_words(error: &HttpError) -> String {
    match error {
        HttpError::Service(error) => format!("the server answered: {error}"),
        error => error.to_string(),
    }
}

/// Defect of an archive.
#[derive(Debug, Error)]
pub enum ArchiveFlaw {
    /// Neither tar.gz nor zip; often a page of a proxy.
    #[error("it is neither a tar.gz nor a zip archive")]
    OtherFormat,
    /// Damaged: cannot be read to its end.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// A name that leads out of the directory.
    #[error("it holds an unsafe name: {0}")]
    UnsafeName(String),
    /// A symbolic or hard link.
    #[error("it holds a link: {0}")]
    Link(String),
    /// The program's name is that of something else.
    #[error("its {0} is no regular file")]
    NotAFile(String),
    /// Two programs.
    #[error("it holds more than one azcopy")]
    Twice,
    /// No program.
    #[error("there is no azcopy in it")]
    NoProgram,
    /// Unpacks into more bytes than any AzCopy has.
    #[error("it unpacks into more than {}", units::bytes(*.0))]
    Bomb(u64),
    /// Declares another size than it has.
    #[error("{0} has another size than the archive says")]
    WrongSize(String),
}
