//! What happens during an upload, as facts. The caller decides how they look.

use std::time::Duration;

use super::resume::Kept;
use crate::model::{BlobPath, BlobUri, TransferEvent};

/// One fact about an upload.
#[derive(Clone, Debug, PartialEq)]
pub enum UploadEvent<'a> {
    /// The service is asked for an upload location.
    RequestingLocation,
    /// Files of an earlier try, which are no part of the source any more, were deleted from the location.
    StraysDeleted {
        /// Number of files.
        files: u64,
    },
    /// The location accepts what is sent.
    LocationReady(&'a BlobUri),
    /// Files are about to be sent.
    Uploading,
    /// An earlier try of the same upload is resumed.
    Resuming(Kept),
    /// Files that an earlier try began are not what they were: they start over.
    Changed(&'a [BlobPath]),
    /// An earlier try does not count: everything is sent again.
    StartingOver,
    /// The SAS may end before the upload does.
    Lifetime(LifetimeWarning),
    /// The SAS was rejected on the way.
    RenewingSas,
    /// The engine says something.
    Transfer(TransferEvent),
    /// Time passes while the engine works.
    Tick,
    /// The user wants to end; `waits` where the engine takes its time for that.
    Stopping {
        /// The engine does not stop at once.
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
        /// Its size in bytes.
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
