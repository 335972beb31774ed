//! Failures of a run of AzCopy.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::azcopy::verdict::AzCopyFailure;
use crate::model::TransferProgress;
use crate::units;

/// Failure of a run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The system cannot start it.
    #[error("{} does not start", .program.display())]
    Start {
        /// AzCopy's path.
        program: PathBuf,
        /// Message of the operating system.
        source: io::Error,
    },
    /// AzCopy does not accept the path of the source, and a link to it cannot be created.
    #[error("azcopy cannot read {} because it treats the path as a pattern or URL, and no link to it can be created: {source}", .directory.display())]
    Link {
        /// The source directory.
        directory: PathBuf,
        /// Message of the operating system.
        source: io::Error,
    },
    /// Interrupted by the user.
    #[error("upload interrupted")]
    Interrupted {
        /// Progress in the last event.
        progress: TransferProgress,
        /// AzCopy's log, if one was created.
        log: Option<PathBuf>,
    },
    /// Ended after no progress for too long.
    #[error("the upload made no progress for {}", units::duration(*.silent))]
    Stalled {
        /// Time without progress.
        silent: Duration,
        /// Share of requests that failed on the network, if AzCopy reported it.
        network_error_percent: Option<f64>,
        /// AzCopy's log, if one was created.
        log: Option<PathBuf>,
    },
    /// AzCopy ended without success.
    #[error("{failure}")]
    Failed {
        /// Verdict on the result.
        failure: Box<AzCopyFailure>,
        /// Progress in the last event.
        progress: TransferProgress,
        /// AzCopy's log, if one was created.
        log: Option<PathBuf>,
    },
}
