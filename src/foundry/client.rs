//! The client of one project.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::Value;
use url::Url;

use super::wire::{ApiVersion, CreateModel, Page, PendingUpload, StartPendingUpload};
use crate::credential::TokenSource;
use crate::env::{Env, Timings, var};
use crate::http::{HttpClient, HttpError, Request, Response, Retry};
use crate::model::{CustomModel, ModelName, ModelVersion, Registration};
use crate::project::ProjectEndpoint;

/// Speaks to one Foundry project.
#[derive(Clone)]
pub struct FoundryClient {
    pub(super) http: HttpClient,
    pub(super) tokens: TokenSource,
    pub(super) endpoint: ProjectEndpoint,
    pub(super) timings: Timings,
    api_version: ApiVersion,
}

/// How the service takes a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// It is gone.
    Gone,
    /// It will be (202).
    Accepted,
}

impl FoundryClient {
    /// A client; asks nobody yet.
    #[must_use]
    pub fn new(http: HttpClient, tokens: TokenSource, endpoint: ProjectEndpoint, env: &Env, timings: Timings) -> Self {
        let api_version = ApiVersion::new(env.get(var::API_VERSION));
        Self { http, tokens, endpoint, timings, api_version }
    }

    /// The project.
    #[must_use]
    pub fn endpoint(&self) -> &ProjectEndpoint {
        &self.endpoint
    }

    /// The latest version of each model, all pages.
    ///
    /// # Errors
    /// See [`HttpError`]; no part of a list is given.
    pub async fn list_models(&self) -> Result<Vec<CustomModel>, HttpError> {
        self.all_pages(self.url(&["models"])).await
    }

    /// All versions of a model, all pages.
    ///
    /// # Errors
    /// See [`HttpError`]; no part of a list is given.
    pub async fn list_versions(&self, name: &ModelName) -> Result<Vec<CustomModel>, HttpError> {
        self.all_pages(self.url(&["models", name.as_str(), "versions"])).await
    }

    /// One version of a model.
    ///
    /// # Errors
    /// See [`HttpError`]; 404 when it is not there.
    pub async fn get_model(&self, name: &ModelName, version: &ModelVersion) -> Result<CustomModel, HttpError> {
        self.send(Request::get(self.model_url(name, version, &[]))).await?.json()
    }

    /// Starts an upload, or gives a fresh SAS for the one that was started.
    ///
    /// # Errors
    /// See [`HttpError`]; 409 when the version exists.
    pub async fn start_pending_upload(
        &self,
        name: &ModelName,
        version: &ModelVersion,
    ) -> Result<PendingUpload, HttpError> {
        let url = self.model_url(name, version, &["startPendingUpload"]);
        let request =
            Request::new(Method::POST, url).with_json(&StartPendingUpload::MODEL).with_retry(Retry::Idempotent);
        let response = self.send(request).await?;
        PendingUpload::read(&response.json::<Value>()?).ok_or_else(|| response.odd("no upload location"))
    }

    /// Asks the service to validate and register what was uploaded.
    pub(super) async fn create_async(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        registration: &Registration,
    ) -> Result<Response, HttpError> {
        let request = Request::new(Method::POST, self.model_url(name, version, &["createAsync"]))
            .with_json(&CreateModel::new(registration, &self.api_version))
            .with_retry(Retry::Unprocessed);
        self.send(request).await
    }

    /// Registers in the older way.
    pub(super) async fn put_model(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        registration: &Registration,
    ) -> Result<Response, HttpError> {
        let request = Request::new(Method::PUT, self.model_url(name, version, &[]))
            .with_json(&CreateModel::new(registration, &self.api_version));
        self.send(request).await
    }

    /// Deletes a version. The service answers the same for one that never existed.
    ///
    /// # Errors
    /// See [`HttpError`]; 409 when a deployment uses it.
    pub async fn delete_model(&self, name: &ModelName, version: &ModelVersion) -> Result<Deleted, HttpError> {
        let request = Request::new(Method::DELETE, self.model_url(name, version, &[]));
        let response = self.send(request).await?;
        Ok(if response.status == 202 { Deleted::Accepted } else { Deleted::Gone })
    }

    pub(super) async fn send(&self, request: Request) -> Result<Response, HttpError> {
        self.http.send(&request.with_header("Foundry-Features", "Models=V1Preview"), Some(&self.tokens)).await
    }

    async fn all_pages(&self, first: Url) -> Result<Vec<CustomModel>, HttpError> {
        let mut models = Vec::new();
        let mut seen = HashSet::new();
        let mut next = Some(first);
        while let Some(url) = next {
            seen.insert(url.as_str().to_owned());
            let response = self.send(Request::get(url.clone())).await?;
            let page: Page = response.json()?;
            models.extend(page.value);
            next = match page.next_link.filter(|link| !link.is_empty()) {
                None => None,
                Some(link) => Some(self.next_page(&response, &url, &link, &seen)?),
            };
        }
        Ok(models)
    }

    /// A link that may be followed: within the project's origin, and not seen before.
    fn next_page(&self, response: &Response, from: &Url, link: &str, seen: &HashSet<String>) -> Result<Url, HttpError> {
        let url = from.join(link).map_err(|_| response.odd("a next page that is not a URL"))?;
        if !self.endpoint.same_origin(&url) {
            return Err(response.odd("a next page on another host"));
        }
        if seen.contains(url.as_str()) {
            return Err(response.odd("pages that lead back to each other"));
        }
        Ok(url)
    }

    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.endpoint.url().clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(segments);
        }
        url.query_pairs_mut().append_pair("api-version", self.api_version.as_str());
        url
    }

    pub(super) fn model_url(&self, name: &ModelName, version: &ModelVersion, more: &[&str]) -> Url {
        self.url(&[&["models", name.as_str(), "versions", version.as_str()], more].concat())
    }
}
