//! State that both origins share.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, Method};

use crate::answer::{self, Answer};
use crate::config::Config;
use crate::content::Pace;
use crate::fault::{Armed, FaultKind, Route};
use crate::record::{Record, RequestRecord, Side};
use crate::repo::Repo;

/// Shared state of both origins.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) repos: Vec<Repo>,
    pub(crate) pace: Option<Pace>,
    /// Scheme and authority of the CDN on this machine.
    pub(crate) cdn: String,
    state: Mutex<State>,
}

/// Mutable state.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) faults: Armed,
    pub(crate) record: Record,
    /// Number of revocations so far.
    pub(crate) age: u64,
    pub(crate) cdn_requests: u64,
}

/// A request to one of the origins.
pub(crate) struct Call {
    pub(crate) side: Side,
    pub(crate) method: Method,
    /// Path and query as received.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    /// Scheme of the connection.
    pub(crate) scheme: &'static str,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Value of a parameter, decoded.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let query = self.target.split_once('?')?.1;
        url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

impl Shared {
    pub(crate) fn new(mut config: Config, cdn: String) -> io::Result<Self> {
        let repos = std::mem::take(&mut config.repos).into_iter().map(Repo::read).collect::<io::Result<_>>()?;
        let faults = Armed::new(std::mem::take(&mut config.faults));
        let pace = config.rate.map(Pace::new);
        let state = State { config, faults, record: Record::default(), age: 0, cdn_requests: 0 };
        Ok(Self { repos, pace, cdn, state: Mutex::new(state) })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a request and its response.
    pub(crate) fn record_request(&self, call: &Call, file: Option<&str>, answer: &Answer) {
        let record = RequestRecord {
            side: call.side,
            method: call.method.to_string(),
            path: call.path().to_owned(),
            file: file.map(str::to_owned),
            range: call.header("range").map(str::to_owned),
            status: answer.status().as_u16(),
            has_authorization: call.headers.contains_key("authorization"),
        };
        self.lock().record.requests.push(record);
    }

    /// Applies the armed fault of a request. An error is the whole response; otherwise the caller applies the returned
    /// fault, if any.
    pub(crate) async fn strike(
        &self,
        route: Route,
        file: Option<&str>,
        from: Option<u64>,
    ) -> Result<Option<FaultKind>, Box<Answer>> {
        let fault = self.lock().faults.strike(route, file, from);
        match fault {
            None => Ok(None),
            Some(FaultKind::Stall) => std::future::pending().await,
            Some(FaultKind::Delay(milliseconds)) => {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                Ok(None)
            }
            Some(FaultKind::Html) => Err(Box::new(answer::text(
                200,
                "text/html; charset=utf-8",
                "<html>Sign in to the guest network</html>",
            ))),
            Some(FaultKind::Status { status, code, message, retry_after }) => {
                let message = message.as_deref().unwrap_or("The fake hub was told to fail.");
                let mut rejection = answer::refusal(status, code.as_deref(), message);
                if let Some(seconds) = retry_after {
                    answer::set(rejection.headers_mut(), "retry-after", &seconds.to_string());
                }
                Err(Box::new(rejection))
            }
            Some(FaultKind::RateLimit { reset }) => {
                let bucket = if matches!(route, Route::Resolve | Route::File) { "resolvers" } else { "api" };
                let mut rejection = answer::refusal(429, None, "We had to rate limit you, you hit the quota.");
                let headers = rejection.headers_mut();
                answer::set(headers, "ratelimit", &format!("\"{bucket}\";r=0;t={reset}"));
                answer::set(headers, "ratelimit-policy", &format!("\"fixed window\";\"{bucket}\";q=500;w=300"));
                Err(Box::new(rejection))
            }
            fault => Ok(fault),
        }
    }

    /// A large file by its indices in a signed URL.
    pub(crate) fn file(&self, repo: usize, file: usize) -> Option<&crate::repo::RepoFile> {
        self.repos.get(repo)?.files.get(file)
    }
}

pub(crate) type SharedState = Arc<Shared>;

impl Call {
    /// Scheme and authority that the client used.
    pub(crate) fn origin(&self) -> String {
        let host = self.header("host").unwrap_or_default();
        let scheme = if self.is_public() { "https" } else { self.scheme };
        format!("{scheme}://{host}")
    }

    /// True if the client requested a public name.
    pub(crate) fn is_public(&self) -> bool {
        self.header("host").is_some_and(|host| crate::proxy::PUBLIC_NAMES.contains(&host))
    }
}
