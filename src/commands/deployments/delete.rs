//! `deployments delete`: confirmed by typing the name; success is verified by the deployment's absence.

use clap::Args;

use super::Group;
use super::existing::DeploymentCommand;
use super::options::WaitLimitArgs;
use super::products::DeletedDeployment;
use super::wait::await_gone;
use crate::app::{AcceptedAnswer, App, Confirm};
use crate::commands::account::{AccountArgs, access};
use crate::console::ProgressMode;
use crate::error::CliError;
use azure_ai_models_core::model::DeploymentName;

/// Options of `deployments delete`.
#[derive(Args, Debug)]
pub(crate) struct DeploymentDeleteArgs {
    /// Deployment name
    #[arg(short, long, value_name = "NAME")]
    name: DeploymentName,

    /// Delete without a prompt
    #[arg(short, long)]
    force: bool,

    /// Succeed if the deployment does not exist
    #[arg(long)]
    if_exists: bool,

    #[command(flatten)]
    wait_limit: WaitLimitArgs,

    #[command(flatten)]
    account: AccountArgs,
}

impl DeploymentDeleteArgs {
    /// Progress mode of the command.
    pub(super) fn progress(&self) -> ProgressMode {
        self.wait_limit.progress()
    }
}

/// Deletes a deployment of this group, after the user typed its name, and waits until it is gone.
///
/// # Errors
/// Not found, unless `--if-exists` is given.
pub(super) async fn delete(app: &App, group: Group, args: DeploymentDeleteArgs) -> Result<(), CliError> {
    let DeploymentDeleteArgs { name, .. } = &args;
    let confirm = Confirm {
        action: "the deletion",
        unattended: "Use --force to delete without a prompt.",
        question: "Type the deployment name to confirm",
        accepts: AcceptedAnswer::Text(name.as_str()),
        declined: "Deletion cancelled.",
    };
    // Before any request, unless a missing deployment is an accepted result.
    if !args.force && !args.if_exists {
        app.can_confirm(&confirm)?;
    }
    let about = DeploymentCommand { app, account: &args.account, group, verb: "delete", name };
    let context = access(app, &args.account).await?.full()?;
    let found = context.deployments.get(name).await?;
    let Some(deployment) = found else {
        if !args.if_exists {
            return Err(about.missing(&context.deployments).await);
        }
        app.console.status(&format!("Deployment '{name}' not found: nothing to delete."));
        return app.show(&DeletedDeployment { name: name.as_str(), deleted: false });
    };
    about.check_group(deployment.view())?;
    if !args.force {
        app.can_confirm(&confirm)?;
        let model = deployment.view().model().and_then(|model| model.name.clone()).unwrap_or_default();
        app.console.status(&format!("Delete deployment '{name}' (model {model})? Requests to it will fail."));
        app.confirm(&confirm).await?;
    }
    let accepted = context.deployments.delete(name).await.map_err(|error| about.explain(error))?;
    await_gone(&about, &context, &accepted, args.wait_limit.limit(app)).await?;
    app.console.done(&format!("Deployment '{name}' deleted"));
    app.show(&DeletedDeployment { name: name.as_str(), deleted: true })
}
