//! Events of long-running work, as facts. The console decides on their presentation.

use std::sync::Arc;
use std::time::Duration;

use super::ContentHash;
use crate::hub::Carrier;

/// How far an upload is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransferProgress {
    /// Bytes that are on their way or there; never more than `total_bytes`.
    pub bytes: u64,
    /// Of these the bytes that an earlier run sent, which do not count for the rate.
    pub found: u64,
    /// Bytes that there are to send; `None` while a remote source is scanned.
    pub total_bytes: Option<u64>,
    /// Files that arrived whole.
    pub files: u64,
    /// Files that there are to send.
    pub total_files: Option<u64>,
    /// Of the bytes the ones that the store copied itself; `None` if nothing is imported.
    pub remote: Option<u64>,
}

/// One fact about an upload.
#[derive(Clone, Debug, PartialEq)]
pub enum TransferEvent {
    /// The engine runs.
    Started(TransferProgress),
    /// How far it is.
    Progress(TransferProgress),
    /// Nothing moved for this long.
    Stalled {
        /// Time since the last byte.
        silent: Duration,
        /// Share of requests that failed on the network, in percent, if the engine knows it.
        network_error_percent: Option<f64>,
    },
    /// A file arrived whole; reported only by an engine that sends the files itself.
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
        /// Why.
        reason: String,
    },
    /// A file of an import that travels in another way than the others.
    ImportFile {
        /// Name in the container.
        path: String,
        /// The carrier.
        carrier: Carrier,
        /// Why.
        reason: String,
    },
    /// The engine ended and its result was proved.
    Done {
        /// Bytes that were sent.
        bytes: u64,
        /// Files that were sent.
        files: u64,
        /// From the start of the engine.
        elapsed: Duration,
    },
}

/// Report of a client while it works; clients never print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// For `--debug` only. Cleaned of secrets by its creator.
    Debug(String),
    /// Worth a line: a retry, a wait.
    Notice(String),
    /// Worth attention.
    Warning(String),
}

/// Receives the reports of clients.
pub type Reporter = Arc<dyn Fn(Report) + Send + Sync>;
