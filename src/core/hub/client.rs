//! Requests to the Hub: sign-in, retries, rate limits, redirects within the Hub, and the meaning of its rejections.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::address::{segment, segments};
use super::endpoint::HubEndpoint;
use super::error::HubError;
use super::id::{CommitId, RepoId};
use super::token::HubToken;
use super::wire::{Description, Entry, next_link};
use crate::http::{
    Backoff, HttpClient, HttpError, Method, RawResponse, RedirectFault, Request, ResponseFlaw, Retry, ServiceError,
};
use crate::model::Report;
use crate::redact::bare;

/// Maximum number of consecutive redirects.
const REDIRECTS: usize = 5;
/// Maximum number of rate limits for which one request waits.
const RATE_LIMITS: usize = 5;
/// Maximum number of pages of a list of files; the Hub sends 1,000 files per page.
const MAX_PAGES: usize = 1000;
/// Maximum number of files of a repository.
const MAX_FILES: usize = 1_000_000;
/// Name of the Hub in messages.
pub(super) const SERVICE: &str = "The Hugging Face Hub";

/// Client of one Hub.
pub struct HubClient {
    http: Arc<HttpClient>,
    endpoint: HubEndpoint,
    token: Option<HubToken>,
}

impl fmt::Debug for HubClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubClient").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// A revision in its current state on the Hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinnedRevision {
    /// Repository under its current name.
    pub repo: RepoId,
    /// Commit that the revision points to.
    pub sha: CommitId,
    /// True if access must be granted.
    pub is_gated: bool,
    /// Licence according to the model card.
    pub license: Option<String>,
    /// First base model according to the model card.
    pub base_model: Option<String>,
}

/// Subject of a request, for its errors.
#[derive(Clone, Copy)]
pub(super) struct RequestSubject<'a> {
    pub(super) repo: &'a RepoId,
    pub(super) revision: &'a str,
    /// File in the repository; empty for the repository itself.
    pub(super) path: &'a str,
}

impl HubClient {
    /// Client; does not access the network yet.
    #[must_use]
    pub fn new(http: Arc<HttpClient>, endpoint: HubEndpoint, token: Option<HubToken>) -> Self {
        Self { http, endpoint, token }
    }

    /// Address of the Hub.
    #[must_use]
    pub fn endpoint(&self) -> &HubEndpoint {
        &self.endpoint
    }

    /// HTTP client.
    pub(super) fn http(&self) -> &HttpClient {
        &self.http
    }

    /// URL of a repository's page.
    pub(super) fn page(&self, repo: &RepoId) -> String {
        format!("{}/{repo}", self.endpoint)
    }

    /// Requests the commit of a revision. All later requests use the commit.
    ///
    /// # Errors
    /// See [`HubError`].
    pub async fn pin(&self, repo: &RepoId, revision: &str) -> Result<PinnedRevision, HubError> {
        let about = RequestSubject { repo, revision, path: "" };
        let url = self.url(&format!("/api/models/{repo}/revision/{}", segment(revision)))?;
        let exchange = self.follow(Method::GET, url, about).await?.0;
        let host = exchange.host().to_owned();
        let not_a_hub = |what| HubError::NotAHub { host: host.clone(), what };
        let description: Description = match exchange.into_response().await?.json() {
            Ok(description) => description,
            Err(HttpError::BadAnswer {
                what: ResponseFlaw::Html | ResponseFlaw::NotJson | ResponseFlaw::Empty,
                ..
            }) => {
                return Err(not_a_hub("the repository description is not JSON"));
            }
            Err(error) => return Err(error.into()),
        };
        let sha = description.sha.parse().map_err(|()| not_a_hub("the repository description contains no commit"))?;
        let found: RepoId = match description.id.as_str() {
            "" => repo.clone(),
            id => id.parse().map_err(|_| not_a_hub("the repository description has another repository type"))?,
        };
        if description.disabled {
            return Err(HubError::Disabled { repo: found, answer: None });
        }
        if found.as_str().to_lowercase() != repo.as_str().to_lowercase() {
            self.http.report(Report::Notice(format!("The repository '{repo}' was renamed to '{found}'.")));
        }
        let (license, base_model) = (description.card("license"), description.card("base_model"));
        Ok(PinnedRevision { repo: found, sha, is_gated: description.is_gated(), license, base_model })
    }

    /// Lists all files of a commit.
    pub(super) async fn files(&self, repo: &RepoId, sha: &CommitId) -> Result<Vec<Entry>, HubError> {
        let about = RequestSubject { repo, revision: sha.as_str(), path: "" };
        let mut url = self.url(&format!("/api/models/{repo}/tree/{sha}?recursive=true&expand=false"))?;
        let (mut files, mut seen) = (Vec::new(), HashSet::new());
        loop {
            if !seen.insert(url.clone()) {
                return Err(HubError::Pages("repeats a page"));
            }
            if seen.len() > MAX_PAGES || files.len() > MAX_FILES {
                return Err(HubError::Pages("does not end"));
            }
            let (exchange, at) = self.follow(Method::GET, url, about).await?;
            let next = exchange.header("link").and_then(next_link).map(str::to_owned);
            let page: Vec<Entry> = exchange.into_response().await?.json()?;
            files.extend(page.into_iter().filter(Entry::is_file));
            let Some(next) = next else { return Ok(files) };
            url = self.endpoint.link(&at, &next).ok_or(HubError::Pages("has a next page that is not a URL"))?;
            if !self.endpoint.is_origin_of(&url) || !url.username().is_empty() || url.password().is_some() {
                return Err(HubError::Pages("continues on another host"));
            }
        }
    }

