//! HTTP client, created on first use: loading the system's certificates takes time that `version` should not need.
//!
//! Several clients in one: loopback addresses never use a proxy, and a client either uses the system's proxies or none;
//! it either decompresses responses or does not; and the one for HTTP on loopback has no certificates.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::{Certificate, Method, StatusCode, redirect};
use url::Url;

use super::certificates::CertificatePaths;
use super::error::{HttpError, RedirectFault};
use super::request::{Request, host_and_port};
use super::response::Response;
use super::retry::Backoff;
use super::service_error::status_line;
use super::{body, certificates, fault, retry};
use crate::credential;
use crate::env::{Env, Timings, var};
use crate::model::{Report, Reporter, is_loopback};
use crate::redact::clean;

/// Maximum number of consecutive redirects.
const REDIRECTS: usize = 5;

/// Sends requests.
pub struct HttpClient {
    timings: Timings,
    reporter: Reporter,
    is_traced: bool,
    user_agent: String,
    traceparent: Option<String>,
    paths: CertificatePaths,
    /// Read once, by the first client that needs them.
    certificates: OnceLock<Vec<Certificate>>,
    /// Clients by purpose and route.
    clients: [[OnceLock<reqwest::Client>; 3]; 3],
}

/// Route to a host.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Route {
    /// Through the configured proxies, if any.
    Proxied,
    /// To this machine, with TLS.
    Direct,
    /// To this machine, without TLS and so without certificates.
    Plain,
}

impl Route {
    fn to(url: &Url) -> Self {
        match (is_loopback(url), url.scheme()) {
            (false, _) => Self::Proxied,
            (true, "http") => Self::Plain,
            (true, _) => Self::Direct,
        }
    }
}

/// Purpose of a client.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Answers,
    /// For files: a response that is decompressed in transit would no longer be the file. HTTP/1.1, as for blobs.
    Files,
    /// For blobs: HTTP/1.1 and so one connection per request in flight; in HTTP/2 all blocks would share the window of
    /// a single connection.
    Blobs,
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("user_agent", &self.user_agent).finish_non_exhaustive()
    }
}

impl HttpClient {
    /// Client; does not access the network or the certificates yet. `is_traced`: reports each request and response,
    /// which costs as much as a small request itself.
    #[must_use]
    pub fn new(env: &Env, timings: Timings, reporter: Reporter, is_traced: bool) -> Self {
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        let mut user_agent = format!("azd-ext-azure-ai-models/{} ({os}; {arch})", env!("CARGO_PKG_VERSION"));
        // A value that cannot be sent in a header is omitted, not an error.
        let ascii = |text: &&str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if let Some(more) = env.get(var::AZURE_HTTP_USER_AGENT).filter(ascii) {
            user_agent = user_agent + " " + more;
        }
        let traceparent = env.trace_context().map(|context| context.parent.to_owned());
        let (paths, certificates) = (CertificatePaths::of(env), OnceLock::new());
        Self { timings, reporter, is_traced, user_agent, traceparent, paths, certificates, clients: Default::default() }
    }

    /// Time limits of this client.
    #[must_use]
    pub(crate) fn timings(&self) -> &Timings {
        &self.timings
    }

    /// Sends a report to the reporter of this client.
    pub(crate) fn report(&self, report: Report) {
        (self.reporter)(report);
    }

    /// Reports a line of the trace.
    pub(super) fn trace(&self, line: impl FnOnce() -> String) {
        if self.is_traced {
            self.report(Report::Debug(line()));
        }
    }

