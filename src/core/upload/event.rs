//! Events of an upload, as facts. The caller decides how to present them.

use std::time::Duration;

use super::resume::ResumeTotals;
use crate::model::{BlobPath, BlobUri, TransferEvent};

/// One fact about an upload.
#[derive(Clone, Debug, PartialEq)]
pub enum UploadEvent<'a> {
    /// An upload location is being requested from the service.
    RequestingLocation,
    /// Files of an earlier attempt that are no longer part of the source were deleted from the location.
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
    /// Files of an earlier attempt changed and are sent from the start.
    Changed(&'a [BlobPath]),
    /// An earlier attempt is discarded: everything is sent again.
    StartingOver,
    /// The SAS may end before the upload does.
    Lifetime(LifetimeWarning),
    /// The SAS was rejected during the transfer.
    RenewingSas,
    /// Event of the engine.
    Transfer(TransferEvent),
    /// Time passes while the engine works.
    Tick,
    /// The user interrupts the upload; `waits` if the engine needs time to end.
    Stopping {
        /// True if the engine does not stop immediately.
        waits: bool,
    },
    /// The engine has ended, successfully or not.
    TransferEnded,
    /// Everything is uploaded and verified.
    Uploaded,
}

/// Warning that the SAS may end before the upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LifetimeWarning {
    /// One file alone takes longer than the remaining lifetime of the SAS.
    FileTooLong {
        /// The file.
        path: BlobPath,
        /// Size in bytes.
        bytes: u64,
        /// Time that the file takes.
        takes: Duration,
        /// Assumed rate in bytes per second.
        rate: u64,
        /// Remaining lifetime of the SAS.
        left: Duration,
    },
    /// The upload as a whole may take longer.
    MayEndEarly {
        /// Remaining lifetime of the SAS.
        left: Duration,
    },
}
