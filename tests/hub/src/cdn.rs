//! The CDN: content of large files by signed URLs, by range.

use axum::body::Body;
use axum::http::Method;

use crate::answer::{Answer, denied, set, text};
use crate::content::{body, range};
use crate::fault::{FaultKind, Route};
use crate::repo::RepoFile;
use crate::signature::{self, Unsigned};
use crate::state::{Call, SharedState};

/// Responds to a request, and records it.
pub(crate) async fn answer(shared: &SharedState, call: &Call) -> Answer {
    let signed = signature::read(&call.target);
    let file = signed.ok().and_then(|signed| shared.file(signed.repo, signed.file));
    let name = file.map(|file| file.path.as_str());
    let answer = respond(shared, call, file).await;
    shared.record_request(call, name, &answer);
    answer
}

async fn respond(shared: &SharedState, call: &Call, file: Option<&RepoFile>) -> Answer {
    if call.headers.contains_key("authorization") {
        return denied(400, "InvalidArgument", "Only one auth mechanism allowed.");
    }
    if call.method != Method::GET && call.method != Method::HEAD {
        return denied(405, "MethodNotAllowed", "The CDN answers GET and HEAD.");
    }
    let from = call.header("range").and_then(|range| range.strip_prefix("bytes=")?.split('-').next()?.parse().ok());
    let fault = match shared.strike(Route::Cdn, file.map(|file| file.path.as_str()), from).await {
        Ok(fault) => fault,
        Err(answer) => return *answer,
    };
    let age = {
        let mut state = shared.lock();
        state.cdn_requests += 1;
        let is_due = state.config.revoke_every.is_some_and(|every| state.cdn_requests.is_multiple_of(every));
        state.age += u64::from(is_due);
        state.age - u64::from(is_due)
    };
    match signature::read(&call.target) {
        Err(Unsigned::Altered) => return denied(403, "AccessDenied", "Access denied"),
        Ok(signed) if signed.age == age && fault != Some(FaultKind::Expired) => {}
        Err(Unsigned::Expired) | Ok(_) => return denied(403, "AccessDenied", "Request has expired"),
    }
    match file {
        Some(file) => content(shared, call, file, fault.as_ref()),
        None => denied(404, "NoSuchKey", "The specified key does not exist."),
    }
}

fn content(shared: &SharedState, call: &Call, file: &RepoFile, fault: Option<&FaultKind>) -> Answer {
    let size = file.size;
    let requested = match fault {
        Some(FaultKind::IgnoreRange) => None,
        Some(FaultKind::InvalidRange) => return text(403, "text/plain", "Auth failed: invalid range"),
        _ => range(call.header("range"), size),
    };
    let (start, length) = match requested {
        Some(Err(())) => {
            let mut answer = denied(416, "InvalidRange", "The requested range is not satisfiable");
            set(answer.headers_mut(), "content-range", &format!("bytes */{size}"));
            return answer;
        }
        Some(Ok(span)) => span,
        None => (0, size),
    };
    let reported = match fault {
        Some(FaultKind::OtherRange) => (start.saturating_sub(1), length),
        _ => (start, length),
    };
    let sent = match fault {
        Some(FaultKind::Empty) => 0,
        Some(FaultKind::Short) => length / 2,
        _ => length,
    };
    let content = match call.method == Method::HEAD {
        true => Ok(Body::empty()),
        false => body(shared, (&file.path, &file.local), (start, sent), fault),
    };
    let Ok(content) = content else { return denied(500, "InternalError", "the file cannot be read") };
    let mut answer = text(if requested.is_some() { 206 } else { 200 }, "application/octet-stream", content);
    let headers = answer.headers_mut();
    set(headers, "accept-ranges", "bytes");
    set(headers, "content-length", &sent.to_string());
    if let Some(sum) = &file.lfs {
        set(headers, "etag", &format!("\"{sum}\""));
    }
    if requested.is_some() {
        set(headers, "content-range", &format!("bytes {}-{}/{size}", reported.0, reported.0 + reported.1 - 1));
    }
    answer
}
