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
    #[error("the registration was refused")]
    Refused(#[source] HttpError),
    /// It was accepted, and ended badly.
    #[error("the registration failed: {0}")]
    Failed(Failure),
    /// It was accepted, and its state cannot be read.
    #[error("the registration was accepted, but its state cannot be read")]
    Unwatchable(#[source] HttpError),
    /// It goes on.
    #[error("the registration did not end in time")]
    TimedOut {
        /// The service's last word.
        last_status: Option<String>,
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

impl FoundryClient {
    /// Registers, and waits for the end under one limit. `on` hears each state.
    ///
    /// # Errors
    /// See [`RegisterError`].
    pub async fn register(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        registration: &Registration,
        limit: Duration,
        on: &mut dyn FnMut(RegisterStatus),
    ) -> Result<CustomModel, RegisterError> {
        let start = Instant::now();
        let started = tokio::time::timeout(limit, self.start_registration(name, version, registration))
            .await
            .unwrap_or(Err(RegisterError::TimedOut { last_status: None }))?;
        self.await_registration(name, version, started, limit.saturating_sub(start.elapsed()), on).await
    }

    /// Waits until an accepted registration ended, and proves it by the model itself. `on` hears each state.
    ///
    /// # Errors
    /// All of [`RegisterError`] but `Refused` and `Taken`.
    pub async fn await_registration(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        started: Started,
        limit: Duration,
        on: &mut dyn FnMut(RegisterStatus),
    ) -> Result<CustomModel, RegisterError> {
        let begun = Instant::now();
        let mut last_status = None;
        let mut say = |status: &str| {
            last_status = Some(status.to_owned());
            on(RegisterStatus { status: status.to_owned(), elapsed: begun.elapsed() });
        };
        let watched = tokio::time::timeout(limit, self.watch(name, version, started, &mut say)).await;
        watched.unwrap_or(Err(RegisterError::TimedOut { last_status }))
    }

    async fn watch(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        started: Started,
        say: &mut (dyn FnMut(&str) + '_),
    ) -> Result<CustomModel, RegisterError> {
        // A registration that is known to have ended may be missing a few times; one that may still run, for ever.
        let mut missing_left = None;
        let mut operation = started.operation;
        match started.state {
            OperationState::Failed(failure) => return Err(RegisterError::Failed(failure)),
            OperationState::Done => (operation, missing_left) = (None, Some(PATIENCE)),
            OperationState::Running(status) => say(&status),
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
                        say(&status);
                        operation = next.or(operation);
                        wait = retry_after;
                    }
                    Look::Later { retry_after } => wait = retry_after,
                    Look::Gone => {
                        operation = None;
                        continue;
                    }
                }
            } else {
                match self.look_at_model(name, version).await.map_err(RegisterError::Unwatchable)? {
                    Seen::Registered(model) => return Ok(*model),
                    Seen::Failed(failure) => return Err(RegisterError::Failed(failure)),
                    Seen::Running(status) => say(&status),
                    Seen::Missing if missing_left == Some(0) => return Err(RegisterError::NotProved),
                    Seen::Missing => missing_left = missing_left.map(|left| left - 1),
                    Seen::Later(retry_after) => wait = retry_after,
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
            Err(error) if error.is_passing() => Ok(Seen::Later(retry_after(&error))),
            Err(error) => Err(error),
        }
    }
}

enum Seen {
    Registered(Box<CustomModel>),
    Failed(Failure),
    Running(String),
    Missing,
    Later(Option<Duration>),
}
