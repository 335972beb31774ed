//! Deployments as listed by the project itself.

use url::Url;

use super::{FoundryClient, ListError};
use crate::http::{HttpError, Method, Retry};
use crate::model::{DeploymentName, ProjectDeployment};

impl FoundryClient {
    /// Lists all deployments that the project can use, all pages. They have no state.
    ///
    /// # Errors
    /// See [`ListError`]; never a partial list.
    pub async fn list_deployments(&self) -> Result<Vec<ProjectDeployment>, ListError> {
        Ok(self.http().list(self.request(Method::GET, self.deployments_url(None), Retry::Idempotent)).await?)
    }

    /// Gets one deployment that the project can use; `None` if it does not exist.
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

    /// URL of deployments, which have one api-version, independent of that of models.
    fn deployments_url(&self, name: Option<&DeploymentName>) -> Url {
        let mut url = self.endpoint().url().clone();
        // Fails only for URLs without a path, and an endpoint has one.
        if let Ok(mut path) = url.path_segments_mut() {
            path.push("deployments").extend(name.map(DeploymentName::as_str));
        }
        url.query_pairs_mut().append_pair("api-version", "v1");
        url
    }
}
