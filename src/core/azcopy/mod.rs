//! AzCopy as a child process: search, download, verification, run, parsing of its output, and verdict.
//!
//! Owns all knowledge about AzCopy, and depends on neither the service, the journal nor the terminal: the input is a
//! list of files and a SAS URL, the output is a stream of [`TransferEvent`](crate::model::TransferEvent)s and one
//! verified result.

mod environment;
mod install;
mod job;
mod jobs;
mod lines;
mod locate;
mod log;
mod message;
mod orphan;
mod outcome;
mod program;
mod run;
mod source_link;
mod text;
#[cfg(any(test, feature = "test-fakes"))]
pub mod transcripts;
mod verdict;

pub use crate::process::Exit;
pub use install::{ArchiveFlaw, DownloadSource, InstallError, InstallEvent, Installed, Installer};
pub use job::{CopyJob, JobSource};
pub use locate::{AzCopyCandidate, AzCopyOrigin, LocateError, download_url, locate};
pub use message::{FailedTransfer, Init, JobStatus, Message, PromptKind, Summary, parse_line};
pub use orphan::wait_for_orphan;
pub use outcome::AzCopyOutcome;
pub use program::{AzCopy, VerifyError};
pub use run::{RunControls, RunError, run};
pub use verdict::{AzCopyFailure, CompletedJob, Expectation, judge};
