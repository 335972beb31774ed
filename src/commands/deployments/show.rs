//! `deployments show`: one deployment, and how to use it.

use clap::Args;

use super::Group;
use super::existing::{DeploymentCommand, with_draft};
use super::list::{kinds, report_project_only};
use super::products::{DeploymentPage, ProjectDeploymentPage};
use crate::app::App;
use crate::commands::account::{AccountAccess, AccountArgs, AccountContext, access};
use crate::error::CliError;
use azure_ai_models_core::foundry::FoundryClient;
use azure_ai_models_core::model::DeploymentName;

/// Options of `deployments show`.
#[derive(Args, Debug)]
pub(crate) struct DeploymentShowArgs {
    /// Deployment name
    #[arg(short, long, value_name = "NAME")]
    name: DeploymentName,

    #[command(flatten)]
    account: AccountArgs,
}

/// Shows a deployment, with its endpoint and an example request. Without access to Azure Resource Manager, shows what
/// the project lists.
pub(super) async fn show(app: &App, group: Group, args: DeploymentShowArgs) -> Result<(), CliError> {
    let about = DeploymentCommand { app, account: &args.account, group, verb: "show", name: &args.name };
    match access(app, &args.account).await? {
        AccountAccess::Full(context) => show_whole(&about, &context).await,
        AccountAccess::ProjectOnly { foundry, why } => show_of_project(&about, &foundry, &why).await,
    }
}

async fn show_whole(about: &DeploymentCommand<'_>, context: &AccountContext) -> Result<(), CliError> {
    let deployment = match context.deployments.get(about.name).await {
        Ok(Some(deployment)) => deployment,
        Ok(None) => return Err(about.missing(&context.deployments).await),
        Err(error) if error.is_forbidden() => return show_of_project(about, &context.foundry, &error.into()).await,
        Err(error) => return Err(error.into()),
    };
    about.check_group(deployment.view())?;
    let deployment = with_draft(context, about.name, deployment).await;
    let wait = about.command(Group::of_kind(deployment.view().kind()), "wait");
    about.app.show(&DeploymentPage { deployment: &deployment, context, wait })
}

async fn show_of_project(
    about: &DeploymentCommand<'_>,
    foundry: &FoundryClient,
    why: &CliError,
) -> Result<(), CliError> {
    report_project_only(about.app, why);
    let Some(deployment) = foundry.get_deployment(about.name).await? else {
        let all = foundry.list_deployments().await?;
        return Err(about.missing_among(all.iter().map(|one| one.view().name.as_str())));
    };
    let kind = kinds(foundry, std::slice::from_ref(&deployment)).await?[0];
    if !about.group.lists(kind) {
        return Err(about.other_group(kind));
    }
    about.app.show(&ProjectDeploymentPage { deployment: &deployment, kind })
}
