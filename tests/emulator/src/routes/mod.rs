//! Dispatch of a request: common requirements, selection of the operation, and faults. The operations are in the
//! modules below, one for each group.

mod admin;
mod arm;
mod base_models;
mod deployment_checks;
mod deployments;
mod inference;
mod models;
mod registration;
mod uploads;

use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::call::{Call, NoCall, Target};
use crate::config::{Auth, Config};
use crate::connection::Connection;
use crate::record::{Incoming, RequestRecord, parameters};
use crate::refusal::{self, Answer, Refusal};
use crate::sabotage;
use crate::state::Shared;
use crate::wire::Dialect;

/// Far above the size of any request of this API.
const BODY_LIMIT: usize = 16 * 1024 * 1024;
const PREVIEW_VERSION: &str = "2025-11-15-preview";

/// Routes of the whole server.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    admin::router().fallback(project).with_state(shared)
}

async fn project(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let incoming = Incoming {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parameters(parts.uri.query().unwrap_or_default()),
        headers: parts.headers,
        body,
    };
    let (call, fault) = {
        let mut state = shared.lock();
        state.requests.push(RequestRecord::of(&incoming));
        let call = Call::parse(&state.config.project, &incoming.method, &incoming.path);
        let fault = state.faults.strike(call.as_ref().ok().map(Call::route));
        (call, fault)
    };
    let execute = async { execute(&shared, call, &incoming).await.unwrap_or_else(IntoResponse::into_response) };
    let response = match fault {
        Some(fault) => sabotage::inject(fault, &connection, execute).await,
        None => execute.await,
    };
    let tenant = shared.lock().config.tenant.clone();
    refusal::stamp(refusal::challenge(response, tenant.as_deref()), &incoming.headers)
}

async fn execute(shared: &Shared, call: Result<Call, NoCall>, request: &Incoming) -> Answer {
    require_audience(request, call.as_ref().ok())?;
    if let Ok(Call::Arm(call)) = &call {
        return arm::answer(&mut shared.lock(), request, call);
    }
    let dialect = {
        let state = shared.lock();
        authenticate(&state.config, request)?;
        dialect(request)
    };
    let call = call?;
    match &call {
        Call::Chat { .. } => return inference::chat(&shared.lock(), request),
        Call::Deployments => return inference::list(&shared.lock(), request),
        Call::Deployment { name } => return inference::get(&shared.lock(), request, name),
        _ => {}
    }
    let dialect = dialect?;
    match call {
        Call::List => models::list(&shared.lock(), request),
        Call::Versions { name } => models::versions(&shared.lock(), request, &name),
        Call::Get(target) => models::get(&mut shared.lock(), &target),
        Call::Patch(target) => models::patch(&mut shared.lock(), request, &target),
        Call::Delete(target) => models::delete(&mut shared.lock(), request, &target),
        Call::StartPendingUpload(target) => uploads::start(shared, request, &target).await,
        Call::Credentials(target) => uploads::credentials(&mut shared.lock(), request, &target),
        Call::CreateAsync(target) => registration::create_async(shared, request, dialect, target).await,
        Call::Put(target) => registration::put(shared, request, dialect, target).await,
        Call::Poll { id } => registration::poll(&mut shared.lock(), &id),
        Call::Chat { .. } | Call::Deployments | Call::Deployment { .. } | Call::Arm(_) => Err(Refusal::no_route()),
    }
}

/// A token of the form `for:AUDIENCE` is accepted only by its audience, so that a client that confuses scopes is
/// detected. Other tokens have no audience.
fn require_audience(request: &Incoming, call: Option<&Call>) -> Result<(), Refusal> {
    let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let Some(audience) = token.and_then(|token| token.strip_prefix("for:")) else { return Ok(()) };
    let (wanted, code) = match call {
        Some(Call::Arm(_)) => ("https://management.azure.com", "InvalidAuthenticationTokenAudience"),
        Some(Call::Chat { in_project: false }) => ("https://cognitiveservices.azure.com", "Unauthorized"),
        _ => ("https://ai.azure.com", "Unauthorized"),
    };
    if audience.trim_end_matches("/.default") == wanted {
        return Ok(());
    }
    let message = format!("The access token has been obtained for wrong audience '{audience}'; wanted: '{wanted}'.");
    Err(Refusal::new(StatusCode::UNAUTHORIZED, code, message))
}

fn authenticate(config: &Config, request: &Incoming) -> Result<(), Refusal> {
    let token = request
        .header("authorization")
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map_or("", |(_, token)| token.trim());
    let accepted = match &config.auth {
        Auth::Any => !token.is_empty(),
        Auth::Token(wanted) => token == wanted,
        Auth::RejectAll => false,
    };
    if accepted {
        return Ok(());
    }
    let message = "The bearer token is missing, expired, or not for this resource.";
    Err(Refusal::new(StatusCode::UNAUTHORIZED, "Unauthorized", message))
}

fn dialect(request: &Incoming) -> Result<Dialect, Refusal> {
    match request.parameter("api-version") {
        Some(PREVIEW_VERSION) => Ok(Dialect::Preview),
        Some("v1") => match request.header("foundry-features") {
            Some(features) if features.split(',').any(|feature| feature.trim() == "Models=V1Preview") => {
                Ok(Dialect::V1)
            }
            _ => Err(Refusal::bad_request(
                "PreviewFeatureRequired",
                "This operation is in preview: send the header 'Foundry-Features: Models=V1Preview'.",
            )),
        },
        Some(other) => Err(Refusal::bad_request(
            "UnsupportedApiVersionValue",
            format!("The api-version '{other}' is not supported. Supported: {PREVIEW_VERSION}, v1."),
        )),
        None => Err(Refusal::bad_request(
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )),
    }
}

fn require_content_type(request: &Incoming, wanted: &str) -> Result<(), Refusal> {
    let given = request.header(header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "UnsupportedMediaType",
        format!("The content type '{given}' is not supported; send '{wanted}'."),
    ))
}

/// Requires a valid name for a new model. Existing models are found by any name.
fn require_valid_names(target: &Target) -> Result<(), Refusal> {
    let good = |text: &str| {
        text.len() <= 255
            && text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.chars().all(|other| other.is_ascii_alphanumeric() || "-_.".contains(other))
    };
    let rule = "1 to 255 letters, digits, '-', '_' or '.', a letter or digit first";
    if !good(&target.name) {
        return Err(Refusal::bad_request(
            "InvalidModelName",
            format!("The model name '{}' is not {rule}.", target.name),
        ));
    }
    if !good(&target.version) {
        return Err(Refusal::bad_request(
            "InvalidModelVersion",
            format!("The model version '{}' is not {rule}.", target.version),
        ));
    }
    Ok(())
}
