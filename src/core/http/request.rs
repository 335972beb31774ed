//! A request, as the clients of the services build it.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use reqwest::Method;
use serde_json::Value;
use url::Url;

use super::client::Purpose;
use super::limit::AttemptLimit;
use super::response::Response;
use super::retry::Retry;
use crate::credential::TokenSource;
use crate::redact::clean;

/// A request, and its retry policy.
#[derive(Clone)]
pub struct Request<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) retry: Retry,
    pub(super) tokens: Option<&'a TokenSource>,
    pub(super) headers: Vec<(&'static str, Cow<'static, str>)>,
    pub(super) body: Body<'a>,
    pub(super) limit: Option<AttemptLimit<'a>>,
    pub(super) service: &'static str,
    pub(super) purpose: Purpose,
    /// Check of a 2xx response; `None` accepts all.
    pub(super) accepts: Option<ResponseCheck<'a>>,
}

/// Check that returns true for a response of the requested service.
type ResponseCheck<'a> = Arc<dyn Fn(&Method, &Response) -> bool + Send + Sync + 'a>;

/// Body of a request.
#[derive(Clone)]
pub(super) enum Body<'a> {
    Empty,
    Bytes { content_type: &'static str, bytes: Bytes },
    Stream { length: u64, make: Arc<dyn Fn() -> reqwest::Body + Send + Sync + 'a> },
}

impl Body<'_> {
    /// Length of the body in bytes.
    pub(super) fn length(&self) -> Option<u64> {
        match self {
            Self::Empty => None,
            Self::Bytes { bytes, .. } => Some(bytes.len() as u64),
            Self::Stream { length, .. } => Some(*length),
        }
    }
}

impl<'a> Request<'a> {
    /// Returns a request without body and without token.
    #[must_use]
    pub fn new(method: Method, url: Url, retry: Retry) -> Self {
        Self {
            method,
            url,
            retry,
            tokens: None,
            headers: Vec::new(),
            body: Body::Empty,
            limit: None,
            service: "The service",
            purpose: Purpose::Answers,
            accepts: None,
        }
    }

    /// Returns a request for a file, without content encoding, for [`HttpClient::open`](super::HttpClient::open) and
    /// [`HttpClient::exchange`](super::HttpClient::exchange). It fails when the server sends nothing for
    /// `stall_timeout`.
    #[must_use]
    pub(crate) fn download(url: Url, stall_timeout: Duration) -> Self {
        let limit = Some(AttemptLimit::Step(stall_timeout));
        Self { purpose: Purpose::Files, limit, ..Self::new(Method::GET, url, Retry::None) }
            .header("accept-encoding", "identity")
    }

    /// Sets another method.
    #[must_use]
    pub(crate) fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Signs with tokens of this source. The caller is responsible for the host of the URL.
    #[must_use]
    pub fn tokens(mut self, tokens: &'a TokenSource) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Adds a header.
    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.bytes("application/json", body.to_string())
    }

    /// Sets a body that is held in memory.
    #[must_use]
    pub(crate) fn bytes(mut self, content_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        self.body = Body::Bytes { content_type, bytes: bytes.into() };
        self
    }

    /// Sets a streamed body of this length in bytes; `make` creates it for each attempt. Needs a [stall
    /// timeout](Self::stall_timeout) if its duration is not known.
    #[must_use]
    pub(crate) fn stream<S>(mut self, length: u64, make: impl Fn() -> S + Send + Sync + 'a) -> Self
    where
        S: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        self.body = Body::Stream { length, make: Arc::new(move || reqwest::Body::wrap_stream(make())) };
        self
    }

    /// Sets this limit for each attempt, instead of `Timings::request`.
    #[must_use]
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(AttemptLimit::Whole(limit));
        self
    }

    /// Replaces the limit for the whole attempt: it ends when `counter` has not changed for `timeout`.
    #[must_use]
    pub(crate) fn stall_timeout(mut self, timeout: Duration, counter: impl Fn() -> u64 + Send + Sync + 'a) -> Self {
        self.limit = Some(AttemptLimit::Stall { timeout, counter: Arc::new(counter) });
        self
    }

    /// Sets the name of the service in reports of retries.
    #[must_use]
    pub(crate) fn service(mut self, name: &'static str) -> Self {
        self.service = name;
        self
    }

    /// Marks a request to a blob store.
    #[must_use]
    pub(crate) fn blob_store(mut self) -> Self {
        self.purpose = Purpose::Blobs;
        self.service("The blob store")
    }

    /// Accepts only a 2xx for which this returns true. Any other 2xx comes from an intermediary, such as a proxy: the
    /// request is retried once, and then fails.
    #[must_use]
    pub(crate) fn accept(mut self, accepts: impl Fn(&Method, &Response) -> bool + Send + Sync + 'a) -> Self {
        self.accepts = Some(Arc::new(accepts));
        self
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &shown(&self.url))
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

/// Host and port, by which errors name an address.
pub(super) fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// URL for the trace: of its query only `api-version`, since a query may be a secret.
pub(super) fn shown(url: &Url) -> String {
    let version = url.query_pairs().find(|(name, _)| name == "api-version").map(|(_, value)| value.into_owned());
    let mut bare = url.clone();
    bare.set_query(None);
    match version {
        Some(version) => clean(bare.as_str()) + "?api-version=" + &clean(&version),
        None => clean(bare.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trace_shows_the_version_and_no_other_part_of_a_query() {
        for (url, text) in [
            ("https://u:CANARY@h/p?sig=CANARY&api-version=v1&x=CANARY", "https://***@h/p?api-version=v1"),
            ("http://h:81/p%20q#CANARY", "http://h:81/p%20q#***"),
        ] {
            assert_eq!(shown(&Url::parse(url).expect("url")), text);
        }
    }
}
