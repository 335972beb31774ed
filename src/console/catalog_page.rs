//! Table and page for models of the catalog. Pure.

use std::collections::HashSet;

use time::OffsetDateTime;

use super::render::{RULE, aligned, section};
use super::table::{self, TableStyle};
use azure_ai_models_core::arm::{AccountModelView, ModelSku, Usage, is_billed_by_time};
use azure_ai_models_core::display::printable;
use azure_ai_models_core::units;

/// Table of `base list`; with `--quiet` each name once.
#[must_use]
pub(crate) fn table(models: &[&AccountModelView], now: OffsetDateTime, style: TableStyle) -> String {
    if !style.summary {
        let mut seen = HashSet::new();
        let names = models.iter().filter(|model| seen.insert(&model.name));
        return names.map(|model| printable(&model.name) + "\n").collect();
    }
    let row = |model: &&AccountModelView| {
        let skus: Vec<&str> = model.base_skus(now).map(|sku| sku.name.as_str()).collect();
        vec![
            model.name.clone(),
            model.version().to_owned(),
            model.format().to_owned(),
            skus.join(", "),
            model.lifecycle_status.clone().unwrap_or_default(),
            model.retires().map(day).unwrap_or_default(),
        ]
    };
    let headings = ["NAME", "VERSION", "FORMAT", "SKUS", "LIFECYCLE", "RETIRES"];
    let table = match models {
        [] => String::new(),
        _ => table::table(&headings, models.iter().map(row), 1, style) + "\n",
    };
    format!("{table}{} model version(s) found\n", models.len())
}

/// Data of a model page in addition to its versions.
pub(crate) struct ModelPageContext<'a> {
    /// Quota of the region; `None` if unknown.
    pub(crate) usages: Option<&'a [Usage]>,
    /// Command that deploys the model; `None` if no version can be deployed.
    pub(crate) deploy: Option<&'a str>,
    /// Time of the run.
    pub(crate) now: OffsetDateTime,
}

/// Page of `base show`: all versions of a model, at least one.
#[must_use]
pub(crate) fn page(versions: &[&AccountModelView], surroundings: &ModelPageContext<'_>) -> String {
    let name = versions.first().map(|model| printable(&model.name)).unwrap_or_default();
    let mut page = format!("Base model: {name}\n{RULE}\n");
    for model in versions {
        push_version(&mut page, model, surroundings);
    }
    page = format!("{page}{RULE}\n");
    if let Some(deploy) = surroundings.deploy {
        page = format!("{page}\nTo deploy this model:\n  {}\n", printable(deploy));
    }
    page
}

fn push_version(page: &mut String, model: &AccountModelView, surroundings: &ModelPageContext<'_>) {
    let ModelPageContext { usages, now, .. } = surroundings;
    let note = if model.is_default_version() { " (default)" } else { "" };
    let switch = |(key, value): &(String, String)| value.eq_ignore_ascii_case("true").then(|| key.clone());
    let measure = |(key, value): &(String, String)| {
        let is_switch = ["true", "false"].iter().any(|word| word.eq_ignore_ascii_case(value));
        (!is_switch).then(|| format!("{key} {value}"))
    };
    let joined = |values: Vec<String>| (!values.is_empty()).then(|| values.join(", "));
    let replacement = model.replacement.as_ref().and_then(|by| {
        let version = by.target_model_version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
        let start = by.auto_upgrade_start_date.as_deref();
        let start = start.map(|start| format!(" (upgrades from {})", day(start))).unwrap_or_default();
        Some(format!("{}{version}{start}", by.target_model_name.as_deref()?))
    });
    let rows = [
        ("Format", Some(model.format().to_owned())),
        ("Publisher", model.publisher.clone()),
        ("Lifecycle", model.lifecycle_status.clone()),
        ("Retires", model.retires().map(day)),
        ("Fine-tuning ends", model.fine_tuning_ends().map(day)),
        ("Replaced by", replacement),
        ("Capabilities", joined(model.capabilities.iter().filter_map(switch).collect())),
        ("Properties", joined(model.capabilities.iter().filter_map(measure).collect())),
        ("Catalog", model.model_catalog_asset_id.clone()),
    ];
    section(page, &format!("Version {}{note}", printable(model.version())), &rows);
    for sku in model.skus() {
        let range = sku.range();
        let retired = if sku.has_ended(*now) { "ended" } else { "ends" };
        let is_planned = sku.deprecation_date.as_deref().filter(|date| !date.starts_with("2099"));
        let rows = [
            ("Capacity", Some(range.description()).filter(|text| !text.is_empty())),
            ("Default", range.default.map(units::grouped)),
            ("One unit", unit(sku)),
            ("Quota", quota(sku, *usages)),
            ("Billed", Some(billed(sku))),
            ("Use", sku.is_for_fine_tuned().then(|| "fine-tuned models only".to_owned())),
            ("Availability", is_planned.map(|date| format!("{retired} {}", day(date)))),
        ];
        let lines = aligned(&rows).replace("\n  ", "\n    ");
        *page = format!("{page}  {}\n    {}\n", printable(&sku.name), lines.trim());
    }
}

