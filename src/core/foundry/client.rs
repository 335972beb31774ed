//! Operations of one request, or of one request per page.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::json;
use thiserror::Error;
use url::Url;

use super::pending;
use super::wire;
use crate::credential::{self, TokenSource};
use crate::env::{Env, var};
use crate::http::{HttpClient, HttpError, Method, PageError, Request, Response, ResponseFlaw, Retry};
use crate::model::{
    BlobUri, CustomModel, DeploymentName, ListedModel, ModelChange, ModelListSeed, ModelName, ModelVersion,
    ProjectDeployment, Versioned,
};
use crate::project::ProjectEndpoint;
use crate::redact::clean;
use crate::store::UploadLocation;

/// Api-version of the released Go extension.
pub const DEFAULT_API_VERSION: &str = "2025-11-15-preview";

/// The api-version of this run: `AZURE_AI_MODELS_API_VERSION`, otherwise the default.
#[must_use]
pub fn api_version(env: &Env) -> &str {
    env.get(var::API_VERSION).unwrap_or(DEFAULT_API_VERSION)
}

/// Failure to read a whole list.
#[derive(Debug, Error)]
pub enum ListError {
    /// Failed request for a page.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Next page at another host, which gets no token.
    #[error("the list continues on {host}, which is not the project's host")]
    LeavesProject {
        /// That host.
        host: String,
    },
    /// Next page whose address holds a user name or a password.
    #[error("the URL of the next page contains a user name or password")]
    UserInformation,
    /// Next page that was read already.
    #[error("the list repeats its pages")]
    Circle,
    /// More pages or items than any real list has.
    #[error("the list does not end")]
    Endless,
}

impl From<PageError> for ListError {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Http(error) => Self::Http(error),
            PageError::OtherOrigin { host } => Self::LeavesProject { host },
            PageError::UserInformation => Self::UserInformation,
            PageError::Circle => Self::Circle,
            PageError::Endless => Self::Endless,
        }
    }
}

/// Polls of a model before an accepted change counts as not done: a GET may lag behind.
pub(super) const MAX_STALE_POLLS: u32 = 8;

/// Failure to change a model.
#[derive(Debug, Error)]
pub enum UpdateError {
    /// Failed request.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Accepted, and the model does not show it.
    #[error("the service accepted the change, but the model does not show it")]
    NotShown,
}

/// The custom models of one project. Cheap to clone.
#[derive(Clone, Debug)]
pub struct FoundryClient {
    http: Arc<HttpClient>,
    tokens: Arc<TokenSource>,
    endpoint: ProjectEndpoint,
    api_version: String,
}

impl FoundryClient {
    /// A client for this project; the tokens must be for it.
    #[must_use]
    pub fn new(http: Arc<HttpClient>, tokens: Arc<TokenSource>, endpoint: ProjectEndpoint, api_version: &str) -> Self {
        Self { http, tokens, endpoint, api_version: api_version.to_owned() }
    }

    /// The project.
    #[must_use]
    pub fn endpoint(&self) -> &ProjectEndpoint {
        &self.endpoint
    }

    /// How the user signs in.
    #[must_use]
    pub fn sign_in(&self) -> credential::CredentialMethod {
        self.tokens.method()
    }

    /// The latest version of each model, all pages. Of the conditions of the listing the service may know the training job.
    ///
    /// # Errors
    /// See [`ListError`]; never a part of the list.
    pub async fn list_models(&self, listing: ModelListSeed) -> Result<Vec<ListedModel>, ListError> {
        let mut url = self.url(&[]);
        if let Some(job) = &listing.filter.source_job {
            url.query_pairs_mut().append_pair("source.jobId", job);
        }
        Ok(self.http.list_by(self.request(Method::GET, url, Retry::Idempotent), listing, None).await?.0)
    }

    /// Models of as many pages as contain `count` different ones, and whether these are all pages.
    ///
    /// # Errors
    /// See [`ListError`].
    pub async fn first_models(
        &self,
        count: usize,
        listing: ModelListSeed,
    ) -> Result<(Vec<ListedModel>, bool), ListError> {
        let is_enough = |models: &[ListedModel]| {
            let names: HashSet<&str> = models.iter().map(Versioned::name).collect();
            names.len() >= count
        };
        let request = self.request(Method::GET, self.url(&[]), Retry::Idempotent);
        Ok(self.http.list_by(request, listing, Some(&is_enough)).await?)
    }

    /// All versions of a model as a list shows them, all pages, in the service's order.
    ///
    /// # Errors
    /// See [`ListError`]; never a part of the list.
    pub async fn listed_versions(
        &self,
        name: &ModelName,
        listing: ModelListSeed,
    ) -> Result<Vec<ListedModel>, ListError> {
        let request = self.request(Method::GET, self.versions_url(name), Retry::Idempotent);
        Ok(self.http.list_by(request, listing, None).await?.0)
    }

    /// All versions of a model, all pages, in the service's order.
    ///
    /// # Errors
    /// See [`ListError`]; never a part of the list.
    pub async fn list_versions(&self, name: &ModelName) -> Result<Vec<CustomModel>, ListError> {
        Ok(self.http.list(self.request(Method::GET, self.versions_url(name), Retry::Idempotent)).await?)
    }

