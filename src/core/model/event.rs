//! Events of long-running work, as facts. The console decides how to present them.

use std::sync::Arc;
use std::time::Duration;

use super::ContentHash;
use crate::hub::Carrier;

/// Progress of an upload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransferProgress {
    /// Bytes that are in flight or uploaded; never more than `total_bytes`.
    pub bytes: u64,
    /// Of these, the bytes that an earlier run sent, which do not count for the rate.
    pub found: u64,
    /// Total bytes to send; `None` while a remote source is scanned.
    pub total_bytes: Option<u64>,
    /// Completely uploaded files.
    pub files: u64,
    /// Total files to send.
    pub total_files: Option<u64>,
    /// Of the bytes, those that the store copied itself; `None` if nothing is imported.
    pub remote: Option<u64>,
}

/// One fact about an upload.
#[derive(Clone, Debug, PartialEq)]
pub enum TransferEvent {
    /// The engine has started.
    Started(TransferProgress),
    /// Progress of the engine.
    Progress(TransferProgress),
    /// No progress for some time.
    Stalled {
        /// Time since the last byte.
        silent: Duration,
        /// Share of requests that failed on the network, in percent, if the engine reports it.
        network_error_percent: Option<f64>,
    },
    /// A file is completely uploaded; reported only by an engine that sends the files itself.
    FileDone {
        /// Name in the container.
        path: String,
        /// Size in bytes.
        bytes: u64,
        /// SHA-256 of its content, if it was requested.
        sha256: Option<ContentHash>,
    },
    /// Carrier of the bytes of an import.
    ImportMode {
        /// The carrier.
        carrier: Carrier,
        /// Reason.
        reason: String,
    },
    /// A file of an import that another carrier transfers than the rest.
    ImportFile {
        /// Name in the container.
        path: String,
        /// The carrier.
        carrier: Carrier,
        /// Reason.
        reason: String,
    },
    /// The engine ended and its result was verified.
    Done {
        /// Sent bytes.
        bytes: u64,
        /// Sent files.
        files: u64,
        /// Time since the start of the engine.
        elapsed: Duration,
    },
}

/// Report of a client during its work; clients never print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// Only for `--debug`. Sanitized by its creator.
    Debug(String),
    /// Notice, such as a retry or a wait.
    Notice(String),
    /// Warning.
    Warning(String),
}

/// Receiver of the reports of clients.
pub type Reporter = Arc<dyn Fn(Report) + Send + Sync>;
