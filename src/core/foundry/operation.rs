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
    /// Nothing: the service is busy, the network is cut, or it does not let this user read it.
    Unreadable(HttpError),
    /// The service does not know the operation any longer, or another server answered.
    Gone,
}

/// Polls of a model before an accepted change counts as not done: a GET may lag behind.
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

    /// Polls once. The operation continues whether it can be read or not.
    ///
    /// # Errors
    /// A refusal that means that the request itself is wrong.
    pub(super) async fn poll_operation(&self, operation: &Url) -> Result<OperationPoll, HttpError> {
        let request = self.request(Method::GET, operation.clone(), Retry::None);
        match self.send(request).await {
            // Another server answered: the model shows whether it ended.
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

/// The `Retry-After` of a refusal.
pub(super) fn retry_after(error: &HttpError) -> Option<Duration> {
    error.service().and_then(|error| error.retry_after)
}
