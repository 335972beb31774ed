//! The client: one connection pool, made on first use, and the one function through which every request goes.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, USER_AGENT};
use url::Url;
use uuid::Uuid;

use super::error::{HttpError, ServiceError, host_of, reason, transport};
use super::request::{Request, Response};
use super::retry::{TRIES, is_worth_it, pause};
use crate::credential::TokenSource;
use crate::env::{Env, Timings, var};
use crate::model::{Report, Reporter, is_loopback};
use crate::redact::{SecretUrl, Token};
use crate::units;

/// Larger answers are refused.
const BODY_LIMIT: usize = 16 * 1024 * 1024;
/// Redirects of one GET that are followed, all within its origin.
const REDIRECTS: usize = 5;

/// Sends requests. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct HttpClient {
    inner: Arc<Inner>,
}

struct Inner {
    timings: Timings,
    reporter: Reporter,
    user_agent: String,
    traceparent: Option<String>,
    // Loading the system's certificates takes milliseconds that a command without a request should not pay.
    direct: OnceLock<reqwest::Client>,
    proxied: OnceLock<reqwest::Client>,
}

/// The header that tells services and support who calls.
fn user_agent(env: &Env) -> String {
    let own = format!(
        "azd-ext-azure-ai-models/{} ({}; {})",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    match env.get(var::AZURE_HTTP_USER_AGENT) {
        Some(more) => format!("{own} {more}"),
        None => own,
    }
}

impl HttpClient {
    /// A client that has not opened anything yet.
    #[must_use]
    pub fn new(env: &Env, timings: Timings, reporter: Reporter) -> Self {
        Self {
            inner: Arc::new(Inner {
                timings,
                reporter,
                user_agent: user_agent(env),
                traceparent: env.get(var::TRACEPARENT).map(str::to_owned),
                direct: OnceLock::new(),
                proxied: OnceLock::new(),
            }),
        }
    }

    /// Sends a request, with a token if a source is given, and repeats it where its rule allows.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn send(&self, request: &Request, tokens: Option<&TokenSource>) -> Result<Response, HttpError> {
        let mut tried = 1;
        let mut renewed = false;
        loop {
            let error = match self.follow(request, tokens).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            // The token may have been revoked before its time: one more with a fresh one.
            if let (HttpError::Service(service), Some(tokens), false) = (&error, tokens, renewed)
                && service.status == 401
            {
                renewed = true;
                tokens.drop_cached();
                continue;
            }
            if tried == TRIES || !is_worth_it(request.retry, &error) {
                return Err(error);
            }
            tried += 1;
            let retry_after = if let HttpError::Service(service) = &error { service.retry_after } else { None };
            let wait = pause(&self.inner.timings, tried, jitter(), retry_after);
            self.tell_retry(&error, wait, tried);
            tokio::time::sleep(wait).await;
        }
    }

    /// Said once a request, and in the trace each time.
    fn tell_retry(&self, error: &HttpError, wait: Duration, next: u32) {
        let what = match error {
            HttpError::Service(service) => {
                format!("the service answered {} {}", service.status, reason(service.status))
            }
            other => other.to_string(),
        };
        let text = format!("{what}; trying again in {:.1} s (try {next} of {TRIES})", wait.as_secs_f64());
        (self.inner.reporter)(if next == 2 { Report::Notice(sentence(&text)) } else { Report::Debug(text) });
    }

    /// One try, with the redirects of a GET within its origin.
    async fn follow(&self, request: &Request, tokens: Option<&TokenSource>) -> Result<Response, HttpError> {
        let mut url = request.url.clone();
        for _ in 0..=REDIRECTS {
            let token = match tokens {
                Some(tokens) => Some(tokens.token().await?),
                None => None,
            };
            let limit = request.limit.unwrap_or(self.inner.timings.request);
            let response = match tokio::time::timeout(limit, self.once(request, &url, token.as_ref())).await {
                Ok(response) => response?,
                Err(_) => {
                    return Err(HttpError::Network {
                        host: host_of(&url),
                        fault: super::NetworkFault::Timeout,
                        words: "no answer in time".into(),
                    });
                }
            };
            if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            let to = response.headers.get(LOCATION).and_then(|to| to.to_str().ok()).and_then(|to| url.join(to).ok());
            match to {
                Some(to) if request.method == Method::GET && to.origin() == request.url.origin() => url = to,
                to => {
                    let to =
                        to.map_or_else(|| "nowhere".to_owned(), |to| SecretUrl::new(to).without_query().to_string());
                    return Err(HttpError::Redirect { host: host_of(&url), to });
                }
            }
        }
        Err(HttpError::Redirect { host: host_of(&url), to: SecretUrl::new(url).without_query().to_string() })
    }

    async fn once(&self, request: &Request, url: &Url, token: Option<&Token>) -> Result<Response, HttpError> {
        let id = Uuid::new_v4().to_string();
        let client = self.client_for(url)?;
        let mut builder = client
            .request(request.method.clone(), url.clone())
            .header(USER_AGENT, &self.inner.user_agent)
            .header("x-ms-client-request-id", &id);
        if let Some(traceparent) = &self.inner.traceparent {
            builder = builder.header("traceparent", traceparent);
        }
        if let Some(token) = token {
            builder = builder.header(AUTHORIZATION, format!("Bearer {}", token.expose()));
        }
        for (name, value) in &request.headers {
            builder = builder.header(*name, *value);
        }
        if let Some(body) = &request.body {
            builder = builder.header(CONTENT_TYPE, request.content_type).body(body.clone());
        }
        self.debug(format!("> {} {} ({id})", request.method, traced(url)));
        let started = Instant::now();
        let answer = builder.send().await;
        let outcome = match answer {
            Ok(answer) => read(answer, url, &id).await,
            Err(error) => Err(transport(url, &error)),
        };
        let elapsed = started.elapsed().as_millis();
        match &outcome {
            Ok(response) => {
                let request_id = response.header("x-ms-request-id").unwrap_or("none");
                self.debug(format!("< {} in {elapsed} ms (request id {request_id})", response.status));
            }
            Err(HttpError::Service(error)) => {
                let request_id = error.request_id.as_deref().unwrap_or("none");
                self.debug(format!("< {} in {elapsed} ms (request id {request_id})", error.status));
            }
            Err(error) => self.debug(format!("< {error} after {elapsed} ms")),
        }
        outcome
    }

    fn debug(&self, text: String) {
        (self.inner.reporter)(Report::Debug(text));
    }

    fn client_for(&self, url: &Url) -> Result<&reqwest::Client, HttpError> {
        // Loopback never goes through a proxy, whatever the environment says.
        let loopback = is_loopback(url);
        let cell = if loopback { &self.inner.direct } else { &self.inner.proxied };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let client = build(loopback, self.inner.timings.connect)?;
        Ok(cell.get_or_init(|| client))
    }
}

