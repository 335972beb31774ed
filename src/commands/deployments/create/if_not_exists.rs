//! Existing deployment of the requested name: kept with `--if-not-exists`, otherwise compared with the requested one.

use super::options::CreateOptions;
use crate::commands::account::AccountContext;
use crate::commands::deployments::Group;
use crate::commands::deployments::existing::DeploymentCommand;
use crate::commands::deployments::products::DeploymentPage;
use crate::commands::deployments::wait::{await_end, show_ready};
use crate::error::{CliError, ErrorCode, ErrorKind};
use crate::shell::option_arguments;
use azure_ai_models_core::arm::WaitTarget;
use azure_ai_models_core::model::{Deployment, DeploymentState, Tag};

/// Handles an existing deployment with `--if-not-exists`.
pub(super) async fn keep_existing(
    about: &DeploymentCommand<'_>,
    context: &AccountContext,
    wanted: &RequestedProperties<'_>,
    deployment: Deployment,
) -> Result<(), CliError> {
    let (app, name, options) = (about.app, about.name, wanted.options);
    if let Some(difference) = wanted.difference(&deployment) {
        return Err(CliError::new(
            ErrorKind::Conflict,
            format!("deployment '{name}' already exists with {difference}"),
        )
        .with_code(ErrorCode::DeploymentExists)
        .with_suggestion("Use another --name, or delete the deployment first."));
    }
    let delete = about.command(about.group, "delete");
    let mut deployment = deployment;
    match deployment.view().state() {
        DeploymentState::Failed(state) => {
            return Err(CliError::failure(format!("deployment '{name}' exists and ended in state '{state}'"))
                .with_code(ErrorCode::DeploymentFailed)
                .with_suggestion(format!("Delete it before you create it again:\n  {delete}")));
        }
        DeploymentState::Succeeded => {}
        DeploymentState::Running(_) | DeploymentState::Deleting if options.no_wait => {}
        DeploymentState::Running(_) | DeploymentState::Deleting => {
            app.console.status(&format!("Deployment '{name}' already exists and is not ready yet..."));
            deployment = await_end(about, context, WaitTarget::Known, options.wait_limit.limit(app)).await?;
        }
    }
    if let Some(update) = wanted.update(about, &deployment) {
        app.console
            .warn(&format!("Deployment '{name}' has options other than those given. To change them:\n  {update}"));
    }
    if deployment.view().state() == DeploymentState::Succeeded {
        app.console.status(&format!("Deployment '{name}' already exists: nothing was created."));
        return show_ready(about, context, &deployment);
    }
    app.show(&DeploymentPage { deployment: &deployment, context, wait: about.command(about.group, "wait") })
}

/// Properties that a deployment kept by `--if-not-exists` must have.
pub(crate) struct RequestedProperties<'a> {
    /// Name of the model.
    pub(crate) model: &'a str,
    /// Version, if given.
    pub(crate) version: Option<&'a str>,
    /// Options.
    pub(crate) options: &'a CreateOptions,
}

impl RequestedProperties<'_> {
    /// Difference between a deployment and the requested one, if any.
    pub(crate) fn difference(&self, deployment: &Deployment) -> Option<String> {
        let view = deployment.view();
        let model = view.model();
        let sku = view.sku.as_ref().and_then(|sku| sku.name.as_deref());
        let fields = [
            ("model", Some(self.model), model.and_then(|model| model.name.as_deref())),
            ("version", self.version, model.and_then(|model| model.version.as_deref())),
            ("SKU", self.options.sku_name.as_deref(), sku),
        ];
        fields.into_iter().find_map(|(what, wanted, is)| {
            let (wanted, is) = (wanted?, is.unwrap_or_default());
            (!wanted.eq_ignore_ascii_case(is)).then(|| format!("{what} '{is}', not '{wanted}'"))
        })
    }

    /// Command that changes the deployment to the requested options; `None` if it has them.
    fn update(&self, about: &DeploymentCommand<'_>, deployment: &Deployment) -> Option<String> {
        let view = deployment.view();
        let CreateOptions { sku_capacity, rai_policy, spillover, version_upgrade, tag, .. } = self.options;
        let properties = view.properties();
        let capacity = |capacity: u64| capacity.to_string();
        let present = view.sku.as_ref().and_then(|sku| sku.capacity).map(capacity);
        let fields = [
            ("--sku-capacity", sku_capacity.map(capacity), &present),
            ("--rai-policy", rai_policy.clone(), &properties.rai_policy_name),
            ("--version-upgrade", version_upgrade.clone(), &properties.version_upgrade_option),
            ("--spillover", spillover.as_ref().map(ToString::to_string), &properties.spillover_deployment_name),
        ];
        let changed = fields.into_iter().filter(|(_, wanted, is)| wanted.is_some() && wanted != *is);
        let mut arguments: Vec<String> =
            changed.filter_map(|(option, wanted, _)| Some(option_arguments(option, &wanted?))).flatten().collect();
        let exists = |tag: &&Tag| view.tags.iter().any(|(key, value)| *key == tag.key && *value == tag.value);
        for Tag { key, value } in tag.iter().filter(|tag| !exists(tag)) {
            arguments.extend(option_arguments("--set-tag", &format!("{key}={value}")));
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        (!arguments.is_empty()).then(|| about.command_with(about.group, "update", &arguments))
    }

    /// Suggestion if the name is in use.
    pub(super) fn suggestion(&self, about: &DeploymentCommand<'_>, deployment: &Deployment) -> String {
        let start = "Use another --name, or --if-not-exists to keep the existing deployment.";
        let update = match self.difference(deployment) {
            None => self.update(about, deployment),
            Some(_) => None,
        };
        match update {
            Some(update) => format!("{start} To change it:\n  {update}"),
            None => format!("{start} To see it:\n  {}", about.command(Group::All, "show")),
        }
    }
}
