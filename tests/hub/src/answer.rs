//! Responses of the Hub: JSON, redirects, rejections. Pure.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response};
use serde_json::{Value, json};

pub(crate) type Answer = Response<Body>;

/// An answer with a body of this type.
pub(crate) fn text(status: u16, content_type: &str, body: impl Into<Body>) -> Answer {
    let mut answer = Answer::new(body.into());
    *answer.status_mut() = status.try_into().unwrap_or_default();
    set(answer.headers_mut(), "content-type", content_type);
    answer
}

pub(crate) fn json(value: &Value) -> Answer {
    text(200, "application/json; charset=utf-8", value.to_string())
}

/// A refusal as the Hub words it: `X-Error-Code`, `X-Error-Message`, and the message in JSON.
pub(crate) fn refusal(status: u16, code: Option<&str>, message: &str) -> Answer {
    let mut answer = text(status, "application/json; charset=utf-8", json!({ "error": message }).to_string());
    let headers = answer.headers_mut();
    if let Some(code) = code {
        set(headers, "x-error-code", code);
    }
    set(headers, "x-error-message", message);
    set(headers, "x-request-id", "Root=1-fake-hub");
    answer
}

/// A redirect to this place, byte for byte.
pub(crate) fn redirect(status: u16, to: &str) -> Answer {
    let mut answer = text(status, "text/plain; charset=utf-8", "Found. Redirecting");
    set(answer.headers_mut(), "location", to);
    answer
}

/// A refusal of the CDN.
pub(crate) fn denied(status: u16, code: &str, message: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    let mut answer = text(status, "application/xml", body);
    set(answer.headers_mut(), "x-amz-cf-id", "fake-cdn");
    answer
}

/// Sets a header; one that no header can carry is omitted.
pub(crate) fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
