//! `deployments update`: PATCH for capacity and tags; for other properties a read, a change, and a PUT of the whole
//! deployment.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::Group;
use super::existing::{DeploymentCommand, with_draft};
use super::options::WaitLimitArgs;
use super::products::DeploymentPage;
use super::wait::{await_end, show_ready};
use crate::app::App;
use crate::commands::account::{AccountArgs, access};
use crate::commands::deployments::create;
use crate::commands::headings;
use crate::commands::number::one_or_more;
use crate::console::ProgressMode;
use crate::error::{CliError, ErrorCode};
use azure_ai_models_core::arm::{DeploymentChange, WaitTarget};
use azure_ai_models_core::model::{DeploymentName, DeploymentView, Tag};
use azure_ai_models_core::redact::clean;

/// Options of `deployments update`.
#[derive(Args, Debug)]
#[command(next_help_heading = headings::DEPLOYMENT)]
pub(crate) struct DeploymentUpdateArgs {
    /// Deployment name
    #[arg(short, long, value_name = "NAME")]
    name: DeploymentName,

    /// New capacity, 1 or more
    #[arg(long, value_name = "N", value_parser = one_or_more::<u64>)]
    sku_capacity: Option<u64>,

    /// Add or change a tag (can be repeated)
    #[arg(long, value_name = "KEY=VALUE")]
    set_tag: Vec<Tag>,

    /// Remove a tag (can be repeated)
    #[arg(long, value_name = "KEY", value_parser = NonEmptyStringValueParser::new())]
    remove_tag: Vec<String>,

    /// Content filter (RAI policy)
    #[arg(long, value_name = "POLICY", value_parser = NonEmptyStringValueParser::new())]
    rai_policy: Option<String>,

    /// Automatic upgrade of the model version
    ///
    /// OnceNewDefaultVersionAvailable, OnceCurrentVersionExpired or NoAutoUpgrade.
    #[arg(long, value_name = "OPTION", value_parser = NonEmptyStringValueParser::new())]
    version_upgrade: Option<String>,

    /// Deployment that receives the requests beyond the capacity
    #[arg(long, value_name = "DEPLOYMENT")]
    spillover: Option<DeploymentName>,

    /// New version of the model
    #[arg(long, value_name = "VERSION", value_parser = NonEmptyStringValueParser::new())]
    model_version: Option<String>,

    /// Model of the deployment (cannot be changed)
    #[arg(long, value_name = "MODEL", value_parser = NonEmptyStringValueParser::new())]
    model: Option<String>,

    /// SKU of the deployment (cannot be changed)
    #[arg(long, value_name = "SKU", value_parser = NonEmptyStringValueParser::new())]
    sku_name: Option<String>,

    /// Return when the change is accepted; 'wait' waits for its result
    #[arg(long, help_heading = headings::RUN)]
    no_wait: bool,

    #[command(flatten)]
    wait_limit: WaitLimitArgs,

    #[command(flatten)]
    account: AccountArgs,
}

impl DeploymentUpdateArgs {
    /// Progress mode of the command.
    pub(super) fn progress(&self) -> ProgressMode {
        self.wait_limit.progress()
    }

    fn change(&self) -> Result<DeploymentChange, CliError> {
        let change = DeploymentChange {
            capacity: self.sku_capacity,
            rai_policy: self.rai_policy.clone(),
            version_upgrade: self.version_upgrade.clone(),
            spillover: self.spillover.as_ref().map(ToString::to_string),
            model_version: self.model_version.clone(),
            ..DeploymentChange::default()
        };
        let change = change.with_tags(self.set_tag.clone(), self.remove_tag.clone()).map_err(CliError::usage)?;
        if change.is_empty() && self.model.is_none() && self.sku_name.is_none() {
            return Err(CliError::usage("nothing to change").with_suggestion(
                "Use --sku-capacity, --set-tag, --remove-tag, --rai-policy, --version-upgrade, --spillover or --model-version.",
            ));
        }
        Ok(change)
    }
}

/// Changes a deployment: PATCH for capacity and tags, PUT for other properties, no request if nothing differs.
pub(super) async fn update(app: &App, group: Group, args: DeploymentUpdateArgs) -> Result<(), CliError> {
    let change = args.change()?;
    let about = DeploymentCommand { app, account: &args.account, group, verb: "update", name: &args.name };
    let context = access(app, &args.account).await?.full()?;
    let Some((present, deployment)) = context.deployments.get_whole(&args.name).await? else {
        return Err(about.missing(&context.deployments).await);
    };
    let view = deployment.view();
    about.check_group(view)?;
    refuse_another_kind(&about, &args, view)?;
    let differences = change.differences(&present);
    if differences.is_empty() {
        app.console.status(&format!("Deployment '{}' is already as requested: nothing was changed.", args.name));
        let wait = about.command(group, "wait");
        return app.show(&DeploymentPage { deployment: &deployment, context: &context, wait });
    }
    for difference in &differences {
        // Includes tags as received, which may contain secrets.
        app.console.status(&clean(&format!("  {difference}")));
    }
    let sku = view.sku.clone().unwrap_or_default();
    let grows = args.sku_capacity.is_some_and(|capacity| sku.capacity.is_none_or(|present| capacity > present));
    if grows && create::is_billed_unused(view.kind(), sku.name.as_deref().unwrap_or_default()) {
        create::report_billing(app);
    }
    let accepted = match context.deployments.change(&args.name, &present, &change).await {
        Ok(accepted) => accepted,
        Err(error) => return Err(about.refused(&context, error, view.format()).await),
    };
    if args.no_wait {
        return create::show_accepted(&about, &context, accepted).await;
    }
    let limit = args.wait_limit.limit(app);
    let deployment = await_end(&about, &context, WaitTarget::Changed(&accepted, &change), limit).await?;
    let deployment = with_draft(&context, &args.name, deployment).await;
    show_ready(&about, &context, &deployment)
}

/// Rejects a change of the model or SKU of a deployment.
fn refuse_another_kind(
    about: &DeploymentCommand<'_>,
    args: &DeploymentUpdateArgs,
    present: &DeploymentView,
) -> Result<(), CliError> {
    let sku = present.sku.as_ref().and_then(|sku| sku.name.as_deref());
    let model = present.model().and_then(|model| model.name.as_deref());
    let differs = |asked: &Option<String>, present: Option<&str>| {
        asked.as_deref().is_some_and(|asked| present.is_none_or(|present| !present.eq_ignore_ascii_case(asked)))
    };
    let (other_model, other_sku) = (differs(&args.model, model), differs(&args.sku_name, sku));
    if !other_model && !other_sku {
        return Ok(());
    }
    let what = if other_model { "model" } else { "SKU" };
    let group = Group::of_kind(present.kind());
    let model = args.model.as_deref().or(model).unwrap_or("MODEL");
    let sku = args.sku_name.as_deref().or(sku);
    let more: Vec<&str> =
        ["--model", model].into_iter().chain(sku.into_iter().flat_map(|sku| ["--sku-name", sku])).collect();
    Err(CliError::usage(format!("the {what} of a deployment cannot be changed"))
        .with_code(ErrorCode::Contradiction)
        .with_suggestion(format!(
            "Delete the deployment and create it again:\n  {}\n  {}",
            about.command(group, "delete"),
            about.command_with(group, "create", &more)
        )))
}
