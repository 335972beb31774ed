//! Read, change and deletion of registered models.

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{registration, require_content_type};
use crate::call::Target;
use crate::config::{Config, NextLinkForm};
use crate::record::Incoming;
use crate::refusal::{Answer, Refusal};
use crate::state::{State, Work};
use crate::wire::Patch;

pub(super) const SKIP_TOKEN: &str = "skipToken";
/// The only filter that a client was observed to send.
const JOB: &str = "source.jobId";

pub(super) fn list(state: &State, request: &Incoming) -> Answer {
    let mut models = state.catalog.latest();
    if let Some(job) = request.parameter(JOB).filter(|_| state.config.filters_by_job) {
        models.retain(|model| model["source"]["jobId"] == job);
    }
    page(&state.config, request, &models, &[JOB])
}

pub(super) fn versions(state: &State, request: &Incoming, name: &str) -> Answer {
    let versions = state.catalog.versions(name).ok_or_else(|| Refusal::no_model(name))?;
    page(&state.config, request, &versions, &[])
}

pub(super) fn get(state: &mut State, target: &Target) -> Answer {
    // Clients that cannot poll the operation poll the version instead, so this counts as a poll.
    if let Some(id) = state.running(target) {
        state.poll(&id);
        if state.config.visible_while_creating
            && let Some(draft) = state.draft(target)
        {
            return Ok(Json(draft).into_response());
        }
    }
    if state.is_hidden(target) {
        return Err(Refusal::no_version(target));
    }
    let model = state.catalog.get(target).ok_or_else(|| missing(state, target))?;
    Ok(Json(model).into_response())
}

pub(super) fn patch(state: &mut State, request: &Incoming, target: &Target) -> Answer {
    require_content_type(request, "application/merge-patch+json")?;
    let patch = Patch::read(&request.body)?;
    let missing = missing(state, target);
    let State { catalog, config, .. } = state;
    let model = catalog.patch(target, &patch, config).ok_or(missing)?;
    Ok(Json(model).into_response())
}

pub(super) fn delete(state: &mut State, request: &Incoming, target: &Target) -> Answer {
    let is_deployed = state.deployments.list().into_iter().any(|deployment| {
        let model = &deployment["properties"]["model"];
        model["format"] == "FireworksCustom" && model["name"] == target.name && model["version"] == target.version
    });
    if is_deployed || state.config.models_in_use.contains(&target.name) {
        let message = format!("Model '{}' is used by a deployment and cannot be deleted.", target.name);
        return Err(Refusal::new(StatusCode::CONFLICT, "ModelInUse", message));
    }
    match state.config.delete_status {
        202 if state.catalog.get(target).is_some() => {
            let id = state.running(target).unwrap_or_else(|| state.begin(target.clone(), Work::Delete));
            Ok(registration::accepted(&state.config, request, &id))
        }
        status => {
            state.delete(target);
            let status = if status == 204 { StatusCode::NO_CONTENT } else { StatusCode::OK };
            Ok(status.into_response())
        }
    }
}

/// 404 of the model, or only of this version.
pub(super) fn missing(state: &State, target: &Target) -> Refusal {
    if state.catalog.has_name(&target.name) { Refusal::no_version(target) } else { Refusal::no_model(&target.name) }
}

/// Page of a list of Azure Resource Manager; the first page can be empty.
pub(super) fn arm_page(config: &Config, request: &Incoming, items: &[&Value]) -> Answer {
    if config.arm.in_pages && request.parameter(SKIP_TOKEN).is_none() {
        return Ok(Json(json!({"value": [], "nextLink": next_link(config, request, 0, 0)})).into_response());
    }
    if config.arm.in_pages {
        page(config, request, items, &[])
    } else {
        Ok(Json(json!({"value": items})).into_response())
    }
}

pub(super) fn page(config: &Config, request: &Incoming, items: &[&Value], filters: &[&str]) -> Answer {
    let known = |name: &str| ["api-version", SKIP_TOKEN].contains(&name) || filters.contains(&name);
    if let Some((name, _)) = request.query.iter().find(|(name, _)| !known(name)) {
        let message = format!("The query parameter '{name}' is not supported.");
        return Err(Refusal::bad_request("UnsupportedQueryParameter", message));
    }
    let start = match request.parameter(SKIP_TOKEN) {
        Some(token) => token
            .parse::<usize>()
            .map_err(|_| Refusal::bad_request("InvalidSkipToken", "The continuation token is not valid."))?,
        None => 0,
    };
    let end = start.saturating_add(config.page_size.max(1)).min(items.len());
    let mut page = json!({ "value": items.get(start..end).unwrap_or_default() });
    if end < items.len() || config.next_link == NextLinkForm::Endless {
        page["nextLink"] = next_link(config, request, start, end).into();
    }
    Ok(Json(page).into_response())
}

pub(super) fn next_link(config: &Config, request: &Incoming, start: usize, end: usize) -> String {
    let (origin, token) = match &config.next_link {
        NextLinkForm::Absolute => (request.origin(), end),
        NextLinkForm::Loop => (request.origin(), start),
        NextLinkForm::UserInformation => (request.origin().replace("://", "://user:secret@"), end),
        NextLinkForm::Endless => (request.origin(), start + 1_000_000),
        NextLinkForm::Foreign(host) => (host.as_str().trim_end_matches('/').to_owned(), end),
    };
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(request.query.iter().filter(|(key, _)| key != SKIP_TOKEN))
        .append_pair(SKIP_TOKEN, &token.to_string())
        .finish();
    format!("{origin}{}?{query}", request.path)
}
