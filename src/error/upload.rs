//! Error messages for a failed upload: what failed, what is kept, and how to resume.

use std::io;
use std::path::Path;

use azure_ai_models_core::http::HttpError;
use azure_ai_models_core::model::TransferProgress;
use azure_ai_models_core::store::StoreError;
use azure_ai_models_core::units;
use azure_ai_models_core::upload::{ChangedFile, DirectoryError, TransferError, TransferFailure, UploadError};

use super::service::INTERMEDIARY;
use super::{CliError, ErrorCode, ErrorKind, is_refusal};
use crate::shell::quoted;

/// Maximum number of changed files in the message; more would hide the rest of it.
const MAX_NAMED_FILES: usize = 5;

/// Headline of every failed upload that can be resumed (design/cli.md#interrupted-uploads).
pub(super) const INTERRUPTED_UPLOAD: &str = "Upload interrupted. Run the same command to resume.";
/// Message if the same command alone would fail again.
const BLOCKED_UPLOAD: &str = "Upload interrupted. Fix the problem, then run the same command to resume.";

impl From<DirectoryError> for CliError {
    fn from(error: DirectoryError) -> Self {
        let message = error.to_string();
        match error {
            DirectoryError::InUse { .. } => Self::new(ErrorKind::Conflict, message)
                .with_code(ErrorCode::UploadRunning)
                .with_suggestion("Wait for the other process, or use another --version."),
            DirectoryError::Io { .. } => Self::failure(message)
                .with_code(ErrorCode::NoUploadDirectory)
                .with_suggestion("Free disk space, allow writing there, or set AZD_CONFIG_DIR to another directory.")
                .lasting(),
        }
    }
}

impl From<UploadError> for CliError {
    fn from(error: UploadError) -> Self {
        let message = error.to_string();
        match error {
            UploadError::Conflict(error) => Self::refused_creation(error),
            UploadError::NoLocation(error) => error.into(),
            UploadError::Unreachable(error) => Self::from(error).with_headline("the blob store cannot be used"),
            UploadError::SasRejected(refusal) => Self::new(ErrorKind::UploadFailed, message)
                .with_code(refusal.code.map_or(ErrorCode::SasRefused, ErrorCode::Service))
                .with_suggestion("A new upload location was rejected too. Check this machine's clock, and the network rules of the project's storage.")
                .lasting(),
            UploadError::NoFreshSas(error) => Self::from(error).with_headline("the upload location was rejected, and Foundry did not provide a new one"),
            UploadError::StrayFile(_) => Self::new(ErrorKind::Conflict, message)
                .with_code(ErrorCode::StrayFile)
                .with_suggestion("Use another --version, which gets its own upload location."),
            UploadError::UndeletableFile { .. } => Self::new(ErrorKind::Conflict, message).with_code(ErrorCode::StrayFile),
            UploadError::Directory(error) => error.into(),
            UploadError::Incomplete(incomplete) => incomplete.failure.into(),
        }
    }
}

impl From<TransferFailure> for CliError {
    fn from(failure: TransferFailure) -> Self {
        let message = failure.to_string();
        let broken =
            |code| Self::new(ErrorKind::UploadFailed, format!("{INTERRUPTED_UPLOAD}\n{message}")).with_code(code);
        match failure {
            TransferFailure::Engine(TransferError::AzCopy(error)) => error.into(),
            TransferFailure::Engine(TransferError::Native(error)) => error.into(),
            TransferFailure::Engine(TransferError::Directory(error)) => error.into(),
            TransferFailure::Incomplete(_) => broken(ErrorCode::IncompleteUpload),
            TransferFailure::Replaced(_) => broken(ErrorCode::BlobReplaced).with_suggestion(OTHER_UPLOAD),
            TransferFailure::Stray(_) => broken(ErrorCode::StrayFile).with_suggestion(OTHER_UPLOAD),
            TransferFailure::Unproved(error) => match error {
                StoreError::Http(error) => {
                    broken(code_of_store(&error)).lasting_if(is_store_refusal(&error)).suggest_for_intermediary(&error)
                }
                _ => broken(ErrorCode::IncompleteUpload),
            },
        }
    }
}

/// Suggestion for an upload that made no progress.
pub(super) const STALLED: &str = "Check the network between this machine and the storage. To wait longer next time, set AZURE_AI_MODELS_STALL_TIMEOUT, for example to 30m.";
const OTHER_UPLOAD: &str =
    "Another upload of this version uses the same location: use another --version, or wait until it has ended.";
/// Suggestion if the source was changed or cannot be read.
pub(super) const CHECK_FILES: &str =
    "Check that every file exists and can be read, and that no program changes the files during the upload.";

/// True if the store rejects content. A location that no longer exists is requested again by the next run.
pub(super) fn is_store_refusal(error: &HttpError) -> bool {
    error.is_of_intermediary() || error.status().is_some_and(|status| is_refusal(status) && status != 404)
}

