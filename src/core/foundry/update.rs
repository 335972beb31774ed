//! Update of a registered version.

use thiserror::Error;

use super::operation::MAX_STALE_POLLS;
use super::{FoundryClient, wire};
use crate::http::{HttpError, Method, Retry};
use crate::model::{CustomModel, ModelChange, ModelName, ModelVersion};

/// Failure to change a model.
#[derive(Debug, Error)]
pub enum UpdateError {
    /// Failed request.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The service accepted the change, but the model does not show it.
    #[error("the service accepted the change, but the model does not show it")]
    NotApplied,
}

impl FoundryClient {
    /// Changes description and tags of an existing version, and returns it in its new state: from the response,
    /// otherwise from a GET, which may lag behind.
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
            _ => UpdateError::NotApplied,
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
}
