//! What a broken upload means for the person: what failed, what is kept, and how it goes on.

use std::io;
use std::path::Path;

use azure_ai_models_core::azcopy::{FailedTransfer, Failure, RunError};
use azure_ai_models_core::http::HttpError;
use azure_ai_models_core::model::TransferProgress;
use azure_ai_models_core::store::StoreError;
use azure_ai_models_core::units;
use azure_ai_models_core::upload::{DirectoryError, TransferError, TransferFailure, UploadError};

use super::{CliError, ErrorKind};

const SIGKILL: i32 = 9;

/// Heads every upload that broke (the customer's words).
pub(super) const BROKEN_UPLOAD: &str = "Upload interrupted. Run the same command to resume.";

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
            UploadError::VersionExists(error) | UploadError::NoLocation(error) => error.into(),
            UploadError::Unreachable(error) => Self::from(error).headed("the blob store cannot be used"),
            UploadError::SasRejected(refusal) => Self::new(ErrorKind::UploadFailed, message)
                .with_code(refusal.code.unwrap_or_else(|| "sas_refused".into()))
                .with_suggestion("A fresh upload location was refused as well. Check this machine's clock, and the network rules of the project's storage."),
            UploadError::NoFreshSas(error) => Self::from(error).headed("the upload location was refused, and there is no fresh one"),
            UploadError::StrayFile(_) => Self::new(ErrorKind::Conflict, message)
                .with_code("stray_file")
                .with_suggestion("Use another --version, which gets a location of its own."),
            UploadError::Directory(error) => error.into(),
            UploadError::Broken(broken) => broken.failure.into(),
        }
    }
}

impl From<TransferFailure> for CliError {
    fn from(failure: TransferFailure) -> Self {
        let message = failure.to_string();
        let broken =
            |code: &str| Self::new(ErrorKind::UploadFailed, format!("{BROKEN_UPLOAD}\n{message}")).with_code(code);
        match failure {
            TransferFailure::Engine(TransferError::AzCopy(error)) => error.into(),
            TransferFailure::Engine(TransferError::Native(error)) => error.into(),
            TransferFailure::Engine(TransferError::Directory(error)) => error.into(),
            TransferFailure::Incomplete(_) => broken("incomplete_upload"),
            TransferFailure::Unproved(error) => match error {
                StoreError::Http(error) => broken(code_of_store(&error)),
                _ => broken("incomplete_upload"),
            },
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
            RunError::Stalled { log, .. } => {
                Self::broken_upload("upload_stalled", &message, log.as_deref()).with_suggestion(STALLED)
            }
            RunError::Failed { failure, log, .. } => {
                let error = Self::broken_upload(code_of(&failure), &message, log.as_deref());
                match advice(&failure) {
                    Some(advice) => error.with_suggestion(advice),
                    None => error,
                }
            }
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

pub(super) const STALLED: &str = "Check the network between this machine and the storage. To wait longer next time, set AZURE_AI_MODELS_STALL_TIMEOUT, for example to 30m.";
const OTHER_AZCOPY: &str = "If it happens again, try another AzCopy: --azcopy-path FILE takes the one to use; without one in PATH it is downloaded.";
pub(super) const LEAVE_FILES: &str =
    "See that every file is there and can be read, and that nothing changes them during the upload.";

/// What to do before the same command is run again; nothing where that alone is enough.
fn advice(failure: &Failure) -> Option<&'static str> {
    Some(match failure {
        Failure::Refused { .. } => {
            "The next run asks for a fresh upload location. If that is refused too, check this machine's clock and the network rules of the project's storage."
        }
        Failure::SourceRefused { .. } => {
            "The source's SAS must be valid now and allow reading and listing. If it stands on the command line, put it in quotes or use --source-file."
        }
        Failure::FailedTransfers { failed, .. } => return failed.first().map(of_a_file),
        Failure::NothingCopied { .. } | Failure::CountMismatch { .. } | Failure::SizeMismatch { .. } => LEAVE_FILES,
        Failure::Crashed { head: words, .. } | Failure::Fatal { words } if words.contains("no space left") => {
            "Make room there, or name another directory with AZD_CONFIG_DIR."
        }
        // It crashes over its log and its plan; over a file of the source it only gives up.
        Failure::Crashed { head, .. } if head.contains("permission denied") => {
            "Allow writing there, or name another directory with AZD_CONFIG_DIR."
        }
        Failure::Fatal { words } if words.contains("failed to scan path") => LEAVE_FILES,
        Failure::Killed { signal: SIGKILL } => {
            "If nobody ended it, the system had no memory left for it: set AZCOPY_BUFFER_GB=0.25, which makes AzCopy use less."
        }
        Failure::Cancelled | Failure::Killed { .. } => return None,
        Failure::Skipped { .. }
        | Failure::Fatal { .. }
        | Failure::Crashed { .. }
        | Failure::NoResult { .. }
        | Failure::ExitCode { .. }
        | Failure::UnexpectedStatus { .. } => OTHER_AZCOPY,
    })
}

fn of_a_file(failed: &FailedTransfer) -> &'static str {
    let remote = failed.source.starts_with("http");
    match failed.code {
        0 => LEAVE_FILES,
        404 if remote => {
            "The source or the upload location is not there any more. The next run asks for a fresh location."
        }
        404 => "The upload location is not there any more. The next run asks for it again.",
        _ if remote => {
            "The storage could not copy from the source. See that it is in an Azure storage account and can be read."
        }
        _ => "The storage failed. Wait a moment.",
    }
}

/// `Upload interrupted at 28% (33.6 GB of 120 GB sent).`
pub(super) fn interrupted_at(progress: TransferProgress) -> String {
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

/// The same as a line of its own: an error's text begins small, as a part of other texts.
fn sentence(text: &str) -> String {
    match text.strip_prefix("azcopy ") {
        Some(rest) => format!("AzCopy {rest}"),
        None => {
            let mut letters = text.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        }
    }
}

/// The store's word, else `upload_failed`.
pub(super) fn code_of_store(error: &HttpError) -> &str {
    error.service().and_then(|error| error.code.as_deref()).unwrap_or("upload_failed")
}

impl CliError {
    /// An upload that broke, with AzCopy's own account and its log.
    fn broken_upload(code: &str, why: &str, log: Option<&Path>) -> Self {
        let log = log.map(|log| format!("\nAzCopy's log: {}", log.display())).unwrap_or_default();
        Self::new(ErrorKind::UploadFailed, format!("{BROKEN_UPLOAD}\n{}{log}", sentence(why))).with_code(code)
    }

    /// There is no unfinished upload with such an id.
    #[must_use]
    pub fn no_such_upload(id: &str, list: &str) -> Self {
        Self::new(ErrorKind::NotFound, format!("there is no unfinished upload {id} on this machine"))
            .with_code("upload_not_found")
            .with_suggestion(format!("See what there is: {list}"))
    }

    /// The directory with the journals of uploads cannot be read.
    #[must_use]
    pub fn no_uploads(config_dir: &Path, why: &io::Error) -> Self {
        Self::failure(format!("cannot read the uploads in {}: {why}", config_dir.display()))
            .with_code("no_upload_directory")
            .with_suggestion("Allow reading there, or name another directory with AZD_CONFIG_DIR.")
    }

    /// The same with one more sentence.
    #[must_use]
    pub fn with_more(self, sentence: &str) -> Self {
        let message = format!("{}\n{sentence}", self.message());
        self.with_message(message)
    }

    /// The same with the way that needs no AzCopy.
    #[must_use]
    pub fn with_native_engine(self) -> Self {
        self.with_way("To upload without AzCopy: --engine native")
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
