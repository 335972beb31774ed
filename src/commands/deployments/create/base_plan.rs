//! Plan for a deployment of a catalog model: version, SKU and capacity by the rules of the catalog, and the quota.

use time::OffsetDateTime;

use super::answers::ask_capacity;
use super::base::BaseRequest;
use super::checks::NO_PERMISSION;
use super::options::CreateOptions;
use super::probes::quota_left;
use super::{Checks, DeploymentPlan, SkuChoice, alternatives};
use crate::commands::account::AccountContext;
use crate::commands::base::{Catalog, no_such_model};
use crate::commands::deployments::existing::DeploymentCommand;
use crate::error::{CliError, ErrorCode, ErrorKind};
use azure_ai_models_core::arm::{
    AccountModel, AccountModelView, ModelSku, NewDeployment, NewModel, SkuFault, Usage, choose_sku, default_version,
    newest_first, usage_left,
};
use azure_ai_models_core::model::FIREWORKS_FORMAT;

/// Runs the checks, and builds the plan as far as model, SKU and capacity are known; includes the quota if it was read.
pub(super) async fn plan(
    checks: &mut Checks<'_>,
    about: &DeploymentCommand<'_>,
    context: &AccountContext,
    request: &BaseRequest,
    catalog: &Catalog,
) -> Result<Option<(DeploymentPlan, Option<Vec<Usage>>)>, CliError> {
    let BaseRequest { options, .. } = request;
    let row = match model(about, catalog, request)? {
        Ok(row) => row,
        Err(error) => {
            checks.fail("model", error);
            return Ok(None);
        }
    };
    let view = row.view();
    checks.pass("model", &format!("{} (version {})", view.name, view.version()));
    checks.check_other_deployments(None, options.spillover.as_ref()).await?;
    if view.format().eq_ignore_ascii_case(FIREWORKS_FORMAT) {
        checks.check_feature().await?;
    }
    let location = &context.account.location;
    let usages = context.deployments.arm().usages(&context.id().subscription, location).await;
    let usages = checks.readable("quota", usages)?;
    let now = OffsetDateTime::now_utc();
    let Some(sku) = sku(checks, about, (view, now), options).await? else { return Ok(None) };
    let left = usages.as_deref().and_then(|usages| usage_left(usages, sku.usage_name.as_deref()));
    let Some(capacity) = capacity(checks, about, (sku, left), options).await? else { return Ok(None) };
    let choice = SkuChoice { name: sku.name.clone(), capacity, row: Some(sku.clone()) };
    checks.check_capacity(&choice);
    let model = NewModel {
        format: view.format().to_owned(),
        name: view.name.clone(),
        version: view.version().to_owned(),
        source: None,
    };
    let new = new_deployment(model, (&choice.name, capacity), options);
    Ok(Some((DeploymentPlan { new, row: choice.row }, usages)))
}

fn new_deployment(model: NewModel, (sku, capacity): (&str, u64), options: &CreateOptions) -> NewDeployment {
    NewDeployment {
        sku: sku.to_owned(),
        capacity,
        model,
        draft: None,
        rai_policy: options.rai_policy.clone(),
        version_upgrade: options.version_upgrade.clone(),
        spillover: options.spillover.as_ref().map(ToString::to_string),
        tags: options.tag.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect(),
    }
}

/// Plan for a user who may not read the catalog: all values that it would provide must be given.
pub(super) async fn unlisted(checks: &mut Checks<'_>, request: &BaseRequest) -> Result<DeploymentPlan, CliError> {
    let BaseRequest { model, version, format, options } = request;
    let (Some(format), Some(version), Some(sku), Some(capacity)) =
        (format, version, &options.sku_name, options.sku_capacity)
    else {
        return Err(CliError::usage(
            "the catalog cannot be read: --model-format, --model-version, --sku-name and --sku-capacity are required",
        )
        .with_code(ErrorCode::MissingAnswer)
        .with_suggestion("Use all four options, or ask for a role that can read the models of the account."));
    };
    checks.skip("model", NO_PERMISSION);
    checks.check_other_deployments(None, options.spillover.as_ref()).await?;
    if format.eq_ignore_ascii_case(FIREWORKS_FORMAT) {
        checks.check_feature().await?;
    }
    for id in ["sku", "quota"] {
        checks.skip(id, NO_PERMISSION);
    }
    let model = NewModel { format: format.clone(), name: model.clone(), version: version.clone(), source: None };
    Ok(DeploymentPlan { new: new_deployment(model, (sku, capacity), options), row: None })
}