    /// URL that serves a file of a commit, or points to the server that does.
    pub(super) fn resolve(&self, repo: &RepoId, sha: &CommitId, path: &str) -> Result<Url, HubError> {
        self.url(&format!("/{repo}/resolve/{sha}/{}", segments(path)))
    }

    fn url(&self, path: &str) -> Result<Url, HubError> {
        let host = || self.endpoint.host().to_owned();
        self.endpoint.url(path).ok_or_else(|| HubError::NotAHub { host: host(), what: "its address is not a URL" })
    }

    /// Sends a request, and follows redirects within the Hub. Returns the response and the URL that it came from.
    async fn follow(
        &self,
        method: Method,
        mut url: Url,
        about: RequestSubject<'_>,
    ) -> Result<(RawResponse, Url), HubError> {
        for _ in 0..=REDIRECTS {
            let exchange = self.send(&self.request(method.clone(), url.clone()), about).await?;
            if !exchange.is_redirect() {
                return Ok((exchange, url));
            }
            let next = self.redirect_target(&exchange, &url)?;
            if !self.endpoint.is_origin_of(&next) {
                return Err(HubError::Redirect { host: exchange.host().to_owned(), to: bare(next).to_string() });
            }
            url = next;
        }
        let host = self.endpoint.host().to_owned();
        Err(HttpError::Redirect { host, status: 302, why: RedirectFault::TooMany }.into())
    }

    /// Target of a redirect.
    pub(super) fn redirect_target(&self, exchange: &RawResponse, url: &Url) -> Result<Url, HubError> {
        let next = exchange.location().and_then(|location| self.endpoint.link(url, location));
        next.ok_or_else(|| exchange.bad_redirect(RedirectFault::NoLocation).into())
    }

    /// Request with the token if its target is the Hub itself.
    pub(super) fn request(&self, method: Method, url: Url) -> Request<'static> {
        let token = self.token.as_ref().filter(|_| self.endpoint.is_origin_of(&url));
        let request = Request::download(url, self.http.timings().hub_stall).method(method).service(SERVICE);
        match token {
            Some(token) => request.header("authorization", token.authorization()),
            None => request,
        }
    }

    /// Sends a request until there is a response, or until retries are used up or of no use. Redirects are responses.
    pub(super) async fn send(
        &self,
        request: &Request<'static>,
        about: RequestSubject<'_>,
    ) -> Result<RawResponse, HubError> {
        let mut backoff = Backoff::new(self.http.timings(), Retry::Idempotent);
        let mut limits = 0;
        loop {
            let error = match self.http.exchange(request).await {
                Ok(exchange) if exchange.status() < 400 => return Ok(exchange),
                Ok(exchange) => exchange.refusal().await,
                Err(error) => error,
            };
            if let Some(limit) = rate_limit(&error) {
                limits += 1;
                self.wait_for_rate_limit(limit, limits).await?;
                continue;
            }
            let Some(pause) = backoff.after(&error) else { return Err(self.refused(error, about)) };
            self.http.report_retry(request, &error, pause, &backoff);
            tokio::time::sleep(pause).await;
        }
    }

    /// Waits until a rate limit ends, if that is soon.
    async fn wait_for_rate_limit(&self, limit: Duration, limits: usize) -> Result<(), HubError> {
        let timings = self.http.timings();
        if limit > timings.hub_rate_limit || limits > RATE_LIMITS {
            return Err(HubError::RateLimited { wait: Some(limit), has_token: self.token.is_some() });
        }
        let wait = limit + Duration::from_secs(1);
        let text = format!("{SERVICE} throttled the requests; waiting {} s", wait.as_secs());
        self.http.report(if limits == 1 { Report::Notice(text) } else { Report::Debug(text) });
        tokio::time::sleep(timings.scaled(wait)).await;
        Ok(())
    }

    /// Interprets a rejection by the Hub.
    pub(super) fn refused(&self, error: HttpError, about: RequestSubject<'_>) -> HubError {
        let HttpError::Service(answer) = error else { return error.into() };
        let RequestSubject { repo, revision, path } = about;
        let repo = repo.clone();
        let origin = self.token.as_ref().map(|token| token.origin().clone());
        match (answer.status, origin) {
            (401, Some(origin)) if answer.mentions(&["invalid credentials", "invalid username or password"]) => {
                HubError::BadToken { origin, answer }
            }
            (401 | 403, origin) if answer.has_code(&["GatedRepo"]) => {
                HubError::Gated { page: self.page(&repo), repo, origin, answer }
            }
            (403, _) if answer.mentions(&["access to this resource is disabled"]) => {
                HubError::Disabled { repo, answer: Some(answer) }
            }
            (403, _) => HubError::Forbidden { repo, answer },
            (404, _) if answer.has_code(&["RevisionNotFound"]) => {
                HubError::RevisionNotFound { page: self.page(&repo), repo, revision: revision.to_owned() }
            }
            (404, _) if answer.has_code(&["EntryNotFound"]) || !path.is_empty() => {
                HubError::EntryNotFound { repo, path: path.to_owned(), near: Vec::new() }
            }
            (401 | 404, origin) => {
                HubError::RepoNotFound { repo, host: self.endpoint.host().to_owned(), origin, answer }
            }
            (429, origin) => HubError::RateLimited { wait: answer.retry_after, has_token: origin.is_some() },
            _ => HubError::Http(HttpError::Service(answer)),
        }
    }
}

/// Duration of the rate limit that a request failed for, if any.
fn rate_limit(error: &HttpError) -> Option<Duration> {
    error.service().filter(|answer: &&ServiceError| answer.status == 429)?.rate_limit
}
