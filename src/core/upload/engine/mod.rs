//! Transfer engines. Both implement one trait, so that the session depends on neither.

mod azcopy;
mod native;

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use thiserror::Error;

pub use self::azcopy::AzCopyEngine;
pub use self::native::NativeEngine;
use super::directory::{DirectoryError, UploadDirectory};
use crate::azcopy::{AzCopyFailure, RunError};
use crate::cancel::Cancellation;
use crate::env::Timings;
use crate::model::{BlobPath, Reporter, SourceFile, TransferEvent};
use crate::native::{NativeError, Transferred};
use crate::source::UploadSource;
use crate::store::{BlobStore, StoreError};

/// Limits and settings of a whole upload.
#[derive(Clone)]
pub struct TransferSettings {
    /// Limits and delays.
    pub timings: Timings,
    /// Time without progress after which the upload is ended.
    pub stall_limit: Duration,
    /// Maximum rate in bytes per second.
    pub limit_rate: Option<u64>,
    /// Set when the user interrupts the upload.
    pub cancel: Cancellation,
    /// Receives notices.
    pub reporter: Reporter,
}

/// One transfer: its source and its target.
pub struct TransferJob<'a> {
    /// Source with all files of the upload, uploaded or not.
    pub(crate) source: &'a UploadSource,
    /// Files of a local source that are not uploaded yet.
    pub(crate) missing: &'a [SourceFile],
    /// Target, with the SAS in force.
    pub(crate) store: &'a BlobStore,
    /// Directory with the engines' records, from which a later run resumes.
    pub(crate) directory: &'a UploadDirectory,
    /// Key of the upload in the ids of its blocks.
    pub(crate) key: &'a str,
    /// Number of this run; each has a separate directory for AzCopy's log and plan.
    pub(crate) run: u32,
    /// Limits and settings.
    pub(crate) settings: &'a TransferSettings,
}

/// Failure of a transfer.
#[derive(Debug, Error)]
pub enum TransferError {
    /// Failure of AzCopy.
    #[error(transparent)]
    AzCopy(#[from] RunError),
    /// Failure of the native engine.
    #[error(transparent)]
    Native(#[from] NativeError),
    /// Failure of the private directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

impl TransferError {
    /// True if a new upload location may help: the store rejects the SAS, or the service assigned another location.
    pub(crate) fn needs_location(&self) -> bool {
        match self {
            Self::AzCopy(RunError::Failed { failure, .. }) => matches!(**failure, AzCopyFailure::Refused { .. }),
            Self::Native(error) => matches!(error, NativeError::Location(StoreError::Moved)),
            Self::AzCopy(_) | Self::Directory(_) => false,
        }
    }
}

/// Engine that sends the files of an upload.
pub trait TransferEngine {
    /// Sends the missing content.
    fn transfer<'a>(
        &'a self,
        job: TransferJob<'a>,
        on: &'a mut dyn FnMut(TransferEvent),
    ) -> LocalBoxFuture<'a, Result<Transferred, TransferError>>;

    /// Names of the files that a run delivered completely, if the engine keeps records in addition to the upload's;
    /// `None` if its records cannot be read, so that the container's listing counts.
    fn arrived<'a>(
        &'a self,
        run_directory: &'a std::path::Path,
        source: &'a UploadSource,
        settings: &'a TransferSettings,
    ) -> LocalBoxFuture<'a, Option<BTreeSet<BlobPath>>>;

    /// True if uploaded parts of an incomplete file are not sent again.
    fn keeps_partial_files(&self) -> bool;

    /// True if an interruption ends the engine immediately, so that no waiting time must be reported.
    fn stops_at_once(&self) -> bool;
}
