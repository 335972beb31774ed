//! Requests to find a project. Lists are complete or an error.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use url::Url;

use super::{Account, AccountId, ArmEndpoint, PROVIDER, ProjectId};
use crate::credential::TokenSource;
use crate::http::{HttpClient, HttpError, Method, PageError, Request, Retry};

const SUBSCRIPTIONS_VERSION: &str = "2022-12-01";
/// Api-version that is widely used, and sufficient for the requests of this module.
const ACCOUNTS_VERSION: &str = "2025-06-01";
const FEATURES_VERSION: &str = "2021-07-01";

/// Failure of a request to Azure Resource Manager.
#[derive(Debug, Error)]
pub enum ArmError {
    /// The request failed.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The next page is on another host or was already read, or there is no last page.
    #[error("the list from Azure Resource Manager continues on another host, repeats, or does not end")]
    Pages,
}

impl ArmError {
    /// True if the user lacks a role.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.status() == Some(403)
    }

    /// True if the resource does not exist, or the user has no access to it.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    fn status(&self) -> Option<u16> {
        match self {
            Self::Http(error) => error.status(),
            Self::Pages => None,
        }
    }
}

impl From<PageError> for ArmError {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Http(error) => Self::Http(error),
            PageError::OtherOrigin { .. } | PageError::UserInformation | PageError::Cycle | PageError::Endless => {
                Self::Pages
            }
        }
    }
}

/// A subscription.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// Subscription id.
    #[serde(rename = "subscriptionId")]
    pub id: String,
    /// Display name.
    #[serde(rename = "displayName", default)]
    pub name: String,
    /// Tenant id.
    #[serde(rename = "tenantId", default)]
    pub tenant: String,
    #[serde(default)]
    state: Option<String>,
}

/// Foundry project, with the fields that clients need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundryProject {
    /// ARM id, with names in ARM's spelling.
    pub id: ProjectId,
    /// Azure region.
    pub location: String,
    /// Endpoint, not yet validated; `None` if ARM reports none.
    pub endpoint: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct ProjectProperties {
    #[serde(default)]
    endpoints: BTreeMap<String, String>,
}

/// A feature of a resource provider that a subscription can opt in to.
#[derive(Deserialize)]
struct Feature {
    #[serde(default)]
    properties: FeatureProperties,
}

#[derive(Default, Deserialize)]
struct FeatureProperties {
    #[serde(default)]
    state: String,
}

#[derive(Deserialize)]
struct ProjectResource {
    id: String,
    #[serde(default)]
    location: String,
    #[serde(default)]
    properties: ProjectProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tenant {
    tenant_id: String,
}

/// Client of Azure Resource Manager, in one tenant.
#[derive(Clone, Debug)]
pub struct ArmClient {
    http: Arc<HttpClient>,
    tokens: Arc<TokenSource>,
    endpoint: ArmEndpoint,
    /// Api-version for all requests to the provider of Foundry accounts, instead of the tested one.
    api_version: Option<String>,
}

impl ArmClient {
    /// Client; the tokens must be valid for the endpoint.
    #[must_use]
    pub fn new(http: Arc<HttpClient>, tokens: Arc<TokenSource>, endpoint: ArmEndpoint) -> Self {
        Self { http, tokens, endpoint, api_version: None }
    }

    /// Sets this api-version for all requests to the provider of Foundry accounts.
    #[must_use]
    pub fn with_api_version(mut self, version: Option<String>) -> Self {
        self.api_version = version;
        self
    }

    /// Lists the tenants of the user.
    ///
    /// # Errors
    /// See [`ArmError`].
    pub async fn tenants(&self) -> Result<Vec<String>, ArmError> {
        let tenants: Vec<Tenant> = self.all(&["tenants"], SUBSCRIPTIONS_VERSION).await?;
        Ok(tenants.into_iter().map(|one| one.tenant_id).collect())
    }

    /// Lists the enabled subscriptions of the token's tenant.
    ///
    /// # Errors
    /// See [`ArmError`].
    pub async fn subscriptions(&self) -> Result<Vec<Subscription>, ArmError> {
        let mut all: Vec<Subscription> = self.all(&["subscriptions"], SUBSCRIPTIONS_VERSION).await?;
        all.retain(|one| one.state.as_deref().is_none_or(|state| !matches!(state, "Disabled" | "Deleted")));
        all.sort_by_key(|one| one.name.to_lowercase());
        Ok(all)
    }

