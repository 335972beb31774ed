//! Errors of a native upload.

use std::io;
use std::time::Duration;

use thiserror::Error;

use crate::http::HttpError;
use crate::hub::HubError;
use crate::model::{BlobPath, TransferProgress};
use crate::store::StoreError;

/// Failure of a native upload. Blocks that were sent stay in the store and are not sent again.
#[derive(Debug, Error)]
pub enum NativeError {
    /// Interrupted by the user.
    #[error("interrupted")]
    Interrupted {
        /// Progress at that moment.
        progress: TransferProgress,
    },
    /// No progress for too long.
    #[error("the upload made no progress for {}", crate::units::duration(*.silent))]
    Stalled {
        /// Time since the last byte.
        silent: Duration,
        /// Progress at that moment.
        progress: TransferProgress,
    },
    /// The location can no longer be written to: the store rejects even a new SAS, or the location itself.
    #[error(transparent)]
    Location(StoreError),
    /// The store rejected a request permanently.
    #[error("{path}: {error}")]
    Store {
        /// The file.
        path: BlobPath,
        /// Message of the store.
        error: HttpError,
    },
    /// A file can no longer be read.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: BlobPath,
        /// Message of the operating system.
        why: io::Error,
    },
    /// A file changed since its upload began, or keeps changing.
    #[error("{path} changed during the upload")]
    Changing {
        /// The file.
        path: BlobPath,
    },
    /// The store lost blocks, and lost them again after all of them were sent again.
    #[error("the blob store lost accepted blocks of {path}")]
    BlocksLost {
        /// The file.
        path: BlobPath,
    },
    /// The Hugging Face Hub does not deliver a file, or delivers other content.
    #[error(transparent)]
    Hub(Box<HubError>),
    /// The store cannot copy a file directly, and streaming is not allowed.
    #[error("the blob store cannot copy {path}: {reason}")]
    NotCopied {
        /// The file.
        path: BlobPath,
        /// Reason.
        reason: String,
    },
    /// Copied blobs cannot be read back.
    #[error("the upload location's SAS does not allow reading, so what the blob store copies cannot be verified")]
    WriteOnly,
    /// The private directory cannot be written.
    #[error("cannot save the upload progress: {0}")]
    Record(#[source] io::Error),
}

impl NativeError {
    /// Converts a failure of the Hub.
    pub(super) fn of_hub(error: HubError) -> Self {
        Self::Hub(Box::new(error))
    }

    /// Converts a failure of the store during the upload of this file.
    pub(super) fn of_store(path: &BlobPath, error: StoreError) -> Self {
        match error {
            StoreError::Stale => Self::Changing { path: path.clone() },
            StoreError::Http(error) => Self::Store { path: path.clone(), error },
            error @ (StoreError::SasRejected(_) | StoreError::NoFreshSas(_) | StoreError::Moved) => {
                Self::Location(error)
            }
        }
    }
}
