//! Wait for the end of a registration: through its operation if that can be read, otherwise through the model itself,
//! which also verifies a success.

use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use super::client::FoundryClient;
use super::operation::MAX_STALE_POLLS;
use super::operation::{OperationPoll, retry_after};
use super::register::{RegisterError, RegisterStatus};
use super::start::AcceptedRegistration;
use super::state::{self, OperationFailure, OperationState};
use crate::http::HttpError;
use crate::model::{CustomModel, ModelName, ModelVersion, Registration};

/// Number of polls of an operation that fail for a transient reason before its model is polled as well.
const MAX_UNREADABLE_POLLS: u32 = 3;

/// Model to wait for, and the registration that it must come from, if any.
#[derive(Clone, Copy)]
struct AwaitedModel<'a> {
    name: &'a ModelName,
    version: &'a ModelVersion,
    registration: Option<&'a Registration>,
}

/// A successful registration.
#[derive(Clone, Debug)]
pub struct RegisteredModel {
    /// The model.
    pub model: CustomModel,
    /// Final state as reported by its operation, if it was read.
    pub state: Option<String>,
}

impl FoundryClient {
    /// Waits until an accepted registration has ended, and verifies it by the model itself: a model that differs from
    /// the registration is not a success. `on` is called with each state.
    ///
    /// # Errors
    /// All of [`RegisterError`] but `Refused`, `NoRoute` and `Absent`.
    pub async fn await_registration(
        &self,
        (name, version): (&ModelName, &ModelVersion),
        registration: &Registration,
        started: AcceptedRegistration,
        limit: Duration,
        on: &mut dyn FnMut(RegisterStatus),
    ) -> Result<RegisteredModel, RegisterError> {
        let model = AwaitedModel { name, version, registration: Some(registration) };
        // The URL may come from a journal, and a file must not determine where the token is sent.
        let operation = started.operation.filter(|url| state::is_trusted_host(self.endpoint(), url));
        self.under_limit(model, limit, on, async |watch| match started.state {
            OperationState::Failed(failure) => Err(RegisterError::Failed(failure)),
            OperationState::Done(state) => {
                watch.end_state = state;
                self.watch(model, None, AbsenceLimit::Looks(MAX_STALE_POLLS), watch).await
            }
            OperationState::Running(status) => {
                watch.report_state(status);
                self.watch(model, operation, AbsenceLimit::Endless, watch).await
            }
        })
        .await
    }

    /// Waits for a registration that may have been started elsewhere. `operation` is the URL from its start; it is
    /// polled only if it may receive the token. `on` is called with each state.
    ///
    /// # Errors
    /// All of [`RegisterError`] but `Refused`, `NoRoute` and `VersionTaken`.
    pub async fn await_model(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        operation: Option<Url>,
        limit: Duration,
        on: &mut dyn FnMut(RegisterStatus),
    ) -> Result<RegisteredModel, RegisterError> {
        let model = AwaitedModel { name, version, registration: None };
        let operation = operation.filter(|url| state::is_trusted_host(self.endpoint(), url));
        let absence = AbsenceLimit::Limit { limit: self.http().timings().absent, since: Instant::now() };
        self.under_limit(model, limit, on, async |watch| self.watch(model, operation, absence, watch).await).await
    }

