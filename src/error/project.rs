//! Error messages for an unsuccessful search for the project, and for rejections by azd.

use azure_ai_models_core::azd::{HostError, ProgramError};
use azure_ai_models_core::project::FindError;

use super::arm::refused_by_azure;
use super::{CliError, ErrorCode, ErrorKind};

impl From<FindError> for CliError {
    fn from(error: FindError) -> Self {
        let suggestion = error.suggestion();
        let message = error.to_string();
        let error = match &error {
            FindError::NotConfigured => Self::usage(message).with_code(ErrorCode::ProjectNotConfigured),
            FindError::Invalid { error: why, .. } => {
                Self::usage(format!("{message}: {why}")).with_code(ErrorCode::BadEndpoint)
            }
            FindError::Unresolved { .. } => Self::usage(message).with_code(ErrorCode::UnresolvedReference),
            FindError::NoSuchEnvironment { .. } | FindError::NoAzdProject { .. } => {
                Self::new(ErrorKind::NotFound, message).with_code(ErrorCode::EnvironmentNotFound)
            }
            FindError::AzdMissing { .. } => Self::failure(message).with_code(ErrorCode::AzdNotFound),
            FindError::Host(error) => failed_host(error, message),
            FindError::Program(error) => failed_program(error, message),
        };
        suggestion.into_iter().fold(error, Self::with_suggestion)
    }
}

impl From<HostError> for CliError {
    fn from(error: HostError) -> Self {
        let error = match error {
            HostError::Azure(refusal) => return refused_by_azure(*refusal),
            error => error,
        };
        let cli_error = failed_host(&error, host_message(&error));
        error.suggestion().into_iter().fold(cli_error, Self::with_suggestion)
    }
}

/// Message for an error of azd's server. A prompt that the user cancelled counts as an interruption.
pub(super) fn host_message(error: &HostError) -> String {
    match error {
        HostError::Cancelled => CliError::interrupted().message().to_owned(),
        error => error.to_string(),
    }
}

/// Error for a failure of azd's server with this message, without a suggestion.
pub(super) fn failed_host(error: &HostError, message: String) -> CliError {
    let (kind, code) = match error {
        HostError::BadAddress | HostError::Gone { .. } | HostError::TimedOut { .. } => {
            (ErrorKind::Service, ErrorCode::AzdUnreachable)
        }
        HostError::TokenEnded => (ErrorKind::Service, ErrorCode::AzdTokenEnded),
        HostError::NotSignedIn { .. } => (ErrorKind::Auth, ErrorCode::NotSignedIn),
        HostError::Cancelled => (ErrorKind::Interrupted, ErrorCode::Kind(ErrorKind::Interrupted)),
        HostError::NoPrompt => (ErrorKind::Usage, ErrorCode::MissingAnswer),
        HostError::Command { .. } => (ErrorKind::Failure, ErrorCode::AzdFailed),
        HostError::Azure(_) | HostError::Refused { .. } => (ErrorKind::Failure, ErrorCode::AzdRefused),
    };
    CliError::new(kind, message).with_code(code)
}

/// Error for a failure of the `azd` program with this message, without a suggestion.
pub(super) fn failed_program(error: &ProgramError, message: String) -> CliError {
    let (kind, code) = match error {
        ProgramError::Missing => (ErrorKind::Failure, ErrorCode::AzdNotFound),
        ProgramError::TimedOut { .. } => (ErrorKind::Service, ErrorCode::AzdFailed),
        _ => (ErrorKind::Failure, ErrorCode::AzdFailed),
    };
    CliError::new(kind, message).with_code(code)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use azure_ai_models_core::azd::{AzdMessage, RefusalKind};

    #[test]
    fn errors_of_azd_have_their_kind() {
        let refused = HostError::Refused { refusal: RefusalKind::Plain, message: "w".into(), suggestion: None };
        let limit = Duration::from_secs(10);
        for (error, kind, code) in [
            (HostError::BadAddress, ErrorKind::Service, "azd_unreachable"),
            (HostError::Gone { message: "w".into() }, ErrorKind::Service, "azd_unreachable"),
            (HostError::TimedOut { limit }, ErrorKind::Service, "azd_unreachable"),
            (HostError::TokenEnded, ErrorKind::Service, "azd_token_ended"),
            (HostError::NotSignedIn { message: "w".into(), suggestion: None }, ErrorKind::Auth, "not_signed_in"),
            (HostError::Cancelled, ErrorKind::Interrupted, "interrupted"),
            (refused, ErrorKind::Failure, "azd_refused"),
        ] {
            let cli_error = CliError::from(FindError::Host(error.clone()));
            assert_eq!((cli_error.kind, cli_error.page().code), (kind, code), "{error}");
            assert_eq!(CliError::from(error).kind, kind);
        }
        let failed =
            ProgramError::Failed { message: AzdMessage { message: "w".into(), suggestion: Some("Do it.".into()) } };
        let cli_error = CliError::from(FindError::Program(failed));
        assert_eq!((cli_error.kind, cli_error.page().suggestion), (ErrorKind::Failure, Some("Do it.")));
        assert_eq!(CliError::from(FindError::Program(ProgramError::TimedOut { limit })).kind, ErrorKind::Service);
    }
}
