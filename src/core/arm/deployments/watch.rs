//! A write that was accepted, watched to its end by the deployment itself. The one place for PUT, PATCH and DELETE.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::client::{Deployments, Seen};
use super::{Accepted, DeployError, DeploymentChange};
use crate::http::{Backoff, ErrorDetail, HttpError, Method, Response, Retry, read_error};
use crate::model::{Deployment, DeploymentName, DeploymentState, state_error};

/// Looks at a deployment before a change that is said to be done counts as not done: a GET may lag behind.
const PATIENCE: u32 = 8;

/// State of a deployment that is waited for.
#[derive(Clone, Debug)]
pub struct DeployStatus {
    /// The service's word.
    pub status: String,
    /// Time since the wait began.
    pub elapsed: Duration,
}

/// What is waited for.
#[derive(Debug)]
pub enum Expected<'a> {
    /// A deployment that was just created: it may not be visible yet.
    Created(&'a Accepted),
    /// A change of a deployment.
    Changed(&'a Accepted, &'a DeploymentChange),
    /// A deployment that somebody else may have created.
    Known,
}

/// What is known so far.
struct News<'a> {
    begun: Instant,
    last_state: Option<String>,
    last_fault: Option<HttpError>,
    on: &'a mut dyn FnMut(DeployStatus),
}

impl News<'_> {
    fn say(&mut self, status: &str) {
        (self.on)(DeployStatus { status: status.to_owned(), elapsed: self.begun.elapsed() });
        (self.last_state, self.last_fault) = (Some(status.to_owned()), None);
    }
}

/// One look at a deployment.
enum Look {
    Seen(Seen),
    Missing,
    /// Nothing to be seen, for a reason that passes.
    Later,
}

impl Deployments {
    /// Waits until a deployment is ready, and returns it as the last GET sent it. `on` hears each state.
    ///
    /// # Errors
    /// See [`DeployError`].
    pub async fn wait(
        &self,
        name: &DeploymentName,
        expected: Expected<'_>,
        limit: Duration,
        on: &mut dyn FnMut(DeployStatus),
    ) -> Result<Deployment, DeployError> {
        let mut news = News { begun: Instant::now(), last_state: None, last_fault: None, on };
        let work = self.watch(name, &expected, limit, &mut news);
        // A look that hangs must not outlast the limit by much.
        let ended = tokio::time::timeout(limit + self.arm.http().timings().probe, work).await;
        ended.unwrap_or_else(|_| Err(timed_out(news)))
    }

    /// Waits until a deleted deployment is gone. `on` hears each state.
    ///
    /// # Errors
    /// `Failed`, `TimedOut`, `Unwatchable`.
    pub async fn wait_gone(
        &self,
        name: &DeploymentName,
        accepted: &Accepted,
        limit: Duration,
        on: &mut dyn FnMut(DeployStatus),
    ) -> Result<(), DeployError> {
        let mut news = News { begun: Instant::now(), last_state: None, last_fault: None, on };
        let work = self.watch_gone(name, accepted, limit, &mut news);
        let ended = tokio::time::timeout(limit + self.arm.http().timings().probe, work).await;
        ended.unwrap_or_else(|_| Err(timed_out(news)))
    }

    async fn watch(
        &self,
        name: &DeploymentName,
        expected: &Expected<'_>,
        limit: Duration,
        news: &mut News<'_>,
    ) -> Result<Deployment, DeployError> {
        let timings = self.arm.http().timings();
        let accepted = match expected {
            Expected::Created(accepted) | Expected::Changed(accepted, _) => Some(*accepted),
            Expected::Known => None,
        };
        let version = accepted.map_or(super::body::USUAL_VERSION, |accepted| accepted.version.as_str());
        let mut pauses = self.pauses();
        // What was removed goes by a PUT where the service merges tags.
        let mut put: Option<Accepted> = None;
        let (mut deleting, mut looks) = (false, PATIENCE);
        let mut missing_since = Instant::now();
        loop {
            let (look, retry_after) = self.look_once(name, version, news).await?;
            match look {
                Look::Missing if deleting => return Err(DeployError::Deleted),
                Look::Missing => {
                    let patience = if accepted.is_some() { timings.invisible } else { timings.absent };
                    if missing_since.elapsed() >= patience {
                        return Err(if accepted.is_some() { DeployError::NotVisible } else { DeployError::NotFound });
                    }
                }
                Look::Later => missing_since = Instant::now(),
                Look::Seen(Seen { body, deployment }) => {
                    missing_since = Instant::now();
                    let state = deployment.view().properties().provisioning_state.clone().unwrap_or_default();
                    match DeploymentState::of(&state) {
                        DeploymentState::Succeeded => match expected {
                            Expected::Changed(accepted, change) if !change.is_shown_by(&body) => {
                                news.say(&state);
                                if put.is_none() && change.is_shown_but_for_tags(&body) {
                                    put = Some(self.put(name, &change.put(&body)).await?);
                                } else if accepted.is_done() && looks == 0 {
                                    return Err(DeployError::NotShown);
                                }
                                looks = looks.saturating_sub(1);
                            }
                            _ => {
                                news.say(&state);
                                return Ok(deployment);
                            }
                        },
                        DeploymentState::Failed(_) => {
                            let accepted = put.as_ref().or(accepted);
                            return Err(self.failed(state, &body, accepted).await);
                        }
                        DeploymentState::Deleting => {
                            deleting = true;
                            news.say(&state);
                        }
                        DeploymentState::Running(_) => news.say(&state),
                    }
                }
            }
            self.pause(limit, pauses.poll(retry_after), news).await?;
        }
    }

