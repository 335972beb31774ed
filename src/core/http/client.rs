//! The HTTP client, made on first use: loading the system's certificates takes time that `version` should not pay.
//!
//! Several clients stand behind it. Loopback addresses never go through a proxy, and a client either knows the system's
//! proxies or none; it either unpacks what it gets or does not.

use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode, redirect};
use url::Url;
use uuid::Uuid;

use super::error::{Fault, HttpError, RedirectFault};
use super::request::{Request, Response, place, shown};
use super::service_error::{ServiceError, status_line, tenant_of};
use super::{body, certificates, fault, retry};
use crate::credential;
use crate::env::{Env, Timings, var};
use crate::model::{Report, Reporter, is_loopback};
use crate::redact::clean;

/// Redirects that are followed one after the other (cli.md 13).
const REDIRECTS: usize = 5;

/// Sends requests.
pub struct HttpClient {
    timings: Timings,
    reporter: Reporter,
    user_agent: String,
    traceparent: Option<String>,
    certificates: Option<PathBuf>,
    /// By purpose, and by whether proxies count.
    clients: [[OnceLock<reqwest::Client>; 2]; 3],
}

/// What a client is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Answers,
    /// An answer that is unpacked on the way would not be the file any more.
    Files,
    /// HTTP/1.1, so one connection for each request under way: a single one of HTTP/2 would share its window among all
    /// blocks (contracts/blob.md 5).
    Blobs,
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("user_agent", &self.user_agent).finish_non_exhaustive()
    }
}

impl HttpClient {
    /// A client that has not touched the network or the certificates yet.
    #[must_use]
    pub fn new(env: &Env, timings: Timings, reporter: Reporter) -> Self {
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        let mut user_agent = format!("azd-ext-azure-ai-models/{} ({os}; {arch})", env!("CARGO_PKG_VERSION"));
        // Words that no header can carry are left out, not a reason to fail.
        let ascii = |text: &&str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if let Some(more) = env.get(var::AZURE_HTTP_USER_AGENT).filter(ascii) {
            user_agent = user_agent + " " + more;
        }
        let traceparent = env.get(var::TRACEPARENT).filter(ascii).map(str::to_owned);
        let certificates = env.get(var::SSL_CERT_FILE).map(PathBuf::from);
        Self { timings, reporter, user_agent, traceparent, certificates, clients: Default::default() }
    }

    /// The limits that this client works under.
    #[must_use]
    pub fn timings(&self) -> &Timings {
        &self.timings
    }

    /// How long a service that sent this `Retry-After` wants to be left alone, under the cap and on this run's clock.
    #[must_use]
    pub fn asked_for(&self, retry_after: Option<Duration>) -> Duration {
        retry::asked_for(retry_after, &self.timings)
    }

    /// Leaves a report where this client leaves its own.
    pub fn report(&self, report: Report) {
        (self.reporter)(report);
    }

