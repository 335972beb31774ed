//! Finds deployments that use a registered model.

use crate::app::App;
use crate::commands::account::{AccountAccess, AccountArgs, access_of};
use crate::error::{CliError, ErrorCode, ErrorKind};
use azure_ai_models_core::foundry::FoundryClient;
use azure_ai_models_core::model::{ModelName, ModelVersion};

/// Fails if deployments use a version. If Azure Resource Manager does not report them, the service decides.
///
/// # Errors
/// `conflict`, with the deployments and the command that deletes them.
pub(super) async fn refuse_deployed(
    app: &App,
    foundry: &FoundryClient,
    name: &ModelName,
    version: &ModelVersion,
) -> Result<(), CliError> {
    // This only anticipates the service's own check, so it must not take long.
    let Ok(found) = tokio::time::timeout(app.timings.token, Box::pin(users(app, foundry, name, version))).await else {
        app.console.debug("the deployments were not checked: no answer in time");
        return Ok(());
    };
    let users = match found {
        Ok(users) => users,
        Err(why) => {
            app.console.debug(&format!("the deployments were not checked: {}", why.message()));
            return Ok(());
        }
    };
    if users.is_empty() {
        return Ok(());
    }
    let quoted: Vec<String> = users.iter().map(|user| format!("'{user}'")).collect();
    let delete = |user: &String| app.command_line(&["deployments", "delete", "--name", user]);
    let commands: Vec<String> = users.iter().map(|user| format!("  {}", delete(user))).collect();
    let message = format!("model '{name}' (version {version}) is deployed as {}", quoted.join(", "));
    Err(CliError::new(ErrorKind::Conflict, message)
        .with_code(ErrorCode::ModelDeployed)
        .with_suggestion(format!("Delete the deployments first:\n{}", commands.join("\n"))))
}

/// Names of the deployments that use a version.
async fn users(
    app: &App,
    foundry: &FoundryClient,
    name: &ModelName,
    version: &ModelVersion,
) -> Result<Vec<String>, CliError> {
    let context = match access_of(app, &AccountArgs::default(), foundry.clone()).await? {
        AccountAccess::Full(context) => context,
        AccountAccess::ProjectOnly { why, .. } => return Err(why),
    };
    let (source, all) = (context.source(), context.deployments.list().await?);
    let uses = all.iter().map(|one| one.view()).filter(|one| one.uses(name.as_str(), version.as_str(), &source));
    Ok(uses.map(|one| one.name.clone()).collect())
}
