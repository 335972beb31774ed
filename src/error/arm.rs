//! Error messages for failures of Azure Resource Manager and azd during the search for a project.

use crate::globals::EnvironmentNameError;
use azure_ai_models_core::arm::{ArmEndpointError, ArmError};
use azure_ai_models_core::azd::{AzdError, AzureRefusal, ProgramError, SaveError};
use azure_ai_models_core::env::var;
use azure_ai_models_core::http::{HttpError, ServiceError};
use azure_ai_models_core::project::EndpointError;
use azure_ai_models_core::units;

use super::deployments::{DeploySuggestions, missing_role, refused_write};
use super::project::{failed_host, failed_program, host_message};
use super::service::refused;
use super::{CliError, ErrorCode, ErrorKind};

impl From<ArmEndpointError> for CliError {
    fn from(error: ArmEndpointError) -> Self {
        Self::usage(format!("{} cannot be used: {error}", var::ARM_ENDPOINT))
            .with_code(ErrorCode::BadVariable)
            .with_suggestion(format!(
                "Unset it. To allow sending your token to this host, name the host in {}.",
                var::ALLOW_HOST
            ))
    }
}

impl From<ArmError> for CliError {
    fn from(error: ArmError) -> Self {
        let message = error.to_string();
        let error = match error {
            ArmError::Pages => {
                return Self::new(ErrorKind::Service, message)
                    .with_code(ErrorCode::BadAnswer)
                    .with_suggestion("Try again later, or name the project with --project-resource-id ID.");
            }
            ArmError::Http(HttpError::Service(error)) => *error,
            ArmError::Http(error) => return error.into(),
        };
        refused_read(error, "Azure Resource Manager returned", "")
    }
}

/// Error for a read that Azure Resource Manager rejected. `scope` is its ARM id, empty if unknown.
fn refused_read(error: ServiceError, headline: &str, scope: &str) -> CliError {
    let (kind, suggestion) = match error.status {
        401 => (
            ErrorKind::Auth,
            "Run `azd auth login`; add --tenant-id ID if the subscription is in another tenant.".to_owned(),
        ),
        403 => {
            let scope = if scope.is_empty() { "the subscription or its resource group" } else { scope };
            let scope = missing_role(&error.message).1.unwrap_or(scope);
            let suggestion =
                format!("Ask for the role Reader on {scope}. A new role assignment takes a few minutes to apply.");
            (ErrorKind::Auth, suggestion)
        }
        404 => (
            ErrorKind::NotFound,
            "Check the subscription and the names, or sign in with another account: azd auth login".to_owned(),
        ),
        429 | 500.. => (ErrorKind::Service, "Try again later.".to_owned()),
        _ => return refused_write(HttpError::Service(Box::new(error)), &DeploySuggestions::default()),
    };
    let message = format!("{headline}: {error}");
    refused(error, kind, message).with_suggestion(suggestion)
}

/// Error for a request of azd that Azure rejected, in the form of this program's own requests.
pub(super) fn refused_by_azure(refusal: AzureRefusal) -> CliError {
    let AzureRefusal { purpose, status, code, host, scope, body, .. } = refusal;
    let mut error = ServiceError { host, status, code, ..ServiceError::default() };
    error.read_body(body.as_bytes());
    let headline = match purpose.as_str() {
        "" => "Azure refused a request from azd".to_owned(),
        purpose => format!("{purpose} failed"),
    };
    refused_read(error, &headline, &scope)
}

impl From<AzdError> for CliError {
    fn from(error: AzdError) -> Self {
        match error {
            AzdError::Host(error) => error.into(),
            AzdError::Program(error) => error.into(),
        }
    }
}

impl From<ProgramError> for CliError {
    fn from(error: ProgramError) -> Self {
        failed_program(&error, error.to_string()).with_suggestion(error.suggestion())
    }
}

impl From<EnvironmentNameError> for CliError {
    fn from(error: EnvironmentNameError) -> Self {
        Self::usage(error.to_string()).with_code(ErrorCode::BadEnvironment).with_suggestion("Use another name.")
    }
}

impl CliError {
    /// Error for a value of an environment that azd could not store.
    #[must_use]
    pub(crate) fn not_saved(environment: &str, error: SaveError) -> Self {
        let SaveError { key, saved, why } = error;
        let done =
            if saved.is_empty() { "Nothing was saved.".to_owned() } else { format!("Saved: {}.", saved.join(", ")) };
        let message =
            |why: &str| format!("{key} could not be saved in the azd environment '{environment}': {why}\n{done}");
        let error = match &why {
            AzdError::Host(why) => failed_host(why, message(&host_message(why))),
            AzdError::Program(why) => failed_program(why, message(&why.to_string())),
        };
        error.with_suggestion("Run the same command again to save all values.")
    }

