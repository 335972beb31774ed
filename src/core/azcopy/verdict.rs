//! Verdict on a run: verified success, or the failure. Pure.

use std::time::Duration;

use crate::process::Exit;
use crate::units;

use super::message::{FailedTransfer, JobStatus, Summary};
use super::outcome::AzCopyOutcome;
use super::text;

/// Totals that prove success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// Files that were listed before.
    Plan {
        /// Number of files.
        files: u64,
        /// Total size in bytes.
        bytes: u64,
    },
    /// Totals that AzCopy itself found at a remote source: all of them, and at least one file.
    OwnTotals,
}

/// A job for which it is proved that all files were uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedJob {
    /// Uploaded bytes.
    pub bytes: u64,
    /// Uploaded files.
    pub files: u64,
    /// Duration of AzCopy's process.
    pub elapsed: Duration,
}

/// Failure of a run. Texts are those of AzCopy, sanitized.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AzCopyFailure {
    /// The destination rejected the SAS: expired, wrong, or without the required permissions (403).
    #[error("the blob store refused the upload (403{})", after_space(.code.as_deref()))]
    Refused {
        /// Error code of the service, for example `AuthorizationFailure`.
        code: Option<String>,
        /// Reason from AzCopy's log, otherwise its description of the response, which has many lines.
        message: Option<String>,
    },
    /// A remote source rejected listing (403).
    #[error("the blob store refused to read the source (403{})", after_space(.code.as_deref()))]
    SourceRefused {
        /// Error code of the service.
        code: Option<String>,
        /// Message of AzCopy.
        message: String,
    },
    /// Another process sent AzCopy a signal.
    #[error("azcopy was cancelled by another program")]
    Cancelled,
    /// Some or all files failed.
    #[error("{} failed{}", of(*.count, *.total), first_reason(.failed))]
    FailedTransfers {
        /// The failed files, as far as AzCopy named them; the first thousand.
        failed: Vec<FailedTransfer>,
        /// Number of failed files.
        count: u64,
        /// Total number of files.
        total: u64,
    },
    /// AzCopy reports "completed" but copied no file.
    #[error("azcopy copied nothing{}", after_colon(.remarks.first().map(String::as_str)))]
    NothingCopied {
        /// AzCopy's notices about skipped files.
        remarks: Vec<String>,
    },
    /// The number of uploaded files is not the expected one.
    #[error("azcopy copied {got} of {}{}", units::count(*.expected, "file", "files"), after_colon(.remarks.first().map(String::as_str)))]
    CountMismatch {
        /// Expected number of files.
        expected: u64,
        /// Number of uploaded files.
        got: u64,
        /// AzCopy's notices about skipped files.
        remarks: Vec<String>,
    },
    /// The uploaded files have other sizes.
    #[error("azcopy copied {got} bytes instead of {expected}")]
    SizeMismatch {
        /// Expected bytes.
        expected: u64,
        /// Uploaded bytes.
        got: u64,
    },
    /// AzCopy skipped existing files without being asked to.
    #[error("azcopy skipped {}", units::count(*.skipped, "file", "files"))]
    Skipped {
        /// Number of skipped files.
        skipped: u64,
    },
    /// AzCopy gave up with a message.
    #[error("azcopy gave up: {}", text::first_line(.message))]
    Fatal {
        /// Last error message of AzCopy.
        message: String,
    },
    /// AzCopy crashed.
    #[error("azcopy crashed ({exit}): {head}")]
    Crashed {
        /// First line of the panic.
        head: String,
        /// Exit of the process.
        exit: Exit,
    },
    /// AzCopy was killed by another process, or by the system for lack of memory.
    #[error("azcopy was stopped by signal {signal}")]
    Killed {
        /// The signal's number.
        signal: i32,
    },
    /// AzCopy ended without reporting the result of the job.
    #[error("azcopy ended without a result{}", in_brackets(*.exit))]
    NoResult {
        /// Exit of the process; `None` if it could not be ended.
        exit: Option<Exit>,
    },
    /// The numbers are correct, but AzCopy reports a failure with its exit code.
    #[error("azcopy ended with exit code {code} although it reports no failure")]
    ExitCode {
        /// Exit code.
        code: i32,
    },
    /// A job status that no known version of AzCopy reports at the end.
    #[error("azcopy ended with job status {status:?}")]
    UnexpectedStatus {
        /// The status.
        status: JobStatus,
    },
}

fn after_space(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!(" {text}"))
}

fn after_colon(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!(": {text}"))
}

fn in_brackets(exit: Option<Exit>) -> String {
    exit.map_or_else(String::new, |exit| format!(" ({exit})"))
}

fn of(count: u64, total: u64) -> String {
    format!("{} of {}", units::grouped(count), units::count(total, "file", "files"))
}

fn first_reason(failed: &[FailedTransfer]) -> String {
    let Some(first) = failed.iter().find(|one| one.reason.is_some()).or_else(|| failed.first()) else {
        return String::new();
    };
    match (&first.reason, first.code) {
        (Some(reason), _) => format!(": {}: {reason}", first.source),
        (None, 0) => format!(": {}", first.source),
        (None, code) => format!(": {}: HTTP {code}", first.source),
    }
}