    /// Sends a request until it is answered or not worth another try. Only 2xx is a success. May be dropped at any time.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn send(&self, request: &Request<'_>) -> Result<Response, HttpError> {
        let mut url = request.url.clone();
        for _ in 0..=REDIRECTS {
            match self.send_to(request, &url).await? {
                Answer::Here(response) => return Ok(response),
                Answer::Elsewhere(next) => url = next,
            }
        }
        let why = RedirectFault::TooMany;
        Err(HttpError::Redirect { host: place(&url), status: StatusCode::FOUND.as_u16(), why })
    }

    /// All tries at one address.
    async fn send_to(&self, request: &Request<'_>, url: &Url) -> Result<Answer, HttpError> {
        let mut failed = 0;
        let mut signed_anew = false;
        loop {
            let error = match self.send_once(request, url).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if let (Some(401), Some(tokens), false) = (error.status(), request.tokens, signed_anew) {
                // The token may have been revoked before its end.
                signed_anew = true;
                tokens.drop_cached();
                self.report(Report::Debug("the token was refused: trying once with a new one".into()));
                continue;
            }
            failed += 1;
            if failed >= retry::TRIES || !retry::worthwhile(request.retry, &error) {
                return Err(error);
            }
            let pause = self.pause(failed, &error);
            self.say_retry(request, &error, pause, failed);
            tokio::time::sleep(pause).await;
        }
    }

    /// Said once as a notice; a line for each try would bury the answer.
    fn say_retry(&self, request: &Request<'_>, error: &HttpError, pause: Duration, failed: u32) {
        let why = match error.status() {
            Some(status @ (429 | 503)) => format!("{} is busy ({})", request.service, status_line(status)),
            Some(status) => format!("{} answered {}", request.service, status_line(status)),
            None => error.to_string().replacen("could", "Could", 1),
        };
        let (pause, next) = (retry::seconds(pause), failed + 1);
        let text = format!("{why}; trying again in {pause} ({next} of {})", retry::TRIES);
        self.report(if failed == 1 { Report::Notice(text) } else { Report::Debug(text) });
    }

    async fn send_once(&self, request: &Request<'_>, url: &Url) -> Result<Answer, HttpError> {
        let token = match request.tokens {
            Some(tokens) => Some(tokens.token().await.map_err(HttpError::SignIn)?),
            None => None,
        };
        let id = Uuid::new_v4().to_string();
        let mut builder = self.client(url, request.purpose)?.request(request.method.clone(), url.clone());
        builder = builder.header("x-ms-client-request-id", &id);
        if let Some(traceparent) = &self.traceparent {
            builder = builder.header("traceparent", traceparent);
        }
        for (name, value) in &request.headers {
            builder = builder.header(*name, *value);
        }
        if let Some(token) = &token {
            builder = builder.bearer_auth(token.expose());
        }
        if let Some((content_type, body)) = &request.body {
            builder = builder.header("content-type", *content_type).body(body.clone());
        }
        self.report(Report::Debug(format!("> {} {} ({id})", request.method, shown(url))));
        let (start, host) = (Instant::now(), place(url));
        let limit = request.limit.unwrap_or(self.timings.request);
        let exchange = async {
            let response = builder.send().await.map_err(|error| fault::network(&host, error))?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = body::read(response, status.as_u16(), &host).await;
            Ok((status, headers, body))
        };
        let outcome = tokio::time::timeout(limit, exchange).await.unwrap_or_else(|_| {
            let words = format!("no whole answer within {}", retry::seconds(limit));
            Err(HttpError::Network { host: host.clone(), fault: Fault::Timeout, connecting: false, words })
        });
        let (status, headers, body) = outcome.inspect_err(|error| self.say_failure(error))?;
        let mut response = read_head(status, host, &headers, id);
        let (took, request_id) = (start.elapsed().as_millis(), response.request_id.as_deref().unwrap_or_default());
        self.report(Report::Debug(format!("< {} in {took} ms (request id {request_id})", status.as_u16())));
        if status.is_success() {
            response.body = body.inspect_err(|error| self.say_failure(error))?;
            return Ok(Answer::Here(response));
        }
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            return follow(&request.method, url, &response).map(Answer::Elsewhere);
        }
        // The status counts even where the body broke off.
        Err(HttpError::Service(Box::new(refusal(&response, &headers, &body.unwrap_or_default()))))
    }

    pub(super) fn say_failure(&self, error: &HttpError) {
        if let HttpError::Network { words, .. } = error {
            self.report(Report::Debug(format!("< {error} ({words})")));
        }
    }

    pub(super) fn client(&self, url: &Url, purpose: Purpose) -> Result<&reqwest::Client, HttpError> {
        let direct = is_loopback(url);
        let cell = &self.clients[purpose as usize][usize::from(direct)];
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        credential::install_provider();
        let builder = reqwest::Client::builder()
            .user_agent(&self.user_agent)
            .connect_timeout(self.timings.connect)
            .redirect(redirect::Policy::none())
            .gzip(purpose != Purpose::Files)
            .referer(false);
        let builder = if direct { builder.no_proxy() } else { builder };
        let builder = if purpose == Purpose::Blobs { builder.http1_only() } else { builder };
        let setup = |words: String| HttpError::Setup { words: clean(&words) };
        let own = self.certificates.as_deref().map(certificates::read).transpose().map_err(setup)?;
        let own = own.filter(|_| certificates::HANDED_OVER).unwrap_or_default();
        let client = builder.tls_certs_merge(own).build().map_err(|error| setup(fault::last_words(&error)))?;
        Ok(cell.get_or_init(|| client))
    }

    /// How long to wait before the next try, after this many that failed.
    #[must_use]
    pub fn pause(&self, failed: u32, error: &HttpError) -> Duration {
        retry::pause(failed, error.service().and_then(|error| error.retry_after), jitter(), &self.timings)
    }
}

enum Answer {
    Here(Response),
    Elsewhere(Url),
}

pub(super) fn read_head(status: StatusCode, host: String, headers: &HeaderMap, id: String) -> Response {
    let get = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let date = get("date");
    let retry_after = get("retry-after");
    Response {
        status: status.as_u16(),
        host,
        location: get("location"),
        operation_location: get("operation-location"),
        azure_async_operation: get("azure-asyncoperation"),
        retry_after: retry_after.and_then(|text| retry::retry_after(&text, date.as_deref(), SystemTime::now())),
        request_id: get("x-ms-request-id").map(|id| clean(&id)).or(Some(id)),
        content_type: get("content-type"),
        date,
        body: Vec::new(),
    }
}

/// Where a redirect leads, if it may be followed: a GET, within scheme, host and port.
fn follow(method: &Method, url: &Url, response: &Response) -> Result<Url, HttpError> {
    let refuse = |why| HttpError::Redirect { host: response.host.clone(), status: response.status, why };
    let location = response.location.as_deref().ok_or_else(|| refuse(RedirectFault::NoLocation))?;
    let next = url.join(location).map_err(|_| refuse(RedirectFault::NoLocation))?;
    if next.origin() != url.origin() {
        return Err(refuse(RedirectFault::OtherOrigin { to: place(&next) }));
    }
    if *method != Method::GET {
        return Err(refuse(RedirectFault::NotAGet));
    }
    Ok(next)
}

pub(super) fn refusal(response: &Response, headers: &HeaderMap, body: &[u8]) -> ServiceError {
    let get = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let mut error = ServiceError {
        host: response.host.clone(),
        status: response.status,
        code: get("x-ms-error-code").map(clean),
        request_id: response.request_id.clone(),
        date: response.date.clone(),
        retry_after: response.retry_after,
        tenant: get("www-authenticate").and_then(tenant_of),
        ..ServiceError::default()
    };
    error.read_body(body);
    error
}

/// A number between 0 and 1. The random bits of an identifier are good enough to spread retries.
fn jitter() -> f64 {
    f64::from(Uuid::new_v4().as_fields().0) / f64::from(u32::MAX)
}
