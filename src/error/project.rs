//! What it means for the person that there is no project to talk to, or that azd does not tell it.

use azure_ai_models_core::azd::{HostError, ProgramError};
use azure_ai_models_core::project::FindError;

use super::{CliError, ErrorKind};

impl From<FindError> for CliError {
    fn from(error: FindError) -> Self {
        let suggestion = error.suggestion();
        let message = error.to_string();
        let told = match error {
            FindError::NotConfigured => Self::usage(message).with_code("project_not_configured"),
            FindError::Invalid { error: why, .. } => Self::usage(format!("{message}: {why}")).with_code("bad_endpoint"),
            FindError::Unresolved { .. } => Self::usage(message).with_code("unresolved_reference"),
            FindError::NoSuchEnvironment { .. } | FindError::NoAzdProject { .. } => {
                Self::new(ErrorKind::NotFound, message).with_code("environment_not_found")
            }
            FindError::AzdMissing { .. } => Self::failure(message).with_code("azd_not_found"),
            FindError::Host(error) => Self::from(error).with_message(message),
            FindError::Program(error) => {
                let kind = if matches!(error, ProgramError::TimedOut { .. }) {
                    ErrorKind::Service
                } else {
                    ErrorKind::Failure
                };
                Self::new(kind, message).with_code("azd_failed")
            }
        };
        match suggestion {
            Some(suggestion) => told.with_suggestion(suggestion),
            None => told,
        }
    }
}

impl From<HostError> for CliError {
    fn from(error: HostError) -> Self {
        let suggestion = error.suggestion();
        let message = error.to_string();
        let told = match error {
            HostError::BadAddress | HostError::Gone { .. } | HostError::TimedOut { .. } => {
                Self::new(ErrorKind::Service, message).with_code("azd_unreachable")
            }
            HostError::TokenEnded => Self::new(ErrorKind::Service, message).with_code("azd_token_ended"),
            HostError::NotSignedIn { .. } => Self::new(ErrorKind::Auth, message).with_code("not_signed_in"),
            HostError::Cancelled => Self::interrupted(),
            HostError::Refused { .. } => Self::failure(message).with_code("azd_refused"),
        };
        match suggestion {
            Some(suggestion) => told.with_suggestion(suggestion),
            None => told,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use azure_ai_models_core::azd::{AzdWords, Refusal};

    #[test]
    fn what_azd_answers_has_its_kind() {
        let refused = HostError::Refused { refusal: Refusal::Plain, words: "w".into(), suggestion: None };
        let limit = Duration::from_secs(10);
        for (error, kind, code) in [
            (HostError::BadAddress, ErrorKind::Service, "azd_unreachable"),
            (HostError::Gone { words: "w".into() }, ErrorKind::Service, "azd_unreachable"),
            (HostError::TimedOut { limit }, ErrorKind::Service, "azd_unreachable"),
            (HostError::TokenEnded, ErrorKind::Service, "azd_token_ended"),
            (HostError::NotSignedIn { words: "w".into(), suggestion: None }, ErrorKind::Auth, "not_signed_in"),
            (HostError::Cancelled, ErrorKind::Interrupted, "interrupted"),
            (refused, ErrorKind::Failure, "azd_refused"),
        ] {
            let told = CliError::from(FindError::Host(error.clone()));
            assert_eq!((told.kind(), told.page().code), (kind, code), "{error}");
            assert_eq!(CliError::from(error).kind(), kind);
        }
        let failed =
            ProgramError::Failed { words: AzdWords { message: "w".into(), suggestion: Some("Do it.".into()) } };
        let told = CliError::from(FindError::Program(failed));
        assert_eq!((told.kind(), told.suggestion()), (ErrorKind::Failure, Some("Do it.")));
        assert_eq!(CliError::from(FindError::Program(ProgramError::TimedOut { limit })).kind(), ErrorKind::Service);
    }
}
