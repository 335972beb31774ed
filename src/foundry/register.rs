//! Registration of what was uploaded (cli.md 7, step 6), followed to its end and proved by the model itself.

use std::time::{Duration, Instant};

use thiserror::Error;

use super::client::FoundryClient;
use super::operation::{Look, Pauses, retry_after};
use super::start::Started;
use super::state::{self, Failure, OperationState};
use crate::http::HttpError;
use crate::model::{CustomModel, ModelName, ModelVersion, Registration};

/// Looks at a model that is said to be registered and is not there yet. A GET may lag behind the operation.
const PATIENCE: u32 = 8;

/// How far a registration is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterStatus {
    /// The service's word.
    pub status: String,
    /// Since it was begun to be watched.
    pub elapsed: Duration,
}

/// Why a model is not registered, or not surely.
#[derive(Debug, Error)]
pub enum RegisterError {
    /// The service did not accept it.
    #[error("the model could not be registered")]
    Refused(#[source] HttpError),
    /// The service has no `createAsync`, and did not accept the PUT instead.
    #[error("the model could not be registered")]
    NoWay {
        /// What it said to `createAsync`; this is told (cli.md 7).
        first: HttpError,
        /// What it said to the PUT.
        second: HttpError,
    },
    /// It was accepted, and ended badly.
    #[error("the registration failed: {0}")]
    Failed(Failure),
    /// It was accepted, and its state cannot be read.
    #[error("the registration was accepted, but its state cannot be read")]
    Unwatchable(#[source] HttpError),
    /// It goes on.
    #[error("the registration did not end in time{}", last(last_status.as_deref()))]
    TimedOut {
        /// The service's last word.
        last_status: Option<String>,
        /// Why there was no newer word.
        last_fault: Option<HttpError>,
    },
    /// The operation succeeded and the model is not there.
    #[error("the registration is said to have succeeded, but the model is not there")]
    NotProved,
    /// The version exists with other files.
    #[error("the version exists with other files")]
    Taken {
        /// Where those are, without query.
        blob_uri: Option<String>,
    },
}

impl RegisterError {
    /// True where the version belongs to somebody else: the same registration will never be accepted.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        match self {
            Self::Taken { .. } => true,
            Self::Refused(error) | Self::NoWay { second: error, .. } => error.status() == Some(409),
            _ => false,
        }
    }
}

fn last(status: Option<&str>) -> String {
    status.map(|status| format!("; its last state was {status}")).unwrap_or_default()
}

impl FoundryClient {
    /// Has the service accept a registration, under a limit. What it says of it outlives this process: whoever has it
    /// can wait for the end.
    ///
    /// # Errors
    /// [`RegisterError::Refused`], [`RegisterError::NoWay`], [`RegisterError::Taken`] and [`RegisterError::TimedOut`].
    pub async fn register(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        registration: &Registration,
        limit: Duration,
    ) -> Result<Started, RegisterError> {
        tokio::time::timeout(limit, self.start_registration(name, version, registration))
            .await
            .unwrap_or(Err(RegisterError::TimedOut { last_status: None, last_fault: None }))
    }

    /// Waits until an accepted registration ended, and proves it by the model itself. `on` hears each state.
    ///
    /// # Errors
    /// All of [`RegisterError`] but `Refused`, `NoWay` and `Taken`.
    pub async fn await_registration(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        started: Started,
        limit: Duration,
        on: &mut dyn FnMut(RegisterStatus),
    ) -> Result<CustomModel, RegisterError> {
        let mut news = News { begun: Instant::now(), last_status: None, last_fault: None, on };
        let watched = tokio::time::timeout(limit, self.watch(name, version, started, &mut news)).await;
        let News { last_status, last_fault, .. } = news;
        watched.unwrap_or(Err(RegisterError::TimedOut { last_status, last_fault }))
    }

    async fn watch(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        started: Started,
        news: &mut News<'_>,
    ) -> Result<CustomModel, RegisterError> {
        // A registration that is known to have ended may be missing a few times; one that may still run, for ever.
        let mut missing_left = None;
        // It may come from a journal.
        let mut operation = started.operation.filter(|url| state::trusted(self.endpoint(), url));
        match started.state {
            OperationState::Failed(failure) => return Err(RegisterError::Failed(failure)),
            OperationState::Done => (operation, missing_left) = (None, Some(PATIENCE)),
            OperationState::Running(status) => news.say(status),
        }
        let mut pauses = Pauses::new(self);
        loop {
            let mut wait = None;
            if let Some(url) = operation.clone() {
                match self.look(&url).await.map_err(RegisterError::Unwatchable)? {
                    Look::State { state: OperationState::Failed(failure), .. } => {
                        return Err(RegisterError::Failed(failure));
                    }
                    Look::State { state: OperationState::Done, .. } => {
                        (operation, missing_left) = (None, Some(PATIENCE));
                        continue;
                    }
                    Look::State { state: OperationState::Running(status), next, retry_after } => {
                        news.say(status);
                        operation = next.or(operation);
                        wait = retry_after;
                    }
                    Look::Later(error) => wait = news.none(error),
                    Look::Gone => {
                        operation = None;
                        continue;
                    }
                }
            } else {
                match self.look_at_model(name, version).await.map_err(RegisterError::Unwatchable)? {
                    Seen::Registered(model) => return Ok(*model),
                    Seen::Failed(failure) => return Err(RegisterError::Failed(failure)),
                    Seen::Running(status) => news.say(status),
                    Seen::Missing if missing_left == Some(0) => return Err(RegisterError::NotProved),
                    Seen::Missing => missing_left = missing_left.map(|left| left - 1),
                    Seen::Later(error) => wait = news.none(error),
                }
            }
            pauses.pause(wait).await;
        }
    }

    async fn look_at_model(&self, name: &ModelName, version: &ModelVersion) -> Result<Seen, HttpError> {
        match self.get_model(name, version).await {
            Ok(model) => {
                let body = serde_json::to_value(&model).unwrap_or_default();
                Ok(match state::of_body(&body) {
                    // Without a word for it, being there is what counts.
                    None | Some(OperationState::Done) => Seen::Registered(Box::new(model)),
                    Some(OperationState::Failed(failure)) => Seen::Failed(failure),
                    Some(OperationState::Running(status)) => Seen::Running(status),
                })
            }
            Err(error) if error.status() == Some(404) => Ok(Seen::Missing),
            Err(error) if error.is_passing() => Ok(Seen::Later(error)),
            Err(error) => Err(error),
        }
    }
}

/// What was heard of a registration so far.
struct News<'a> {
    begun: Instant,
    last_status: Option<String>,
    last_fault: Option<HttpError>,
    on: &'a mut dyn FnMut(RegisterStatus),
}

impl News<'_> {
    fn say(&mut self, status: String) {
        (self.on)(RegisterStatus { status: status.clone(), elapsed: self.begun.elapsed() });
        (self.last_status, self.last_fault) = (Some(status), None);
    }

    /// A look that broke; how long the service wants to be left alone.
    fn none(&mut self, fault: HttpError) -> Option<Duration> {
        let wait = retry_after(&fault);
        self.last_fault = Some(fault);
        wait
    }
}

enum Seen {
    Registered(Box<CustomModel>),
    Failed(Failure),
    Running(String),
    Missing,
    Later(HttpError),
}
