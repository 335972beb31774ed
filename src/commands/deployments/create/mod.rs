//! Creating a deployment: one flow for all groups. Differences in the choice of model, SKU and source are passed as
//! values.
//!
//! Nothing is written before every check has passed and the user has agreed to the billing.

mod alternatives;
mod answers;
mod base;
mod base_plan;
mod checks;
mod custom;
mod custom_plan;
mod if_not_exists;
mod options;
mod plan;
mod probes;
mod registered;
mod with_model;

pub(crate) use self::base::BaseCreateArgs;
pub(super) use self::base::base;
pub(crate) use self::checks::{Checks, NameLookup, SkuChoice};
pub(crate) use self::custom::CustomCreateArgs;
pub(super) use self::custom::custom;
use self::options::CreateOptions;
pub(super) use self::plan::show_accepted;
pub(crate) use self::plan::{CreateOutcome, DeploymentPlan};
pub(crate) use self::with_model::{DeployRequest, DeploymentSection, PreparedDeployment};

use crate::app::{AcceptedAnswer, App, Confirm};
use crate::commands::account::AccountContext;
use crate::error::CliError;
use azure_ai_models_core::arm::{AccountId, NewDeployment, NewModel, is_billed_by_time};
use azure_ai_models_core::model::DeploymentKind;
use azure_ai_models_core::units::grouped;

/// True if a deployment with this SKU is billed while it exists; always true for custom models.
pub(crate) fn is_billed_unused(kind: DeploymentKind, sku: &str) -> bool {
    kind == DeploymentKind::Custom || is_billed_by_time(sku)
}

/// Reports that the deployment is billed, without a price: prices differ and change.
pub(crate) fn report_billing(app: &App) {
    app.console.status("This deployment is billed while it exists, whether it is used or not.");
}

/// Prompt before creating something that is billed while it exists.
fn consent() -> Confirm<'static> {
    Confirm {
        action: "the billed deployment",
        unattended: "Use --yes (-y) to agree to the billing.",
        question: "Create the deployment?",
        accepts: AcceptedAnswer::Yes,
        declined: "Nothing was created.",
    }
}

/// Fails if a script did not agree to the billing; called before any request.
///
/// # Errors
/// A usage error that names `--yes`.
pub(crate) fn check_consent(app: &App, yes: bool) -> Result<(), CliError> {
    if yes { Ok(()) } else { app.can_confirm(&consent()) }
}

/// Reports the billing, and asks for consent.
///
/// # Errors
/// When the user declines or cannot be asked.
pub(crate) async fn confirm_billed(app: &App, yes: bool) -> Result<(), CliError> {
    report_billing(app);
    if yes { Ok(()) } else { app.confirm(&consent()).await }
}

/// Names the deployment that will be created and its account, which may come from an azd environment.
pub(super) fn report_plan(app: &App, context: &AccountContext, name: &str, plan: &DeploymentPlan) {
    let NewDeployment { sku, capacity, model: NewModel { name: model, version, .. }, draft, .. } = &plan.new;
    let draft = draft.as_ref().map(|draft| format!(", draft {} (version {})", draft.model.name, draft.model.version));
    let draft = draft.unwrap_or_default();
    app.console.status(&format!(
        "Deployment '{name}': model {model} (version {version}){draft}, {sku}, capacity {}.",
        grouped(*capacity)
    ));
    let AccountId { subscription, group, account, .. } = context.id();
    app.console.status(&format!("Account '{account}', resource group '{group}', subscription {subscription}."));
}
