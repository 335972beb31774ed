//! A registration in progress, watched to its end: by its operation where that can be read, else by the model itself,
//! which also proves a success.

use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use super::client::{FoundryClient, PATIENCE};
use super::operation::{Look, retry_after};
use super::register::{RegisterError, RegisterStatus};
use super::start::Started;
use super::state::{self, Failure, OperationState};
use crate::http::HttpError;
use crate::model::{CustomModel, ModelName, ModelVersion, Registration};

/// Looks at an operation that fails for a passing reason, until its model is looked at as well.
const UNREADABLE_LOOKS: u32 = 3;

/// Model that is waited for, and its registration where that has to be this one.
#[derive(Clone, Copy)]
struct Awaited<'a> {
    name: &'a ModelName,
    version: &'a ModelVersion,
    registration: Option<&'a Registration>,
}

/// A registration that ended well.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The model.
    pub model: CustomModel,
    /// End state that its operation reported, where it was read.
    pub state: Option<String>,
}

impl FoundryClient {
    /// Waits until an accepted registration ended, and proves it by the model itself: a model that differs from what was
    /// registered is no success. `on` hears each state.
    ///
    /// # Errors
    /// All of [`RegisterError`] but `Refused`, `NoWay` and `Absent`.
    pub async fn await_registration(
        &self,
        (name, version): (&ModelName, &ModelVersion),
        registration: &Registration,
        started: Started,
        limit: Duration,
        on: &mut dyn FnMut(RegisterStatus),
    ) -> Result<Registered, RegisterError> {
        let model = Awaited { name, version, registration: Some(registration) };
        // It may come from a journal, and a file must not choose where the token goes.
        let operation = started.operation.filter(|url| state::trusted(self.endpoint(), url));
        self.under_limit(model, limit, on, async |news| match started.state {
            OperationState::Failed(failure) => Err(RegisterError::Failed(failure)),
            OperationState::Done(state) => {
                news.end_state = state;
                self.watch(model, None, Absence::Looks(PATIENCE), news).await
            }
            OperationState::Running(status) => {
                news.say(status);
                self.watch(model, operation, Absence::Endless, news).await
            }
        })
        .await
    }

    /// Waits for a registration that somebody began, if anybody did. `operation` is where its begin said to ask; it is
    /// asked only where the token may go. `on` hears each state.
    ///
    /// # Errors
    /// All of [`RegisterError`] but `Refused`, `NoWay` and `Taken`.
    pub async fn await_model(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        operation: Option<Url>,
        limit: Duration,
        on: &mut dyn FnMut(RegisterStatus),
    ) -> Result<Registered, RegisterError> {
        let model = Awaited { name, version, registration: None };
        let operation = operation.filter(|url| state::trusted(self.endpoint(), url));
        let absence = Absence::Limit { limit: self.http().timings().absent, since: Instant::now() };
        self.under_limit(model, limit, on, async |news| self.watch(model, operation, absence, news).await).await
    }

