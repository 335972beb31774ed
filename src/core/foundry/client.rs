//! The client of a project: its addresses, and requests with its token.

use std::sync::Arc;

use url::Url;

use crate::credential::{self, TokenSource};
use crate::env::{Env, var};
use crate::http::{HttpClient, HttpError, Method, Request, Response, ResponseFlaw, Retry};
use crate::model::{CustomModel, ModelName, ModelVersion};
use crate::project::ProjectEndpoint;
use crate::redact::clean;

/// Api-version of the released Go extension.
pub const DEFAULT_API_VERSION: &str = "2025-11-15-preview";

/// Api-version of this run: `AZURE_AI_MODELS_API_VERSION`, otherwise the default.
#[must_use]
pub fn api_version(env: &Env) -> &str {
    env.get(var::API_VERSION).unwrap_or(DEFAULT_API_VERSION)
}

/// Client for the custom models of one project. Cheap to clone.
#[derive(Clone, Debug)]
pub struct FoundryClient {
    http: Arc<HttpClient>,
    tokens: Arc<TokenSource>,
    endpoint: ProjectEndpoint,
    api_version: String,
}

impl FoundryClient {
    /// Client for this project; the tokens must be valid for it.
    #[must_use]
    pub fn new(http: Arc<HttpClient>, tokens: Arc<TokenSource>, endpoint: ProjectEndpoint, api_version: &str) -> Self {
        Self { http, tokens, endpoint, api_version: api_version.to_owned() }
    }

    /// Project endpoint.
    #[must_use]
    pub fn endpoint(&self) -> &ProjectEndpoint {
        &self.endpoint
    }

    /// Sign-in method of the user.
    #[must_use]
    pub fn sign_in(&self) -> credential::CredentialMethod {
        self.tokens.method()
    }

    /// Gets one version of a model.
    ///
    /// # Errors
    /// A 404 among others; also if the response describes another model.
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

    /// Request to the project or to a host that runs its operations: only those receive its token.
    pub(super) fn request(&self, method: Method, url: Url, retry: Retry) -> Request<'_> {
        // Models are a preview within `v1`, which requires a header; older versions ignore it.
        Request::new(method, url, retry)
            .tokens(&self.tokens)
            .header("foundry-features", "Models=V1Preview")
            .service("Foundry")
    }

    /// Sends a request.
    pub(super) async fn send(&self, request: Request<'_>) -> Result<Response, HttpError> {
        self.http.send(&request).await
    }

    /// HTTP client of this project.
    pub(crate) fn http(&self) -> &HttpClient {
        &self.http
    }

    /// HTTP client for the blob store, which needs no token of the project.
    pub(crate) fn shared_http(&self) -> Arc<HttpClient> {
        Arc::clone(&self.http)
    }

    /// Api-version of the requests.
    pub(super) fn api_version(&self) -> &str {
        &self.api_version
    }

    /// URL of a version, or of an action on it.
    pub(super) fn version_url(&self, name: &ModelName, version: &ModelVersion, action: Option<&str>) -> Url {
        let path = [name.as_str(), "versions", version.as_str()];
        match action {
            Some(action) => self.url(&[path.as_slice(), &[action]].concat()),
            None => self.url(&path),
        }
    }

    /// URL of the versions of a model.
    pub(super) fn versions_url(&self, name: &ModelName) -> Url {
        self.url(&[name.as_str(), "versions"])
    }

    /// `ENDPOINT/models/...` with the api-version. Segments are percent-encoded.
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
