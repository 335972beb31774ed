//! Requirements for a write to a deployment: a name, a free account, a deployable model, a SKU, quota.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::arm::{account_id, project_id};
use crate::base_models;
use crate::call::Target;
use crate::deployment_body::{ModelRef, Put, Sku};
use crate::quota::{self, Claim};
use crate::refusal::Refusal;
use crate::state::State;

/// States in which a deployment does not count as active.
const INACTIVE: [&str; 4] = ["Failed", "Canceled", "Disabled", "Deleting"];

pub(super) fn require_name(name: &str) -> Result<(), Refusal> {
    let good = (2..=64).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(|other| other.is_ascii_alphanumeric() || "-_.".contains(other));
    let message = format!("The deployment name '{name}' is not valid.");
    if good { Ok(()) } else { Err(Refusal::bad_request("InvalidResourceName", message)) }
}

/// Allows one write at a time; a rejected one counts as a poll of the running one.
pub(super) fn require_idle(state: &mut State) -> Result<(), Refusal> {
    let State { deployments, config, .. } = state;
    let Some(busy) = deployments.busy() else { return Ok(()) };
    deployments.poll(&busy, &config.arm.deploying);
    Err(Refusal::request_conflict(&account_id(config)))
}

pub(super) fn model_of(deployment: &Value) -> ModelRef {
    let model = deployment["properties"]["model"].clone();
    serde_json::from_value(model).unwrap_or_else(|_| ModelRef::unknown())
}

pub(super) fn require_model(state: &State, name: &str, body: &Put) -> Result<(), Refusal> {
    let arm = &state.config.arm;
    let model = &body.model;
    let is_fireworks = [Some(model), body.draft.as_ref()].into_iter().flatten().any(|one| one.is_fireworks());
    if is_fireworks && arm.feature != "Registered" {
        let message = "The subscription does not have QuotaId/Feature required by SKU 'Fireworks' from kind 'AIServices' or contains blocked QuotaId/Feature.";
        return Err(Refusal::bad_request("SpecialFeatureOrQuotaIdRequired", message));
    }
    for custom in [Some(model), body.draft.as_ref()].into_iter().flatten().filter(|one| one.is_custom()) {
        require_registered(state, custom)?;
    }
    if body.draft.as_ref().is_some_and(|draft| !draft.is_custom()) || (body.draft.is_some() && model.is_custom()) {
        return Err(not_supported(model));
    }
    if !model.is_custom() {
        let (format, named) = (json!(model.format), json!(model.name));
        let row = arm.row(&format, &named, model.version.as_ref().map(|one| json!(one)).as_ref());
        let row = row.ok_or_else(|| not_supported(model))?;
        if row["lifecycleStatus"] == "Deprecated" {
            return Err(not_supported(model));
        }
        return Ok(());
    }
    let twin = state.deployments.list().into_iter().find(|other| {
        let theirs = model_of(other);
        let state = other["properties"]["provisioningState"].as_str().unwrap_or_default();
        other["name"] != name && !INACTIVE.contains(&state) && theirs.is_twin(model)
    });
    match twin {
        Some(twin) => {
            let message = format!(
                "Only one active deployment of the imported model '{}' is allowed in a project; '{}' exists.",
                model.name,
                twin["name"].as_str().unwrap_or_default()
            );
            Err(Refusal::new(StatusCode::CONFLICT, "DeploymentConflict", message))
        }
        None => Ok(()),
    }
}

/// Requires a registered model of the project: one that does not exist, or is not completely registered, cannot be
/// deployed.
fn require_registered(state: &State, model: &ModelRef) -> Result<(), Refusal> {
    let source = model.source.as_deref().unwrap_or_default();
    let version = model.version.as_deref().unwrap_or_default();
    let target = Target { name: model.name.clone(), version: version.to_owned() };
    let registered = state
        .catalog
        .get(&target)
        .is_some_and(|one| one.get("provisioningState").is_none_or(|state| state == "Succeeded"));
    let is_ours = source.eq_ignore_ascii_case(&project_id(&state.config));
    if registered && is_ours { Ok(()) } else { Err(not_supported(model)) }
}

pub(super) fn require_same_model(present: &Value, model: &ModelRef) -> Result<(), Refusal> {
    if present["format"] == model.format && present["name"] == model.name {
        return Ok(());
    }
    let message = "The model of a deployment cannot be changed to another model.";
    Err(Refusal::bad_request("InvalidResourceProperties", message))
}