    /// Error for a subscription that does not exist or is not accessible.
    #[must_use]
    pub(crate) fn no_subscription(id: &str) -> Self {
        Self::new(ErrorKind::NotFound, format!("subscription '{id}' not found, or you do not have access"))
            .with_code(ErrorCode::SubscriptionNotFound)
            .with_suggestion("Check --subscription and the signed-in account: azd auth status")
    }

    /// Error for a user without access to any subscription.
    #[must_use]
    pub(crate) fn no_subscriptions() -> Self {
        Self::new(ErrorKind::NotFound, "no subscription found for the signed-in account")
            .with_code(ErrorCode::SubscriptionNotFound)
            .with_suggestion("Sign in with another account: azd auth login")
    }

    /// Error for a subscription without a project to choose.
    #[must_use]
    pub(crate) fn no_projects(subscription: &str) -> Self {
        Self::new(ErrorKind::NotFound, format!("no Foundry project found in subscription {subscription}"))
            .with_code(ErrorCode::ProjectNotFound)
            .with_suggestion("Use another subscription, or create a project: https://ai.azure.com")
    }

    /// Error for a project that does not exist.
    #[must_use]
    pub(crate) fn no_project(id: &str) -> Self {
        Self::new(ErrorKind::NotFound, format!("Foundry project {id} not found, or you do not have access"))
            .with_code(ErrorCode::ProjectNotFound)
            .with_suggestion("Check --project-resource-id and the signed-in account: azd auth status")
    }

    /// Error for an endpoint at which no account of the searched subscriptions has a project.
    #[must_use]
    pub(crate) fn no_project_at(endpoint: &str, subscription: Option<&str>, searched: usize) -> Self {
        let place = match subscription {
            Some(id) => format!("subscription {id}"),
            None => format!("the subscriptions that you can see ({searched})"),
        };
        Self::new(ErrorKind::NotFound, format!("no Foundry account in {place} has the endpoint {endpoint}"))
            .with_code(ErrorCode::ProjectNotFound)
            .with_suggestion(format!(
                "Check the endpoint, or use --subscription ID or --project-resource-id ID.\nWithout access to the account, the endpoint alone works for everything except deployments: azd env set {} {endpoint}",
                var::AZURE_PROJECT_ENDPOINT
            ))
    }

    /// Error for an endpoint that several accounts match, with their ARM ids. Without a suggestion.
    #[must_use]
    pub(crate) fn ambiguous_account(endpoint: &str, ids: impl Iterator<Item = String>) -> Self {
        Self::usage(format!("several Foundry accounts match {endpoint}:\n{}", listed(ids)))
            .with_code(ErrorCode::AmbiguousAccount)
    }

    /// Error for a run without prompts in which neither subscription nor project is known.
    #[must_use]
    pub(crate) fn open_subscription(subscriptions: impl Iterator<Item = String>) -> Self {
        Self::usage(format!(
            "no subscription or Foundry project is given, and prompts are disabled. You have access to several subscriptions:\n{}",
            listed(subscriptions)
        ))
        .with_code(ErrorCode::MissingAnswer)
        .with_suggestion(
            "Use --project-resource-id ID, --project-endpoint URL or --subscription ID.",
        )
    }

    /// Error for a run without prompts in which the project is not known, with the ARM ids of all projects of the
    /// subscription.
    #[must_use]
    pub(crate) fn open_project(subscription: &str, ids: impl Iterator<Item = String>) -> Self {
        Self::usage(format!(
            "subscription {subscription} has several Foundry projects, and prompts are disabled:\n{}",
            listed(ids)
        ))
        .with_code(ErrorCode::MissingAnswer)
        .with_suggestion("Use --project-resource-id ID or --project-endpoint URL.")
    }

    /// Error for an endpoint that no visible account serves.
    #[must_use]
    pub(crate) fn no_account(endpoint: &str) -> Self {
        Self::new(
            ErrorKind::NotFound,
            format!("the Foundry account of {endpoint} was not found, or you do not have access"),
        )
        .with_code(ErrorCode::AccountNotFound)
        .with_suggestion("Use --account NAME and --subscription ID, or ask for the role Reader on the Foundry account.")
    }

    /// Error for an endpoint from ARM that must not receive tokens.
    #[must_use]
    pub(crate) fn rejected_endpoint(error: EndpointError) -> Self {
        let suggestion = error.suggestion();
        Self::usage(format!("the project endpoint from Azure cannot be used: {error}"))
            .with_code(ErrorCode::BadEndpoint)
            .with_suggestion(suggestion)
    }
}

/// Formats the lines of a list; lines beyond the maximum are only counted.
fn listed(lines: impl Iterator<Item = String>) -> String {
    const MAX_LISTED: usize = 20;
    let all: Vec<String> = lines.map(|line| format!("  {line}")).collect();
    match all.len().saturating_sub(MAX_LISTED) {
        0 => all.join("\n"),
        more => format!("{}\n  and {}", all[..MAX_LISTED].join("\n"), units::count(more as u64, "other", "others")),
    }
}
