//! What a broken upload means for the person: what failed, what is kept, and how it goes on.

use std::path::Path;

use crate::azcopy::{Failure, RunError};
use crate::model::TransferProgress;
use crate::units;
use crate::upload::{DirectoryError, UploadError};

use super::{CliError, ErrorKind};

/// Heads every upload that broke (the customer's words).
const BROKEN_UPLOAD: &str = "Upload interrupted. Run the same command to resume.";

impl From<DirectoryError> for CliError {
    fn from(error: DirectoryError) -> Self {
        let message = error.to_string();
        match error {
            DirectoryError::InUse { .. } => Self::new(ErrorKind::Conflict, message)
                .with_code("upload_running")
                .with_suggestion("Wait for the other process, or use another --version."),
            DirectoryError::Io { .. } => Self::failure(message)
                .with_code("no_upload_directory")
                .with_suggestion("Make room, or allow writing there, or name another directory with AZD_CONFIG_DIR."),
        }
    }
}

impl From<UploadError> for CliError {
    fn from(error: UploadError) -> Self {
        let message = error.to_string();
        match error {
            UploadError::Unreachable(error) => Self::from(error).headed("the blob store cannot be used"),
            UploadError::Refused(refusal) => Self::new(ErrorKind::UploadFailed, message)
                .with_code(refusal.code.unwrap_or_else(|| "sas_refused".into()))
                .with_suggestion("A fresh upload location was refused as well. Check this machine's clock, and the network rules of the project's storage."),
            UploadError::NoFreshSas(error) => Self::from(error).headed("the upload location was refused, and there is no fresh one"),
            UploadError::Directory(error) => error.into(),
            UploadError::AzCopy(error) => error.into(),
        }
    }
}

impl From<RunError> for CliError {
    fn from(error: RunError) -> Self {
        let message = error.to_string();
        let told = match error {
            RunError::Start { source, .. } => {
                Self::failure(format!("{message}: {source}")).with_code("azcopy_unusable")
            }
            RunError::Interrupted { progress, .. } => {
                Self::interrupted().with_code("upload_interrupted").with_message(interrupted_at(progress))
            }
            RunError::Stalled { log, .. } => Self::broken_upload("upload_stalled", &message, log.as_deref()),
            RunError::Failed { failure, log, .. } => Self::broken_upload(code_of(&failure), &message, log.as_deref()),
        };
        told.of_tool()
    }
}

fn code_of(failure: &Failure) -> &str {
    match failure {
        Failure::Refused { code, .. } | Failure::SourceRefused { code, .. } => code.as_deref().unwrap_or("sas_refused"),
        Failure::FailedTransfers { .. } => "files_failed",
        Failure::NothingCopied { .. } => "nothing_copied",
        Failure::CountMismatch { .. } | Failure::SizeMismatch { .. } | Failure::Skipped { .. } => "incomplete_upload",
        _ => "azcopy_failed",
    }
}

/// `Upload interrupted at 28% (33.6 GB of 120 GB sent).`
fn interrupted_at(progress: TransferProgress) -> String {
    let bytes = units::bytes(progress.bytes);
    let far = match progress.total_bytes.filter(|total| *total > 0) {
        Some(total) => {
            let percent = u128::from(progress.bytes) * 100 / u128::from(total);
            format!("at {percent}% ({bytes} of {} sent)", units::bytes(total))
        }
        None => format!("({bytes} sent)"),
    };
    format!("Upload interrupted {far}.")
}

impl CliError {
    /// An upload that broke, with AzCopy's own account and its log.
    fn broken_upload(code: &str, why: &str, log: Option<&Path>) -> Self {
        let log = log.map(|log| format!("\nAzCopy's log: {}", log.display())).unwrap_or_default();
        Self::new(ErrorKind::UploadFailed, format!("{BROKEN_UPLOAD}\n{why}{log}")).with_code(code)
    }

    /// The same with one more sentence.
    #[must_use]
    pub fn with_more(self, sentence: &str) -> Self {
        let message = format!("{}\n{sentence}", self.message());
        self.with_message(message)
    }

    /// The same with the command that goes on.
    #[must_use]
    pub fn with_resume(self, command: &str) -> Self {
        self.with_way(&format!("To resume, run the same command again:\n  {command}"))
    }

    /// The same for an upload that is complete: the command registers it without sending anything again.
    #[must_use]
    pub fn with_kept(self, command: &str) -> Self {
        self.with_way(&format!(
            "The upload is complete and kept. To register it, run the same command again; nothing is sent again:\n  {command}"
        ))
    }
}