fn build(loopback: bool, connect: Duration) -> Result<reqwest::Client, HttpError> {
    install_tls();
    let builder = reqwest::Client::builder().connect_timeout(connect).redirect(reqwest::redirect::Policy::none());
    let builder = if loopback { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| HttpError::Setup(crate::redact::clean(&error.without_url().to_string())))
}

/// Chooses the one cryptography of the process; a second call changes nothing.
pub(crate) fn install_tls() {
    drop(rustls::crypto::ring::default_provider().install_default());
}

async fn read(mut answer: reqwest::Response, url: &Url, id: &str) -> Result<Response, HttpError> {
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > BODY_LIMIT => {
                let what = format!("more than {}", units::bytes(BODY_LIMIT as u64));
                return Err(HttpError::BadAnswer { host: host_of(url), status, what });
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) if error.is_timeout() => return Err(transport(url, &error)),
            Err(_) => return Err(HttpError::Truncated { host: host_of(url) }),
        }
    }
    if status >= 400 {
        return Err(HttpError::Service(Box::new(ServiceError::read(status, answer.headers(), &body, id))));
    }
    Ok(Response { status, url: url.clone(), headers: answer.headers().clone(), body })
}

/// The URL as the trace shows it: of the query the api-version alone.
fn traced(url: &Url) -> String {
    let shown = SecretUrl::new(url.clone()).without_query();
    match url.query_pairs().find(|(name, _)| name == "api-version") {
        Some((name, value)) => format!("{shown}?{name}={value}"),
        None => shown.to_string(),
    }
}

/// Between 0 and 1.
fn jitter() -> f64 {
    f64::from(Uuid::new_v4().as_bytes()[0]) / 255.0
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}", chars.as_str())
}