    /// Polls within a limit, and polls the model once more at its end, since an operation may never end.
    async fn under_limit(
        &self,
        model: AwaitedModel<'_>,
        limit: Duration,
        on: &mut dyn FnMut(RegisterStatus),
        work: impl AsyncFnOnce(&mut RegistrationWatch<'_>) -> Result<CustomModel, RegisterError>,
    ) -> Result<RegisteredModel, RegisterError> {
        let mut watch =
            RegistrationWatch { begun: Instant::now(), last_status: None, last_fault: None, end_state: None, on };
        let watched = tokio::time::timeout(limit, work(&mut watch)).await;
        let RegistrationWatch { last_status, last_fault, end_state, .. } = watch;
        let registered = |model| RegisteredModel { model, state: end_state };
        if let Ok(watched) = watched {
            return watched.map(registered);
        }
        let last_look = tokio::time::timeout(self.http().timings().probe, self.poll_model(model)).await;
        match last_look {
            Ok(Ok(ModelPoll::Registered(model))) => Ok(registered(*model)),
            Ok(Ok(ModelPoll::Failed(failure))) => Err(RegisterError::Failed(failure)),
            Ok(Ok(ModelPoll::Another(difference))) => Err(RegisterError::VersionTaken { difference }),
            Ok(Ok(ModelPoll::Running(status))) => {
                Err(RegisterError::TimedOut { last_status: last_status.or(Some(status)), last_fault })
            }
            _ => Err(RegisterError::TimedOut { last_status, last_fault }),
        }
    }

    async fn watch(
        &self,
        model: AwaitedModel<'_>,
        mut operation: Option<Url>,
        mut absence: AbsenceLimit,
        watch: &mut RegistrationWatch<'_>,
    ) -> Result<CustomModel, RegisterError> {
        let mut polls = self.polls();
        let mut unreadable = 0;
        loop {
            let mut wait = None;
            if let Some(url) = operation.clone() {
                match self.poll_operation(&url).await.map_err(RegisterError::Unwatchable)? {
                    OperationPoll::State { state: OperationState::Failed(failure), .. } => {
                        return Err(RegisterError::Failed(failure));
                    }
                    OperationPoll::State { state: OperationState::Done(state), .. } => {
                        watch.end_state = state;
                        (operation, absence) = (None, AbsenceLimit::Looks(MAX_STALE_POLLS));
                        continue;
                    }
                    OperationPoll::State { state: OperationState::Running(status), next, retry_after } => {
                        watch.report_state(status);
                        (operation, unreadable) = (next.or(operation), 0);
                        tokio::time::sleep(polls.poll(retry_after)).await;
                        continue;
                    }
                    // The operation may become readable; until then its model decides.
                    OperationPoll::Unreadable(error) => {
                        absence.restart();
                        // Throttling does not count: the operation is polled later.
                        unreadable += u32::from(!error.is_throttling());
                        let is_passing = error.is_passing();
                        wait = watch.poll_failed(error);
                        if is_passing && unreadable < MAX_UNREADABLE_POLLS {
                            tokio::time::sleep(polls.poll(wait)).await;
                            continue;
                        }
                    }
                    OperationPoll::Gone => {
                        operation = None;
                        absence.restart();
                    }
                }
            }
            match self.poll_model(model).await.map_err(RegisterError::Unwatchable)? {
                ModelPoll::Registered(model) => return Ok(*model),
                ModelPoll::Failed(failure) => return Err(RegisterError::Failed(failure)),
                ModelPoll::Another(difference) => return Err(RegisterError::VersionTaken { difference }),
                ModelPoll::Running(status) => {
                    watch.report_state(status);
                    absence.restart();
                }
                ModelPoll::Missing(error) => {
                    if let Some(error) = absence.missing(error, watch) {
                        return Err(error);
                    }
                }
                ModelPoll::Later(error) if absence.is_unverified(watch) => {
                    return Err(RegisterError::Unwatchable(error));
                }
                ModelPoll::Later(error) => wait = watch.poll_failed(error).or(wait),
            }
            tokio::time::sleep(polls.poll(wait)).await;
        }
    }

    async fn poll_model(&self, awaited: AwaitedModel<'_>) -> Result<ModelPoll, HttpError> {
        match self.get_model(awaited.name, awaited.version).await {
            Ok(model) => {
                if let Some(difference) = awaited.registration.and_then(|ours| ours.difference(&model)) {
                    return Ok(ModelPoll::Another(difference));
                }
                let body = serde_json::to_value(&model).unwrap_or_default();
                Ok(match state::of_body(&body) {
                    // Not every service reports a state: without one, an existing model counts.
                    None | Some(OperationState::Done(_)) => ModelPoll::Registered(Box::new(model)),
                    Some(OperationState::Failed(failure)) => ModelPoll::Failed(failure),
                    Some(OperationState::Running(status)) => ModelPoll::Running(status),
                })
            }
            Err(error) if error.status() == Some(404) => Ok(ModelPoll::Missing(error)),
            Err(error) if error.is_passing() => Ok(ModelPoll::Later(error)),
            Err(error) => Err(error),
        }
    }
}

/// Time for which a model may be missing.
enum AbsenceLimit {
    /// The registration was accepted: no limit.
    Endless,
    /// The registration is reported as successful: this number of polls.
    Looks(u32),
    /// No running registration is known: this duration.
    Limit { limit: Duration, since: Instant },
}

impl AbsenceLimit {
    fn restart(&mut self) {
        if let Self::Limit { since, .. } = self {
            *since = Instant::now();
        }
    }

    /// Until something was seen, the project itself may be wrong, and waiting would not help.
    fn is_unverified(&self, watch: &RegistrationWatch<'_>) -> bool {
        matches!(self, Self::Limit { .. }) && watch.last_status.is_none()
    }

    /// Records that the model is still missing; returns the resulting failure, if any.
    fn missing(&mut self, error: HttpError, watch: &RegistrationWatch<'_>) -> Option<RegisterError> {
        match self {
            Self::Looks(0) => Some(RegisterError::NotProved),
            Self::Looks(left) => {
                *left -= 1;
                None
            }
            Self::Limit { limit, since } if since.elapsed() >= *limit => {
                Some(RegisterError::Absent { last_status: watch.last_status.clone(), last_look: Box::new(error) })
            }
            Self::Endless | Self::Limit { .. } => None,
        }
    }
}

/// State of the wait for a registration.
struct RegistrationWatch<'a> {
    begun: Instant,
    last_status: Option<String>,
    last_fault: Option<HttpError>,
    /// Final state as reported by the operation.
    end_state: Option<String>,
    on: &'a mut dyn FnMut(RegisterStatus),
}

impl RegistrationWatch<'_> {
    fn report_state(&mut self, status: String) {
        (self.on)(RegisterStatus { status: status.clone(), elapsed: self.begun.elapsed() });
        (self.last_status, self.last_fault) = (Some(status), None);
    }

    /// Records a failed poll, and returns the delay that the service asks for.
    fn poll_failed(&mut self, fault: HttpError) -> Option<Duration> {
        let wait = retry_after(&fault);
        self.last_fault = Some(fault);
        wait
    }
}

enum ModelPoll {
    Registered(Box<CustomModel>),
    Failed(OperationFailure),
    /// The model comes from another registration; the difference.
    Another(String),
    Running(String),
    Missing(HttpError),
    Later(HttpError),
}