/// Returns the verdict. Success requires every proof: the exit code, the status and all counts.
///
/// # Errors
/// Reason of the failure; the most specific one if there are several.
pub fn judge(outcome: &AzCopyOutcome, expectation: Expectation) -> Result<CompletedJob, AzCopyFailure> {
    let Some(end) = &outcome.end else { return Err(no_end(outcome)) };
    match (&end.status, outcome.exit) {
        // A file that any line listed as failed does not become completed through a later line.
        (JobStatus::Completed, Some(Exit::Code(0))) if end.failed == 0 && outcome.failed.is_empty() => {
            counts(outcome, end, expectation)
        }
        _ => Err(failed_job(outcome, end)),
    }
}

fn no_end(outcome: &AzCopyOutcome) -> AzCopyFailure {
    if let Some(message) = &outcome.error {
        // "cannot list files" is about the source; a rejection by the destination is reported as a failed transfer.
        if message.contains("cannot list files") && message.contains("RESPONSE 403") {
            return AzCopyFailure::SourceRefused { code: service_code(message), message: message.clone() };
        }
        return AzCopyFailure::Fatal { message: message.clone() };
    }
    let stderr = outcome.stderr.trim();
    match outcome.exit {
        Some(Exit::Signal(signal)) => AzCopyFailure::Killed { signal },
        Some(exit) if stderr.contains("panic: ") || stderr.contains("fatal error: ") => {
            let start = stderr.find("panic: ").or_else(|| stderr.find("fatal error: ")).unwrap_or_default();
            AzCopyFailure::Crashed { head: text::first_line(&stderr[start..]), exit }
        }
        Some(Exit::Code(1..)) if !stderr.is_empty() => AzCopyFailure::Fatal { message: text::first_line(stderr) },
        // Ignores messages of unknown kinds.
        Some(Exit::Code(1..)) if !outcome.plain.trim().is_empty() && !outcome.plain.starts_with('{') => {
            AzCopyFailure::Fatal { message: text::first_line(&outcome.plain) }
        }
        exit => AzCopyFailure::NoResult { exit },
    }
}

fn failed_job(outcome: &AzCopyOutcome, end: &Summary) -> AzCopyFailure {
    let refused = outcome.failed.iter().find(|one| one.code == 403);
    if refused.is_some() || outcome.refusal.is_some() && end.status != JobStatus::Completed {
        let reason = refused.and_then(|one| one.reason.clone());
        let code = outcome.refusal.as_deref().and_then(service_code);
        return AzCopyFailure::Refused { code, message: reason.or_else(|| outcome.refusal.clone()) };
    }
    let is_failed = match end.status {
        JobStatus::Failed | JobStatus::CompletedWithErrors => true,
        JobStatus::Completed => !outcome.failed.is_empty(),
        _ => false,
    };
    if end.failed > 0 || is_failed {
        let count = end.failed.max(outcome.failed.len() as u64);
        return AzCopyFailure::FailedTransfers { failed: outcome.failed.clone(), count, total: end.total };
    }
    match (&end.status, outcome.exit) {
        (JobStatus::Cancelled, _) => AzCopyFailure::Cancelled,
        (JobStatus::CompletedWithSkipped, _) => AzCopyFailure::Skipped { skipped: end.skipped },
        (JobStatus::Completed, Some(Exit::Code(code))) => AzCopyFailure::ExitCode { code },
        (JobStatus::Completed, Some(Exit::Signal(signal))) => AzCopyFailure::Killed { signal },
        (JobStatus::Completed, None) => AzCopyFailure::NoResult { exit: None },
        (status, _) => AzCopyFailure::UnexpectedStatus { status: status.clone() },
    }
}

fn counts(outcome: &AzCopyOutcome, end: &Summary, expectation: Expectation) -> Result<CompletedJob, AzCopyFailure> {
    let remarks = || outcome.remarks.clone();
    let (files, bytes) = match expectation {
        Expectation::Plan { files, bytes } => (files, bytes),
        Expectation::OwnTotals => (end.total, end.bytes_expected),
    };
    if end.completed == 0 {
        return Err(AzCopyFailure::NothingCopied { remarks: remarks() });
    }
    if end.completed != files || end.total != files {
        // More files than planned are as wrong as fewer; the differing number is reported.
        let got = if end.completed == files { end.total } else { end.completed };
        return Err(AzCopyFailure::CountMismatch { expected: files, got, remarks: remarks() });
    }
    if end.bytes_transferred != bytes {
        return Err(AzCopyFailure::SizeMismatch { expected: bytes, got: end.bytes_transferred });
    }
    Ok(CompletedJob { bytes, files, elapsed: outcome.elapsed })
}

/// Error code of the service in AzCopy's description of a response: `ERROR CODE: AuthorizationFailure`.
fn service_code(message: &str) -> Option<String> {
    let code = message.split_once("ERROR CODE: ")?.1.split_whitespace().next()?;
    (code.len() < 80 && code.chars().all(|c| c.is_ascii_alphanumeric())).then(|| code.to_owned())
}
