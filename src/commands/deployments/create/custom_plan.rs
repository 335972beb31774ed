//! Plan for a deployment of a custom model: checks that depend on its registration, and SKU and capacity.

use time::OffsetDateTime;

use super::answers::{ask_capacity, ask_text};
use super::checks::{NO_PERMISSION, offered};
use super::options::CreateOptions;
use super::registered::DeployTarget;
use super::{Checks, DeploymentPlan, SkuChoice};
use crate::commands::account::AccountContext;
use crate::commands::deployments::existing::DeploymentCommand;
use crate::error::{CliError, ErrorCode};
use azure_ai_models_core::arm::{AccountModel, CapacityRange, ModelSku, NewDeployment, NewModel};

/// SKU and capacity of the published example, for users whose model is not listed.
const EXAMPLE: &str = "--sku-name GlobalProvisionedManaged --sku-capacity 80";

/// Runs all other checks, and builds the plan as far as SKU and capacity are known.
pub(crate) async fn plan(
    checks: &mut Checks<'_>,
    about: &DeploymentCommand<'_>,
    context: &AccountContext,
    target: DeployTarget,
    options: &CreateOptions,
) -> Result<Option<DeploymentPlan>, CliError> {
    let DeployTarget { model, draft, base_model } = target;
    let twin = draft.is_none().then_some(&model);
    checks.check_other_deployments(twin, options.spillover.as_ref()).await?;
    checks.check_feature().await?;
    let rows = match context.deployments.arm().account_models(context.id()).await {
        Ok(rows) => Some(rows),
        Err(error) if error.is_forbidden() => None,
        Err(error) => return Err(error.into()),
    };
    let row = rows.as_deref().and_then(|rows| row_of(rows, &model, base_model.as_deref()));
    let Some(sku) = choose(checks, about, row, options).await? else { return Ok(None) };
    match &rows {
        None => checks.skip("sku", NO_PERMISSION),
        Some(_) => checks.check_capacity(&sku),
    }
    let new = NewDeployment {
        sku: sku.name,
        capacity: sku.capacity,
        model,
        draft,
        rai_policy: options.rai_policy.clone(),
        version_upgrade: options.version_upgrade.clone(),
        spillover: options.spillover.as_ref().map(ToString::to_string),
        tags: options.tag.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect(),
    };
    Ok(Some(DeploymentPlan { new, row: sku.row }))
}

/// Row of the catalog that lists the SKUs of a model: its own, otherwise that of its base model.
fn row_of<'a>(rows: &'a [AccountModel], model: &NewModel, base_model: Option<&str>) -> Option<&'a AccountModel> {
    let is_own = |row: &&AccountModel| {
        row.view().format().eq_ignore_ascii_case(&model.format) && row.view().name.eq_ignore_ascii_case(&model.name)
    };
    let is_version = |row: &&AccountModel| row.view().version().eq_ignore_ascii_case(&model.version);
    let is_base = |row: &&AccountModel| {
        let asset = row.view().model_catalog_asset_id.as_deref();
        matches!((asset, base_model), (Some(asset), Some(base)) if asset.eq_ignore_ascii_case(base))
    };
    let own = || rows.iter().filter(is_own);
    own().find(is_version).or_else(|| own().next()).or_else(|| rows.iter().find(is_base))
}

/// SKU and capacity: as given, otherwise as listed, otherwise entered by the user. `None` if a check failed.
async fn choose(
    checks: &mut Checks<'_>,
    about: &DeploymentCommand<'_>,
    row: Option<&AccountModel>,
    options: &CreateOptions,
) -> Result<Option<SkuChoice>, CliError> {
    let now = OffsetDateTime::now_utc();
    let listed = row.and_then(|row| match &options.sku_name {
        Some(name) => row.view().open_skus(now).find(|sku| sku.name.eq_ignore_ascii_case(name)),
        None => row.view().open_skus(now).next(),
    });
    if let (Some(row), Some(name), None) = (row, &options.sku_name, listed) {
        checks.sku_not_offered(name, &offered(row));
        return Ok(None);
    }
    let range = listed.map(ModelSku::range);
    let name = listed.map(|sku| sku.name.clone()).or_else(|| options.sku_name.clone());
    let capacity = options.sku_capacity.or_else(|| range.and_then(|range| range.default.or(range.minimum)));
    let app = about.app;
    if (name.is_none() || capacity.is_none()) && !app.can_choose() {
        let missing = [("--sku-name", name.is_none()), ("--sku-capacity", capacity.is_none())];
        let missing: Vec<&str> = missing.iter().filter(|(_, is_missing)| *is_missing).map(|(name, _)| *name).collect();
        let missing = missing.join(" and ");
        let error = CliError::usage(format!("{missing} must be set: the catalog lists none for this model"))
            .with_code(ErrorCode::MissingAnswer)
            .with_suggestion(format!("Microsoft's published example uses {EXAMPLE}."));
        checks.fail("sku", error);
        return Ok(None);
    }
    let name = match name {
        Some(name) => name,
        None => ask_text(app, "SKU, for example GlobalProvisionedManaged").await?,
    };
    let capacity = match capacity {
        Some(capacity) => capacity,
        None => ask_capacity(app, range.unwrap_or(&CapacityRange::UNKNOWN)).await?,
    };
    Ok(Some(SkuChoice { name, capacity, row: listed.cloned() }))
}
