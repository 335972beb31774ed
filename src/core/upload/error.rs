//! Errors of an upload.

use thiserror::Error;

use super::directory::DirectoryError;
use super::engine::TransferError;
use super::resume::ResumeTotals;
use crate::http::HttpError;
use crate::model::BlobPath;
use crate::source::Selection;
use crate::store::{SasRefusal, StoreError};

/// Reason why an upload is not complete.
#[derive(Debug, Error)]
pub enum UploadError {
    /// The service returned no upload location because of a conflict (409): the version exists, or something else
    /// conflicts.
    #[error("Foundry did not provide an upload location")]
    Conflict(#[source] HttpError),
    /// The service returned no upload location.
    #[error("Foundry did not provide an upload location")]
    NoLocation(#[source] HttpError),
    /// The blob store does not respond.
    #[error("the blob store did not respond")]
    Unreachable(#[source] HttpError),
    /// The blob store rejects the SAS, and a new one too; nothing was sent.
    #[error("{0}")]
    SasRejected(SasRefusal),
    /// The blob store rejects the SAS, and the service returned no new one; nothing was sent.
    #[error("Foundry did not provide a new upload location")]
    NoFreshSas(#[source] HttpError),
    /// The location holds a file that is not part of this model and that this program must not delete: it would be
    /// registered with the model.
    #[error("the upload location of this version already contains {0}, which is not part of the source")]
    StrayFile(BlobPath),
    /// The location holds a file that an earlier attempt of this upload sent, and that is no longer part of the source.
    #[error("the upload location still contains {path} from an earlier attempt of this upload; {why}")]
    UndeletableFile {
        /// The file.
        path: BlobPath,
        /// Reason why the file was not deleted.
        why: String,
        /// Selection of the earlier attempt; `None` if that had a different source.
        earlier: Option<Box<Selection>>,
    },
    /// The private directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The transfer was interrupted or failed.
    #[error("{}", .0.failure)]
    Incomplete(Box<IncompleteUpload>),
}

/// A transfer that ended early, and the content that is kept.
#[derive(Debug)]
pub struct IncompleteUpload {
    /// Cause.
    pub failure: TransferFailure,
    /// Content that is not sent again.
    pub kept: ResumeTotals,
    /// Files of the source that changed since they were planned.
    pub changed: Vec<ChangedFile>,
    /// Failure of the request for a new upload location, if there was one.
    pub no_location: Option<Box<UploadError>>,
}

/// A file of the source that changed since it was planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedFile {
    /// Path of the file.
    pub path: BlobPath,
    /// Size in bytes when it was planned.
    pub planned: u64,
    /// Current size in bytes; `None` if the file is missing.
    pub now: Option<u64>,
}

/// Cause of an incomplete transfer.
#[derive(Debug, Error)]
pub enum TransferFailure {
    /// The engine failed or was interrupted.
    #[error(transparent)]
    Engine(TransferError),
    /// The engine reports success, but the store does not list a file as it was sent.
    #[error("{0} in the blob store differs from the uploaded file")]
    Incomplete(BlobPath),
    /// The store lists a file, but not as this upload wrote it.
    #[error("{0} in the blob store was overwritten by another upload")]
    Replaced(BlobPath),
    /// The location holds a file that is not part of this model.
    #[error("another upload wrote {0} to the upload location, which is not part of the source")]
    Stray(BlobPath),
    /// The engine reports success, but the store does not report its content.
    #[error("the blob store cannot list its files: {0}")]
    Unproved(StoreError),
}
