//! Deletion of a version. The service answers 200 for what never existed, so whoever asks looks first.

use std::time::Duration;

use thiserror::Error;
use url::Url;

use super::client::{FoundryClient, PATIENCE};
use super::operation::{Look, retry_after};
use super::state::{Failure, OperationState};
use crate::http::{HttpError, Method, Retry};
use crate::model::{ModelName, ModelVersion};

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
    /// It was accepted or is said to have ended well, and the version can still be read.
    #[error("the version is still there after its deletion")]
    StillThere,
    /// It goes on.
    #[error("the deletion did not end in time")]
    TimedOut,
}

impl FoundryClient {
    /// Deletes a version, waits under the limit where the service takes its time, and proves by a GET that it is gone.
    /// A version that is not there is deleted.
    ///
    /// # Errors
    /// See [`DeleteError`].
    pub async fn delete(&self, name: &ModelName, version: &ModelVersion, limit: Duration) -> Result<(), DeleteError> {
        let url = self.version_url(name, version, None);
        let (is_pending, operation) =
            match self.send(self.request(Method::DELETE, url.clone(), Retry::Idempotent)).await {
                Ok(response) => {
                    response.check_body().map_err(DeleteError::Refused)?;
                    let is_pending = response.status == 202;
                    (is_pending, self.operation_of(&url, &response).filter(|_| is_pending))
                }
                Err(error) => {
                    // Another request deleted it first, or an earlier one of this call whose answer was lost.
                    let is_gone = error.status() == Some(404)
                        && self.get_model(name, version).await.is_err_and(|error| error.status() == Some(404));
                    return if is_gone { Ok(()) } else { Err(DeleteError::Refused(error)) };
                }
            };
        tokio::time::timeout(limit, self.watch_deletion((name, version), is_pending, operation))
            .await
            .unwrap_or(Err(DeleteError::TimedOut))
    }

    async fn watch_deletion(
        &self,
        (name, version): (&ModelName, &ModelVersion),
        mut is_pending: bool,
        mut operation: Option<Url>,
    ) -> Result<(), DeleteError> {
        let mut polls = self.polls();
        let mut looks = PATIENCE;
        loop {
            let mut wait = None;
            if let Some(url) = operation.clone() {
                match self.look(&url).await.map_err(DeleteError::Unwatchable)? {
                    Look::State { state: OperationState::Done(_), .. } => {
                        (is_pending, operation) = (false, None);
                        continue;
                    }
                    Look::State { state: OperationState::Failed(failure), .. } => {
                        return Err(DeleteError::Failed(failure));
                    }
                    Look::State { state: OperationState::Running(_), next, retry_after } => {
                        operation = next.or(operation);
                        wait = retry_after;
                    }
                    Look::Unreadable(error) if error.is_passing() => wait = retry_after(&error),
                    Look::Unreadable(error) => return Err(DeleteError::Unwatchable(error)),
                    Look::Gone => {
                        operation = None;
                        continue;
                    }
                }
            } else {
                match self.get_model(name, version).await {
                    Ok(_) if is_pending => {}
                    Ok(_) if looks == 0 => return Err(DeleteError::StillThere),
                    // A GET may lag behind.
                    Ok(_) => looks -= 1,
                    Err(error) if error.status() == Some(404) => return Ok(()),
                    Err(error) if error.is_passing() => wait = retry_after(&error),
                    Err(error) => return Err(DeleteError::Unwatchable(error)),
                }
            }
            tokio::time::sleep(polls.poll(wait)).await;
        }
    }
}