    /// One version of a model.
    ///
    /// # Errors
    /// A 404 among others; an answer that shows another model is none.
    pub async fn get_model(&self, name: &ModelName, version: &ModelVersion) -> Result<CustomModel, HttpError> {
        let url = self.version_url(name, version, None);
        let response = self.send(self.request(Method::GET, url, Retry::Idempotent)).await?;
        let model: CustomModel = response.json()?;
        if model.is_version(name, version) {
            return Ok(model);
        }
        let other = format!("it is about model '{}'", clean(&model.view().name));
        let other =
            model.view().version.as_ref().map_or(other.clone(), |version| format!("{other} version '{version}'"));
        Err(response.bad(ResponseFlaw::Shape(other)))
    }

    /// Changes description and tags of a version that exists, and returns it as it is then: by the answer, otherwise by
    /// a GET, which may lag behind.
    ///
    /// # Errors
    /// A 404, or a 409 or 412 on a concurrent change, among others.
    pub async fn update_model(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        change: &ModelChange,
    ) -> Result<CustomModel, UpdateError> {
        let url = self.version_url(name, version, None);
        let request = self.request(Method::PATCH, url, Retry::Idempotent);
        let response =
            self.send(request.bytes("application/merge-patch+json", wire::change(change).to_string())).await?;
        let is_changed = |model: &CustomModel| model.is_version(name, version) && change.is_shown_by(model);
        let answer = match response.json() {
            Ok(model) if is_changed(&model) => return Ok(model),
            Err(error) if response.check_body().is_err() => UpdateError::Http(error),
            _ => UpdateError::NotShown,
        };
        let mut polls = self.polls();
        for _ in 0..MAX_STALE_POLLS {
            let model = self.get_model(name, version).await?;
            if is_changed(&model) {
                return Ok(model);
            }
            tokio::time::sleep(polls.poll(None)).await;
        }
        Err(answer)
    }

    /// Requests a location for the files of a version. A repeated request returns a new SAS.
    ///
    /// # Errors
    /// 409 when the version exists, 403 when a role is missing, among others.
    pub async fn start_pending_upload(
        &self,
        name: &ModelName,
        version: &ModelVersion,
    ) -> Result<UploadLocation, HttpError> {
        let url = self.version_url(name, version, Some("startPendingUpload"));
        let request = self.request(Method::POST, url, Retry::Idempotent).json(&pending::request());
        let response = self.send(request).await?;
        pending::read(&response.json()?).map_err(|what| response.bad(ResponseFlaw::Shape(what.into())))
    }

    /// Asks for a SAS that reads the files of a registered version.
    ///
    /// # Errors
    /// A 403 or 404, among others.
    pub(crate) async fn read_location(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        blob_uri: &BlobUri,
    ) -> Result<UploadLocation, HttpError> {
        let url = self.version_url(name, version, Some("credentials"));
        let request = self.request(Method::POST, url, Retry::Idempotent).json(&json!({ "blobUri": blob_uri }));
        let response = self.send(request).await?;
        pending::read(&response.json()?).map_err(|what| response.bad(ResponseFlaw::Shape(what.into())))
    }

    /// All deployments that the project can use, all pages. They have no state.
    ///
    /// # Errors
    /// See [`ListError`]; never a part of the list.
    pub async fn list_deployments(&self) -> Result<Vec<ProjectDeployment>, ListError> {
        Ok(self.http.list(self.request(Method::GET, self.deployments_url(None), Retry::Idempotent)).await?)
    }

    /// One deployment that the project can use; `None` if there is none of this name.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn get_deployment(&self, name: &DeploymentName) -> Result<Option<ProjectDeployment>, HttpError> {
        let request = self.request(Method::GET, self.deployments_url(Some(name)), Retry::Idempotent);
        match self.send(request).await {
            Ok(response) => response.json().map(Some),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Deployments have one api-version, whatever that of models is.
    fn deployments_url(&self, name: Option<&DeploymentName>) -> Url {
        let mut url = self.endpoint.url().clone();
        // Fails only for URLs without a path, and an endpoint has one.
        if let Ok(mut path) = url.path_segments_mut() {
            path.push("deployments").extend(name.map(DeploymentName::as_str));
        }
        url.query_pairs_mut().append_pair("api-version", "v1");
        url
    }

    /// A request to the project or to a host that runs its operations: only those get its token.
    pub(super) fn request(&self, method: Method, url: Url, retry: Retry) -> Request<'_> {
        // Models are a preview within `v1`, which needs a header; older versions ignore it.
        Request::new(method, url, retry)
            .tokens(&self.tokens)
            .header("foundry-features", "Models=V1Preview")
            .service("Foundry")
    }

    pub(super) async fn send(&self, request: Request<'_>) -> Result<Response, HttpError> {
        self.http.send(&request).await
    }

    pub(crate) fn http(&self) -> &HttpClient {
        &self.http
    }

    pub(crate) fn shared_http(&self) -> Arc<HttpClient> {
        Arc::clone(&self.http)
    }

    pub(super) fn api_version(&self) -> &str {
        &self.api_version
    }

    /// The address of a version, or of an action on it.
    pub(super) fn version_url(&self, name: &ModelName, version: &ModelVersion, action: Option<&str>) -> Url {
        let path = [name.as_str(), "versions", version.as_str()];
        match action {
            Some(action) => self.url(&[path.as_slice(), &[action]].concat()),
            None => self.url(&path),
        }
    }

    fn versions_url(&self, name: &ModelName) -> Url {
        self.url(&[name.as_str(), "versions"])
    }

    pub(super) fn url(&self, below_models: &[&str]) -> Url {
        let mut url = self.endpoint.url().clone();
        // Fails only for URLs without a path, and an endpoint has one.
        if let Ok(mut path) = url.path_segments_mut() {
            path.push("models").extend(below_models);
        }
        url.query_pairs_mut().append_pair("api-version", &self.api_version);
        url
    }
}
