//! Why an upload is not complete.

use thiserror::Error;

use super::directory::DirectoryError;
use super::engine::TransferError;
use super::resume::Kept;
use crate::http::HttpError;
use crate::model::BlobPath;
use crate::store::{SasRefusal, StoreError};

/// Why an upload is not complete.
#[derive(Debug, Error)]
pub enum UploadError {
    /// The version exists, or somebody else is about to make it.
    #[error("the version exists")]
    VersionExists(#[source] HttpError),
    /// The service gave no upload location.
    #[error("Foundry gave no upload location")]
    NoLocation(#[source] HttpError),
    /// The blob store does not answer.
    #[error("the blob store did not answer")]
    Unreachable(#[source] HttpError),
    /// The blob store rejects the SAS, and a fresh one too; nothing was sent.
    #[error("{0}")]
    SasRejected(SasRefusal),
    /// The blob store rejects the SAS, and the service gave no fresh one; nothing was sent.
    #[error("Foundry gave no fresh upload location")]
    NoFreshSas(#[source] HttpError),
    /// The location holds a file that is no part of this model and not ours to delete: it would be registered with it.
    #[error("the upload location of this version already holds {0}, which is no part of the source")]
    StrayFile(BlobPath),
    /// The private directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The transfer was interrupted or failed.
    #[error("{}", .0.failure)]
    Broken(Box<BrokenUpload>),
}

/// A transfer that did not come to its end, and what is kept of it.
#[derive(Debug)]
pub struct BrokenUpload {
    /// What happened.
    pub failure: TransferFailure,
    /// What is not sent again.
    pub kept: Kept,
    /// Why there is no fresh upload location, where one was asked for.
    pub no_location: Option<Box<UploadError>>,
}

/// What happened to a transfer.
#[derive(Debug, Error)]
pub enum TransferFailure {
    /// The engine failed or was interrupted.
    #[error(transparent)]
    Engine(TransferError),
    /// The engine reports success, and the store does not list a file as it was sent.
    #[error("the blob store does not hold {0} as it was sent")]
    Incomplete(BlobPath),
    /// The store lists a file, and not as this upload wrote it.
    #[error("the blob store does not hold {0} as it was sent: another upload has written it since")]
    Replaced(BlobPath),
    /// The location holds a file that is no part of this model.
    #[error("another upload has written {0} to the upload location, which is no part of the source")]
    Stray(BlobPath),
    /// The engine reports success, and the store does not tell what it holds.
    #[error("the blob store does not tell what it holds: {0}")]
    Unproved(StoreError),
}
