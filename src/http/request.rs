//! One request and its answer, as values.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::error::{HttpError, host_of};
use super::retry::Retry;

/// A request, ready to be sent any number of times.
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) body: Option<Vec<u8>>,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, &'static str)>,
    pub(super) retry: Retry,
    pub(super) limit: Option<Duration>,
}

impl Request {
    /// A request without a body; GET, PUT, DELETE and PATCH may be repeated, POST may not until it is said.
    #[must_use]
    pub fn new(method: Method, url: Url) -> Self {
        let retry = if method == Method::POST { Retry::None } else { Retry::Idempotent };
        Self { method, url, body: None, content_type: "application/json", headers: Vec::new(), retry, limit: None }
    }

    /// A GET.
    #[must_use]
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    /// With a JSON body.
    #[must_use]
    pub fn with_json(mut self, body: &impl Serialize) -> Self {
        // The bodies are plain structs of text: they always serialize.
        self.body = serde_json::to_vec(body).ok();
        self
    }

    /// With one more header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// With another rule for repeating it.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// With another limit than that of all requests, for each try.
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }
}

/// A successful answer, read to its end.
#[derive(Clone, Debug)]
pub struct Response {
    /// 200 to 299.
    pub status: u16,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Response {
    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let name: HeaderName = name.parse().ok()?;
        self.headers.get(name)?.to_str().ok()
    }

    /// Where the answer came from, after redirects.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// True when there is no body.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.body.iter().all(u8::is_ascii_whitespace)
    }

    /// An error for an answer whose JSON makes no sense.
    #[must_use]
    pub fn odd(&self, what: &str) -> HttpError {
        HttpError::BadAnswer { host: host_of(&self.url), status: self.status, what: what.to_owned() }
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`HttpError::BadAnswer`] that says what came instead.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let what = if self.is_empty() {
                "an empty answer".to_owned()
            } else if looks_like_html(&self.body) {
                "an HTML page instead of JSON".to_owned()
            } else if error.is_data() {
                "JSON of an unexpected shape".to_owned()
            } else {
                "something that is not JSON".to_owned()
            };
            HttpError::BadAnswer { host: host_of(&self.url), status: self.status, what }
        })
    }
}

pub(super) fn looks_like_html(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    let start = start[..start.len().min(15)].to_ascii_lowercase();
    start.starts_with(b"<!doctype html") || start.starts_with(b"<html")
}