    async fn watch_gone(
        &self,
        name: &DeploymentName,
        accepted: &Accepted,
        limit: Duration,
        news: &mut News<'_>,
    ) -> Result<(), DeployError> {
        let mut pauses = self.pauses();
        loop {
            let (look, retry_after) = self.look_once(name, &accepted.version, news).await?;
            match look {
                Look::Missing => return Ok(()),
                Look::Later => {}
                Look::Seen(Seen { body, deployment }) => {
                    let state = deployment.view().properties().provisioning_state.clone().unwrap_or_default();
                    news.say(&state);
                    // A deployment that failed before is being deleted all the same: the operation tells.
                    if let (DeploymentState::Failed(_), Some(detail)) =
                        (DeploymentState::of(&state), self.operation_error(accepted).await)
                    {
                        let (detail, details) = detail;
                        let detail = Some(detail);
                        drop(body);
                        return Err(DeployError::Failed { state, detail, details });
                    }
                }
            }
            self.pause(limit, pauses.poll(retry_after), news).await?;
        }
    }

    fn pauses(&self) -> Backoff<'_> {
        let timings = self.arm.http().timings();
        Backoff::polls(timings).between(timings.deploy_first, timings.deploy_cap)
    }

    /// Waits between two looks; fails where the limit is over.
    async fn pause(&self, limit: Duration, pause: Duration, news: &mut News<'_>) -> Result<(), DeployError> {
        let left = limit.saturating_sub(news.begun.elapsed());
        if left.is_zero() {
            return Err(DeployError::TimedOut {
                last_state: news.last_state.take(),
                last_fault: news.last_fault.take(),
            });
        }
        tokio::time::sleep(pause.min(left)).await;
        Ok(())
    }

    async fn look_once(
        &self,
        name: &DeploymentName,
        version: &str,
        news: &mut News<'_>,
    ) -> Result<(Look, Option<Duration>), DeployError> {
        match self.look(name, version, Retry::None).await {
            Ok((seen, Response { retry_after, .. })) => Ok((Look::Seen(seen), retry_after)),
            Err(error) if error.status() == Some(404) => Ok((Look::Missing, retry_after(&error))),
            Err(error) if error.is_passing() => {
                let wait = retry_after(&error);
                news.last_fault = Some(error);
                Ok((Look::Later, wait))
            }
            Err(error) => Err(DeployError::Unwatchable(error)),
        }
    }

    /// What a bad end is told with: the deployment's own error, else that of the operation.
    async fn failed(&self, state: String, body: &Value, accepted: Option<&Accepted>) -> DeployError {
        let own = Some(state_error(body)).filter(|error| !error.is_null()).map(read_error);
        let told = match (own, accepted) {
            (Some(own), _) => Some(own),
            (None, Some(accepted)) => self.operation_error(accepted).await,
            (None, None) => None,
        };
        let (detail, details) = told.map_or((None, Vec::new()), |(detail, details)| (Some(detail), details));
        DeployError::Failed { state, detail, details }
    }

    /// The error of an operation that failed. Whatever keeps it from being read is no error: it only adds detail.
    async fn operation_error(&self, accepted: &Accepted) -> Option<(ErrorDetail, Vec<ErrorDetail>)> {
        for url in &accepted.operations {
            let request = self.arm.request_by(Method::GET, url.clone(), Retry::None);
            let body: Option<Value> = match self.arm.http().send(&request).await {
                Ok(response) => response.json().ok(),
                // Location answers with the error itself.
                Err(HttpError::Service(error))
                    if !matches!(error.status, 401 | 403 | 404 | 429) && error.status < 500 =>
                {
                    let detail = ErrorDetail { code: error.code, message: error.message };
                    return Some((detail, error.details));
                }
                Err(_) => None,
            };
            let error = body.as_ref().map(state_error).filter(|error| !error.is_null());
            if let Some(error) = error {
                return Some(read_error(error));
            }
        }
        None
    }
}

fn timed_out(News { last_state, last_fault, .. }: News<'_>) -> DeployError {
    DeployError::TimedOut { last_state, last_fault }
}

fn retry_after(error: &HttpError) -> Option<Duration> {
    error.service().and_then(|error| error.retry_after)
}
