//! How long one attempt may take.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::error::{Fault, HttpError};
use super::retry::seconds;

/// The limit of one attempt. When it is over, the attempt is dropped.
#[derive(Clone)]
pub(super) enum Limit<'a> {
    /// For all of it, response body included.
    Whole(Duration),
    /// For each step: the head of the response, and each piece of its body.
    Step(Duration),
    /// For as long as the counter stands still.
    Stall { timeout: Duration, counter: Arc<dyn Fn() -> u64 + Send + Sync + 'a> },
}

impl fmt::Debug for Limit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, limit) = match self {
            Self::Whole(limit) => ("Whole", limit),
            Self::Step(limit) => ("Step", limit),
            Self::Stall { timeout, .. } => ("Stall", timeout),
        };
        f.debug_tuple(name).field(limit).finish()
    }
}

impl Limit<'_> {
    /// Does the work under the limit.
    pub(super) async fn hold<T>(
        &self,
        host: &str,
        work: impl Future<Output = Result<T, HttpError>>,
    ) -> Result<T, HttpError> {
        tokio::select! {
            biased;
            outcome = work => outcome,
            words = self.over() => {
                Err(HttpError::Network { host: host.to_owned(), fault: Fault::Timeout, connecting: false, words })
            }
        }
    }

    /// Returns when the limit is over, with the words for it.
    async fn over(&self) -> String {
        match self {
            Self::Whole(limit) => {
                tokio::time::sleep(*limit).await;
                format!("no whole answer within {}", seconds(*limit))
            }
            Self::Step(limit) => {
                tokio::time::sleep(*limit).await;
                format!("nothing came for {}", seconds(*limit))
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
                format!("nothing moved for {}", seconds(*timeout))
            }
        }
    }
}
