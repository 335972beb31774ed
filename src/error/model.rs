//! Error messages for failed operations on models: lists, changes, deletions.

use azure_ai_models_core::foundry::{DeleteError, ListError, OperationFailure, UpdateError};
use azure_ai_models_core::http::{ErrorDetail, HttpError};
use azure_ai_models_core::model::{ModelName, ModelVersion};

use super::service::refused;
use super::table::row_of_code;
use super::{CliError, ErrorCode, ErrorKind};

/// A model, or a version of it, that a request was about.
pub(crate) struct MissingModel<'a> {
    pub(crate) name: &'a ModelName,
    pub(crate) version: Option<&'a ModelVersion>,
    /// Command that lists the existing ones.
    pub(crate) list: &'a str,
}

impl MissingModel<'_> {
    /// Message that the model or version does not exist.
    pub(super) fn message(&self) -> String {
        let Self { name, version, .. } = self;
        match version {
            Some(version) => format!("model '{name}' has no version {version} in this project"),
            None => format!("model '{name}' not found in this project"),
        }
    }

    /// Suggestion to list the existing ones.
    pub(super) fn suggestion(&self) -> String {
        format!("To see what exists: {}", self.list)
    }
}

impl CliError {
    /// Error for a failed request about this model: a 404 means that the model does not exist, any other failure has
    /// its usual message.
    pub(crate) fn about_model(error: HttpError, model: &MissingModel<'_>) -> Self {
        match error {
            HttpError::Service(error) if error.is_model_not_found() => {
                refused(*error, ErrorKind::NotFound, model.message()).with_suggestion(model.suggestion())
            }
            error => error.into(),
        }
    }
}

impl From<ListError> for CliError {
    fn from(error: ListError) -> Self {
        let message = error.to_string();
        match error {
            ListError::Http(error) => error.into(),
            ListError::LeavesProject { .. } | ListError::UserInformation | ListError::Cycle | ListError::Endless => {
                Self::new(ErrorKind::Service, message)
                    .with_code(ErrorCode::BadAnswer)
                    .with_suggestion("Nothing was listed because the list is incomplete. Try again later.")
            }
        }
    }
}

impl From<DeleteError> for CliError {
    fn from(error: DeleteError) -> Self {
        let message = error.to_string();
        match error {
            DeleteError::Refused(error) => error.into(),
            DeleteError::Failed(failure) => {
                // One rejection has one exit code, whether the request or the operation reports it.
                let kind = failure.code.as_deref().and_then(row_of_code).map_or(ErrorKind::Failure, |row| row.kind);
                failed_operation(Self::new(kind, message), ErrorCode::DeletionFailed, failure)
            }
            DeleteError::StillExists => Self::new(ErrorKind::Service, message)
                .with_code(ErrorCode::DeletionFailed)
                .with_suggestion("Check again later. If it still exists, delete it again."),
            DeleteError::Unwatchable(error) => Self::from(error).with_headline(&message),
            DeleteError::TimedOut => Self::new(ErrorKind::Service, message)
                .with_code(ErrorCode::DeletionTimeout)
                .with_suggestion("The deletion was accepted. Check again later."),
        }
    }
}

impl From<UpdateError> for CliError {
    fn from(error: UpdateError) -> Self {
        let message = error.to_string();
        match error {
            UpdateError::Http(error) => error.into(),
            UpdateError::NotApplied => Self::new(ErrorKind::Service, message)
                .with_code(ErrorCode::NotProved)
                .with_suggestion("Check the model later. If it has not changed, run the same command again."),
        }
    }
}

/// Error for a failed operation: the service's code, otherwise `code`, all details, and the suggestion for the code.
pub(super) fn failed_operation(mut error: CliError, code: ErrorCode, failure: OperationFailure) -> CliError {
    for ErrorDetail { message, .. } in failure.details.iter().filter(|detail| !detail.message.is_empty()) {
        error = error.and_message(message);
    }
    let suggestion = failure.code.as_deref().and_then(row_of_code).map(|row| row.suggestion);
    let error = error.with_code(failure.code.map_or(code, ErrorCode::Service));
    match suggestion {
        Some(suggestion) => error.with_suggestion(suggestion),
        None => error,
    }
}
