//! Translation of what a deployment answers instead of an answer.

use azure_ai_models_core::http::HttpError;

use super::service::refused;
use super::{CliError, ErrorKind};

/// Role that is needed to ask a deployment.
const ROLE: &str = "Ask for the role Azure AI User or Cognitive Services OpenAI User on the Foundry account; a new role takes some minutes to count.";

impl CliError {
    /// A question that a deployment did not answer; `list` is the command that shows what there is.
    pub(crate) fn inference(error: HttpError, name: &str, list: &str) -> Self {
        let HttpError::Service(error) = error else { return error.into() };
        if error.is_html() {
            return HttpError::Service(error).into();
        }
        let (kind, headline, suggestion) = match error.status {
            404 => (
                ErrorKind::NotFound,
                format!("there is no deployment '{name}'"),
                format!("A new deployment needs some minutes before it answers. See what there is:\n  {list}"),
            ),
            423 => (
                ErrorKind::Failure,
                format!("deployment '{name}' is paused"),
                "Resume it in the Foundry portal: https://ai.azure.com".to_owned(),
            ),
            410 => (
                ErrorKind::Failure,
                format!("the model of deployment '{name}' is retired"),
                "Deploy a newer model: 'base list' shows what can be deployed.".to_owned(),
            ),
            429 => (
                ErrorKind::Service,
                format!("deployment '{name}' has reached its rate limit"),
                "Try again in a minute, or raise its capacity with 'deployments update'.".to_owned(),
            ),
            401 => (
                ErrorKind::Auth,
                format!("deployment '{name}' does not accept the sign-in"),
                format!("Sign in with 'azd auth login'. {ROLE}"),
            ),
            403 => (ErrorKind::Auth, format!("no permission to use deployment '{name}'"), ROLE.to_owned()),
            400 if error.has_code(&["OperationNotSupported", "unsupported_operation"]) => (
                ErrorKind::Failure,
                format!("deployment '{name}' does not answer chat completions"),
                "Its model is of another kind, such as embeddings: 'deployments show' names the endpoint.".to_owned(),
            ),
            500.. => {
                (ErrorKind::Service, format!("deployment '{name}' failed to answer"), "Try again later.".to_owned())
            }
            _ => (
                ErrorKind::Failure,
                format!("deployment '{name}' refused the question"),
                "Correct what the message names; with --debug every request is traced.".to_owned(),
            ),
        };
        let message = format!("{headline}: {error}");
        refused(*error, kind, message).with_suggestion(suggestion)
    }
}
