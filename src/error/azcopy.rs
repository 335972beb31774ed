//! Error messages for a failed run of AzCopy.

use std::path::Path;

use azure_ai_models_core::azcopy::{AzCopyFailure, FailedTransfer, RunError};

use super::upload::{CHECK_FILES, INTERRUPTED_UPLOAD, STALLED};
use super::{CliError, ErrorCode, ErrorKind};

const SIGKILL: i32 = 9;
const OTHER_AZCOPY: &str =
    "If it happens again, use another AzCopy with --azcopy-path FILE. Without AzCopy in PATH, it is downloaded.";

impl From<RunError> for CliError {
    fn from(error: RunError) -> Self {
        let message = error.to_string();
        let error = match error {
            RunError::Start { source, .. } => {
                Self::failure(format!("{message}: {source}")).with_code(ErrorCode::AzcopyUnusable).lasting()
            }
            RunError::Link { .. } => Self::failure(message)
                .with_code(ErrorCode::AzcopyUnusable)
                .with_suggestion("Use --engine native, or move the files to a path of letters and digits."),
            RunError::Interrupted { progress, .. } => Self::upload_interrupted(progress),
            RunError::Stalled { log, .. } => {
                Self::interrupted_upload(ErrorCode::UploadStalled, &message, log.as_deref()).with_suggestion(STALLED)
            }
            RunError::Failed { failure, log, .. } => {
                let error = Self::interrupted_upload(code_of(&failure), &message, log.as_deref());
                let error = error.lasting_if(is_lasting_failure(&failure));
                match variable_of(&failure) {
                    Some(name) => error.with_suggestion(format!("Correct {name}, or unset it.")).lasting(),
                    None => suggestion(&failure).into_iter().fold(error, Self::with_suggestion),
                }
            }
        };
        error.with_tool_origin()
    }
}

fn code_of(failure: &AzCopyFailure) -> ErrorCode {
    match failure {
        AzCopyFailure::Refused { code, .. } | AzCopyFailure::SourceRefused { code, .. } => {
            code.clone().map_or(ErrorCode::SasRefused, ErrorCode::Service)
        }
        AzCopyFailure::FailedTransfers { .. } => ErrorCode::FilesFailed,
        AzCopyFailure::NothingCopied { .. } => ErrorCode::NothingCopied,
        AzCopyFailure::CountMismatch { .. } | AzCopyFailure::SizeMismatch { .. } | AzCopyFailure::Skipped { .. } => {
            ErrorCode::IncompleteUpload
        }
        _ => ErrorCode::AzcopyFailed,
    }
}

impl CliError {
    /// Error of an interrupted upload, with AzCopy's own description and its log.
    fn interrupted_upload(code: ErrorCode, why: &str, log: Option<&Path>) -> Self {
        let log = log.map(|log| format!("\nAzCopy's log: {}", log.display())).unwrap_or_default();
        Self::new(ErrorKind::UploadFailed, format!("{INTERRUPTED_UPLOAD}\n{}{log}", sentence(why))).with_code(code)
    }
}

/// Variable of the user's environment that made AzCopy give up.
fn variable_of(failure: &AzCopyFailure) -> Option<String> {
    match failure {
        AzCopyFailure::Fatal { message } | AzCopyFailure::Crashed { head: message, .. } => variable_in(message),
        _ => None,
    }
}

/// Name of a variable of AzCopy that occurs in its message.
pub(super) fn variable_in(message: &str) -> Option<String> {
    // Set by this program itself.
    const OURS: [&str; 3] = ["AZCOPY_LOG_LOCATION", "AZCOPY_JOB_PLAN_LOCATION", "AZCOPY_DISABLE_SYSLOG"];
    let mut names = message.split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_');
    names.find(|name| name.starts_with("AZCOPY_") && !OURS.contains(name)).map(str::to_owned)
}

/// Suggestion before the same command is run again; `None` if running it again is enough.
fn suggestion(failure: &AzCopyFailure) -> Option<&'static str> {
    Some(match failure {
        AzCopyFailure::Refused { .. } => {
            "The next run requests a new upload location. If that is rejected too, check this machine's clock and the network rules of the project's storage."
        }
        AzCopyFailure::SourceRefused { .. } => {
            "The source's SAS must be valid now and allow reading and listing. If it is on the command line, quote it or use --source-file."
        }
        AzCopyFailure::FailedTransfers { failed, .. } => return failed.first().map(of_a_file),
        AzCopyFailure::NothingCopied { .. }
        | AzCopyFailure::CountMismatch { .. }
        | AzCopyFailure::SizeMismatch { .. } => CHECK_FILES,
        AzCopyFailure::Crashed { head: message, .. } | AzCopyFailure::Fatal { message }
            if message.contains("no space left") =>
        {
            "Free disk space there, or set AZD_CONFIG_DIR to another directory."
        }
        // AzCopy crashes because of its log and its plan; because of a file of the source it only fails.
        AzCopyFailure::Crashed { head, .. } if head.contains("permission denied") => {
            "Allow writing there, or set AZD_CONFIG_DIR to another directory."
        }
        AzCopyFailure::Fatal { message } if message.contains("failed to scan path") => CHECK_FILES,
        AzCopyFailure::Killed { signal: SIGKILL } => {
            "If AzCopy was not killed on purpose, the system ran out of memory: set AZCOPY_BUFFER_GB=0.25 to reduce its memory use."
        }
        AzCopyFailure::Cancelled | AzCopyFailure::Killed { .. } => return None,
        AzCopyFailure::Skipped { .. }
        | AzCopyFailure::Fatal { .. }
        | AzCopyFailure::Crashed { .. }
        | AzCopyFailure::NoResult { .. }
        | AzCopyFailure::ExitCode { .. }
        | AzCopyFailure::UnexpectedStatus { .. } => OTHER_AZCOPY,
    })
}

/// True if the next run would fail in the same way: a source that cannot be read, a full disk, a rejected source.
fn is_lasting_failure(failure: &AzCopyFailure) -> bool {
    match failure {
        AzCopyFailure::SourceRefused { .. } => true,
        AzCopyFailure::FailedTransfers { failed, .. } => {
            // Without a reason it may have been the network.
            let reason = failed.first().and_then(|failed| failed.reason.as_deref()).unwrap_or_default();
            ["modified", "permission denied", "no such file"].iter().any(|cause| reason.contains(cause))
        }
        AzCopyFailure::Crashed { head: message, .. } | AzCopyFailure::Fatal { message } => {
            ["no space left", "permission denied", "failed to scan path"].iter().any(|cause| message.contains(cause))
        }
        _ => false,
    }
}

fn of_a_file(failed: &FailedTransfer) -> &'static str {
    let remote = failed.source.starts_with("http");
    match failed.code {
        0 => CHECK_FILES,
        404 if remote => "The source or the upload location no longer exists. The next run requests a new location.",
        404 => "The upload location no longer exists. The next run requests it again.",
        _ if remote => {
            "The blob store could not copy from the source. Check that it is in an Azure storage account and can be read."
        }
        _ => "The blob store failed. Wait a moment.",
    }
}

/// Converts an error's text, which begins in lower case to follow other text, to a separate line.
fn sentence(text: &str) -> String {
    match text.strip_prefix("azcopy ") {
        Some(rest) => format!("AzCopy {rest}"),
        None => {
            let mut letters = text.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        }
    }
}
