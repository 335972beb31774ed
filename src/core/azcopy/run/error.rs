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
    /// The system refuses to start it.
    #[error("{} does not start", .program.display())]
    Start {
        /// AzCopy's path.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// AzCopy does not take the path of the source, and there can be no link to it.
    #[error("azcopy cannot read {} because it treats the path as a pattern or URL, and no link to it can be created: {source}", .directory.display())]
    Link {
        /// The source directory.
        directory: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Interrupted by the user.
    #[error("upload interrupted")]
    Interrupted {
        /// As the last progress event had it.
        progress: TransferProgress,
        /// AzCopy's log, if it began one.
        log: Option<PathBuf>,
    },
    /// Nothing moved for too long, and it was ended.
    #[error("the upload made no progress for {}", units::duration(*.silent))]
    Stalled {
        /// How long.
        silent: Duration,
        /// Share of requests that failed on the network, if AzCopy reported it.
        network_error_percent: Option<f64>,
        /// AzCopy's log, if it began one.
        log: Option<PathBuf>,
    },
    /// AzCopy ended and its result is no success.
    #[error("{failure}")]
    Failed {
        /// Verdict on the result.
        failure: Box<AzCopyFailure>,
        /// As the last progress event had it.
        progress: TransferProgress,
        /// AzCopy's log, if it began one.
        log: Option<PathBuf>,
    },
}
