//! One poll of a running operation.

use std::time::Duration;

use url::Url;

use super::client::FoundryClient;
use super::state::{self, OperationLocation, OperationState};
use crate::http::{Backoff, HttpError, Method, Response, Retry};
use crate::model::Report;

/// Result of a poll of an operation.
pub(super) enum OperationPoll {
    /// State of the operation, and the new URL to poll if that changed.
    State { state: OperationState, next: Option<Url>, retry_after: Option<Duration> },
    /// Unreadable: the service is busy, the network failed, or the user lacks permission to read it.
    Unreadable(HttpError),
    /// The service no longer knows the operation, or another server responded.
    Gone,
}

/// Number of polls of a model before an accepted change counts as failed: a GET may lag behind.
pub(super) const MAX_STALE_POLLS: u32 = 8;

impl FoundryClient {
    /// Delays between polls.
    pub(super) fn polls(&self) -> Backoff<'_> {
        Backoff::polls(self.http().timings())
    }

    /// URL of the operation in a response, if the token may be sent there.
    pub(super) fn operation_of(&self, asked: &Url, response: &Response) -> Option<Url> {
        match state::operation_location(self.endpoint(), asked, response) {
            OperationLocation::Trusted(url) => Some(url),
            OperationLocation::Nowhere => None,
            OperationLocation::Foreign(host) => {
                let text =
                    format!("the operation runs on '{host}', which receives no token: watching the model instead");
                self.http().report(Report::Debug(text));
                None
            }
        }
    }

    /// Polls once. The operation continues even if it cannot be read.
    ///
    /// # Errors
    /// A rejection that means that the request itself is wrong.
    pub(super) async fn poll_operation(&self, operation: &Url) -> Result<OperationPoll, HttpError> {
        let request = self.request(Method::GET, operation.clone(), Retry::None);
        match self.send(request).await {
            // Another server responded: the model shows whether the operation ended.
            Ok(response) if response.check_body().is_err() => Ok(OperationPoll::Gone),
            Ok(response) => Ok(OperationPoll::State {
                state: state::of_response(&response),
                next: self.operation_of(operation, &response).filter(|_| response.status == 202),
                retry_after: response.retry_after,
            }),
            Err(error) => match error.status() {
                Some(404 | 410) => Ok(OperationPoll::Gone),
                // Another host may not know this account; the project itself does.
                Some(401 | 403) if !self.endpoint().same_origin(operation) => Ok(OperationPoll::Gone),
                Some(401 | 403) => Ok(OperationPoll::Unreadable(error)),
                _ if error.is_passing() => Ok(OperationPoll::Unreadable(error)),
                _ => Err(error),
            },
        }
    }
}

/// Value of `Retry-After` in an error response.
pub(super) fn retry_after(error: &HttpError) -> Option<Duration> {
    error.service().and_then(|error| error.retry_after)
}
