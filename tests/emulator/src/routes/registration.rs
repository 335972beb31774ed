//! Registration of a version: createAsync with its operation, and PUT.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::{require_content_type, require_valid_names, uploads};
use crate::azurite;
use crate::call::Target;
use crate::config::{BlobStore, Config, LocationForm, MissingRoute, OperationEnd};
use crate::record::Incoming;
use crate::refusal::{Answer, Refusal};
use crate::state::{Progress, Shared, State, Work};
use crate::wire::{self, Dialect, Registration};

const UPLOAD_INCOMPLETE: &str = "UploadIncomplete";
const EMPTY_CONTAINER: &str = "The upload location holds no files.";

pub(super) async fn create_async(shared: &Shared, request: &Incoming, dialect: Dialect, target: Target) -> Answer {
    let (has_route, missing_route) = {
        let config = &shared.lock().config;
        (config.has_create_async, config.missing_route)
    };
    if !has_route {
        return Err(match missing_route {
            MissingRoute::NotFound => Refusal::no_route(),
            MissingRoute::MethodNotAllowed => Refusal::wrong_method(),
        });
    }
    let (registration, complete) = check(shared, request, dialect, &target).await?;
    let mut state = shared.lock();
    require_free(&state, &target)?;
    let id = state.begin(target, work(registration, complete));
    Ok(accepted(&state.config, request, &id))
}

pub(super) async fn put(shared: &Shared, request: &Incoming, dialect: Dialect, target: Target) -> Answer {
    let Some(status) = shared.lock().config.put_status else {
        return Err(Refusal::wrong_method());
    };
    let (registration, complete) = check(shared, request, dialect, &target).await?;
    let mut state = shared.lock();
    if status == 202 {
        let id = state.begin(target, work(registration, complete));
        return Ok(accepted(&state.config, request, &id));
    }
    if !complete {
        return Err(Refusal::bad_request(UPLOAD_INCOMPLETE, EMPTY_CONTAINER));
    }
    // A PUT may be repeated after its response was lost: then it replaces the result of the first one.
    let status = if state.catalog.get(&target).is_some() { 200 } else { status };
    state.register(&target, registration);
    let model = state.catalog.get(&target).cloned().unwrap_or_default();
    Ok((StatusCode::from_u16(status).unwrap_or(StatusCode::CREATED), Json(model)).into_response())
}

pub(super) fn poll(state: &mut State, id: &str) -> Answer {
    let progress = state.poll(id).ok_or_else(|| {
        Refusal::new(StatusCode::NOT_FOUND, "OperationNotFound", format!("Operation '{id}' was not found."))
    })?;
    match progress {
        Progress::Running(status) => {
            let mut response = (StatusCode::ACCEPTED, Json(json!({ "status": status }))).into_response();
            add_retry_after(&state.config, &mut response);
            Ok(response)
        }
        Progress::Ended(OperationEnd::Failed { status, code, message }) => {
            Ok(Json(json!({ "status": status, "error": { "code": code, "message": message } })).into_response())
        }
        Progress::Ended(OperationEnd::Model) => Ok(Json(state.result(id)).into_response()),
        Progress::Ended(OperationEnd::Succeeded) => Ok(Json(json!({ "status": "Succeeded" })).into_response()),
    }
}

fn work(registration: Registration, complete: bool) -> Work {
    if complete {
        return Work::Register(registration);
    }
    Work::Fail(OperationEnd::Failed {
        status: "Failed".to_owned(),
        code: UPLOAD_INCOMPLETE.to_owned(),
        message: EMPTY_CONTAINER.to_owned(),
    })
}

/// 202 with the URL to poll.
pub(super) fn accepted(config: &Config, request: &Incoming, id: &str) -> Response {
    let version = version_path(&request.path);
    let query = request.parameter("api-version").unwrap_or_default();
    let more = config.operation_query.as_ref().map(|more| format!("&{more}")).unwrap_or_default();
    let operation = format!("{version}/createAsync/operations/{id}?api-version={query}{more}");
    let location = match &config.location {
        LocationForm::Absolute | LocationForm::BodyOnly => Some(format!("{}{operation}", request.origin())),
        LocationForm::Relative => Some(operation),
        LocationForm::Foreign(host) => Some(format!("{}{operation}", host.as_str().trim_end_matches('/'))),
        LocationForm::None => None,
    };
    let body = json!({ "location": location, "operationResult": format!("{}{version}?api-version={query}", request.origin()) });
    let mut response = (StatusCode::ACCEPTED, Json(body)).into_response();
    if config.location != LocationForm::BodyOnly
        && let Some(value) = location.and_then(|location| HeaderValue::from_str(&location).ok())
    {
        response.headers_mut().insert(header::LOCATION, value);
    }
    add_retry_after(config, &mut response);
    response
}

/// Validates a registration, and returns whether its blobs exist.
async fn check(
    shared: &Shared,
    request: &Incoming,
    dialect: Dialect,
    target: &Target,
) -> Result<(Registration, bool), Refusal> {
    require_content_type(request, "application/json")?;
    require_valid_names(target)?;
    let registration = wire::registration(dialect, target, &request.body)?;
    let (blobs, container, checks_blobs) = {
        let state = shared.lock();
        if request.method == axum::http::Method::POST {
            require_free(&state, target)?;
        }
        if state.config.requires_base_model && !registration.base_model_settled {
            return Err(Refusal::bad_request("BaseModelRequired", "This weight type needs a base model."));
        }
        let container = azurite::path_in_store(&state.config.blobs, &registration.blob_uri)
            .and_then(|path| state.owned_container(target, &path))
            .ok_or_else(|| {
                Refusal::bad_request(
                    "InvalidBlobUri",
                    "blobUri is not a container that was handed out for this version.",
                )
            })?;
        (state.config.blobs.clone(), container, state.config.checks_blobs)
    };
    let complete = match &blobs {
        BlobStore::Azurite { endpoint } if checks_blobs => {
            azurite::has_blobs(&shared.http, endpoint, &container).await.map_err(uploads::store_failed)?
        }
        BlobStore::Azurite { .. } | BlobStore::None { .. } => true,
    };
    Ok((registration, complete))
}

fn require_free(state: &State, target: &Target) -> Result<(), Refusal> {
    if state.catalog.get(target).is_some() || state.running(target).is_some() {
        return Err(Refusal::conflict(target));
    }
    Ok(())
}

/// Path of the version that a path below it belongs to.
fn version_path(path: &str) -> &str {
    path.split("/createAsync").next().unwrap_or(path)
}

fn add_retry_after(config: &Config, response: &mut Response) {
    if let Some(seconds) = config.poll_retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
}
