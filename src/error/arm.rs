//! Translation of failures of Azure Resource Manager and azd on the way to a project.

use crate::globals::EnvironmentNameError;
use azure_ai_models_core::arm::{ArmEndpointError, ArmError};
use azure_ai_models_core::azd::{AzdError, ProgramError, SaveError};
use azure_ai_models_core::env::var;
use azure_ai_models_core::http::HttpError;
use azure_ai_models_core::project::EndpointError;

use super::deployments::{DeployAdvice, refused_write};
use super::project::{failed_host, failed_program, host_message};
use super::service::refused;
use super::{CliError, ErrorCode, ErrorKind};

impl From<ArmEndpointError> for CliError {
    fn from(error: ArmEndpointError) -> Self {
        Self::usage(format!("{} cannot be used: {error}", var::ARM_ENDPOINT))
            .with_code(ErrorCode::BadVariable)
            .with_suggestion(format!(
                "Unset it. A host that you trust with your token is named by {}.",
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
        let (kind, suggestion) = match error.status {
            401 => (
                ErrorKind::Auth,
                "Run `azd auth login`, with --tenant-id ID where the subscription is another tenant's.",
            ),
            403 => (ErrorKind::Auth, "Ask for the role Reader on the subscription or its resource group."),
            404 => (
                ErrorKind::NotFound,
                "Check the subscription and the names, and that you are signed in to the right account.",
            ),
            429 | 500.. => (ErrorKind::Service, "Try again later."),
            _ => return refused_write(HttpError::Service(Box::new(error)), &DeployAdvice::default()),
        };
        let message = format!("Azure Resource Manager returned: {error}");
        refused(error, kind, message).with_suggestion(suggestion)
    }
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
    /// azd did not store a value of an environment.
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
        error.with_suggestion("Run the same command again: it saves all of them.")
    }

    /// The person reaches no subscription of this id.
    #[must_use]
    pub(crate) fn no_subscription(id: &str) -> Self {
        Self::new(ErrorKind::NotFound, format!("there is no subscription '{id}', or you do not reach it"))
            .with_code(ErrorCode::SubscriptionNotFound)
            .with_suggestion("Check --subscription, and the account that you are signed in with: azd auth status")
    }

    /// The person reaches no subscription at all.
    #[must_use]
    pub(crate) fn no_subscriptions() -> Self {
        Self::new(ErrorKind::NotFound, "the signed-in account reaches no subscription")
            .with_code(ErrorCode::SubscriptionNotFound)
            .with_suggestion("Sign in with another account: azd auth login")
    }

    /// There is no project to choose.
    #[must_use]
    pub(crate) fn no_projects(subscription: &str) -> Self {
        Self::new(ErrorKind::NotFound, format!("there is no Foundry project in subscription {subscription}"))
            .with_code(ErrorCode::ProjectNotFound)
            .with_suggestion("Choose another subscription, or make a project: https://ai.azure.com")
    }

    /// There is no project of this id.
    #[must_use]
    pub(crate) fn no_project(id: &str) -> Self {
        Self::new(ErrorKind::NotFound, format!("there is no Foundry project {id}"))
            .with_code(ErrorCode::ProjectNotFound)
            .with_suggestion(
                "Check --project-resource-id, and the account that you are signed in with: azd auth status",
            )
    }

    /// No account of the subscription serves this endpoint.
    #[must_use]
    pub(crate) fn no_project_at(endpoint: &str, subscription: &str) -> Self {
        Self::new(ErrorKind::NotFound, format!("no Foundry account in subscription {subscription} has {endpoint}"))
            .with_code(ErrorCode::ProjectNotFound)
            .with_suggestion("Name the subscription that holds it with --subscription ID, or the project with --project-resource-id ID.")
    }

    /// No account that the user can see serves this endpoint.
    #[must_use]
    pub(crate) fn no_account(endpoint: &str) -> Self {
        Self::new(
            ErrorKind::NotFound,
            format!("the Foundry account of {endpoint} was not found, or you do not have access"),
        )
        .with_code(ErrorCode::AccountNotFound)
        .with_suggestion(
            "Name it with --account NAME and --subscription ID, or ask for the role Reader on the Foundry account.",
        )
    }

    /// ARM tells an endpoint that must not get tokens.
    #[must_use]
    pub(crate) fn odd_endpoint(error: EndpointError) -> Self {
        let suggestion = error.suggestion();
        Self::usage(format!("the endpoint that Azure tells of the project cannot be used: {error}"))
            .with_code(ErrorCode::BadEndpoint)
            .with_suggestion(suggestion)
    }
}
