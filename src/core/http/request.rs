//! A request and an answer, as the clients above see them.

use std::fmt;
use std::time::Duration;

use reqwest::Method;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use url::Url;

use super::client::Purpose;
use super::error::{Flaw, HttpError};
use super::retry::Retry;
use super::service_error::looks_like_html;
use crate::credential::TokenSource;
use crate::redact::clean;

/// A request; what is sent again and what is not stands in it.
#[derive(Clone)]
pub struct Request<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) retry: Retry,
    pub(super) tokens: Option<&'a TokenSource>,
    pub(super) headers: Vec<(&'static str, &'static str)>,
    pub(super) body: Option<(&'static str, String)>,
    pub(super) limit: Option<Duration>,
    pub(super) service: &'static str,
    pub(super) purpose: Purpose,
}

impl<'a> Request<'a> {
    /// A request without body and without token.
    #[must_use]
    pub fn new(method: Method, url: Url, retry: Retry) -> Self {
        let (tokens, body, limit) = (None, None, None);
        Self {
            method,
            url,
            retry,
            tokens,
            headers: Vec::new(),
            body,
            limit,
            service: "The service",
            purpose: Purpose::Answers,
        }
    }

    /// Signed with tokens of this source. The caller answers for the URL's host.
    #[must_use]
    pub fn tokens(mut self, tokens: &'a TokenSource) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.json_as("application/json", body)
    }

    /// With a JSON body of another content type, such as a merge patch.
    #[must_use]
    pub fn json_as(mut self, content_type: &'static str, body: &Value) -> Self {
        self.body = Some((content_type, body.to_string()));
        self
    }

    /// Under this limit for each try, instead of `Timings::request`.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// What the service is called when a retry is reported.
    #[must_use]
    pub fn service(mut self, name: &'static str) -> Self {
        self.service = name;
        self
    }

    /// To a blob store.
    #[must_use]
    pub fn blob_store(mut self) -> Self {
        self.purpose = Purpose::Blobs;
        self.service("The blob store")
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

/// A successful answer (2xx), whole.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Host and port that answered.
    pub host: String,
    /// `Location`, as it was sent.
    pub location: Option<String>,
    /// `Operation-Location`, as it was sent.
    pub operation_location: Option<String>,
    /// `Azure-AsyncOperation`, as it was sent.
    pub azure_async_operation: Option<String>,
    /// How long to wait, in real time.
    pub retry_after: Option<Duration>,
    /// `x-ms-request-id`, else the id that the request carried.
    pub request_id: Option<String>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Date`.
    pub date: Option<String>,
    /// The body, decoded.
    pub body: Vec<u8>,
}

impl Response {
    /// The body as JSON of this shape.
    ///
    /// # Errors
    /// [`HttpError::BadAnswer`], which says what is wrong and repeats nothing of the body.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        let body = self.body.trim_ascii();
        if body.is_empty() {
            return Err(self.bad(Flaw::Empty));
        }
        serde_json::from_slice(body).map_err(|error| {
            self.bad(if looks_like_html(&String::from_utf8_lossy(&body[..body.len().min(64)])) {
                Flaw::Html
            } else if error.is_data() {
                Flaw::Shape(shape(&error))
            } else {
                Flaw::NotJson
            })
        })
    }

    /// For answers whose body may be missing: what is there has to be JSON, for a page of a proxy is no answer of the service.
    ///
    /// # Errors
    /// [`HttpError::BadAnswer`].
    pub fn check_body(&self) -> Result<(), HttpError> {
        if self.body.trim_ascii().is_empty() { Ok(()) } else { self.json::<IgnoredAny>().map(|_| ()) }
    }

    /// This answer as an error.
    #[must_use]
    pub fn bad(&self, what: Flaw) -> HttpError {
        let request_id = self.request_id.clone();
        HttpError::BadAnswer { host: self.host.clone(), status: self.status, what, request_id }
    }
}

/// serde's sentence without the value that it quotes, which may be a secret.
fn shape(error: &serde_json::Error) -> String {
    let words = clean(&error.to_string());
    match (words.find('"'), words.rfind('"')) {
        (Some(start), Some(end)) if start < end => format!("{}...{}", &words[..start], &words[end + 1..]),
        _ => words,
    }
}

/// Host and port, as errors name a place.
pub(super) fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// A URL for the trace: of its query only `api-version`, for a query may be a secret.
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

    #[test]
    fn a_bad_answer_names_its_flaw_and_repeats_nothing() {
        #[derive(Debug, serde::Deserialize)]
        struct Wanted {
            #[expect(dead_code, reason = "only its type matters")]
            number: u64,
        }
        for (body, flaw) in [
            ("", "the body is empty"),
            ("  <html>CANARY</html>", "an HTML page, not JSON"),
            ("CANARY", "the body is not JSON"),
            (r#"{"number":"#, "the body is not JSON"),
            (r#"{}"#, "missing field `number` at line 1 column 2"),
            (r#"{"number":"CANARY \" q"}"#, "invalid type: string ..., expected u64 at line 1 column 23"),
        ] {
            let response = Response { status: 200, host: "h:1".into(), body: body.into(), ..Response::default() };
            let error = response.json::<Wanted>().expect_err(body);
            assert_eq!(error.to_string(), format!("h:1 gave an answer that makes no sense (200): {flaw}"));
        }
    }
}
