//! Wait for the completion of an accepted write, through the deployment itself. The only module that sends PUT, PATCH
//! and DELETE.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::client::{Deployments, RawDeployment};
use super::{AcceptedWrite, DeployError, DeploymentChange};
use crate::http::{Backoff, ErrorDetail, HttpError, Method, Response, Retry, read_error};
use crate::model::{Deployment, DeploymentName, DeploymentState, state_error};

/// Number of polls of a deployment before a change that is reported as done counts as failed: a GET may lag behind.
const MAX_STALE_POLLS: u32 = 8;

/// State of a deployment during a wait.
#[derive(Clone, Debug)]
pub struct DeployStatus {
    /// State as reported by the service.
    pub status: String,
    /// Time since the wait began.
    pub elapsed: Duration,
}

/// Condition that ends a wait.
#[derive(Debug)]
pub enum WaitTarget<'a> {
    /// A deployment that was just created: it may not be visible yet.
    Created(&'a AcceptedWrite),
    /// A change of a deployment.
    Changed(&'a AcceptedWrite, &'a DeploymentChange),
    /// A deployment that may have been created elsewhere.
    Known,
}

/// Progress of a wait.
struct DeploymentWatch<'a> {
    begun: Instant,
    last_state: Option<String>,
    last_fault: Option<HttpError>,
    on: &'a mut dyn FnMut(DeployStatus),
}

impl DeploymentWatch<'_> {
    fn report_state(&mut self, status: &str) {
        (self.on)(DeployStatus { status: status.to_owned(), elapsed: self.begun.elapsed() });
        (self.last_state, self.last_fault) = (Some(status.to_owned()), None);
    }
}

/// Result of one poll of a deployment.
enum DeploymentPoll {
    Seen(RawDeployment),
    Missing,
    /// The state is unknown for a transient reason.
    Later,
}

impl Deployments {
    /// Waits until a deployment is ready, and returns it as received by the last GET. `on` is called with each state.
    ///
    /// # Errors
    /// See [`DeployError`].
    pub async fn wait(
        &self,
        name: &DeploymentName,
        expected: WaitTarget<'_>,
        limit: Duration,
        on: &mut dyn FnMut(DeployStatus),
    ) -> Result<Deployment, DeployError> {
        let mut watch = DeploymentWatch { begun: Instant::now(), last_state: None, last_fault: None, on };
        let work = self.watch(name, &expected, limit, &mut watch);
        // A poll that hangs must not exceed the limit by much.
        let ended = tokio::time::timeout(limit + self.arm.http().timings().probe, work).await;
        ended.unwrap_or_else(|_| Err(timed_out(watch)))
    }

    /// Waits until a deleted deployment is gone. `on` is called with each state.
    ///
    /// # Errors
    /// `Failed`, `TimedOut`, `Unwatchable`.
    pub async fn wait_gone(
        &self,
        name: &DeploymentName,
        accepted: &AcceptedWrite,
        limit: Duration,
        on: &mut dyn FnMut(DeployStatus),
    ) -> Result<(), DeployError> {
        let mut watch = DeploymentWatch { begun: Instant::now(), last_state: None, last_fault: None, on };
        let work = self.watch_gone(name, accepted, limit, &mut watch);
        let ended = tokio::time::timeout(limit + self.arm.http().timings().probe, work).await;
        ended.unwrap_or_else(|_| Err(timed_out(watch)))
    }

    async fn watch(
        &self,
        name: &DeploymentName,
        expected: &WaitTarget<'_>,
        limit: Duration,
        watch: &mut DeploymentWatch<'_>,
    ) -> Result<Deployment, DeployError> {
        let timings = self.arm.http().timings();
        let accepted = match expected {
            WaitTarget::Created(accepted) | WaitTarget::Changed(accepted, _) => Some(*accepted),
            WaitTarget::Known => None,
        };
        let version = accepted.map_or(super::body::USUAL_VERSION, |accepted| accepted.version.as_str());
        let mut pauses = self.pauses();
        // Removing tags needs a PUT if the service merges tags.
        let mut put: Option<AcceptedWrite> = None;
        let (mut deleting, mut looks) = (false, MAX_STALE_POLLS);
        let mut missing_since = Instant::now();
        loop {
            let (polled, retry_after) = self.poll_once(name, version, watch).await?;
            match polled {
                DeploymentPoll::Missing if deleting => return Err(DeployError::Deleted),
                DeploymentPoll::Missing => {
                    let patience = if accepted.is_some() { timings.invisible } else { timings.absent };
                    if missing_since.elapsed() >= patience {
                        return Err(if accepted.is_some() { DeployError::NotVisible } else { DeployError::NotFound });
                    }
                }
                DeploymentPoll::Later => missing_since = Instant::now(),
                DeploymentPoll::Seen(RawDeployment { body, deployment }) => {
                    missing_since = Instant::now();
                    let state = deployment.view().properties().provisioning_state.clone().unwrap_or_default();
                    match DeploymentState::of(&state) {
                        DeploymentState::Succeeded => match expected {
                            WaitTarget::Changed(accepted, change) if !change.is_shown_by(&body) => {
                                watch.report_state(&state);
                                if put.is_none() && change.is_applied_except_tags(&body) {
                                    put = Some(self.put(name, &change.put(&body)).await?);
                                } else if accepted.is_done() && looks == 0 {
                                    return Err(DeployError::NotApplied);
                                }
                                looks = looks.saturating_sub(1);
                            }
                            _ => {
                                watch.report_state(&state);
                                return Ok(deployment);
                            }
                        },
                        DeploymentState::Failed(_) => {
                            let accepted = put.as_ref().or(accepted);
                            return Err(self.failed(state, &body, accepted).await);
                        }
                        DeploymentState::Deleting => {
                            deleting = true;
                            watch.report_state(&state);
                        }
                        DeploymentState::Running(_) => watch.report_state(&state),
                    }
                }
            }
            self.pause(limit, pauses.poll(retry_after), watch).await?;
        }
    }