    /// Sends a request until there is a response, or until retries are used up or of no use. Only 2xx counts as
    /// success. May be dropped at any time.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub(crate) async fn send(&self, request: &Request<'_>) -> Result<Response, HttpError> {
        let mut url = request.url.clone();
        for _ in 0..=REDIRECTS {
            match self.send_to(request, &url).await? {
                RequestOutcome::Response(response) => return Ok(*response),
                RequestOutcome::Redirect(next) => url = next,
            }
        }
        let why = RedirectFault::TooMany;
        Err(HttpError::Redirect { host: host_and_port(&url), status: StatusCode::FOUND.as_u16(), why })
    }

    /// Sends all attempts to one URL.
    async fn send_to(&self, request: &Request<'_>, url: &Url) -> Result<RequestOutcome, HttpError> {
        let mut backoff = Backoff::new(&self.timings, request.retry);
        let mut signed_anew = false;
        loop {
            // On the heap: it is large, and part of every command's future.
            let error = match Box::pin(self.send_once(request, url)).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if let (Some(401), Some(tokens), false) = (error.status(), request.tokens, signed_anew) {
                // The token may have been revoked before it expired.
                signed_anew = true;
                tokens.drop_cached();
                self.report(Report::Debug("the token was refused: trying once with a new one".into()));
                continue;
            }
            let Some(pause) = backoff.after(&error) else { return Err(error) };
            self.report_retry(request, &error, pause, &backoff);
            tokio::time::sleep(pause).await;
        }
    }

    /// Reports a retry after this delay: once as a notice, since a line for each attempt would drown out the result.
    pub(crate) fn report_retry(
        &self,
        request: &Request<'_>,
        error: &HttpError,
        pause: Duration,
        backoff: &Backoff<'_>,
    ) {
        let why = match error.status() {
            _ if error.is_of_intermediary() => error.to_string(),
            Some(status @ (429 | 503)) => format!("{} is busy ({})", request.service, status_line(status)),
            Some(status) => format!("{} returned {}", request.service, status_line(status)),
            None => error.to_string().replacen("could", "Could", 1),
        };
        let text = format!("{why}; retrying in {} ({})", retry::seconds(pause), backoff.next_attempt());
        self.report(if backoff.failed() == 1 { Report::Notice(text) } else { Report::Debug(text) });
    }

    async fn send_once(&self, request: &Request<'_>, url: &Url) -> Result<RequestOutcome, HttpError> {
        let (attempt, builder) = self.attempt(request, url).await?;
        let exchange = async {
            let (head, response) = attempt.head(builder).await?;
            let body = body::read(response, &head.response).await;
            Ok((head, body))
        };
        let outcome = attempt.limit.apply(&attempt.host, exchange).await;
        let (head, body) = outcome.inspect_err(|error| self.trace_failure(error))?;
        self.trace_response(&attempt, &head);
        if head.status.is_success() {
            let body = body.inspect_err(|error| self.trace_failure(error))?;
            let response = Response { body, ..head.response };
            let is_accepted = request.accepts.as_ref().is_none_or(|accepts| accepts(&request.method, &response));
            return if is_accepted {
                Ok(RequestOutcome::Response(Box::new(response)))
            } else {
                Err(response.of_intermediary())
            };
        }
        if head.is_redirect() {
            return follow(&request.method, url, &head.response).map(RequestOutcome::Redirect);
        }
        // The status counts even if the body was interrupted.
        Err(head.refusal(&body.unwrap_or_default()))
    }

    /// W3C trace context that azd handed over, for `--debug`.
    pub(super) fn traceparent(&self) -> Option<&str> {
        self.traceparent.as_deref()
    }

    /// Client for this purpose and host, created on first use: with or without proxy and certificates.
    pub(super) fn client(&self, url: &Url, purpose: Purpose) -> Result<&reqwest::Client, HttpError> {
        let way = Route::to(url);
        let cell = &self.clients[purpose as usize][way as usize];
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
        let builder = if way == Route::Proxied { builder } else { builder.no_proxy() };
        let builder = if purpose == Purpose::Answers { builder } else { builder.http1_only() };
        let setup = |message: String| HttpError::Setup { message: clean(&message) };
        let builder = match way {
            Route::Plain => certificates::trust_none(builder),
            Route::Direct | Route::Proxied => certificates::trust(builder, self.certificates().map_err(setup)?),
        };
        let client = builder.build().map_err(|error| setup(fault::innermost_message(&error)))?;
        Ok(cell.get_or_init(|| client))
    }

    fn certificates(&self) -> Result<&[Certificate], String> {
        if let Some(certificates) = self.certificates.get() {
            return Ok(certificates);
        }
        let certificates = self.paths.read()?;
        Ok(self.certificates.get_or_init(|| certificates))
    }
}

enum RequestOutcome {
    Response(Box<Response>),
    Redirect(Url),
}

/// Target of a redirect, if it may be followed: only a GET, within scheme, host and port.
fn follow(method: &Method, url: &Url, response: &Response) -> Result<Url, HttpError> {
    let refuse = |why| HttpError::Redirect { host: response.host.clone(), status: response.status, why };
    let location = response.location.as_deref().ok_or_else(|| refuse(RedirectFault::NoLocation))?;
    let next = url.join(location).map_err(|_| refuse(RedirectFault::NoLocation))?;
    if next.origin() != url.origin() {
        return Err(refuse(RedirectFault::OtherOrigin { to: host_and_port(&next) }));
    }
    if *method != Method::GET {
        return Err(refuse(RedirectFault::NotAGet));
    }
    Ok(next)
}
