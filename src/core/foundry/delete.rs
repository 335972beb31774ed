//! Deletion of a version. The service answers 200 for versions that never existed, so callers check first.

use std::time::Duration;

use thiserror::Error;
use url::Url;

use super::client::FoundryClient;
use super::operation::MAX_STALE_POLLS;
use super::operation::{OperationPoll, retry_after};
use super::state::{OperationFailure, OperationState};
use crate::http::{HttpError, Method, Retry};
use crate::model::{ModelName, ModelVersion};

/// Failure of a deletion, or uncertainty about its outcome.
#[derive(Debug, Error)]
pub enum DeleteError {
    /// The service rejected the request; 409 when the model is in use.
    #[error("the deletion was refused")]
    Refused(#[source] HttpError),
    /// The deletion was accepted, and failed.
    #[error("the deletion failed: {0}")]
    Failed(OperationFailure),
    /// The deletion was accepted, and its state cannot be read.
    #[error("the deletion was accepted, but its state cannot be read")]
    Unwatchable(#[source] HttpError),
    /// The deletion was accepted or reported as done, but the version can still be read.
    #[error("the version still exists after its deletion")]
    StillExists,
    /// The limit ended the wait; the deletion continues.
    #[error("the deletion did not finish in time")]
    TimedOut,
}

impl FoundryClient {
    /// Deletes a version, waits for a running deletion up to the limit, and verifies by a GET that the version is gone.
    /// A version that does not exist counts as deleted.
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
                    // Deleted by another request, or by an earlier attempt of this call whose response was lost.
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
        let mut looks = MAX_STALE_POLLS;
        loop {
            let mut wait = None;
            if let Some(url) = operation.clone() {
                match self.poll_operation(&url).await.map_err(DeleteError::Unwatchable)? {
                    OperationPoll::State { state: OperationState::Done(_), .. } => {
                        (is_pending, operation) = (false, None);
                        continue;
                    }
                    OperationPoll::State { state: OperationState::Failed(failure), .. } => {
                        return Err(DeleteError::Failed(failure));
                    }
                    OperationPoll::State { state: OperationState::Running(_), next, retry_after } => {
                        operation = next.or(operation);
                        wait = retry_after;
                    }
                    OperationPoll::Unreadable(error) if error.is_passing() => wait = retry_after(&error),
                    OperationPoll::Unreadable(error) => return Err(DeleteError::Unwatchable(error)),
                    OperationPoll::Gone => {
                        operation = None;
                        continue;
                    }
                }
            } else {
                match self.get_model(name, version).await {
                    Ok(_) if is_pending => {}
                    Ok(_) if looks == 0 => return Err(DeleteError::StillExists),
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
