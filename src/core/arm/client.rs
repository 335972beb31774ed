//! The reads that lead to a project. Lists are whole or an error.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use url::Url;

use super::{ArmEndpoint, ProjectId};
use crate::credential::TokenSource;
use crate::http::{HttpClient, HttpError, Method, PageError, Request, Retry};
use crate::project::ProjectEndpoint;

const SUBSCRIPTIONS_VERSION: &str = "2022-12-01";
/// Widely used, and has all that is asked here.
const ACCOUNTS_VERSION: &str = "2025-06-01";
const PROVIDER: &str = "Microsoft.CognitiveServices";

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum ArmError {
    /// The request failed.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// A next page is elsewhere, or one that was read already, or there is no last one.
    #[error("the list of Azure Resource Manager goes on at another host, round in a circle, or without end")]
    Pages,
}

impl From<PageError> for ArmError {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Http(error) => Self::Http(error),
            PageError::OtherOrigin { .. } | PageError::UserInformation | PageError::Circle | PageError::Endless => {
                Self::Pages
            }
        }
    }
}

/// A subscription.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// Its id.
    #[serde(rename = "subscriptionId")]
    pub id: String,
    /// What people call it.
    #[serde(rename = "displayName", default)]
    pub name: String,
    /// Its tenant.
    #[serde(rename = "tenantId", default)]
    pub tenant: String,
    #[serde(default)]
    state: Option<String>,
}

/// A Foundry account.
#[derive(Clone, Debug, Deserialize)]
pub struct Account {
    id: String,
    /// Its ARM name.
    pub name: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    properties: Properties,
}

/// A Foundry project, with what a client has to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundryProject {
    /// Its id; names are written as ARM writes them.
    pub id: ProjectId,
    /// Azure region.
    pub location: String,
    /// Its endpoint, not yet checked; `None` where ARM does not tell.
    pub endpoint: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    #[serde(default)]
    custom_sub_domain_name: Option<String>,
    #[serde(default)]
    endpoints: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Project {
    id: String,
    #[serde(default)]
    location: String,
    #[serde(default)]
    properties: Properties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tenant {
    tenant_id: String,
}

impl Account {
    /// The group that it is in.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        let mut parts = self.id.split('/');
        parts.find(|part| part.eq_ignore_ascii_case("resourceGroups"))?;
        parts.next()
    }

    /// True when the endpoint is one of this account's: by the first label of its host, else by the whole address.
    fn serves(&self, endpoint: &ProjectEndpoint) -> bool {
        let label = endpoint.account();
        let named = self.properties.custom_sub_domain_name.as_deref().unwrap_or(&self.name);
        let is_there = |url: &String| Url::parse(url).is_ok_and(|url| endpoint.same_origin(&url));
        named.eq_ignore_ascii_case(label) || self.properties.endpoints.values().any(is_there)
    }
}

/// Azure Resource Manager, as one tenant shows it.
#[derive(Clone, Debug)]
pub struct ArmClient {
    http: Arc<HttpClient>,
    tokens: Arc<TokenSource>,
    endpoint: ArmEndpoint,
}

impl ArmClient {
    /// A client; the tokens must be for it.
    #[must_use]
    pub fn new(http: Arc<HttpClient>, tokens: Arc<TokenSource>, endpoint: ArmEndpoint) -> Self {
        Self { http, tokens, endpoint }
    }

    /// The tenants that the person belongs to.
    ///
    /// # Errors
    /// See [`ArmError`].
    pub async fn tenants(&self) -> Result<Vec<String>, ArmError> {
        let tenants: Vec<Tenant> = self.all(&["tenants"], SUBSCRIPTIONS_VERSION).await?;
        Ok(tenants.into_iter().map(|one| one.tenant_id).collect())
    }

    /// The subscriptions of the token's tenant that can be used.
    ///
    /// # Errors
    /// See [`ArmError`].
    pub async fn subscriptions(&self) -> Result<Vec<Subscription>, ArmError> {
        let mut all: Vec<Subscription> = self.all(&["subscriptions"], SUBSCRIPTIONS_VERSION).await?;
        all.retain(|one| one.state.as_deref().is_none_or(|state| !matches!(state, "Disabled" | "Deleted")));
        all.sort_by_key(|one| one.name.to_lowercase());
        Ok(all)
    }

    /// The Foundry accounts of a subscription.
    ///
    /// # Errors
    /// See [`ArmError`].
    pub async fn accounts(&self, subscription: &str) -> Result<Vec<Account>, ArmError> {
        let path = ["subscriptions", subscription, "providers", PROVIDER, "accounts"];
        let mut all: Vec<Account> = self.all(&path, ACCOUNTS_VERSION).await?;
        all.retain(|account| account.kind.eq_ignore_ascii_case("AIServices"));
        Ok(all)
    }

    /// The projects of an account.
    ///
    /// # Errors
    /// See [`ArmError`].
    pub async fn projects(&self, account: &Account) -> Result<Vec<FoundryProject>, ArmError> {
        let parts: Vec<&str> = account.id.trim_matches('/').split('/').chain(["projects"]).collect();
        let all: Vec<Project> = self.all(&parts, ACCOUNTS_VERSION).await?;
        Ok(all.into_iter().filter_map(found).collect())
    }

    /// One project; `None` when there is none of this id.
    ///
    /// # Errors
    /// See [`ArmError`].
    pub async fn project(&self, id: &ProjectId) -> Result<Option<FoundryProject>, ArmError> {
        let ProjectId { subscription, group, account, project } = id;
        let path = [
            "subscriptions",
            subscription,
            "resourceGroups",
            group,
            "providers",
            PROVIDER,
            "accounts",
            account,
            "projects",
            project,
        ];
        match self.get::<Project>(self.endpoint.url(&path, ACCOUNTS_VERSION)).await {
            Ok(project) => Ok(found(project)),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The project at an endpoint, in one subscription; `None` when no account there has it.
    ///
    /// # Errors
    /// See [`ArmError`].
    pub async fn project_at(
        &self,
        subscription: &str,
        endpoint: &ProjectEndpoint,
    ) -> Result<Option<FoundryProject>, ArmError> {
        for account in self.accounts(subscription).await?.iter().filter(|account| account.serves(endpoint)) {
            let projects = self.projects(account).await?;
            let found = projects.into_iter().find(|one| one.id.project.eq_ignore_ascii_case(endpoint.project()));
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    async fn all<T: DeserializeOwned + Send + 'static>(
        &self,
        path: &[&str],
        api_version: &str,
    ) -> Result<Vec<T>, ArmError> {
        Ok(self.http.list(self.request(self.endpoint.url(path, api_version))).await?)
    }

    async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<T, HttpError> {
        self.http.send(&self.request(url)).await?.json()
    }

    fn request(&self, url: Url) -> Request<'_> {
        Request::new(Method::GET, url, Retry::Idempotent).tokens(&self.tokens).service("Azure Resource Manager")
    }
}

/// What is known of a project whose id can be read.
fn found(project: Project) -> Option<FoundryProject> {
    let id = ProjectId::parse(&project.id).ok()?;
    let endpoints = project.properties.endpoints;
    let is_one = |url: &&String| url.contains("/api/projects/");
    let endpoint = endpoints.get("AI Foundry API").or_else(|| endpoints.values().find(is_one)).cloned();
    Some(FoundryProject { id, location: project.location, endpoint })
}