fn not_supported(model: &ModelRef) -> Refusal {
    let ModelRef { format, name, version, source, .. } = model;
    let (version, source) = (version.as_deref().unwrap_or_default(), source.as_deref().unwrap_or_default());
    let message = format!(
        "The model 'Publisher: , Format: {format}, Name: {name}, Version: {version}, Source: {source}, SourceAccount: ' \
         of account deployment is not supported."
    );
    Refusal::bad_request("DeploymentModelNotSupported", message)
}

/// SKUs of a model.
pub(super) fn rows_of(state: &State, model: &ModelRef) -> Option<Vec<Value>> {
    if model.is_custom() {
        let row = base_models::custom(&model.name, "", "");
        return row["skus"].as_array().cloned();
    }
    let version = model.version.as_ref().map(|one| json!(one));
    let row = state.config.arm.row(&json!(model.format), &json!(model.name), version.as_ref())?;
    row["skus"].as_array().cloned()
}

pub(super) fn require_sku(state: &State, model: &ModelRef, sku: &Sku) -> Result<(), Refusal> {
    let skus = rows_of(state, model).unwrap_or_default();
    let row = skus.iter().find(|one| one["name"] == sku.name).ok_or_else(|| {
        let (name, version) = (&model.name, model.version.as_deref().unwrap_or_default());
        Refusal::bad_request(
            "InvalidResourceProperties",
            format!(
                "The specified SKU '{}' of account deployment is not supported by the model '{name}' version: \
                 '{version}'.",
                sku.name
            ),
        )
    })?;
    let limits = &row["capacity"];
    let minimum = limits["minimum"].as_u64().unwrap_or(1);
    let maximum = limits["maximum"].as_u64().unwrap_or(u64::MAX);
    let capacity = sku.capacity.unwrap_or(1);
    let step = limits["step"].as_u64().unwrap_or(1).max(1);
    let is_on_step =
        capacity.is_multiple_of(step) || capacity.checked_sub(minimum).is_some_and(|above| above.is_multiple_of(step));
    if (minimum..=maximum).contains(&capacity) && is_on_step {
        return Ok(());
    }
    let message = format!("The capacity should be at least {minimum} and no more than {maximum}.");
    Err(Refusal::bad_request("InvalidCapacity", message))
}

pub(super) fn require_quota(state: &State, name: &str, model: &ModelRef, sku: &Sku) -> Result<(), Refusal> {
    let Some(usage) = usage_of(state, model, &sku.name) else { return Ok(()) };
    let new = Claim { usage, capacity: sku.capacity.unwrap_or(1) };
    match quota::refusal(&state.config.arm.usages, &claims(state, Some(name)), &new) {
        Some(message) => Err(Refusal::bad_request("InsufficientQuota", message)),
        None => Ok(()),
    }
}

fn usage_of(state: &State, model: &ModelRef, sku: &str) -> Option<String> {
    let skus = rows_of(state, model)?;
    let row = skus.iter().find(|one| one["name"] == sku)?;
    row["usageName"].as_str().map(str::to_owned)
}

/// Claims of all deployments except one.
pub(super) fn claims(state: &State, except: Option<&str>) -> Vec<Claim> {
    let others = state.deployments.list().into_iter().filter(|one| except.is_none_or(|except| one["name"] != except));
    others
        .filter_map(|one| {
            let usage = usage_of(state, &model_of(one), one["sku"]["name"].as_str()?)?;
            Some(Claim { usage, capacity: one["sku"]["capacity"].as_u64()? })
        })
        .collect()
}

pub(super) fn require_names(state: &State, name: &str, body: &Put) -> Result<(), Refusal> {
    let filters = &state.config.arm.content_filters;
    if let Some(filter) = body.content_filter.as_ref().filter(|filter| !filters.contains(filter)) {
        let message = format!("Resource has invalid content filter '{filter}'.");
        return Err(Refusal::bad_request("InvalidContentFilter", message));
    }
    let is_missing = |other: &&String| other.as_str() == name || state.deployments.get(other).is_none();
    if let Some(other) = body.spillover.as_ref().filter(is_missing) {
        let message = format!("The spillover deployment '{other}' was not found.");
        return Err(Refusal::bad_request("InvalidResourceProperties", message));
    }
    Ok(())
}
