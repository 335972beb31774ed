//! The deployments of one account.

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::super::client::found;
use super::super::{AccountId, ArmClient, ArmError};
use super::body::{DRAFT_VERSION, USUAL_VERSION};
use crate::http::{HttpError, Method, Response, ResponseFlaw, Retry};
use crate::model::{Deployment, DeploymentName};
use crate::redact::clean;

/// Client for the deployments of one account. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Deployments {
    pub(super) arm: ArmClient,
    pub(super) account: AccountId,
}

/// A deployment as received, including its secrets, so that it can be sent back.
pub(super) struct RawDeployment {
    pub(super) body: Value,
    pub(super) deployment: Deployment,
}

#[derive(Deserialize)]
struct ContentFilter {
    name: String,
}

impl Deployments {
    /// Client for the deployments of this account.
    #[must_use]
    pub fn new(arm: ArmClient, account: AccountId) -> Self {
        Self { arm, account }
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// Client of the control plane.
    #[must_use]
    pub fn arm(&self) -> &ArmClient {
        &self.arm
    }

    /// Lists all deployments, all pages, in the service's order.
    ///
    /// # Errors
    /// See [`ArmError`]; never a partial list.
    pub async fn list(&self) -> Result<Vec<Deployment>, ArmError> {
        self.arm.all(&self.account.path(&["deployments"]), self.arm.provider_version(USUAL_VERSION)).await
    }

    /// Gets one deployment; `None` if it does not exist.
    ///
    /// # Errors
    /// See [`ArmError`].
    pub async fn get(&self, name: &DeploymentName) -> Result<Option<Deployment>, ArmError> {
        Ok(found(self.poll(name, USUAL_VERSION, Retry::Idempotent).await)?.map(|(seen, _)| seen.deployment))
    }

    /// Gets one deployment as received, with everything that an update has to send back: with a newer api-version if
    /// ARM supports it, since an older one omits the draft model.
    ///
    /// # Errors
    /// See [`ArmError`].
    pub async fn get_whole(&self, name: &DeploymentName) -> Result<Option<(Value, Deployment)>, ArmError> {
        let newer = self.poll(name, DRAFT_VERSION, Retry::Idempotent).await;
        let is_unknown = |error: &HttpError| {
            const CODES: [&str; 3] = ["NoRegisteredProviderFound", "InvalidApiVersionParameter", "InvalidResourceType"];
            error.status() == Some(400) && error.service().is_some_and(|error| error.has_code(&CODES))
        };
        let seen = match newer {
            Err(error) if is_unknown(&error) => self.poll(name, USUAL_VERSION, Retry::Idempotent).await,
            seen => seen,
        };
        Ok(found(seen)?.map(|(RawDeployment { body, deployment }, _)| (body, deployment)))
    }

    /// Lists the names of the account's content filters.
    ///
    /// # Errors
    /// See [`ArmError`].
    pub async fn content_filters(&self) -> Result<Vec<String>, ArmError> {
        let path = self.account.path(&["raiPolicies"]);
        let filters: Vec<ContentFilter> = self.arm.all(&path, self.arm.provider_version(USUAL_VERSION)).await?;
        Ok(filters.into_iter().map(|one| clean(&one.name)).collect())
    }

    /// Path of a deployment on the ARM host, as shown in plans.
    #[must_use]
    pub fn path(&self, name: &DeploymentName) -> String {
        self.url(name, "").path().to_owned()
    }

    /// Gets a deployment as received, and its response; fails if the response describes another one.
    pub(super) async fn poll(
        &self,
        name: &DeploymentName,
        version: &str,
        retry: Retry,
    ) -> Result<(RawDeployment, Response), HttpError> {
        let response = self.arm.http().send(&self.arm.request_by(Method::GET, self.url(name, version), retry)).await?;
        let body: Value = response.json()?;
        let seen = read(body).ok_or_else(|| response.bad(ResponseFlaw::Shape("no deployment in it".into())))?;
        let shown = &seen.deployment.view().name;
        if !shown.eq_ignore_ascii_case(name.as_str()) {
            return Err(response.bad(ResponseFlaw::Shape(format!("it is about deployment '{}'", clean(shown)))));
        }
        Ok((seen, response))
    }

    /// URL `.../accounts/ACCOUNT/deployments/NAME` with this api-version.
    pub(super) fn url(&self, name: &DeploymentName, version: &str) -> Url {
        let path = self.account.path(&["deployments", name.as_str()]);
        self.arm.endpoint().url(&path, self.arm.provider_version(version))
    }
}

/// Parses a deployment in a response, if it contains one.
pub(super) fn read(body: Value) -> Option<RawDeployment> {
    let deployment = serde_json::from_value(body.clone()).ok()?;
    Some(RawDeployment { body, deployment })
}