    async fn watch_gone(
        &self,
        name: &DeploymentName,
        accepted: &AcceptedWrite,
        limit: Duration,
        watch: &mut DeploymentWatch<'_>,
    ) -> Result<(), DeployError> {
        let mut pauses = self.pauses();
        loop {
            let (polled, retry_after) = self.poll_once(name, &accepted.version, watch).await?;
            match polled {
                DeploymentPoll::Missing => return Ok(()),
                DeploymentPoll::Later => {}
                DeploymentPoll::Seen(RawDeployment { body, deployment }) => {
                    let state = deployment.view().properties().provisioning_state.clone().unwrap_or_default();
                    watch.report_state(&state);
                    // A deployment that had failed earlier can still be in deletion: the operation decides.
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
            self.pause(limit, pauses.poll(retry_after), watch).await?;
        }
    }

    fn pauses(&self) -> Backoff<'_> {
        let timings = self.arm.http().timings();
        Backoff::polls(timings).between(timings.deploy_first, timings.deploy_cap)
    }

    /// Waits between two polls.
    async fn pause(
        &self,
        limit: Duration,
        pause: Duration,
        watch: &mut DeploymentWatch<'_>,
    ) -> Result<(), DeployError> {
        let left = limit.saturating_sub(watch.begun.elapsed());
        if left.is_zero() {
            return Err(DeployError::TimedOut {
                last_state: watch.last_state.take(),
                last_fault: watch.last_fault.take(),
            });
        }
        tokio::time::sleep(pause.min(left)).await;
        Ok(())
    }

    async fn poll_once(
        &self,
        name: &DeploymentName,
        version: &str,
        watch: &mut DeploymentWatch<'_>,
    ) -> Result<(DeploymentPoll, Option<Duration>), DeployError> {
        match self.poll(name, version, Retry::None).await {
            Ok((seen, Response { retry_after, .. })) => Ok((DeploymentPoll::Seen(seen), retry_after)),
            Err(error) if error.status() == Some(404) => Ok((DeploymentPoll::Missing, retry_after(&error))),
            Err(error) if error.is_passing() => {
                let wait = retry_after(&error);
                watch.last_fault = Some(error);
                Ok((DeploymentPoll::Later, wait))
            }
            Err(error) => Err(DeployError::Unwatchable(error)),
        }
    }

    /// Error of a failed deployment: its own, otherwise that of the operation.
    async fn failed(&self, state: String, body: &Value, accepted: Option<&AcceptedWrite>) -> DeployError {
        let own = Some(state_error(body)).filter(|error| !error.is_null()).map(read_error);
        let reported = match (own, accepted) {
            (Some(own), _) => Some(own),
            (None, Some(accepted)) => self.operation_error(accepted).await,
            (None, None) => None,
        };
        let (detail, details) = reported.map_or((None, Vec::new()), |(detail, details)| (Some(detail), details));
        DeployError::Failed { state, detail, details }
    }

    /// Error of a failed operation. Failures to read it are ignored: it only adds detail.
    async fn operation_error(&self, accepted: &AcceptedWrite) -> Option<(ErrorDetail, Vec<ErrorDetail>)> {
        for url in &accepted.operations {
            let request = self.arm.request_by(Method::GET, url.clone(), Retry::None);
            let body: Option<Value> = match self.arm.http().send(&request).await {
                Ok(response) => response.json().ok(),
                // Location returns the error itself.
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

fn timed_out(DeploymentWatch { last_state, last_fault, .. }: DeploymentWatch<'_>) -> DeployError {
    DeployError::TimedOut { last_state, last_fault }
}

fn retry_after(error: &HttpError) -> Option<Duration> {
    error.service().and_then(|error| error.retry_after)
}