    /// Lists the Foundry accounts of a subscription.
    ///
    /// # Errors
    /// See [`ArmError`].
    pub async fn accounts(&self, subscription: &str) -> Result<Vec<Account>, ArmError> {
        let path = ["subscriptions", subscription, "providers", PROVIDER, "accounts"];
        let mut all: Vec<Account> = self.all(&path, self.provider_version(ACCOUNTS_VERSION)).await?;
        all.retain(|account| account.kind.eq_ignore_ascii_case("AIServices"));
        Ok(all)
    }

    /// Gets one account; `None` if it does not exist.
    ///
    /// # Errors
    /// See [`ArmError`].
    pub async fn account(&self, id: &AccountId) -> Result<Option<Account>, ArmError> {
        let url = self.endpoint.url(&id.path(&[]), self.provider_version(ACCOUNTS_VERSION));
        found(self.get(url).await)
    }

    /// Gets the state of a feature that a subscription can opt in to, such as `Registered`; `None` if the subscription
    /// does not have it.
    ///
    /// # Errors
    /// See [`ArmError`].
    pub async fn feature(&self, subscription: &str, name: &str) -> Result<Option<String>, ArmError> {
        let path =
            ["subscriptions", subscription, "providers", "Microsoft.Features", "providers", PROVIDER, "features", name];
        let feature: Option<Feature> = found(self.get(self.endpoint.url(&path, FEATURES_VERSION)).await)?;
        Ok(feature.map(|feature| feature.properties.state))
    }

    /// Lists the projects of an account.
    ///
    /// # Errors
    /// See [`ArmError`].
    pub async fn projects(&self, account: &Account) -> Result<Vec<FoundryProject>, ArmError> {
        let parts: Vec<&str> = account.id().split('/').chain(["projects"]).collect();
        let all: Vec<ProjectResource> = self.all(&parts, self.provider_version(ACCOUNTS_VERSION)).await?;
        Ok(all.into_iter().filter_map(readable).collect())
    }

    /// Gets one project; `None` if it does not exist.
    ///
    /// # Errors
    /// See [`ArmError`].
    pub async fn project(&self, id: &ProjectId) -> Result<Option<FoundryProject>, ArmError> {
        let account = id.account_id();
        let path = account.path(&["projects", &id.project]);
        let project = found(self.get(self.endpoint.url(&path, self.provider_version(ACCOUNTS_VERSION))).await)?;
        Ok(project.and_then(readable))
    }

    /// Api-version of a request to the provider of Foundry accounts: the user's, otherwise this one.
    pub(super) fn provider_version<'a>(&'a self, usual: &'a str) -> &'a str {
        self.api_version.as_deref().unwrap_or(usual)
    }

    /// Address of Azure Resource Manager.
    pub(super) fn endpoint(&self) -> &ArmEndpoint {
        &self.endpoint
    }

    /// HTTP client.
    pub(super) fn http(&self) -> &HttpClient {
        &self.http
    }

    /// Lists all pages of a resource collection. `path` contains the segments below `https://management.azure.com/`.
    pub(super) async fn all<T: DeserializeOwned + Send + 'static>(
        &self,
        path: &[&str],
        api_version: &str,
    ) -> Result<Vec<T>, ArmError> {
        self.all_at(self.endpoint.url(path, api_version)).await
    }

    /// Lists all pages starting at this URL; never a partial list.
    pub(super) async fn all_at<T: DeserializeOwned + Send + 'static>(&self, url: Url) -> Result<Vec<T>, ArmError> {
        Ok(self.http.list(self.request(url)).await?)
    }

    /// Sends a GET and parses the response.
    pub(super) async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<T, HttpError> {
        self.http.send(&self.request(url)).await?.json()
    }

    fn request(&self, url: Url) -> Request<'_> {
        self.request_by(Method::GET, url, Retry::Idempotent)
    }

    /// Request to the control plane; no other host receives its token.
    pub(super) fn request_by(&self, method: Method, url: Url, retry: Retry) -> Request<'_> {
        Request::new(method, url, retry).tokens(&self.tokens).service("Azure Resource Manager")
    }
}

/// Converts the result of a GET: `None` for a 404.
pub(super) fn found<T>(answer: Result<T, HttpError>) -> Result<Option<T>, ArmError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.status() == Some(404) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Converts an ARM resource to a project; `None` if its id cannot be parsed.
fn readable(project: ProjectResource) -> Option<FoundryProject> {
    let id = ProjectId::parse(&project.id).ok()?;
    let endpoints = project.properties.endpoints;
    let is_one = |url: &&String| url.contains("/api/projects/");
    let endpoint = endpoints.get("AI Foundry API").or_else(|| endpoints.values().find(is_one)).cloned();
    Some(FoundryProject { id, location: project.location, endpoint })
}
