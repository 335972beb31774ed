//! The Foundry project that `init` is about: named by options, by values of the azd environment, or chosen.

use super::asked::{self, Asked};
use super::environment::Before;
use super::{KEYS, Known};
use crate::app::App;
use crate::commands::finder::Finder;
use crate::error::CliError;
use azure_ai_models_core::arm::ProjectId;
use azure_ai_models_core::env::var;
use azure_ai_models_core::project::ProjectEndpoint;

/// Finds the project.
///
/// # Errors
/// When it is not there, when several fit, or when Azure Resource Manager or azd fails.
pub(super) async fn find(app: &App, asked: &Asked, before: &Before) -> Result<Known, CliError> {
    let stored = before.values.as_ref().filter(|_| !asked.force);
    let stored = |key: &str| stored.and_then(|values| values.get(key)).filter(|value| !value.is_empty());
    let Named { id, endpoint } = Named::of(app, asked, stored)?;
    let own = stored(var::AZURE_SUBSCRIPTION_ID).map(String::as_str);
    let tenant = stored(var::AZURE_TENANT_ID).cloned().or_else(|| app.env.get(var::AZURE_TENANT_ID).map(str::to_owned));
    let finder = Finder::new(app, endpoint.as_ref(), tenant.clone())?;
    if let Some(id) = id {
        let subscription = finder.subscription(&id.subscription).await?;
        return Ok(Known::of_place(&finder.project(&subscription, &id, endpoint.as_ref()).await?));
    }
    if let Some(endpoint) = endpoint {
        let place = finder.project_at(&endpoint, asked.subscription.as_deref(), own).await?;
        return Ok(place.map_or_else(|| Known::of_endpoint(&endpoint, tenant), |place| Known::of_place(&place)));
    }
    let subscription = match asked.subscription.as_deref().or(own) {
        Some(id) => finder.subscription(id).await?,
        None => {
            let variable = var::AZURE_SUBSCRIPTION_ID;
            let of_user = app.env.get(variable).filter(|_| !app.env.is_from_azd(variable));
            finder.some_subscription(of_user).await?
        }
    };
    Ok(Known::of_place(&finder.some_project(&subscription).await?))
}

/// Names of the project, as far as there are any.
#[derive(Default)]
struct Named {
    id: Option<ProjectId>,
    endpoint: Option<ProjectEndpoint>,
}

impl Named {
    /// Options count before the endpoint that `init` stored, and that before what azd's Foundry provider stored.
    fn of<'a>(app: &App, asked: &Asked, stored: impl Fn(&str) -> Option<&'a String>) -> Result<Self, CliError> {
        let parse = |text: &String| asked::endpoint(app, text);
        if asked.id.is_some() || asked.endpoint.is_some() {
            return Ok(Self { id: asked.id.clone(), endpoint: asked.endpoint.clone() });
        }
        // A subscription by option asks for another project than that of another subscription.
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

/// Value that an earlier project left in the environment, and that would be taken for one of this project. azd itself uses
/// the other values too, so they stay.
pub(super) fn outdated(known: &Known, before: &Before) -> Option<&'static str> {
    let values = before.values.as_ref()?;
    let is_known = KEYS.iter().zip(&known.0).any(|(key, value)| *key == var::AZURE_ACCOUNT_NAME && value.is_some());
    let has_account = values.get(var::AZURE_ACCOUNT_NAME).is_some_and(|value| !value.is_empty());
    (!is_known && has_account).then_some(var::AZURE_ACCOUNT_NAME)
}
