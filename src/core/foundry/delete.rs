//! Deletion of a version. The service answers 200 for what never existed, so whoever asks looks first.

use std::time::Duration;

use thiserror::Error;
use url::Url;

use super::client::FoundryClient;
use super::operation::{Look, retry_after};
use super::state::{Failure, OperationState};
use crate::http::{HttpError, Method, Retry};
use crate::model::{ModelName, ModelVersion};

/// A deletion that the service accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// It goes on (202).
    pub pending: bool,
    /// Where to ask for it, if it goes on and we may ask there.
    pub operation: Option<Url>,
}

/// Why a version is not deleted, or not surely.
#[derive(Debug, Error)]
pub enum DeleteError {
    /// The service did not accept it; 409 when the model is in use.
    #[error("the deletion was refused")]
    Refused(#[source] HttpError),
    /// It was accepted, and ended badly.
    #[error("the deletion failed: {0}")]
    Failed(Failure),
    /// It was accepted, and its state cannot be read.
    #[error("the deletion was accepted, but its state cannot be read")]
    Unwatchable(#[source] HttpError),
    /// It goes on.
    #[error("the deletion did not end in time")]
    TimedOut,
}

impl FoundryClient {
    /// Deletes a version, and waits under the limit where the service takes its time.
    ///
    /// # Errors
    /// See [`DeleteError`].
    pub async fn delete(&self, name: &ModelName, version: &ModelVersion, limit: Duration) -> Result<(), DeleteError> {
        let deleted = self.delete_model(name, version).await.map_err(DeleteError::Refused)?;
        if !deleted.pending {
            return Ok(());
        }
        tokio::time::timeout(limit, self.watch_deletion(name, version, deleted.operation))
            .await
            .unwrap_or(Err(DeleteError::TimedOut))
    }

    /// DELETE, without waiting.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn delete_model(&self, name: &ModelName, version: &ModelVersion) -> Result<Deleted, HttpError> {
        let url = self.version_url(name, version, None);
        let response = self.send(self.request(Method::DELETE, url.clone(), Retry::Idempotent)).await?;
        response.check_body()?;
        let pending = response.status == 202;
        Ok(Deleted { pending, operation: self.operation_of(&url, &response).filter(|_| pending) })
    }

    async fn watch_deletion(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        mut operation: Option<Url>,
    ) -> Result<(), DeleteError> {
        let mut polls = self.polls();
        loop {
            let mut wait = None;
            if let Some(url) = operation.clone() {
                match self.look(&url).await.map_err(DeleteError::Unwatchable)? {
                    Look::State { state: OperationState::Done, .. } => return Ok(()),
                    Look::State { state: OperationState::Failed(failure), .. } => {
                        return Err(DeleteError::Failed(failure));
                    }
                    Look::State { state: OperationState::Running(_), next, retry_after } => {
                        operation = next.or(operation);
                        wait = retry_after;
                    }
                    Look::Later(error) => wait = retry_after(&error),
                    Look::Gone => {
                        operation = None;
                        continue;
                    }
                }
            } else {
                match self.get_model(name, version).await {
                    Ok(_) => {}
                    Err(error) if error.status() == Some(404) => return Ok(()),
                    Err(error) if error.is_passing() => wait = retry_after(&error),
                    Err(error) => return Err(DeleteError::Unwatchable(error)),
                }
            }
            tokio::time::sleep(polls.poll(wait)).await;
        }
    }
}
