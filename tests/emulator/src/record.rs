//! A received request: for the emulator's own handlers (`Incoming`), and for tests that inspect the traffic
//! (`RequestRecord`, where the credential is masked).

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, header};
use serde::Serialize;
use serde_json::Value;
use url::form_urlencoded;

/// Complete request.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) method: Method,
    /// Path as received, percent-encoded.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Incoming {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Scheme and host that the client used, so that links lead back to it.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.header("host").unwrap_or("127.0.0.1"))
    }
}

/// Recorded request, for assertions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestRecord {
    /// `GET`, `POST`...
    pub method: String,
    /// Path, percent-encoded.
    pub path: String,
    /// Query parameters, decoded.
    pub query: BTreeMap<String, String>,
    /// Headers by lower-case name. `authorization` is its scheme and the length of the rest: `Bearer (812)`.
    pub headers: BTreeMap<String, String>,
    /// JSON body; a string if it was not JSON; `null` if there was none.
    pub body: Value,
}

impl RequestRecord {
    pub(crate) fn of(request: &Incoming) -> Self {
        let headers = request
            .headers
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                let value = if name == header::AUTHORIZATION { masked(&value) } else { value };
                (name.as_str().to_owned(), value)
            })
            .collect();
        let body = if request.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&request.body)
                .unwrap_or_else(|_| String::from_utf8_lossy(&request.body).into_owned().into())
        };
        Self {
            method: request.method.to_string(),
            path: request.path.clone(),
            query: request.query.iter().cloned().collect(),
            headers,
            body,
        }
    }
}

fn masked(authorization: &str) -> String {
    match authorization.split_once(' ') {
        Some((scheme, credential)) => format!("{scheme} ({})", credential.len()),
        None => format!("({})", authorization.len()),
    }
}

/// Parameters of a raw query.
pub(crate) fn parameters(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}
