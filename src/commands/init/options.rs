//! Options of `init`, validated against each other before anything else happens.

use std::collections::BTreeMap;

use super::{InitArgs, KEYS};
use crate::app::App;
use crate::error::{CliError, ErrorCode};
use crate::globals::check_environment_name;
use azure_ai_models_core::arm::ProjectId;
use azure_ai_models_core::env::var;
use azure_ai_models_core::project::ProjectEndpoint;

/// Validated options.
#[derive(Debug)]
pub(super) struct InitOptions {
    pub(super) id: Option<ProjectId>,
    pub(super) endpoint: Option<ProjectEndpoint>,
    pub(super) subscription: Option<String>,
    pub(super) environment: Option<String>,
    pub(super) force: bool,
}

impl InitOptions {
    /// # Errors
    /// When an option is invalid, or two options contradict each other.
    pub(super) fn read(app: &App, args: &InitArgs) -> Result<Self, CliError> {
        let id = args.project_resource_id.as_deref().map(read_id).transpose()?;
        let endpoint = app.globals.endpoint.as_deref().map(|text| endpoint(app, text)).transpose()?;
        let subscription = app.globals.subscription.as_deref().map(|id| id.trim().to_owned());
        let contradict = |what: &str| {
            Err(CliError::usage(format!("--project-resource-id and {what} do not match"))
                .with_code(ErrorCode::Contradiction)
                .with_suggestion("Use one of them."))
        };
        if let Some(id) = &id {
            if subscription.as_ref().is_some_and(|other| !other.eq_ignore_ascii_case(&id.subscription)) {
                return contradict("--subscription");
            }
            if endpoint.as_ref().is_some_and(|other| !other.project().eq_ignore_ascii_case(&id.project)) {
                return contradict("--project-endpoint");
            }
        }
        let environment = match (&args.name, &app.globals.environment) {
            (Some(name), Some(other)) if name != other => {
                return Err(CliError::usage(format!(
                    "-n gives the azd environment '{name}', but another option gives '{other}'"
                ))
                .with_code(ErrorCode::Contradiction)
                .with_suggestion("Use one of them."));
            }
            (Some(name), _) => Some(name.clone()),
            (None, named) => named.clone().or_else(|| app.env.get(var::AZD_ENVIRONMENT).map(str::to_owned)),
        };
        environment.as_deref().map_or(Ok(()), check_environment_name)?;
        Ok(Self { id, endpoint, subscription, environment, force: args.force == Some(true) })
    }

    /// True if all seven values exist and agree with the options: then there is nothing to do.
    pub(super) fn is_answered(&self, values: &BTreeMap<String, String>) -> Option<[String; 7]> {
        if self.force {
            return None;
        }
        let value = |key: &str| values.get(key).filter(|value| !value.is_empty()).cloned();
        let all: Vec<String> = KEYS.iter().filter_map(|key| value(key)).collect();
        let all: [String; 7] = all.try_into().ok()?;
        let [_, subscription, group, account, project, _, endpoint] = &all;
        let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
        let id_agrees = self.id.as_ref().is_none_or(|id| {
            same(&id.subscription, subscription)
                && same(&id.group, group)
                && same(&id.account, account)
                && same(&id.project, project)
        });
        let endpoint_agrees =
            self.endpoint.as_ref().is_none_or(|asked| same(&asked.to_string(), endpoint.trim_end_matches('/')));
        let subscription_agrees = self.subscription.as_ref().is_none_or(|asked| same(asked, subscription));
        (id_agrees && endpoint_agrees && subscription_agrees).then_some(all)
    }

    /// True if options specify the project.
    pub(super) fn names_project(&self) -> bool {
        self.id.is_some() || self.endpoint.is_some()
    }
}

/// Parses an endpoint that will receive tokens.
///
/// # Errors
/// When it violates a rule.
pub(super) fn endpoint(app: &App, text: &str) -> Result<ProjectEndpoint, CliError> {
    ProjectEndpoint::parse(text, app.trusted_env().get(var::ALLOW_HOST)).map_err(|error| {
        let suggestion = error.suggestion();
        CliError::usage(error.to_string()).with_code(ErrorCode::BadEndpoint).with_suggestion(suggestion)
    })
}

fn read_id(text: &str) -> Result<ProjectId, CliError> {
    ProjectId::parse(text).map_err(|why| {
        CliError::usage(format!("--project-resource-id cannot be used: {why}"))
            .with_code(ErrorCode::BadResourceId)
            .with_suggestion("Copy the project's resource id from its properties in the Azure portal.")
    })
}
