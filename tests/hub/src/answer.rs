//! Responses of the Hub: JSON, redirects, rejections. Pure.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response};
use serde_json::{Value, json};

pub(crate) type Answer = Response<Body>;

/// Response with a body of this type.
pub(crate) fn text(status: u16, content_type: &str, body: impl Into<Body>) -> Answer {
    let mut response = Answer::new(body.into());
    *response.status_mut() = status.try_into().unwrap_or_default();
    set(response.headers_mut(), "content-type", content_type);
    response
}

pub(crate) fn json(value: &Value) -> Answer {
    text(200, "application/json; charset=utf-8", value.to_string())
}

/// Error response in the form of the Hub: `X-Error-Code`, `X-Error-Message`, and the message in JSON.
pub(crate) fn refusal(status: u16, code: Option<&str>, message: &str) -> Answer {
    let mut response = text(status, "application/json; charset=utf-8", json!({ "error": message }).to_string());
    let headers = response.headers_mut();
    if let Some(code) = code {
        set(headers, "x-error-code", code);
    }
    set(headers, "x-error-message", message);
    set(headers, "x-request-id", "Root=1-fake-hub");
    response
}

/// Redirect to this URL, byte for byte.
pub(crate) fn redirect(status: u16, to: &str) -> Answer {
    let mut response = text(status, "text/plain; charset=utf-8", "Found. Redirecting");
    set(response.headers_mut(), "location", to);
    response
}

/// Error response of the CDN.
pub(crate) fn denied(status: u16, code: &str, message: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    let mut response = text(status, "application/xml", body);
    set(response.headers_mut(), "x-amz-cf-id", "fake-cdn");
    response
}

/// Sets a header; an invalid value is omitted.
pub(crate) fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
