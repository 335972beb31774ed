//! Deployment that a command refers to, after a check that it exists and belongs to the command's group.

use super::Group;
use crate::app::App;
use crate::commands::account::{AccountArgs, AccountContext};
use crate::commands::similar;
use crate::error::{CliError, ErrorCode, ErrorKind};
use azure_ai_models_core::arm::Deployments;
use azure_ai_models_core::model::{Deployment, DeploymentKind, DeploymentName, DeploymentView, FIREWORKS_FORMAT};

/// A command of a group about one deployment.
#[derive(Clone, Copy)]
pub(crate) struct DeploymentCommand<'a> {
    pub(super) app: &'a App,
    pub(super) account: &'a AccountArgs,
    pub(super) group: Group,
    /// Command, such as `show`.
    pub(super) verb: &'static str,
    pub(super) name: &'a DeploymentName,
}

impl DeploymentCommand<'_> {
    /// A command of the group about this deployment.
    pub(super) fn command(&self, group: Group, verb: &str) -> String {
        self.command_with(group, verb, &[])
    }

    /// A command of the group about this deployment, with more options.
    pub(super) fn command_with(&self, group: Group, verb: &str, more: &[&str]) -> String {
        let args = [&[verb, "--name", self.name.as_str()], more].concat();
        self.account.command_line(self.app, &group.command(&args))
    }

    /// Fails if the deployment belongs to another group.
    ///
    /// # Errors
    /// `not_found`, with the right group.
    pub(super) fn check_group(&self, deployment: &DeploymentView) -> Result<(), CliError> {
        if self.group.accepts(deployment) {
            return Ok(());
        }
        Err(self.other_group(deployment.kind()))
    }

    /// Error for a deployment of a kind that does not belong to the group.
    pub(super) fn other_group(&self, kind: DeploymentKind) -> CliError {
        let command = self.command(Group::of_kind(kind), self.verb);
        let message = format!("deployment '{}' is one of a {} model", self.name, kind.word());
        CliError::new(ErrorKind::NotFound, message)
            .with_code(ErrorCode::DeploymentNotFound)
            .with_suggestion(format!("Use the command of that group:\n  {command}"))
    }

    /// Error for a missing deployment, with similar names.
    pub(super) async fn missing(&self, deployments: &Deployments) -> CliError {
        let all = deployments.list().await.unwrap_or_default();
        let names = all.iter().map(|one| one.view()).filter(|one| self.group.accepts(one)).map(|one| one.name.as_str());
        self.missing_among(names)
    }

    /// Error for a name that is not among these.
    pub(super) fn missing_among<'n>(&self, names: impl Iterator<Item = &'n str>) -> CliError {
        let list = self.account.command_line(self.app, &self.group.command(&["list"]));
        let suggestion = similar::suggestion(names, self.name.as_str(), &list);
        CliError::new(ErrorKind::NotFound, format!("deployment '{}' not found", self.name))
            .with_code(ErrorCode::DeploymentNotFound)
            .with_suggestion(suggestion)
    }
}

/// Returns the deployment with its draft model, which only a newer API version reports. Unchanged if it cannot have
/// one, or if the newer version reports nothing.
pub(super) async fn with_draft(context: &AccountContext, name: &DeploymentName, deployment: Deployment) -> Deployment {
    let view = deployment.view();
    let is_fireworks = view.format().is_some_and(|format| format.eq_ignore_ascii_case(FIREWORKS_FORMAT));
    if !is_fireworks || view.draft_model().is_some() {
        return deployment;
    }
    let whole = context.deployments.get_whole(name).await.ok().flatten();
    whole.map_or(deployment, |(_, whole)| whole)
}
