//! Error messages for deployments.

use azure_ai_models_core::arm::{DeployError, QuotaShortage};
use azure_ai_models_core::http::{ErrorDetail, HttpError, ServiceError};
use azure_ai_models_core::model::DeploymentName;
use azure_ai_models_core::units;

use super::arm_table::arm_row_of;
use super::service::refused;
use super::{CliError, ErrorCode, ErrorKind};

/// Suggestions for errors of a command about a deployment.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeploySuggestions {
    /// Command that waits for the deployment, or shows it.
    pub(crate) show_command: String,
    /// Command that deletes it.
    pub(crate) delete: String,
    /// True for a model of Fireworks.
    pub(crate) is_fireworks: bool,
    /// Command that creates the deployment with the available capacity.
    pub(crate) retry: Option<String>,
    /// Other SKUs and regions with available capacity, one per line.
    pub(crate) alternatives: Vec<String>,
    /// Names of the account's content filters.
    pub(crate) content_filters: Vec<String>,
    /// Models whose names are similar to the rejected one.
    pub(crate) similar_models: Vec<String>,
}

impl CliError {
    /// Error for a failed write to a deployment, or for a deployment that failed or whose end is unknown.
    pub(crate) fn deployment(error: DeployError, name: &DeploymentName, suggestions: &DeploySuggestions) -> Self {
        let message = format!("deployment '{name}': {error}");
        match error {
            DeployError::Refused(error) => refused_write(error, suggestions),
            DeployError::Busy(error) => refused_write(error, suggestions).with_headline(&message),
            DeployError::Unwatchable(error) => refused_write(error, suggestions).with_headline(&message),
            DeployError::Failed { state, detail, details } => failed(name, &state, detail, &details, suggestions),
            DeployError::TimedOut { last_state, last_fault } => {
                let mut message = match last_state {
                    Some(state) => format!("deployment '{name}' is still running (state {state})"),
                    None => format!("deployment '{name}' is still running"),
                };
                if let Some(fault) = last_fault {
                    message = format!("{message}\nThe last status request failed: {fault}");
                }
                Self::failure(message)
                    .with_code(ErrorCode::StillRunning)
                    .with_suggestion(format!("Wait longer:\n  {}", suggestions.show_command))
            }
            DeployError::NotVisible => Self::new(ErrorKind::Service, message)
                .with_code(ErrorCode::NotProved)
                .with_suggestion(format!("Check again later:\n  {}", suggestions.show_command)),
            DeployError::NotApplied => Self::new(ErrorKind::Service, message)
                .with_code(ErrorCode::NotProved)
                .with_suggestion("Check it later. If it has not changed, run the same command again."),
            DeployError::Taken => Self::new(ErrorKind::Conflict, message)
                .with_code(ErrorCode::DeploymentExists)
                .with_suggestion("Use another --name."),
            DeployError::NotFound | DeployError::Deleted => {
                Self::new(ErrorKind::NotFound, message).with_code(ErrorCode::DeploymentNotFound)
            }
        }
    }

    /// Error for a wait that the user ended; `command` shows the state of the deployment.
    pub(crate) fn deployment_interrupted(message: &str, command: &str) -> Self {
        Self::new(ErrorKind::Interrupted, message)
            .with_code(ErrorCode::DeploymentInterrupted)
            .with_suggestion(format!("The operation continues without this command. To check it:\n  {command}"))
    }

    /// Error for insufficient quota, with the alternatives.
    pub(crate) fn quota(name: &str, needed: u64, available: u64, suggestions: &DeploySuggestions) -> Self {
        let message = format!(
            "not enough quota '{name}': {} needed, {} available",
            units::grouped(needed),
            units::grouped(available)
        );
        let error = ServiceError { status: 400, code: Some("InsufficientQuota".to_owned()), ..ServiceError::default() };
        let suggestion = suggestion(&error, suggestions);
        Self::failure(message).with_code(ErrorCode::Service("InsufficientQuota".into())).with_suggestion(suggestion)
    }

    /// Error for a missing feature of the subscription that deployments of Fireworks models need.
    pub(crate) fn feature_not_registered(name: &str, state: &str) -> Self {
        Self::failure(format!("the feature {name} of the subscription is not registered (state {state})"))
            .with_code(ErrorCode::FeatureNotRegistered)
            .with_suggestion(format!(
                "Register it (takes up to 30 minutes, requires Owner or Contributor on the subscription):\n  az feature register --namespace Microsoft.CognitiveServices --name {name}"
            ))
    }
}

