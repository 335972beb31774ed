//! One look at a running operation.

use std::time::Duration;

use url::Url;

use super::client::FoundryClient;
use super::state::{self, OperationState, Place};
use crate::http::{Backoff, HttpError, Method, Response, Retry};
use crate::model::Report;

/// What a look at an operation shows.
pub(super) enum Look {
    /// Its state, and where to look next if that changed.
    State { state: OperationState, next: Option<Url>, retry_after: Option<Duration> },
    /// Nothing: the service is busy, the network is cut, or it does not let this user read it.
    Unreadable(HttpError),
    /// The service does not know it any more, or somebody else answers for it.
    Gone,
}

impl FoundryClient {
    /// Returns the pauses between looks.
    pub(super) fn polls(&self) -> Backoff<'_> {
        Backoff::polls(self.http().timings())
    }

    /// Where an answer says that its operation can be asked for, if we may ask there.
    pub(super) fn operation_of(&self, asked: &Url, response: &Response) -> Option<Url> {
        match state::operation_place(self.endpoint(), asked, response) {
            Place::Trusted(url) => Some(url),
            Place::Nowhere => None,
            Place::Foreign(host) => {
                let text = format!("the operation runs at '{host}', which gets no token: watching the model instead");
                self.http().report(Report::Debug(text));
                None
            }
        }
    }

    /// Looks once. The operation goes on whether it can be read or not.
    ///
    /// # Errors
    /// A refusal that says that the request itself is wrong.
    pub(super) async fn look(&self, operation: &Url) -> Result<Look, HttpError> {
        let request = self.request(Method::GET, operation.clone(), Retry::None);
        match self.send(request).await {
            // Somebody else answered: whether it ended, the model tells.
            Ok(response) if response.check_body().is_err() => Ok(Look::Gone),
            Ok(response) => Ok(Look::State {
                state: state::of_response(&response),
                next: self.operation_of(operation, &response).filter(|_| response.status == 202),
                retry_after: response.retry_after,
            }),
            Err(error) => match error.status() {
                Some(404 | 410) => Ok(Look::Gone),
                // Another host may not know this account; the project itself does.
                Some(401 | 403) if !self.endpoint().same_origin(operation) => Ok(Look::Gone),
                Some(401 | 403) => Ok(Look::Unreadable(error)),
                _ if error.is_passing() => Ok(Look::Unreadable(error)),
                _ => Err(error),
            },
        }
    }
}

/// The `Retry-After` of a refusal.
pub(super) fn retry_after(error: &HttpError) -> Option<Duration> {
    error.service().and_then(|error| error.retry_after)
}
