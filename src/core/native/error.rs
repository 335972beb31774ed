//! Why a native upload is not complete.

use std::io;
use std::time::Duration;

use thiserror::Error;

use crate::http::HttpError;
use crate::model::TransferProgress;

/// Why a native upload is not complete. What was sent stays at the store and is not sent again.
#[derive(Debug, Error)]
pub enum NativeError {
    /// The person ended it.
    #[error("interrupted")]
    Interrupted {
        /// How far it was.
        progress: TransferProgress,
    },
    /// Nothing moved for too long.
    #[error("the upload stood still for {}", crate::units::duration(*.silent))]
    Stalled {
        /// Since the last byte.
        silent: Duration,
        /// How far it was.
        progress: TransferProgress,
    },
    /// The blob store takes neither the SAS nor a fresh one.
    #[error("the blob store refused the upload, also with a fresh SAS ({0})")]
    Refused(HttpError),
    /// The service gave no fresh SAS.
    #[error("the upload location's SAS was refused, and Foundry gave no fresh one")]
    NoFreshSas(#[source] HttpError),
    /// The fresh SAS is for another place.
    #[error("Foundry moved the upload location")]
    Moved,
    /// The store refused something for good.
    #[error("{path}: {error}")]
    Store {
        /// The file.
        path: String,
        /// The store's words.
        error: HttpError,
    },
    /// A file cannot be read any more.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: String,
        /// The system's words.
        why: io::Error,
    },
    /// A file is not what it was when it was begun, or never keeps still.
    #[error("{path} changes while it is sent")]
    Changing {
        /// The file.
        path: String,
    },
    /// The store does not hold what was sent.
    #[error("the blob store does not hold {path} as it was sent")]
    Incomplete {
        /// The file.
        path: String,
    },
    /// The private directory cannot be written.
    #[error("cannot record what arrived: {0}")]
    Record(#[source] io::Error),
}
