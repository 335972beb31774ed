//! Writes: one at a time per account. A lost response does not cause a second write.

use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::body::version_for;
use super::client::{Deployments, read};
use super::{DeployError, DeploymentChange, NewDeployment};
use crate::http::{Backoff, HttpError, Method, Request, Response, Retry};
use crate::model::{Deployment, DeploymentName, DeploymentState, Report};

/// A write that the service accepted.
#[derive(Debug)]
pub struct AcceptedWrite {
    /// Deployment in the response, if it contains one.
    pub deployment: Option<Deployment>,
    /// URLs of the operation, in the order in which they are polled.
    pub(super) operations: Vec<Url>,
    /// Api-version for polling.
    pub(super) version: String,
}

impl AcceptedWrite {
    /// True if the response itself reports the end of the operation.
    pub(super) fn is_done(&self) -> bool {
        let state = self.deployment.as_ref().map(|deployment| deployment.view().state());
        state == Some(DeploymentState::Succeeded)
    }
}

/// Codes of a transient conflict.
const BUSY: [&str; 2] = ["RequestConflict", "AccountProvisioningStateInvalid"];

impl Deployments {
    /// Creates a deployment. The caller must make sure that the name is free: a PUT over an existing one changes it.
    ///
    /// # Errors
    /// `Refused`, `Busy`, `Taken`.
    pub async fn create(&self, name: &DeploymentName, new: &NewDeployment) -> Result<AcceptedWrite, DeployError> {
        let (body, version) = (new.body(), new.api_version());
        let mut backoff = Backoff::new(self.arm.http().timings(), Retry::Idempotent);
        loop {
            let request = self.write(Method::PUT, name, version, Retry::OnlyUnprocessed).json(&body);
            let error = match self.send(request).await {
                Ok(response) => return Ok(self.accepted(&response, version)),
                Err(DeployError::Refused(error)) if is_lost(&error) => error,
                Err(error) => return Err(error),
            };
            match self.poll(name, version, Retry::Idempotent).await {
                Ok((seen, _)) if new.is_model_of(seen.deployment.view()) => {
                    let deployment = Some(seen.deployment);
                    let version = version.to_owned();
                    return Ok(AcceptedWrite { deployment, operations: Vec::new(), version });
                }
                Ok(_) => return Err(DeployError::Taken),
                Err(absent) if absent.status() == Some(404) => match backoff.after(&error) {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(DeployError::Refused(error)),
                },
                Err(_) => return Err(DeployError::Refused(error)),
            }
        }
    }

    /// Changes a deployment; `present` is its state as received by [`get_whole`](Self::get_whole).
    ///
    /// # Errors
    /// `Refused`, `Busy`.
    pub async fn change(
        &self,
        name: &DeploymentName,
        present: &Value,
        change: &DeploymentChange,
    ) -> Result<AcceptedWrite, DeployError> {
        if change.needs_put() {
            return self.put(name, &change.put(present)).await;
        }
        let body = change.patch(present);
        let version = version_for(&body);
        let request = self.write(Method::PATCH, name, version, Retry::Idempotent).json(&body);
        Ok(self.accepted(&self.send(request).await?, version))
    }

    /// Sends an existing deployment back.
    pub(super) async fn put(&self, name: &DeploymentName, body: &Value) -> Result<AcceptedWrite, DeployError> {
        let version = version_for(body);
        let request = self.write(Method::PUT, name, version, Retry::Idempotent).json(body);
        Ok(self.accepted(&self.send(request).await?, version))
    }

    /// Deletes a deployment. One that does not exist counts as deleted.
    ///
    /// # Errors
    /// `Refused`, `Busy`.
    pub async fn delete(&self, name: &DeploymentName) -> Result<AcceptedWrite, DeployError> {
        let version = super::body::USUAL_VERSION;
        match self.send(self.write(Method::DELETE, name, version, Retry::Idempotent)).await {
            Ok(response) => Ok(self.accepted(&response, version)),
            Err(DeployError::Refused(error)) if error.status() == Some(404) => {
                Ok(self.accepted(&Response::default(), version))
            }
            Err(error) => Err(error),
        }
    }

    fn write(&self, method: Method, name: &DeploymentName, version: &str, retry: Retry) -> Request<'_> {
        self.arm.request_by(method, self.url(name, version), retry)
    }

    /// Sends a write, repeatedly while another operation keeps the account busy.
    async fn send(&self, request: Request<'_>) -> Result<Response, DeployError> {
        let http = self.arm.http();
        let timings = http.timings();
        let begun = Instant::now();
        let mut pauses = Backoff::polls(timings).between(timings.busy_first, timings.busy_cap);
        loop {
            let error = match http.send(&request).await {
                Ok(response) => {
                    response.check_body().map_err(DeployError::Refused)?;
                    return Ok(response);
                }
                Err(error) => error,
            };
            if !is_busy(&error) {
                return Err(DeployError::Refused(error));
            }
            let pause = pauses.poll(error.service().and_then(|error| error.retry_after));
            if begun.elapsed() + pause > timings.busy {
                return Err(DeployError::Busy(error));
            }
            if pauses.failed() <= 1 {
                let text = format!(
                    "Another operation is running on account '{}'; waiting for it to end...",
                    self.account.account
                );
                http.report(Report::Notice(text));
            }
            tokio::time::sleep(pause).await;
        }
    }

    fn accepted(&self, response: &Response, version: &str) -> AcceptedWrite {
        let named = [&response.azure_async_operation, &response.location].into_iter().flatten();
        let urls = named.filter_map(|text| Url::parse(text).ok());
        // Other hosts receive no token; the deployment itself is polled.
        let operations = urls.filter(|url| self.arm.endpoint().same_origin(url)).collect();
        let body = serde_json::from_slice(&response.body).unwrap_or_default();
        AcceptedWrite { deployment: read(body).map(|seen| seen.deployment), operations, version: version.to_owned() }
    }
}

/// True for a transient conflict, even if the code is in a detail.
fn is_busy(error: &HttpError) -> bool {
    error.status() == Some(409) && error.service().is_some_and(|error| error.has_code_anywhere(&BUSY))
}

/// True if the service may have accepted a request whose response was lost.
fn is_lost(error: &HttpError) -> bool {
    match error {
        HttpError::Network { connecting, .. } => !connecting && error.is_passing(),
        HttpError::Service(error) => error.status >= 500,
        _ => false,
    }
}
