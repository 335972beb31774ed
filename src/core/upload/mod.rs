//! The upload: one state machine from an empty directory to files that are verified to be in the container.
//!
//! Owns the journal, so that the same command resumes after an interruption, and decides on the files, the target, and
//! when a file counts as uploaded. Depends on neither engine, terminal nor command line.

pub mod detached;
mod directory;
mod engine;
mod error;
mod event;
mod journal;
mod lifetime;
mod local;
mod location;
mod proof;
mod request;
mod resume;
mod session;
mod sharing;
mod strays;
mod ticks;
mod unfinished;

pub use directory::{DirectoryError, DirectoryHandover, UploadDirectory};
pub use engine::{AzCopyEngine, NativeEngine, TransferEngine, TransferError, TransferSettings};
pub use error::{ChangedFile, IncompleteUpload, TransferFailure, UploadError};
pub use event::{LifetimeWarning, UploadEvent};
pub use journal::{Journal, Stage, UploadSpec};
pub use lifetime::expected_rate;
pub use local::{LocalUpload, local_uploads};
pub use request::UploadRequest;
pub use resume::ResumeTotals;
pub use session::Session;
pub use unfinished::{UnfinishedUpload, unfinished};

pub use crate::native::{NativeError, Transferred};
