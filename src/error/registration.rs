//! Error messages for a registration that failed, or whose end is unknown.

use azure_ai_models_core::foundry::RegisterError;
use azure_ai_models_core::http::HttpError;
use azure_ai_models_core::model::{ModelName, ModelVersion};

use super::model::failed_operation;
use super::service::{Suggestion, failed_request, refused};
use super::table::{row_of, row_of_code};
use super::{CliError, ErrorCode, ErrorKind};

/// Suggestions for a registration whose end is unknown.
pub(crate) struct RegistrationSuggestions<'a> {
    /// Suggestion if the service may still be working.
    pub(crate) timed_out: &'a str,
    /// Suggestion if the service no longer has the registration.
    pub(crate) lost: Option<&'a str>,
}

/// Suggestion when the registration may still succeed.
const STILL_RUNNING: &str = "The service may still be working. Check in a few minutes whether the model exists.";
const CONFLICT: &str = "If the version exists then, use another --version.";

impl From<RegisterError> for CliError {
    fn from(error: RegisterError) -> Self {
        Self::registration(error, &RegistrationSuggestions { timed_out: STILL_RUNNING, lost: None })
    }
}

impl CliError {
    /// Error for a registration that failed, or whose end is unknown.
    pub(crate) fn registration(error: RegisterError, suggestions: &RegistrationSuggestions<'_>) -> Self {
        let message = error.to_string();
        let failed = |code| Self::new(ErrorKind::RegistrationFailed, message.clone()).with_code(code);
        match error {
            RegisterError::Refused(error) | RegisterError::Unwatchable(error) => {
                let suggestion = Suggestion::of_creation(&error);
                failed_registration(error, &message).suggest(suggestion)
            }
            RegisterError::NoRoute { first, second } => {
                // Both reasons are reported; the suggestion is for the route that exists.
                let suggestion = Suggestion::of_creation(&second);
                let second = failed_request(second);
                failed_registration(first, &message)
                    .and_message(&format!("The fallback request (PUT) failed too: {}", second.message()))
                    .suggest(suggestion)
            }
            RegisterError::Failed(failure) => {
                let error = Self::new(ErrorKind::RegistrationFailed, message);
                failed_operation(error, ErrorCode::RegistrationFailed, failure)
            }
            RegisterError::TimedOut { last_fault: Some(fault), .. } => {
                failed_registration(fault, &format!("{message}\nThe last status request failed"))
                    .with_code(ErrorCode::RegistrationTimeout)
                    .with_suggestion(suggestions.timed_out)
            }
            RegisterError::TimedOut { .. } => {
                failed(ErrorCode::RegistrationTimeout).with_suggestion(suggestions.timed_out)
            }
            RegisterError::Absent { .. } => {
                let error = failed(ErrorCode::RegistrationLost);
                suggestions.lost.into_iter().fold(error, Self::with_suggestion)
            }
            RegisterError::NotProved => failed(ErrorCode::NotProved).with_suggestion(STILL_RUNNING),
            RegisterError::VersionTaken { difference } => {
                failed(ErrorCode::VersionTaken).and_message(&difference).with_suggestion(CONFLICT)
            }
        }
    }

    /// True if the table has a specific suggestion for a code of the service.
    pub(crate) fn has_suggestion(code: &str) -> bool {
        row_of_code(code).is_some()
    }

    /// Error for a `create` that the user ended during the registration; `show` is the command that shows the model,
    /// `again` the one that registers it without another upload.
    pub(crate) fn registration_interrupted(show: &str, again: &str) -> Self {
        let message = "Interrupted after the upload. Foundry may still register the model.";
        Self::new(ErrorKind::Interrupted, message)
            .with_code(ErrorCode::RegistrationInterrupted)
            .with_suggestion(format!("To check whether it exists:\n  {show}"))
            .with_registration_retry(again)
    }

    /// Error for a `create` whose version exists; `next` is the next free one, if known.
    pub(crate) fn version_exists(
        conflict: VersionConflict,
        name: &ModelName,
        version: &ModelVersion,
        next: Option<&ModelVersion>,
    ) -> Self {
        let mut message = format!("Model '{name}' already exists. Use --overwrite to replace.");
        let suggestion = match next {
            Some(next) => format!("Use the next free version: --version {next}"),
            None => format!("Use a version other than {version}: --version VERSION"),
        };
        let (kind, answer) = match conflict {
            VersionConflict::Upload(HttpError::Service(error)) => (row_of(&error).kind, Some(error)),
            VersionConflict::Upload(_) => (ErrorKind::Conflict, None),
            VersionConflict::Registration(
                RegisterError::Refused(HttpError::Service(error))
                | RegisterError::NoRoute { first: HttpError::Service(error), .. },
            ) => (ErrorKind::RegistrationFailed, Some(error)),
            VersionConflict::Registration(RegisterError::VersionTaken { difference }) => {
                message = format!("{message}\n{difference}");
                (ErrorKind::RegistrationFailed, None)
            }
            VersionConflict::Registration(_) => (ErrorKind::RegistrationFailed, None),
        };
        let error = match answer {
            Some(answer) => refused(*answer, kind, message),
            None => Self::new(kind, message).with_code(ErrorCode::VersionTaken),
        };
        error.with_suggestion(suggestion)
    }
}

/// Source of the information that a version exists.
pub(crate) enum VersionConflict {
    /// The service returns no upload location for it.
    Upload(HttpError),
    /// The service rejects its registration.
    Registration(RegisterError),
}

/// Error for a failed request of a registration, without a suggestion.
fn failed_registration(error: HttpError, headline: &str) -> CliError {
    let error = failed_request(error).with_headline(headline);
    CliError { kind: ErrorKind::RegistrationFailed, ..error }
}

#[cfg(test)]
mod tests {
    use azure_ai_models_core::foundry::{DeleteError, OperationFailure};
    use azure_ai_models_core::http::ErrorDetail;

    use super::super::row::row;
    use super::*;

    /// The service reports a failed registration by its code, without a status.
    #[test]
    fn a_failed_operation_has_the_suggestion_of_its_code_and_all_details() {
        let failure = OperationFailure {
            status: "Failed".into(),
            code: Some("UploadIncomplete".into()),
            message: "2 files are missing".into(),
            details: vec![ErrorDetail { code: None, message: "model-00002-of-00003.safetensors".into() }],
        };
        let mut rows = String::new();
        row(&mut rows, RegisterError::Failed(failure));
        insta::assert_snapshot!(rows, @"
        registration_failed UploadIncomplete: the registration failed: 2 files are missing (UploadIncomplete)
        model-00002-of-00003.safetensors
            > Check the folder with 'custom check', then create the model again.
        ");
        let unknown =
            OperationFailure { status: "Failed".into(), code: Some("New".into()), ..OperationFailure::default() };
        assert_eq!(CliError::from(DeleteError::Failed(unknown)).page().code, "New");
    }
}