/// Error for a request about deployments that Azure Resource Manager rejected.
pub(super) fn refused_write(error: HttpError, suggestions: &DeploySuggestions) -> CliError {
    let HttpError::Service(error) = error else { return error.into() };
    if error.is_html() {
        return HttpError::Service(error).into();
    }
    let row = arm_row_of(&error);
    let mut message = format!("Azure Resource Manager returned: {error}");
    if row.name == "quota"
        && let Some(QuotaShortage { needed: Some(needed), available, .. }) = QuotaShortage::read(&error.message)
    {
        let (needed, available) = (units::grouped(needed), units::grouped(available));
        message = format!("not enough quota: {needed} needed, {available} available\n{message}");
    }
    for detail in error.details.iter().filter(|detail| !detail.message.is_empty()) {
        message = format!("{message}\n{}", detail.message);
    }
    if let Some(id) = &error.correlation_id {
        message = format!("{message}\nCorrelation id: {id}");
    }
    let suggestion = suggestion(&error, suggestions);
    refused(*error, row.kind, message).with_suggestion(suggestion)
}

/// Suggestion for a rejection.
fn suggestion(error: &ServiceError, suggestions: &DeploySuggestions) -> String {
    let row = arm_row_of(error);
    let (action, scope) = missing_role(&error.message);
    let action = action.unwrap_or("Microsoft.CognitiveServices/accounts/deployments/*");
    let scope = scope.unwrap_or("the Foundry account");
    let mut lines = vec![row.suggestion.replace("{action}", action).replace("{scope}", scope)];
    if suggestions.is_fireworks && !row.fireworks.is_empty() {
        lines.push(row.fireworks.to_owned());
    }
    match row.name {
        "quota" => lines.extend(
            suggestions
                .alternatives
                .iter()
                .cloned()
                .chain(suggestions.retry.iter().map(|retry| format!("To use the available quota:\n  {retry}"))),
        ),
        "model_not_supported" if !suggestions.similar_models.is_empty() => {
            lines.push(format!("Models with similar names: {}", suggestions.similar_models.join(", ")));
        }
        "content_filter" if !suggestions.content_filters.is_empty() => {
            lines.push(format!("Content filters of the account: {}", suggestions.content_filters.join(", ")));
        }
        _ => {}
    }
    lines.join("\n")
}

/// Action and scope in a rejection for a missing role.
pub(super) fn missing_role(message: &str) -> (Option<&str>, Option<&str>) {
    let quoted = |start: &str| message.split_once(start)?.1.split('\'').next().filter(|word| !word.is_empty());
    (quoted("perform action '"), quoted("over scope '"))
}

/// Error for a failed deployment: the message of the service, and the suggestion for its code.
fn failed(
    name: &DeploymentName,
    state: &str,
    detail: Option<ErrorDetail>,
    details: &[ErrorDetail],
    suggestions: &DeploySuggestions,
) -> CliError {
    let ErrorDetail { code, message } = detail.unwrap_or_default();
    let suffix = if message.is_empty() { String::new() } else { format!(": {message}") };
    let mut text = format!("deployment '{name}' ended in state '{state}'{suffix}");
    for detail in details.iter().filter(|detail| !detail.message.is_empty()) {
        text = format!("{text}\n{}", detail.message);
    }
    let delete = format!("Delete it before you create it again:\n  {}", suggestions.delete);
    let Some(code) = code else {
        return CliError::failure(text).with_code(ErrorCode::DeploymentFailed).with_suggestion(delete);
    };
    let error = ServiceError { status: 400, code: Some(code.clone()), message, ..ServiceError::default() };
    let first_suggestion = suggestion(&error, suggestions);
    CliError::failure(text)
        .with_code(ErrorCode::Service(code))
        .with_suggestion(first_suggestion)
        .and_suggestion(&delete)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_role_has_its_action_and_scope() {
        let message = "The client 'x' does not have authorization to perform action 'A/write' over scope '/subscriptions/s' or the scope is invalid.";
        assert_eq!(missing_role(message), (Some("A/write"), Some("/subscriptions/s")));
        assert_eq!(missing_role("no"), (None, None));
    }
}
