//! The Hub's API: revisions, trees, and access rules.

use axum::http::Method;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::answer::{Answer, json, redirect, refusal, set};
use crate::config::Gate;
use crate::fault::Route;
use crate::repo::Repo;
use crate::state::{Call, SharedState};
use crate::{resolve, tree};

/// Rights of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    /// No token.
    Missing,
    /// The valid token.
    Valid,
}

/// Responds to a request, and records it.
pub(crate) async fn answer(shared: &SharedState, call: &Call) -> Answer {
    let parts: Vec<String> = call.path().split('/').skip(1).map(decoded).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let file = match parts.as_slice() {
        [_, _, "resolve", _, path @ ..] | ["api", "resolve-cache", "models", _, _, _, path @ ..] => {
            Some(path.join("/"))
        }
        _ => None,
    };
    let answer = respond(shared, call, &parts).await;
    shared.record_request(call, file.as_deref(), &answer);
    answer
}

async fn respond(shared: &SharedState, call: &Call, parts: &[&str]) -> Answer {
    let token = match token(shared, call) {
        Ok(token) => token,
        Err(answer) => return *answer,
    };
    match parts {
        ["api", "models", space, name] => revision(shared, call, (&format!("{space}/{name}"), "main"), token).await,
        ["api", "models", space, name, "revision", revision_name] => {
            revision(shared, call, (&format!("{space}/{name}"), revision_name), token).await
        }
        ["api", "models", space, name, "tree", sha, below @ ..] => {
            let id = format!("{space}/{name}");
            let repo = match find(shared, call, &id, token) {
                Ok(repo) => repo,
                Err(answer) => return *answer,
            };
            match shared.strike(Route::Tree, None, None).await {
                Ok(fault) => tree::answer(shared, call, (&shared.repos[repo], sha, &below.join("/")), fault.as_ref()),
                Err(answer) => *answer,
            }
        }
        ["api", "resolve-cache", "models", space, name, sha, path @ ..] => {
            let id = format!("{space}/{name}");
            resolve::answer(shared, call, (&id, sha, &path.join("/")), (token, true)).await
        }
        [space, name, "resolve", sha, path @ ..] => {
            let id = format!("{space}/{name}");
            resolve::answer(shared, call, (&id, sha, &path.join("/")), (token, false)).await
        }
        _ => refusal(404, None, "Sorry, we can't find the page you are looking for."),
    }
}

async fn revision(shared: &SharedState, call: &Call, (id, name): (&str, &str), token: Token) -> Answer {
    let repo = match find(shared, call, id, token) {
        Ok(repo) => &shared.repos[repo],
        Err(answer) => return *answer,
    };
    if let Err(answer) = shared.strike(Route::Revision, None, None).await {
        return *answer;
    }
    if call.method != Method::GET {
        return refusal(405, None, "Method not allowed");
    }
    if !repo.has_revision(name) {
        return refusal(404, Some("RevisionNotFound"), &format!("Invalid rev id: {name}"));
    }
    let moved_to = shared.lock().config.moved_to.clone().filter(|_| name != repo.sha);
    let gated = match repo.config.gate {
        Gate::Open => Value::Bool(false),
        Gate::Auto => "auto".into(),
        Gate::Manual => "manual".into(),
    };
    let siblings: Vec<Value> = repo.files.iter().map(|file| json!({ "rfilename": file.path })).collect();
    let mut card = json!({});
    if let Some(license) = &repo.config.license {
        card["license"] = license.as_str().into();
    }
    match repo.config.base_models.as_slice() {
        [] => {}
        [one] => card["base_model"] = one.as_str().into(),
        several => card["base_model"] = json!(several),
    }
    json(&json!({
        "_id": "0123456789abcdef01234567",
        "id": repo.config.id,
        "modelId": repo.config.id,
        "sha": moved_to.as_ref().unwrap_or(&repo.sha),
        "private": repo.config.is_private,
        "gated": gated,
        "disabled": repo.config.is_disabled,
        "downloads": 7,
        "likes": 1,
        "tags": ["safetensors"],
        "createdAt": "2026-01-02T03:04:05.000Z",
        "lastModified": "2026-01-02T03:04:05.000Z",
        "cardData": card,
        "siblings": siblings,
    }))
}

/// Index of a repository that is visible with this token.
pub(crate) fn find(shared: &SharedState, call: &Call, id: &str, token: Token) -> Result<usize, Box<Answer>> {
    let moved = |repo: &Repo| repo.config.former_ids.iter().any(|former| former == id);
    if let Some(repo) = shared.repos.iter().find(|repo| moved(repo)) {
        return Err(Box::new(redirect(307, &call.target.replacen(id, &repo.config.id, 1))));
    }
    let found = shared.repos.iter().position(|repo| repo.config.id == id);
    let Some(index) = found.filter(|index| shared.repos[*index].is_visible(token == Token::Valid)) else {
        let status = if token == Token::Valid { 404 } else { 401 };
        return Err(Box::new(refusal(status, Some("RepoNotFound"), "Repository not found")));
    };
    if shared.repos[index].config.is_disabled {
        return Err(Box::new(refusal(403, None, "Access to this resource is disabled.")));
    }
    Ok(index)
}

fn token(shared: &SharedState, call: &Call) -> Result<Token, Box<Answer>> {
    let Some(header) = call.header("authorization") else { return Ok(Token::Missing) };
    let valid = shared.lock().config.token.clone();
    match header.strip_prefix("Bearer ") {
        Some(token) if Some(token) == valid.as_deref() => Ok(Token::Valid),
        _ => {
            let mut answer = refusal(401, None, "Invalid credentials in Authorization header");
            set(answer.headers_mut(), "www-authenticate", "Bearer realm=\"Authentication required\"");
            Err(Box::new(answer))
        }
    }
}

fn decoded(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}