/// Formats `Upload interrupted at 28% (33.6 GB of 120 GB sent).`
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

/// Code of the store's response, if there is one.
pub(super) fn code_of_store(error: &HttpError) -> ErrorCode {
    if error.is_of_intermediary() {
        return ErrorCode::BadAnswer;
    }
    let code = error.service().and_then(|error| error.code.clone());
    code.map_or(ErrorCode::UploadFailed, ErrorCode::Service)
}

impl CliError {
    /// Adds the files of the source that changed during the upload, and how to omit them.
    #[must_use]
    pub(crate) fn with_changed_files(mut self, changed: &[ChangedFile]) -> Self {
        for ChangedFile { path, planned, now } in changed.iter().take(MAX_NAMED_FILES) {
            let size = units::bytes(*planned);
            self = self.and_message(&match now.map(units::bytes) {
                Some(now) if now == size => format!("{path} changed during the upload; its size is still {size}"),
                Some(now) => format!("{path} changed during the upload: it was {size}, and is {now} now"),
                None => format!("{path} no longer exists: it was {size}"),
            });
        }
        match changed.len() {
            0 => self,
            1 => {
                let glob = quoted(&changed[0].path);
                self.and_suggestion(&format!("If it is not part of the model, exclude it: --exclude {glob}"))
            }
            count => self
                .and_message(&format!("{} changed during the upload", units::count(count as u64, "file", "files")))
                .and_suggestion("Use --exclude for files that are not part of the model."),
        }
    }

    /// Error for a complete upload that cannot be compared with the current content of the location.
    pub(crate) fn unproved_upload(error: UploadError) -> Self {
        let error = Self::from(error).with_headline("the uploaded files cannot be verified before the registration");
        Self { kind: ErrorKind::RegistrationFailed, ..error }
    }

    /// Error for an upload that the user ended at this progress.
    pub(super) fn upload_interrupted(progress: TransferProgress) -> Self {
        Self::new(ErrorKind::Interrupted, interrupted_at(progress)).with_code(ErrorCode::UploadInterrupted)
    }

    /// Error for an id without an unfinished upload.
    pub(crate) fn no_such_upload(id: &str, list: &str) -> Self {
        Self::new(ErrorKind::NotFound, format!("unfinished upload {id} not found on this machine"))
            .with_code(ErrorCode::UploadNotFound)
            .with_suggestion(format!("List the uploads: {list}"))
    }

    /// Error for the directory with the journals of uploads that cannot be read.
    pub(crate) fn no_uploads(config_dir: &Path, why: &io::Error) -> Self {
        Self::failure(format!("cannot read the uploads in {}: {why}", config_dir.display()))
            .with_code(ErrorCode::NoUploadDirectory)
            .with_suggestion("Allow reading there, or set AZD_CONFIG_DIR to another directory.")
    }

    /// Adds to the suggestion the engine that does not need AzCopy.
    #[must_use]
    pub(crate) fn with_native_engine(self) -> Self {
        self.and_suggestion("To upload without AzCopy: --engine native")
    }

    /// Adds to the suggestion the command that resumes.
    #[must_use]
    pub(crate) fn with_resume(self, command: &str) -> Self {
        let message = match self.is_lasting() {
            true => "To resume after fixing the problem, run the same command again:",
            false => "To resume, run the same command again:",
        };
        self.and_suggestion(&format!("{message}\n  {command}"))
    }

    /// Adds to the suggestion the command that registers a complete upload without sending anything again.
    #[must_use]
    pub(crate) fn with_registration_retry(self, command: &str) -> Self {
        let message = match self.is_lasting() {
            true => "To register it after fixing the problem, run the same command again (no file is sent again):",
            false => "To register it, run the same command again (no file is sent again):",
        };
        self.and_suggestion(&format!("The upload is complete and kept. {message}\n  {command}"))
    }

    /// Marks the error as one that running the same command again would not resolve.
    #[must_use]
    pub(super) fn lasting(mut self) -> Self {
        if let Some(rest) = self.details.message.strip_prefix(INTERRUPTED_UPLOAD) {
            self.details.message = format!("{BLOCKED_UPLOAD}{rest}");
        }
        self.details.is_lasting = true;
        self
    }

    /// Adds the suggestion for an intermediary that responds in place of the blob store.
    #[must_use]
    pub(super) fn suggest_for_intermediary(self, error: &HttpError) -> Self {
        if error.is_of_intermediary() { self.with_suggestion(INTERMEDIARY) } else { self }
    }

    /// Applies [`Self::lasting`] under this condition.
    #[must_use]
    pub(super) fn lasting_if(self, is_lasting: bool) -> Self {
        if is_lasting { self.lasting() } else { self }
    }
}