/// Meaning of one unit of capacity: `1 request per 60 s, 1,000 tokens per 60 s`.
fn unit(sku: &ModelSku) -> Option<String> {
    if sku.name.to_ascii_lowercase().contains("provisioned") {
        return Some("provisioned throughput unit".to_owned());
    }
    let limit = |limit: &azure_ai_models_core::model::RateLimit| {
        let plural = if limit.count == 1.0 { "" } else { "s" };
        let count = format!("{:.0}", limit.count).parse().map_or_else(|_| limit.count.to_string(), units::grouped);
        format!("{count} {}{plural} per {} s", limit.key, limit.renewal_period)
    };
    let limits: Vec<String> = sku.rate_limits().iter().map(limit).collect();
    (!limits.is_empty()).then(|| limits.join(", "))
}

/// Formats the quota: `990 of 1,000 left`; unknown if no list contains it.
fn quota(sku: &ModelSku, usages: Option<&[Usage]>) -> Option<String> {
    let name = sku.usage_name.as_deref()?;
    let usage = usages.unwrap_or_default().iter().find(|usage| usage.name().eq_ignore_ascii_case(name));
    let Some((left, limit)) = usage.and_then(|usage| Some((usage.left()?, usage.limit?))) else {
        return Some("unknown".to_owned());
    };
    let limit = format!("{limit:.0}").parse().map_or_else(|_| limit.to_string(), units::grouped);
    Some(format!("{} of {limit} left", units::grouped(left)))
}

/// Formats the billing: `by use (ContextToken: 1K Tokens)`.
fn billed(sku: &ModelSku) -> String {
    let how = if is_billed_by_time(&sku.name) { "while the deployment exists" } else { "by use" };
    let meters: Vec<String> = sku.meters().map(|(name, unit)| format!("{name}: {unit}")).collect();
    if meters.is_empty() { how.to_owned() } else { format!("{how} ({})", meters.join(", ")) }
}

/// Date of a timestamp, `2026-10-14`; other text unchanged.
fn day(text: &str) -> String {
    text.split_once('T').map_or(text, |(day, _)| day).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;
    use azure_ai_models_core::arm::AccountModel;

    const NOW: OffsetDateTime = datetime!(2026-06-01 0:00 UTC);

    fn models() -> Vec<AccountModel> {
        let models = json!([
            {
                "name": "gpt-4.1", "version": "2025-04-14", "format": "OpenAI", "isDefaultVersion": true,
                "lifecycleStatus": "GenerallyAvailable", "deprecation": {"inference": "2026-10-14T00:00:00Z"},
                "capabilities": {"chatCompletion": "true", "responses": "true", "jsonMode": "false", "area": "US"},
                "skus": [
                    {"name": "GlobalStandard", "usageName": "u", "capacity": {"maximum": 1000000, "default": 10},
                     "rateLimits": [{"key": "request", "renewalPeriod": 60, "count": 1}, {"key": "token", "renewalPeriod": 60, "count": 1000}],
                     "costs": [{"name": "ContextToken", "unit": "1K Tokens"}]},
                    {"name": "GlobalProvisionedManaged", "usageName": "p", "capacity": {"minimum": 15, "maximum": 30000, "step": 5}},
                    {"name": "DeveloperTier", "deprecationDate": "2026-01-01T00:00:00Z"},
                ],
            },
            {
                "name": "gpt-4.1", "version": "1\u{1b}[31m", "format": "OpenAI", "lifecycleStatus": "Deprecated",
                "replacementConfig": {"targetModelName": "gpt-4.1", "targetModelVersion": "2025-04-14", "autoUpgradeStartDate": "2026-03-01T00:00:00Z"},
            },
        ]);
        serde_json::from_value(models).expect("models")
    }

    #[test]
    fn the_table_has_one_row_per_version_and_quiet_lists_each_model_once() {
        let models = models();
        let views: Vec<&AccountModelView> = models.iter().map(AccountModel::view).collect();
        insta::assert_snapshot!(table(&views, NOW, TableStyle { width: None, summary: true }), @"
        NAME     VERSION     FORMAT  SKUS                                      LIFECYCLE           RETIRES
        gpt-4.1  2025-04-14  OpenAI  GlobalStandard, GlobalProvisionedManaged  GenerallyAvailable  2026-10-14
        gpt-4.1  1�[31m      OpenAI                                            Deprecated

        2 model version(s) found
        ");
        assert_eq!(table(&views, NOW, TableStyle { width: None, summary: false }), "gpt-4.1\n");
        assert_eq!(table(&[], NOW, TableStyle { width: None, summary: true }), "0 model version(s) found\n");
    }

    #[test]
    fn the_page_shows_versions_skus_and_quota() {
        let models = models();
        let views: Vec<&AccountModelView> = models.iter().map(AccountModel::view).collect();
        let usages = json!([{"name": {"value": "u"}, "currentValue": 10.0, "limit": 1000.0}]);
        let usages: Vec<Usage> = serde_json::from_value(usages).expect("usages");
        let surroundings = ModelPageContext { usages: Some(&usages), deploy: Some("deploy ..."), now: NOW };
        insta::assert_snapshot!(page(&views, &surroundings));
    }
}
