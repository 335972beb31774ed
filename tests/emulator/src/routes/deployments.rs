//! Deployments as Azure Resource Manager shows and changes them.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::deployment_checks::{
    model_of, require_idle, require_model, require_name, require_names, require_quota, require_same_model, require_sku,
    rows_of,
};
use super::{models, require_content_type};
use crate::arm_config::{DeploymentEnd, Polling};
use crate::config::Config;
use crate::deployment_body::{LATER, LATER_FIELDS, ModelRef, Patch, Put};
use crate::record::Incoming;
use crate::refusal::{Answer, Refusal};
use crate::state::State;

const ASYNC_OPERATION: HeaderName = HeaderName::from_static("azure-asyncoperation");

pub(super) fn list(state: &State, request: &Incoming) -> Answer {
    let version = request.parameter("api-version").unwrap_or_default();
    let items: Vec<Value> = state.deployments.list().into_iter().map(|one| as_of(version, one)).collect();
    models::arm_page(&state.config, request, &items.iter().collect::<Vec<_>>())
}

pub(super) fn get(state: &mut State, request: &Incoming, name: &str) -> Answer {
    let State { deployments, config, .. } = state;
    if deployments.is_hidden(name) {
        return Err(not_found(config, name));
    }
    deployments.poll(name, &config.arm.deploying);
    let version = request.parameter("api-version").unwrap_or_default();
    let deployment = deployments.get(name).ok_or_else(|| not_found(config, name))?;
    let mut response = Json(as_of(version, deployment)).into_response();
    if deployments.busy().is_some() {
        add_retry_after(config, &mut response);
    }
    Ok(response)
}

pub(super) fn put(state: &mut State, request: &Incoming, name: &str) -> Answer {
    require_content_type(request, "application/json")?;
    let version = request.parameter("api-version").unwrap_or_default();
    let present = state.deployments.get(name).cloned();
    let body = Put::read(&request.body, version, present.as_ref().map(|present| &present["properties"]))?;
    require_name(name)?;
    require_idle(state)?;
    require_model(state, name, &body)?;
    if let Some(present) = &present {
        require_same_model(&present["properties"]["model"], &body.model)?;
    }
    require_sku(state, &body.model, &body.sku)?;
    require_quota(state, name, &body.model, &body.sku)?;
    require_names(state, name, &body)?;
    let mut properties = Value::Object(body.properties.clone());
    if body.model.version.is_none() {
        let row = state.config.arm.row(&json!(body.model.format), &json!(body.model.name), None);
        properties["model"]["version"] = row.map_or(Value::Null, |row| row["version"].clone());
    }
    let capacity = body.sku.capacity.unwrap_or(1);
    let envelope =
        json!({"sku": {"name": body.sku.name, "capacity": capacity}, "tags": body.tags, "properties": properties});
    let State { deployments, config, .. } = state;
    let immediate = config.arm.deploying.standard_at_once && body.sku.name.ends_with("Standard");
    let id = deployments.put(name, &envelope, (immediate, config));
    let status = if present.is_some() { 200 } else { config.arm.deploying.put_status };
    Ok(accepted(state, request, (name, status), id))
}

pub(super) fn patch(state: &mut State, request: &Incoming, name: &str) -> Answer {
    require_content_type(request, "application/json")?;
    let body = Patch::read(&request.body)?;
    let present = state.deployments.get(name).cloned().ok_or_else(|| not_found(&state.config, name))?;
    require_idle(state)?;
    let mut change = json!({});
    if let Some(sku) = &body.sku {
        let model: ModelRef = model_of(&present);
        if present["sku"]["name"] != sku.name {
            let message = format!("The SKU '{}' of a deployment cannot be changed.", sku.name);
            return Err(Refusal::bad_request("InvalidResourceProperties", message));
        }
        require_sku(state, &model, sku)?;
        require_quota(state, name, &model, sku)?;
        change["sku"] = json!({"name": sku.name, "capacity": sku.capacity});
    }
    if let Some(tags) = &body.tags {
        change["tags"] = json!(tags);
    }
    let State { deployments, config, .. } = state;
    let id = deployments.patch(name, &change, &config.arm.deploying);
    let status = config.arm.deploying.patch_status;
    Ok(accepted(state, request, (name, status), id))
}

pub(super) fn delete(state: &mut State, request: &Incoming, name: &str) -> Answer {
    if state.deployments.get(name).is_none() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    require_idle(state)?;
    let State { deployments, config, .. } = state;
    let id = deployments.delete(name, &config.arm.deploying);
    let status = if id.is_some() { StatusCode::ACCEPTED } else { StatusCode::OK };
    let mut response = status.into_response();
    if let Some(id) = id {
        add_operation_url(&state.config, request, &id, &mut response);
    }
    Ok(response)
}

pub(super) fn skus(state: &State, name: &str) -> Answer {
    let deployment = state.deployments.get(name).ok_or_else(|| not_found(&state.config, name))?;
    let rows = rows_of(state, &model_of(deployment)).unwrap_or_default();
    let one = |sku: &Value| {
        json!({
            "resourceType": "Microsoft.CognitiveServices/accounts/deployments",
            "sku": {"name": sku["name"], "capacity": sku["capacity"]["default"]},
            "capacity": sku["capacity"],
        })
    };
    Ok(Json(json!({"value": rows.iter().map(one).collect::<Vec<_>>()})).into_response())
}

