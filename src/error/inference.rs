//! Error messages for rejections by a deployment.

use azure_ai_models_core::http::HttpError;

use super::service::refused;
use super::{CliError, ErrorKind};

/// Role that is required to send prompts to a deployment.
const ROLE: &str = "Ask for the role Azure AI User or Cognitive Services OpenAI User on the Foundry account; a new role assignment takes a few minutes to apply.";

impl CliError {
    /// Error for a prompt that a deployment did not answer; `list` is the command that lists the deployments.
    pub(crate) fn inference(error: HttpError, name: &str, list: &str) -> Self {
        let HttpError::Service(error) = error else { return error.into() };
        if error.is_html() {
            return HttpError::Service(error).into();
        }
        let (kind, headline, suggestion) = match error.status {
            404 => (
                ErrorKind::NotFound,
                format!("deployment '{name}' not found"),
                format!("A new deployment takes a few minutes to become available. To list the deployments:\n  {list}"),
            ),
            423 => (
                ErrorKind::Failure,
                format!("deployment '{name}' is paused"),
                "Resume it in the Foundry portal: https://ai.azure.com".to_owned(),
            ),
            410 => (
                ErrorKind::Failure,
                format!("the model of deployment '{name}' is retired"),
                "Deploy a newer model: 'base list' lists the models that can be deployed.".to_owned(),
            ),
            429 => (
                ErrorKind::Service,
                format!("deployment '{name}' has reached its rate limit"),
                "Try again in a minute, or raise its capacity with 'deployments update'.".to_owned(),
            ),
            401 => (
                ErrorKind::Auth,
                format!("deployment '{name}' rejected the sign-in"),
                format!("Sign in with 'azd auth login'. {ROLE}"),
            ),
            403 => (ErrorKind::Auth, format!("no permission to use deployment '{name}'"), ROLE.to_owned()),
            400 if error.has_code(&["OperationNotSupported", "unsupported_operation"]) => (
                ErrorKind::Failure,
                format!("deployment '{name}' does not support chat completions"),
                "The model has another purpose, such as embeddings. 'deployments show' shows the endpoint.".to_owned(),
            ),
            500.. => {
                (ErrorKind::Service, format!("deployment '{name}' failed to respond"), "Try again later.".to_owned())
            }
            _ => (
                ErrorKind::Failure,
                format!("deployment '{name}' refused the prompt"),
                "Correct the value named in the message. Use --debug to trace the requests.".to_owned(),
            ),
        };
        let message = format!("{headline}: {error}");
        refused(*error, kind, message).with_suggestion(suggestion)
    }
}