/// Requested version of the model; the inner error is that of a check.
fn model<'a>(
    about: &DeploymentCommand<'_>,
    catalog: &'a Catalog,
    request: &BaseRequest,
) -> Result<Result<&'a AccountModel, CliError>, CliError> {
    let BaseRequest { model: name, version, format, options } = request;
    let is_format =
        |row: &&AccountModel| format.as_ref().is_none_or(|format| row.view().format().eq_ignore_ascii_case(format));
    let rows: Vec<&AccountModel> = catalog.named(name).filter(is_format).collect();
    let mut formats: Vec<&str> = rows.iter().map(|row| row.view().format()).collect();
    formats.sort_unstable();
    formats.dedup();
    if formats.len() > 1 {
        return Err(CliError::usage(format!("model '{name}' is listed in several formats: {}", formats.join(", ")))
            .with_code(ErrorCode::AmbiguousModel)
            .with_suggestion("Use --model-format FORMAT."));
    }
    if rows.is_empty() {
        return Ok(Err(no_such_model(about.app, &options.account, catalog, name)));
    }
    let show = options.account.command_line(about.app, &["base", "show", "--name", name]);
    let found = match version {
        Some(version) => rows.iter().copied().find(|row| row.view().version().eq_ignore_ascii_case(version)),
        None => default_version(rows.iter().copied(), OffsetDateTime::now_utc()),
    };
    Ok(found.ok_or_else(|| {
        let mut rows = rows;
        rows.sort_by(|left, right| newest_first(left.view(), right.view()));
        let versions: Vec<&str> = rows.iter().map(|row| row.view().version()).collect();
        let message = match version {
            Some(version) => {
                format!("model '{name}' has no version '{version}'; available: {}", versions.join(", "))
            }
            None => format!("model '{name}' has no version that can be deployed"),
        };
        CliError::new(ErrorKind::NotFound, message)
            .with_code(ErrorCode::ModelNotFound)
            .with_suggestion(format!("To list its versions:\n  {show}"))
    }))
}

/// SKU: as given, otherwise by the rules of the catalog, otherwise chosen by the user. `None` if a check failed.
async fn sku<'a>(
    checks: &mut Checks<'_>,
    about: &DeploymentCommand<'_>,
    (model, now): (&'a AccountModelView, OffsetDateTime),
    options: &CreateOptions,
) -> Result<Option<&'a ModelSku>, CliError> {
    let fault = match choose_sku(model, options.sku_name.as_deref(), now) {
        Ok(sku) => return Ok(Some(sku)),
        Err(fault) => fault,
    };
    let offered: Vec<&ModelSku> = model.base_skus(now).collect();
    let names: Vec<&str> = offered.iter().map(|sku| sku.name.as_str()).collect();
    let suggestion = match &fault {
        SkuFault::NotOffered { .. } => format!("Use one of: {}.", names.join(", ")),
        SkuFault::MustBeNamed { .. } if about.app.can_choose() => {
            let choices = names.iter().map(|name| (*name).to_owned()).collect();
            let index = about.app.choose("Select a SKU; it is billed while the deployment exists", choices).await?;
            return Ok(offered.get(index).copied());
        }
        SkuFault::MustBeNamed { .. } => {
            let yes = if options.yes { "" } else { " and agree to that with --yes" };
            format!("Add --sku-name{yes} to use it. Offered: {}.", names.join(", "))
        }
        SkuFault::None | SkuFault::NoCapacity { .. } => {
            format!(
                "To list its SKUs:\n  {}",
                about.account.command_line(about.app, &["base", "show", "--name", &model.name])
            )
        }
    };
    checks.fail(
        "sku",
        CliError::usage(fault.to_string()).with_code(ErrorCode::SkuNotOffered).with_suggestion(suggestion),
    );
    Ok(None)
}

/// Capacity: as given, otherwise by the rules of the catalog, otherwise entered by the user. `None` if a check
/// failed.
async fn capacity(
    checks: &mut Checks<'_>,
    about: &DeploymentCommand<'_>,
    (sku, left): (&ModelSku, Option<u64>),
    options: &CreateOptions,
) -> Result<Option<u64>, CliError> {
    if options.sku_capacity.is_some() {
        return Ok(options.sku_capacity);
    }
    match sku.default_capacity(left) {
        Ok(capacity) => Ok(Some(capacity)),
        Err(_) if about.app.can_choose() => Ok(Some(ask_capacity(about.app, sku.range()).await?)),
        Err(fault) => {
            let error = CliError::usage(fault.to_string())
                .with_code(ErrorCode::BadCapacity)
                .with_suggestion("Use --sku-capacity N.");
            checks.fail("sku", error);
            Ok(None)
        }
    }
}

/// Checks the quota; if it is insufficient, lists SKUs and regions with capacity.
pub(super) async fn check_quota(
    checks: &mut Checks<'_>,
    (about, context): (&DeploymentCommand<'_>, &AccountContext),
    (plan, usages): (&DeploymentPlan, Option<&[Usage]>),
    again: &dyn Fn(u64) -> String,
) -> Result<(), CliError> {
    // Already reported as not checked.
    let Some(usages) = usages else { return Ok(()) };
    let choice = plan.sku_choice();
    let is_short = quota_left(usages, &choice, false).is_some_and(|(_, left)| left < choice.capacity);
    let alternatives = if is_short { alternatives::lines(about, context, plan).await } else { Vec::new() };
    checks.check_quota(usages, &choice, false, &|left| {
        let suggestions = plan.suggestions(about, Some(left), again);
        crate::error::DeploySuggestions { alternatives: alternatives.clone(), ..suggestions }
    });
    Ok(())
}
