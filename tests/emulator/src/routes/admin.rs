//! The emulator's own routes, for scripts. They need no token and are not recorded.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::fault::{Armed, Fault};
use crate::record::RequestRecord;
use crate::state::Shared;

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/emulator/faults", get(faults).post(add_faults).delete(clear_faults))
        .route("/emulator/models", post(seed))
        .route("/emulator/deployments", post(seed_deployment))
        .route("/emulator/requests", get(requests).delete(clear_requests))
        .route("/emulator/reset", post(reset))
}

async fn faults(State(shared): State<Arc<Shared>>) -> Json<Vec<Fault>> {
    Json(shared.lock().faults.list().to_vec())
}

async fn add_faults(State(shared): State<Arc<Shared>>, Json(body): Json<Value>) -> Response {
    match one_or_many(body).into_iter().map(serde_json::from_value).collect::<Result<Vec<Fault>, _>>() {
        Ok(faults) => {
            let mut state = shared.lock();
            for fault in faults {
                state.faults.add(fault);
            }
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => bad_request(&format!("not a fault: {error}")),
    }
}

async fn clear_faults(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.lock().faults = Armed::default();
    StatusCode::NO_CONTENT
}

async fn seed(State(shared): State<Arc<Shared>>, Json(body): Json<Value>) -> Response {
    let mut guard = shared.lock();
    let state = &mut *guard;
    for model in one_or_many(body) {
        if let Err(error) = state.catalog.seed(&model, &state.config) {
            return bad_request(&error.to_string());
        }
    }
    StatusCode::NO_CONTENT.into_response()
}

async fn seed_deployment(State(shared): State<Arc<Shared>>, Json(body): Json<Value>) -> Response {
    let mut guard = shared.lock();
    let state = &mut *guard;
    for deployment in one_or_many(body) {
        if let Err(error) = state.deployments.seed(&deployment, &state.config) {
            return bad_request(&error.to_string());
        }
    }
    StatusCode::NO_CONTENT.into_response()
}

async fn requests(State(shared): State<Arc<Shared>>) -> Json<Vec<RequestRecord>> {
    Json(shared.lock().requests.clone())
}

async fn clear_requests(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.lock().requests.clear();
    StatusCode::NO_CONTENT
}

async fn reset(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.reset();
    StatusCode::NO_CONTENT
}

fn one_or_many(body: Value) -> Vec<Value> {
    if let Value::Array(values) = body { values } else { vec![body] }
}

fn bad_request(message: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": { "code": "BadRequest", "message": message } }))).into_response()
}
