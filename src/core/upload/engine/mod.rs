//! Transfer engines. Both are behind one trait, so that the session knows neither.

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

/// Limits and wishes that hold for a whole upload.
#[derive(Clone)]
pub struct TransferSettings {
    /// Limits and delays.
    pub timings: Timings,
    /// Time without progress after which the upload is ended.
    pub stall_limit: Duration,
    /// Maximum rate in bytes per second.
    pub limit_rate: Option<u64>,
    /// Set when the user interrupts.
    pub cancel: Cancellation,
    /// Receives notices.
    pub reporter: Reporter,
}

/// One transfer: its source and its target.
pub struct TransferJob<'a> {
    /// All files of the upload, uploaded or not.
    pub(crate) source: &'a UploadSource,
    /// Files of a local source that are not uploaded yet.
    pub(crate) missing: &'a [SourceFile],
    /// Target, with the SAS in force.
    pub(crate) store: &'a BlobStore,
    /// Records of the engines, which a later run resumes from.
    pub(crate) directory: &'a UploadDirectory,
    /// Key of the upload in the ids of its blocks.
    pub(crate) key: &'a str,
    /// Number of this run; each has a directory of its own for AzCopy's log and plan.
    pub(crate) run: u32,
    pub(crate) settings: &'a TransferSettings,
}

/// Failure of a transfer.
#[derive(Debug, Error)]
pub enum TransferError {
    /// AzCopy.
    #[error(transparent)]
    AzCopy(#[from] RunError),
    /// The native engine.
    #[error(transparent)]
    Native(#[from] NativeError),
    /// The private directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

impl TransferError {
    /// True if a new upload location may help: the store rejects the SAS, or the location is another one now.
    pub(crate) fn needs_location(&self) -> bool {
        match self {
            Self::AzCopy(RunError::Failed { failure, .. }) => matches!(**failure, AzCopyFailure::Refused { .. }),
            Self::Native(error) => matches!(error, NativeError::Location(StoreError::Moved)),
            Self::AzCopy(_) | Self::Directory(_) => false,
        }
    }
}

/// Sends the files of an upload.
pub trait TransferEngine {
    /// Sends the missing content.
    fn transfer<'a>(
        &'a self,
        job: TransferJob<'a>,
        on: &'a mut dyn FnMut(TransferEvent),
    ) -> LocalBoxFuture<'a, Result<Transferred, TransferError>>;

    /// Names of the files that a run delivered whole, as far as the engine keeps records of its own beside the
    /// upload's; `None` if it had some and they cannot be read, so that the container's list counts.
    fn arrived<'a>(
        &'a self,
        run_directory: &'a std::path::Path,
        source: &'a UploadSource,
        settings: &'a TransferSettings,
    ) -> LocalBoxFuture<'a, Option<BTreeSet<BlobPath>>>;

    /// True if what arrived of a file that is not whole is not sent again.
    fn keeps_partial_files(&self) -> bool;

    /// True if an interruption ends the engine immediately, so that no wait must be reported.
    fn stops_at_once(&self) -> bool;
}
