//! Alternatives if the quota of the chosen SKU is insufficient: other SKUs and regions.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::DeploymentPlan;
use crate::commands::account::AccountContext;
use crate::commands::deployments::existing::DeploymentCommand;
use azure_ai_models_core::arm::{AccountModel, ModelCapacity, Usage, usage_left};
use azure_ai_models_core::display::printable;
use azure_ai_models_core::units;

/// Maximum number of listed regions.
const REGIONS: usize = 8;

/// SKUs of the region and regions of the SKU that have capacity for the plan, one per line. Lists that cannot be read
/// are omitted: the error is useful without them.
pub(super) async fn lines(
    about: &DeploymentCommand<'_>,
    context: &AccountContext,
    plan: &DeploymentPlan,
) -> Vec<String> {
    let (arm, subscription) = (context.deployments.arm(), &context.id().subscription);
    let model = &plan.new.model;
    let requested = (model.format.as_str(), model.name.as_str(), model.version.as_str());
    let capacities = arm.model_capacities(subscription, requested).await.unwrap_or_default();
    let usages = arm.usages(subscription, &context.account.location).await.unwrap_or_default();
    let rows = arm.account_models(context.id()).await.unwrap_or_default();
    about.app.console.debug(&format!("{} capacities and {} usages listed", capacities.len(), usages.len()));
    let is_it = |row: &&AccountModel| {
        let view = row.view();
        (view.format(), view.name.as_str(), view.version()) == requested
    };
    let row = rows.iter().find(is_it);
    let here = context.account.location.as_str();
    let skus = row.map(|row| skus(row, &plan.new.sku, (here, &capacities), &usages)).unwrap_or_default();
    let regions = regions(&capacities, plan, here);
    let skus = (!skus.is_empty()).then(|| format!("SKUs with quota here: {}.", skus.join(", ")));
    let regions = (!regions.is_empty())
        .then(|| format!("Regions with capacity (an account there is required): {}.", regions.join(", ")));
    skus.into_iter().chain(regions).map(|line| printable(&line)).collect()
}

/// Other SKUs of the model whose minimum capacity fits the remaining quota.
fn skus(
    row: &AccountModel,
    chosen: &str,
    (here, capacities): (&str, &[ModelCapacity]),
    usages: &[Usage],
) -> Vec<String> {
    let others = row.view().base_skus(OffsetDateTime::now_utc()).filter(|sku| !sku.name.eq_ignore_ascii_case(chosen));
    others
        .filter_map(|sku| {
            let left = usage_left(usages, sku.usage_name.as_deref())?;
            let mut listed = capacities.iter().filter(|one| {
                one.sku().eq_ignore_ascii_case(&sku.name)
                    && one.location.as_deref().is_some_and(|location| location.eq_ignore_ascii_case(here))
            });
            // Deploying may fail despite quota: the capacity of the region is limited too.
            let left = listed.next().map_or(left, |one| one.available().min(left));
            sku.range().largest_up_to(left).filter(|fitting| *fitting > 0)?;
            Some(format!("{} ({})", sku.name, units::grouped(left)))
        })
        .collect()
}

/// Other regions with capacity for the plan as it is.
fn regions(capacities: &[ModelCapacity], plan: &DeploymentPlan, here: &str) -> Vec<String> {
    let of_sku = capacities.iter().filter(|one| one.sku().eq_ignore_ascii_case(&plan.new.sku));
    let mut regions: BTreeMap<&str, u64> = BTreeMap::new();
    for one in of_sku {
        let Some(location) = one.location.as_deref() else { continue };
        if one.available() >= plan.new.capacity && !location.eq_ignore_ascii_case(here) {
            regions.insert(location, one.available());
        }
    }
    let named = regions.iter().take(REGIONS);
    named.map(|(location, available)| format!("{location} ({})", units::grouped(*available))).collect()
}
