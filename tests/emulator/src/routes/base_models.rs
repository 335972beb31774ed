//! Catalogue, usages, capacities, content filters, features.

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::{arm, deployment_checks, models};
use crate::base_models;
use crate::config::Config;
use crate::quota;
use crate::record::Incoming;
use crate::refusal::{Answer, Refusal};
use crate::state::State;

const PROVIDER: &str = "Microsoft.CognitiveServices";
const FEATURE: &str = "Fireworks.EnableDeploy";

pub(super) fn of_account(state: &State, request: &Incoming) -> Answer {
    let mut rows = state.config.arm.models.clone();
    if state.config.arm.lists_custom_models {
        let source = arm::project_id(&state.config);
        let text = |model: &Value, key: &str| model[key].as_str().unwrap_or_default().to_owned();
        let registered = state.catalog.latest().into_iter().filter(|one| one["provisioningState"] == "Succeeded");
        rows.extend(registered.map(|one| base_models::custom(&text(one, "name"), &text(one, "version"), &source)));
    }
    list(&state.config, request, &rows)
}

pub(super) fn of_region(config: &Config, request: &Incoming, location: &str) -> Answer {
    require_location(config, location)?;
    list(config, request, &base_models::region_rows(&config.arm.models, location))
}

pub(super) fn usages(state: &State, request: &Incoming, location: &str) -> Answer {
    require_location(&state.config, location)?;
    if location.eq_ignore_ascii_case(&state.config.arm.location) {
        let claims = deployment_checks::claims(state, None);
        return list(&state.config, request, &quota::with_claims(&state.config.arm.usages, &claims));
    }
    list(&state.config, request, &state.config.arm.usages)
}

pub(super) fn capacities(state: &State, request: &Incoming, location: Option<&str>) -> Answer {
    let config = &state.config;
    let parameter = |name: &str| {
        request.parameter(name).map(|value| json!(value)).ok_or_else(|| {
            Refusal::bad_request("MissingQueryParameter", format!("The query parameter '{name}' is required."))
        })
    };
    let (format, name) = (parameter("modelFormat")?, parameter("modelName")?);
    let version = parameter("modelVersion")?;
    if let Some(location) = location {
        require_location(config, location)?;
    }
    let arm = &config.arm;
    let skus = arm.row(&format, &name, Some(&version)).and_then(|row| row["skus"].as_array().cloned());
    let used = quota::with_claims(&arm.usages, &deployment_checks::claims(state, None));
    let mut rows = Vec::new();
    for sku in skus.unwrap_or_default() {
        let usage = used.iter().find(|usage| usage["name"]["value"] == sku["usageName"]);
        let left =
            usage.map(|usage| usage["limit"].as_f64().unwrap_or(0.0) - usage["currentValue"].as_f64().unwrap_or(0.0));
        let here = (arm.location.clone(), left.unwrap_or(0.0).max(0.0) as u64);
        for (region, available) in [here].iter().chain(&arm.other_regions) {
            rows.push(json!({
                "id": format!(
                    "/subscriptions/{}/providers/{PROVIDER}/locations/{region}/models/{}.{}/skus/{}",
                    arm.subscription(), name.as_str().unwrap_or_default(), version.as_str().unwrap_or_default(),
                    sku["name"].as_str().unwrap_or_default(),
                ),
                "type": "Microsoft.CognitiveServices/locations/models/skus",
                "name": sku["name"],
                "location": region,
                "properties": {
                    "model": {"format": format, "name": name, "version": version},
                    "skuName": sku["name"],
                    "availableCapacity": available,
                    "availableFinetuneCapacity": 0,
                },
            }));
        }
    }
    rows.retain(|row| location.is_none_or(|location| row["location"] == location));
    Ok(Json(json!({"value": rows})).into_response())
}

pub(super) fn content_filters(config: &Config) -> Answer {
    let one = |name: &String| {
        json!({
            "id": format!("{}/raiPolicies/{name}", arm::account_id(config)),
            "name": name,
            "type": "Microsoft.CognitiveServices/accounts/raiPolicies",
            "properties": {"type": "SystemManaged", "mode": "Default"},
        })
    };
    Ok(Json(json!({"value": config.arm.content_filters.iter().map(one).collect::<Vec<_>>()})).into_response())
}

pub(super) fn feature(config: &Config, (subscription, provider, feature): (&str, &str, &str)) -> Answer {
    if !provider.eq_ignore_ascii_case(PROVIDER) || !feature.eq_ignore_ascii_case(FEATURE) {
        let message = format!("The feature '{feature}' could not be found.");
        return Err(Refusal::new(StatusCode::NOT_FOUND, "FeatureNotFound", message));
    }
    let body = json!({
        "id": format!("/subscriptions/{subscription}/providers/Microsoft.Features/providers/{PROVIDER}/features/{FEATURE}"),
        "name": format!("{PROVIDER}/{FEATURE}"),
        "type": "Microsoft.Features/providers/features",
        "properties": {"state": config.arm.feature},
    });
    Ok(Json(body).into_response())
}

fn list(config: &Config, request: &Incoming, rows: &[Value]) -> Answer {
    models::arm_page(config, request, &rows.iter().collect::<Vec<_>>())
}

/// Region names contain no spaces; case is ignored.
fn require_location(config: &Config, location: &str) -> Result<(), Refusal> {
    let arm = &config.arm;
    let known = [&arm.location].into_iter().chain(arm.other_regions.iter().map(|(region, _)| region));
    if known.clone().any(|known| known.eq_ignore_ascii_case(location)) {
        return Ok(());
    }
    let known: Vec<&str> = known.map(String::as_str).collect();
    let message = format!(
        "The provided location '{location}' is not available for resource type 'locations/models'. List of available \
         regions for the resource type is '{}'.",
        known.join(",")
    );
    Err(Refusal::bad_request("LocationNotAvailableForResourceType", message))
}
