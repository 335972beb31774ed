//! Client of the Foundry project of a command.

use super::choose;
use crate::app::App;
use crate::error::CliError;
use azure_ai_models_core::foundry::FoundryClient;
use azure_ai_models_core::project::{FindError, ProjectLookup};

/// Creates a client of the project from the options, azd or the environment, or of one that the user chooses.
///
/// # Errors
/// When no project is specified, its endpoint or the sign-in configuration breaks a rule, or azd does not report its
/// environment.
pub(super) async fn foundry(app: &App) -> Result<FoundryClient, CliError> {
    foundry_at(app, app.globals.endpoint.as_deref()).await
}

/// Creates a client of the project at this endpoint, as if it had been given by option.
///
/// # Errors
/// See [`foundry`].
pub(super) async fn foundry_at(app: &App, endpoint: Option<&str>) -> Result<FoundryClient, CliError> {
    let project = match app.search_project(endpoint).await? {
        ProjectLookup::Found(found) => *found,
        ProjectLookup::NeedsChoice { .. } if !app.can_choose() => return Err(FindError::NotConfigured.into()),
        ProjectLookup::NeedsChoice { subscription, tenant } => {
            Box::pin(choose::choose_for_run(app, subscription, tenant)).await?
        }
    };
    app.client_of(project)
}
