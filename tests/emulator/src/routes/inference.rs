//! Inference: chat completions, and the list of deployments that a project shows.

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{models, require_content_type};
use crate::record::Incoming;
use crate::refusal::{Answer, Refusal};
use crate::state::State;
use crate::wire;

const FILTERS: [&str; 3] = ["modelPublisher", "modelName", "deploymentType"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChatBody {
    model: String,
    messages: Vec<Message>,
    #[serde(rename = "temperature")]
    _temperature: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    role: String,
    content: String,
}

pub(super) fn chat(state: &State, request: &Incoming) -> Answer {
    require_content_type(request, "application/json")?;
    let body: ChatBody = wire::read(&request.body)?;
    let prompt = body.messages.iter().rfind(|message| message.role == "user").map(|message| message.content.clone());
    let prompt = prompt.ok_or_else(|| Refusal::bad_request("invalid_request_error", "'messages' has no user."))?;
    let deployment =
        state.deployments.get(&body.model).filter(|one| one["properties"]["provisioningState"] == "Succeeded");
    let deployment = deployment.ok_or_else(|| {
        let message = "The API deployment for this resource does not exist. If you created the deployment within the \
                       last 5 minutes, please wait a moment and try again.";
        Refusal::new(StatusCode::NOT_FOUND, "DeploymentNotFound", message)
    })?;
    let properties = &deployment["properties"];
    if properties["deploymentState"] == "Paused" {
        return Err(Refusal::new(StatusCode::LOCKED, "DeploymentPaused", "The deployment is paused."));
    }
    let model = &properties["model"];
    let row = state.config.arm.row(&model["format"], &model["name"], Some(&model["version"]));
    if row.is_some_and(|row| is_retired(row, state.config.clock)) {
        let message = "The model of this deployment is retired and no longer available.";
        return Err(Refusal::new(StatusCode::GONE, "ModelRetired", message));
    }
    if properties["capabilities"]["chatCompletion"] != "true" {
        let message = format!(
            "The chatCompletion operation does not work with the specified model, {}. Please choose different model and \
             try again.",
            model["name"].as_str().unwrap_or_default()
        );
        return Err(Refusal::bad_request("OperationNotSupported", message));
    }
    let answer = format!("You said: {prompt}");
    let tokens = |text: &str| text.split_whitespace().count();
    let (prompt_tokens, answer_tokens) = (tokens(&prompt), tokens(&answer));
    let body = json!({
        "id": "chatcmpl-emulator",
        "object": "chat.completion",
        "created": state.config.clock.unwrap_or_else(OffsetDateTime::now_utc).unix_timestamp(),
        "model": format!("{}-{}", model["name"].as_str().unwrap_or_default(), model["version"].as_str().unwrap_or_default()),
        "choices": [{
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": answer, "refusal": null},
        }],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": answer_tokens,
            "total_tokens": prompt_tokens + answer_tokens,
        },
    });
    Ok(Json(body).into_response())
}

fn is_retired(row: &Value, clock: Option<OffsetDateTime>) -> bool {
    let ends = row["deprecation"]["inference"].as_str().and_then(|date| OffsetDateTime::parse(date, &Rfc3339).ok());
    ends.is_some_and(|ends| ends <= clock.unwrap_or_else(OffsetDateTime::now_utc))
}

pub(super) fn list(state: &State, request: &Incoming) -> Answer {
    require_v1(request)?;
    let is_wanted = |one: &&Value| {
        let is = |filter: &str, key: &str| request.parameter(filter).is_none_or(|wanted| one[key] == wanted);
        is("modelPublisher", "modelPublisher") && is("modelName", "modelName") && is("deploymentType", "type")
    };
    let shown: Vec<Value> = state.deployments.list().into_iter().map(|one| as_connection(state, one)).collect();
    let shown: Vec<&Value> = shown.iter().filter(is_wanted).collect();
    models::page(&state.config, request, &shown, &FILTERS)
}

pub(super) fn get(state: &State, request: &Incoming, name: &str) -> Answer {
    require_v1(request)?;
    let deployment = state.deployments.get(name).ok_or_else(|| {
        Refusal::new(StatusCode::NOT_FOUND, "NotFound", format!("Deployment '{name}' was not found."))
    })?;
    Ok(Json(as_connection(state, deployment)).into_response())
}

fn require_v1(request: &Incoming) -> Result<(), Refusal> {
    match request.parameter("api-version") {
        Some("v1") => Ok(()),
        other => Err(Refusal::bad_request(
            "UnsupportedApiVersionValue",
            format!("The api-version '{}' is not supported. Supported: v1.", other.unwrap_or_default()),
        )),
    }
}

/// Deployment as the project shows it: no state, no format, no source.
fn as_connection(state: &State, deployment: &Value) -> Value {
    let properties = &deployment["properties"];
    let model = &properties["model"];
    let row = state.config.arm.row(&model["format"], &model["name"], Some(&model["version"]));
    let publisher = row.and_then(|row| row.get("publisher")).unwrap_or(&model["format"]);
    json!({
        "type": "ModelDeployment",
        "name": deployment["name"],
        "modelName": model["name"],
        "modelVersion": model["version"],
        "modelPublisher": publisher,
        "capabilities": properties["capabilities"],
        "sku": deployment["sku"],
    })
}
