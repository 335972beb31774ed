//! The Foundry project of `init`: given by options, by values of the azd environment, or chosen by the user.

use super::environment::ExistingState;
use super::options::{self, InitOptions};
use super::{KEYS, ProjectValues};
use crate::app::App;
use crate::commands::finder::ProjectFinder;
use crate::error::CliError;
use azure_ai_models_core::arm::ProjectId;
use azure_ai_models_core::env::var;
use azure_ai_models_core::project::ProjectEndpoint;

/// Finds the project.
///
/// # Errors
/// When it is not found, when several match, or when Azure Resource Manager or azd fails.
pub(super) async fn find(app: &App, asked: &InitOptions, before: &ExistingState) -> Result<ProjectValues, CliError> {
    let stored = before.values.as_ref().filter(|_| !asked.force);
    let stored = |key: &str| stored.and_then(|values| values.get(key)).filter(|value| !value.is_empty());
    let ProjectHints { id, endpoint } = ProjectHints::of(app, asked, stored)?;
    let own = stored(var::AZURE_SUBSCRIPTION_ID).map(String::as_str);
    let tenant = stored(var::AZURE_TENANT_ID).cloned().or_else(|| app.env.get(var::AZURE_TENANT_ID).map(str::to_owned));
    let finder = ProjectFinder::new(app, endpoint.as_ref(), tenant.clone())?;
    if let Some(id) = id {
        let subscription = finder.subscription(&id.subscription).await?;
        return Ok(ProjectValues::of_project(&finder.project(&subscription, &id, endpoint.as_ref()).await?));
    }
    if let Some(endpoint) = endpoint {
        let located = finder.project_at(&endpoint, asked.subscription.as_deref(), own).await?;
        return Ok(located.map_or_else(
            || ProjectValues::of_endpoint(&endpoint, tenant),
            |located| ProjectValues::of_project(&located),
        ));
    }
    let subscription = match asked.subscription.as_deref().or(own) {
        Some(id) => finder.subscription(id).await?,
        None => {
            let variable = var::AZURE_SUBSCRIPTION_ID;
            let of_user = app.env.get(variable).filter(|_| !app.env.is_from_azd(variable));
            finder.choose_or_default_subscription(of_user).await?
        }
    };
    Ok(ProjectValues::of_project(&finder.choose_or_only_project(&subscription).await?))
}

/// Known names of the project.
#[derive(Default)]
struct ProjectHints {
    id: Option<ProjectId>,
    endpoint: Option<ProjectEndpoint>,
}

impl ProjectHints {
    /// Precedence: options, then the endpoint that `init` stored, then the values that azd's Foundry provider stored.
    fn of<'a>(app: &App, asked: &InitOptions, stored: impl Fn(&str) -> Option<&'a String>) -> Result<Self, CliError> {
        let parse = |text: &String| options::endpoint(app, text);
        if asked.id.is_some() || asked.endpoint.is_some() {
            return Ok(Self { id: asked.id.clone(), endpoint: asked.endpoint.clone() });
        }
        // A subscription given by option excludes projects of other subscriptions.
        let is_elsewhere = |id: &str| asked.subscription.as_ref().is_some_and(|asked| !asked.eq_ignore_ascii_case(id));
        if let Some(text) = stored(var::AZURE_PROJECT_ENDPOINT) {
            return Ok(Self { id: None, endpoint: Some(parse(text)?) });
        }
        let id = stored(var::AZURE_AI_PROJECT_ID).and_then(|id| ProjectId::parse(id).ok());
        let endpoint = stored(var::FOUNDRY_PROJECT_ENDPOINT).map(parse).transpose()?;
        let fits = |id: &ProjectId| {
            !is_elsewhere(&id.subscription)
                && endpoint.as_ref().is_none_or(|endpoint| endpoint.project().eq_ignore_ascii_case(&id.project))
        };
        Ok(Self { id: id.filter(fits), endpoint })
    }
}

/// Values of an earlier project in the environment that would be mistaken for values of this project. azd itself uses
/// the other values too, so they are kept.
pub(super) fn outdated(known: &ProjectValues, before: &ExistingState) -> Option<&'static str> {
    let values = before.values.as_ref()?;
    let is_known = KEYS.iter().zip(&known.0).any(|(key, value)| *key == var::AZURE_ACCOUNT_NAME && value.is_some());
    let has_account = values.get(var::AZURE_ACCOUNT_NAME).is_some_and(|value| !value.is_empty());
    (!is_known && has_account).then_some(var::AZURE_ACCOUNT_NAME)
}