/// Responds to the URL of `Azure-AsyncOperation`.
pub(super) fn operation(state: &mut State, id: &str) -> Answer {
    let (name, end) = outcome(state, id)?;
    let mut body = json!({"id": id, "name": id});
    match end {
        None => body["status"] = "InProgress".into(),
        Some(DeploymentEnd::Failed { state, code, message }) => {
            body["status"] = state.into();
            body["error"] = json!({"code": code, "message": message});
        }
        Some(DeploymentEnd::Succeeded | DeploymentEnd::Gone) => body["status"] = "Succeeded".into(),
    }
    body["properties"] = json!({"deployment": name});
    let mut response = Json(body).into_response();
    add_retry_after(&state.config, &mut response);
    Ok(response)
}

/// Responds to the URL of `Location`.
pub(super) fn operation_result(state: &mut State, request: &Incoming, id: &str) -> Answer {
    let (name, end) = outcome(state, id)?;
    match end {
        None => {
            let mut response = StatusCode::ACCEPTED.into_response();
            add_operation_url(&state.config, request, id, &mut response);
            Ok(response)
        }
        Some(DeploymentEnd::Failed { code, message, .. }) => Err(Refusal::bad_request(&code, message)),
        Some(DeploymentEnd::Succeeded | DeploymentEnd::Gone) => match state.deployments.get(&name) {
            Some(deployment) => Ok(Json(deployment).into_response()),
            None => Ok(StatusCode::NO_CONTENT.into_response()),
        },
    }
}

fn outcome(state: &mut State, id: &str) -> Result<(String, Option<DeploymentEnd>), Refusal> {
    if state.config.arm.deploying.denies_operation {
        let scope = format!(
            "/subscriptions/{}/providers/Microsoft.CognitiveServices/locations/{}",
            state.config.arm.subscription(),
            state.config.arm.location
        );
        return Err(Refusal::unauthorized_action("locations/operations/read", &scope));
    }
    let State { deployments, config, .. } = state;
    let unknown = || Refusal::new(StatusCode::NOT_FOUND, "OperationNotFound", format!("No operation '{id}'."));
    let before = deployments.outcome(id).ok_or_else(unknown)?;
    if before.end.is_none() {
        deployments.poll(&before.name, &config.arm.deploying);
    }
    let after = deployments.outcome(id).ok_or_else(unknown)?;
    Ok((after.name, after.end))
}

/// Deployment as an API version shows it.
fn as_of(version: &str, deployment: &Value) -> Value {
    let mut shown = deployment.clone();
    if version < LATER
        && let Some(properties) = shown["properties"].as_object_mut()
    {
        properties.retain(|key, _| !LATER_FIELDS.contains(&key.as_str()));
    }
    shown
}

fn accepted(state: &State, request: &Incoming, (name, status): (&str, u16), id: Option<String>) -> Response {
    let version = request.parameter("api-version").unwrap_or_default();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let body = state.deployments.get(name).map(|one| as_of(version, one));
    let mut response = match body {
        Some(body) if status != StatusCode::ACCEPTED => (status, Json(body)).into_response(),
        _ => status.into_response(),
    };
    if let Some(id) = id {
        add_operation_url(&state.config, request, &id, &mut response);
    }
    response
}

/// Adds the header with the URL of a write's operation.
fn add_operation_url(config: &Config, request: &Incoming, id: &str, response: &mut Response) {
    let arm = &config.arm;
    let version = request.parameter("api-version").unwrap_or_default();
    let url = |origin: &str, route: &str| {
        let (origin, subscription, location) = (origin.trim_end_matches('/'), arm.subscription(), &arm.location);
        format!(
            "{origin}/subscriptions/{subscription}/providers/Microsoft.CognitiveServices/locations/{location}/{route}/{id}?api-version={version}"
        )
    };
    let named = match &arm.deploying.polling {
        Polling::Resource => None,
        Polling::AsyncOperation => Some((ASYNC_OPERATION, url(&request.origin(), "operations"))),
        Polling::Foreign(host) => Some((ASYNC_OPERATION, url(host.as_str(), "operations"))),
        Polling::Location => Some((header::LOCATION, url(&request.origin(), "operationResults"))),
    };
    if let Some((name, Ok(value))) = named.map(|(name, url)| (name, HeaderValue::from_str(&url))) {
        response.headers_mut().insert(name, value);
    }
    add_retry_after(config, response);
}

fn add_retry_after(config: &Config, response: &mut Response) {
    if let Some(seconds) = config.arm.deploying.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
}

fn not_found(config: &Config, name: &str) -> Refusal {
    let message = format!(
        "The Resource 'Microsoft.CognitiveServices/accounts/{}/deployments/{name}' under resource group '{}' was not \
         found.",
        config.account, config.arm.resource_group
    );
    Refusal::new(StatusCode::NOT_FOUND, "ResourceNotFound", message)
}
