//! Events of an upload, as facts. The caller decides on their presentation.

use std::time::Duration;

use super::resume::ResumeTotals;
use crate::model::{BlobPath, BlobUri, TransferEvent};

/// One fact about an upload.
#[derive(Clone, Debug, PartialEq)]
pub enum UploadEvent<'a> {
    /// Requesting an upload location from the service.
    RequestingLocation,
    /// Files of an earlier attempt that are no part of the source any longer were deleted from the location.
    StraysDeleted {
        /// Number of files.
        files: u64,
    },
    /// The location accepts content.
    LocationReady(&'a BlobUri),
    /// Files are about to be sent.
    Uploading,
    /// An earlier attempt of the same upload is resumed.
    Resuming(ResumeTotals),
    /// Files of an earlier attempt changed: they start over.
    Changed(&'a [BlobPath]),
    /// An earlier attempt does not count: everything is sent again.
    StartingOver,
    /// The SAS may end before the upload does.
    Lifetime(LifetimeWarning),
    /// The SAS was rejected during the transfer.
    RenewingSas,
    /// Event of the engine.
    Transfer(TransferEvent),
    /// Time passes while the engine works.
    Tick,
    /// The user interrupts; `waits` where the engine needs time to end.
    Stopping {
        /// The engine does not stop immediately.
        waits: bool,
    },
    /// The engine has ended, well or not.
    TransferEnded,
    /// Everything arrived, and that is proved.
    Uploaded,
}

/// How the life of the SAS compares with the upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LifetimeWarning {
    /// One file alone takes longer than the SAS lives.
    FileTooLong {
        /// The file.
        path: BlobPath,
        /// Size in bytes.
        bytes: u64,
        /// How long it takes.
        takes: Duration,
        /// At this rate in bytes per second.
        rate: u64,
        /// How long the SAS still lives.
        left: Duration,
    },
    /// The upload as a whole may take longer.
    MayEndEarly {
        /// How long the SAS still lives.
        left: Duration,
    },
}