    /// Watches under a limit; at its end one last look at the model decides, since an operation may never end.
    async fn under_limit(
        &self,
        model: Awaited<'_>,
        limit: Duration,
        on: &mut dyn FnMut(RegisterStatus),
        work: impl AsyncFnOnce(&mut News<'_>) -> Result<CustomModel, RegisterError>,
    ) -> Result<Registered, RegisterError> {
        let mut news = News { begun: Instant::now(), last_status: None, last_fault: None, end_state: None, on };
        let watched = tokio::time::timeout(limit, work(&mut news)).await;
        let News { last_status, last_fault, end_state, .. } = news;
        let registered = |model| Registered { model, state: end_state };
        if let Ok(watched) = watched {
            return watched.map(registered);
        }
        let last_look = tokio::time::timeout(self.http().timings().probe, self.look_at_model(model)).await;
        match last_look {
            Ok(Ok(Seen::Registered(model))) => Ok(registered(*model)),
            Ok(Ok(Seen::Failed(failure))) => Err(RegisterError::Failed(failure)),
            Ok(Ok(Seen::Another(difference))) => Err(RegisterError::Taken { difference }),
            Ok(Ok(Seen::Running(status))) => {
                Err(RegisterError::TimedOut { last_status: last_status.or(Some(status)), last_fault })
            }
            _ => Err(RegisterError::TimedOut { last_status, last_fault }),
        }
    }

    async fn watch(
        &self,
        model: Awaited<'_>,
        mut operation: Option<Url>,
        mut absence: Absence,
        news: &mut News<'_>,
    ) -> Result<CustomModel, RegisterError> {
        let mut polls = self.polls();
        let mut unreadable = 0;
        loop {
            let mut wait = None;
            if let Some(url) = operation.clone() {
                match self.look(&url).await.map_err(RegisterError::Unwatchable)? {
                    Look::State { state: OperationState::Failed(failure), .. } => {
                        return Err(RegisterError::Failed(failure));
                    }
                    Look::State { state: OperationState::Done(state), .. } => {
                        news.end_state = state;
                        (operation, absence) = (None, Absence::Looks(PATIENCE));
                        continue;
                    }
                    Look::State { state: OperationState::Running(status), next, retry_after } => {
                        news.say(status);
                        (operation, unreadable) = (next.or(operation), 0);
                        tokio::time::sleep(polls.poll(retry_after)).await;
                        continue;
                    }
                    // It may become readable, and until then its model decides.
                    Look::Unreadable(error) => {
                        absence.begin_anew();
                        // A service that is busy says so: the operation is read later.
                        unreadable += u32::from(!error.is_throttling());
                        let is_passing = error.is_passing();
                        wait = news.none(error);
                        if is_passing && unreadable < UNREADABLE_LOOKS {
                            tokio::time::sleep(polls.poll(wait)).await;
                            continue;
                        }
                    }
                    Look::Gone => {
                        operation = None;
                        absence.begin_anew();
                    }
                }
            }
            match self.look_at_model(model).await.map_err(RegisterError::Unwatchable)? {
                Seen::Registered(model) => return Ok(*model),
                Seen::Failed(failure) => return Err(RegisterError::Failed(failure)),
                Seen::Another(difference) => return Err(RegisterError::Taken { difference }),
                Seen::Running(status) => {
                    news.say(status);
                    absence.begin_anew();
                }
                Seen::Missing(error) => {
                    if let Some(error) = absence.missing(error, news) {
                        return Err(error);
                    }
                }
                Seen::Later(error) if absence.doubts_the_service(news) => {
                    return Err(RegisterError::Unwatchable(error));
                }
                Seen::Later(error) => wait = news.none(error).or(wait),
            }
            tokio::time::sleep(polls.poll(wait)).await;
        }
    }

    async fn look_at_model(&self, awaited: Awaited<'_>) -> Result<Seen, HttpError> {
        match self.get_model(awaited.name, awaited.version).await {
            Ok(model) => {
                if let Some(difference) = awaited.registration.and_then(|ours| ours.difference(&model)) {
                    return Ok(Seen::Another(difference));
                }
                let body = serde_json::to_value(&model).unwrap_or_default();
                Ok(match state::of_body(&body) {
                    // Not every service has a state: there, being there is what counts.
                    None | Some(OperationState::Done(_)) => Seen::Registered(Box::new(model)),
                    Some(OperationState::Failed(failure)) => Seen::Failed(failure),
                    Some(OperationState::Running(status)) => Seen::Running(status),
                })
            }
            Err(error) if error.status() == Some(404) => Ok(Seen::Missing(error)),
            Err(error) if error.is_passing() => Ok(Seen::Later(error)),
            Err(error) => Err(error),
        }
    }
}

/// How long a model may be missing.
enum Absence {
    /// Its registration was accepted: as long as that takes.
    Endless,
    /// Its registration is said to have succeeded: so many looks.
    Looks(u32),
    /// Nobody knows whether it is being registered: so long.
    Limit { limit: Duration, since: Instant },
}

impl Absence {
    fn begin_anew(&mut self) {
        if let Self::Limit { since, .. } = self {
            *since = Instant::now();
        }
    }

    /// Until anything was seen, the project itself may be the wrong one, and waiting would not help.
    fn doubts_the_service(&self, news: &News<'_>) -> bool {
        matches!(self, Self::Limit { .. }) && news.last_status.is_none()
    }

    /// The model is missing once more; the failure that this is, if it is one.
    fn missing(&mut self, error: HttpError, news: &News<'_>) -> Option<RegisterError> {
        match self {
            Self::Looks(0) => Some(RegisterError::NotProved),
            Self::Looks(left) => {
                *left -= 1;
                None
            }
            Self::Limit { limit, since } if since.elapsed() >= *limit => {
                Some(RegisterError::Absent { last_status: news.last_status.clone(), last_look: Box::new(error) })
            }
            Self::Endless | Self::Limit { .. } => None,
        }
    }
}

/// What was heard of a registration so far.
struct News<'a> {
    begun: Instant,
    last_status: Option<String>,
    last_fault: Option<HttpError>,
    /// The operation's own word for its end.
    end_state: Option<String>,
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
    /// Another registration's; what differs.
    Another(String),
    Running(String),
    Missing(HttpError),
    Later(HttpError),
}
