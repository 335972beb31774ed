//! Time limit for one attempt.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::error::{HttpError, NetworkFault};
use super::retry::seconds;

/// Time limit of one attempt. When it expires, the attempt is dropped.
#[derive(Clone)]
pub(super) enum AttemptLimit<'a> {
    /// Limit for the whole attempt, including the response body.
    Whole(Duration),
    /// Limit for each step: the head of the response, and each piece of its body.
    Step(Duration),
    /// Expires when the counter has not changed for `timeout`.
    Stall { timeout: Duration, counter: Arc<dyn Fn() -> u64 + Send + Sync + 'a> },
}

impl fmt::Debug for AttemptLimit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, limit) = match self {
            Self::Whole(limit) => ("Whole", limit),
            Self::Step(limit) => ("Step", limit),
            Self::Stall { timeout, .. } => ("Stall", timeout),
        };
        f.debug_tuple(name).field(limit).finish()
    }
}

impl AttemptLimit<'_> {
    /// Runs the work under the limit.
    pub(super) async fn apply<T>(
        &self,
        host: &str,
        work: impl Future<Output = Result<T, HttpError>>,
    ) -> Result<T, HttpError> {
        tokio::select! {
            biased;
            outcome = work => outcome,
            message = self.expired() => {
                Err(HttpError::Network { host: host.to_owned(), fault: NetworkFault::Timeout, connecting: false, message })
            }
        }
    }

    /// Returns when the limit expires, with its message.
    async fn expired(&self) -> String {
        match self {
            Self::Whole(limit) => {
                tokio::time::sleep(*limit).await;
                format!("no complete response within {}", seconds(*limit))
            }
            Self::Step(limit) => {
                tokio::time::sleep(*limit).await;
                format!("no data received for {}", seconds(*limit))
            }
            Self::Stall { timeout, counter } => {
                let (mut last, mut since) = (counter(), Instant::now());
                while since.elapsed() < *timeout {
                    tokio::time::sleep(*timeout / 8).await;
                    let now = counter();
                    if now != last {
                        (last, since) = (now, Instant::now());
                    }
                }
                format!("no data transferred for {}", seconds(*timeout))
            }
        }
    }
}
