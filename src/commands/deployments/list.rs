//! `deployments list`: the deployments of a group, from Azure Resource Manager or from the project.

use clap::Args;

use super::Group;
use super::products::{DeploymentList, ProjectDeployments};
use crate::app::App;
use crate::commands::account::{AccountAccess, AccountArgs, access};
use crate::error::CliError;
use azure_ai_models_core::foundry::FoundryClient;
use azure_ai_models_core::model::{CUSTOM_FORMAT, DeploymentKind, ModelListSeed, ProjectDeployment, Versioned};

/// Options of `deployments list`.
#[derive(Args, Debug)]
pub(crate) struct DeploymentListArgs {
    #[command(flatten)]
    account: AccountArgs,
}

/// Lists the deployments of this group. Without access to Azure Resource Manager, the project's list without states is
/// shown.
pub(super) async fn list(app: &App, group: Group, args: DeploymentListArgs) -> Result<(), CliError> {
    match access(app, &args.account).await? {
        AccountAccess::Full(context) => {
            let deployments = match context.deployments.list().await {
                Ok(deployments) => deployments,
                Err(error) if error.is_forbidden() => {
                    return list_of_project(app, group, &context.foundry, error.into()).await;
                }
                Err(error) => return Err(error.into()),
            };
            let mut deployments = deployments;
            deployments.retain(|one| group.lists(one.view().kind()));
            app.show(&DeploymentList { deployments: &deployments, with_kind: group == Group::All })
        }
        AccountAccess::ProjectOnly { foundry, why } => list_of_project(app, group, &foundry, why).await,
    }
}

/// Lists the deployments that the project itself reports, without states.
async fn list_of_project(app: &App, group: Group, foundry: &FoundryClient, why: CliError) -> Result<(), CliError> {
    report_project_only(app, &why);
    let all = foundry.list_deployments().await?;
    let kinds = kinds(foundry, &all).await?;
    let rows = all.into_iter().zip(kinds).filter(|(_, kind)| group.lists(*kind));
    let (deployments, kinds): (Vec<_>, Vec<_>) = rows.unzip();
    app.show(&ProjectDeployments { deployments: &deployments, kinds: &kinds, with_kind: group == Group::All })
}

/// Reports which details are unknown without Azure Resource Manager.
pub(super) fn report_project_only(app: &App, why: &CliError) {
    let reason = why.message().lines().next().unwrap_or_default().to_owned();
    app.console.warn(&format!("No access to the account in Azure Resource Manager, so states are unknown: {reason}"));
}

/// Kinds of deployments that the project lists, which does not report formats: by the publisher, otherwise by the
/// registered models.
pub(super) async fn kinds(
    foundry: &FoundryClient,
    deployments: &[ProjectDeployment],
) -> Result<Vec<DeploymentKind>, CliError> {
    let is_published = |one: &ProjectDeployment| {
        one.view().model_publisher.as_deref().is_some_and(|publisher| publisher.eq_ignore_ascii_case(CUSTOM_FORMAT))
    };
    let registered = match deployments.iter().all(is_published) {
        true => Vec::new(),
        false => foundry.list_models(ModelListSeed::default()).await?,
    };
    let is_registered = |one: &ProjectDeployment| {
        let name = one.view().model_name.as_deref().unwrap_or_default();
        registered.iter().any(|model| model.name().eq_ignore_ascii_case(name))
    };
    let kind = |one| match is_published(one) || is_registered(one) {
        true => DeploymentKind::Custom,
        false => DeploymentKind::Base,
    };
    Ok(deployments.iter().map(kind).collect())
}
