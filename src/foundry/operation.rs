//! Registration: createAsync, the polls that follow, and the proof (cli.md 7, step 6).

use std::time::{Duration, Instant};

use serde_json::Value;
use thiserror::Error;
use url::Url;

use super::client::{Deleted, FoundryClient};
use crate::http::{HttpError, Request, Response};
use crate::model::{CustomModel, ModelName, ModelVersion, Registration, is_loopback};

/// 404 codes that speak of a model; any other 404 means that the service has no such route.
const MODEL_CODES: [&str; 4] = ["ModelNotFound", "ModelVersionNotFound", "NotFound", "ResourceNotFound"];

/// How far a registration is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterStatus {
    /// The service's word.
    pub status: String,
    /// Since the registration was asked for.
    pub elapsed: Duration,
}

/// Why a model is not registered.
#[derive(Debug, Error)]
pub enum RegisterError {
    /// The service did not take it.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The service took it, looked, and refused.
    #[error("{}", .message.as_deref().unwrap_or("the service ended the registration without a reason"))]
    Failed {
        /// The service's last word.
        status: String,
        /// The service's code.
        code: Option<String>,
        /// The service's reason.
        message: Option<String>,
    },
    /// It did not end in time.
    #[error("the registration was still '{last}' after {}", crate::units::duration(*.after))]
    TimedOut {
        /// The service's last word.
        last: String,
        /// How long it was waited for.
        after: Duration,
    },
}

/// What one poll says.
#[derive(Debug, PartialEq)]
enum Poll {
    Running { status: String, next: Option<String>, wait: Option<Duration> },
    Succeeded,
    Failed { status: String, code: Option<String>, message: Option<String> },
}

/// Where the end of an operation is seen.
enum Watch {
    Operation(Url),
    /// No address that may be asked: the model itself shows it.
    Model,
}

impl FoundryClient {
    /// Registers what was uploaded, waits for the end, and proves it by reading the model.
    ///
    /// # Errors
    /// See [`RegisterError`].
    pub async fn register(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        registration: &Registration,
        on: &mut dyn FnMut(RegisterStatus),
    ) -> Result<CustomModel, RegisterError> {
        let started = Instant::now();
        let watch = self.start(name, version, registration, started).await?;
        let mut waiting =
            Waiting { client: self, started, on, pause: self.timings.poll_first, last: "accepted".into() };
        match watch {
            Some(Watch::Operation(url)) => waiting.operation(url).await?,
            Some(Watch::Model) | None => {}
        }
        waiting.model(name, version).await
    }

    /// Asks for the registration; `None` when it ended at once.
    async fn start(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        registration: &Registration,
        started: Instant,
    ) -> Result<Option<Watch>, RegisterError> {
        let mut pause = self.timings.poll_first;
        loop {
            let error = match self.create_async(name, version, registration).await {
                Ok(response) => return Ok(Some(self.watch(&response))),
                Err(error) if is_no_route(&error) => return self.put(name, version, registration, error).await,
                Err(error) => error,
            };
            if !is_ambiguous(&error) {
                return Err(error.into());
            }
            // It may have been taken: the model tells, before it is asked for again.
            match self.get_model(name, version).await {
                Ok(model) if same_place(&model, registration) => return Ok(Some(Watch::Model)),
                Ok(_) => return Err(error.into()),
                Err(HttpError::Service(missing)) if missing.status == 404 => {}
                Err(_) => return Err(error.into()),
            }
            if started.elapsed() + pause > self.timings.register {
                return Err(error.into());
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(self.timings.poll_cap);
        }
    }

    async fn put(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        registration: &Registration,
        first: HttpError,
    ) -> Result<Option<Watch>, RegisterError> {
        match self.put_model(name, version, registration).await {
            Ok(response) if response.status == 202 => Ok(Some(self.watch(&response))),
            Ok(_) => Ok(None),
            Err(_) => Err(first.into()),
        }
    }

    /// The address of an operation, where it may be asked with the token.
    fn watch(&self, response: &Response) -> Watch {
        let header =
            ["location", "operation-location", "azure-asyncoperation"].iter().find_map(|name| response.header(name));
        let body = response.json::<Value>().ok();
        let address = header.map(str::to_owned).or_else(|| {
            let body = body.as_ref()?;
            [&body["location"], &body["operationResult"]].iter().find_map(|found| found.as_str().map(str::to_owned))
        });
        let url = address.and_then(|address| response.url().join(&address).ok());
        match url {
            Some(url) if self.may_be_asked(&url) => Watch::Operation(url),
            _ => Watch::Model,
        }
    }

    /// The token goes to the project's host and to Azure ML's operations, and nowhere else.
    fn may_be_asked(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let azureml = host == "api.azureml.ms" || host.ends_with(".api.azureml.ms");
        self.endpoint.same_origin(url)
            || (azureml && url.scheme() == "https" && url.port_or_known_default() == Some(443) && !is_loopback(url))
    }

    /// Deletes a version and waits until it is gone.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn delete_and_wait(&self, name: &ModelName, version: &ModelVersion) -> Result<(), HttpError> {
        if self.delete_model(name, version).await? == Deleted::Gone {
            return Ok(());
        }
        let started = Instant::now();
        let mut pause = self.timings.poll_first;
        loop {
            match self.get_model(name, version).await {
                Err(HttpError::Service(missing)) if missing.status == 404 => return Ok(()),
                Err(error) => return Err(error),
                Ok(_) if started.elapsed() > self.timings.register => {
                    return Err(HttpError::StillThere { after: started.elapsed() });
                }
                Ok(_) => {}
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(self.timings.poll_cap);
        }
    }
}

/// Waiting for the end of one registration.
struct Waiting<'a> {
    client: &'a FoundryClient,
    started: Instant,
    on: &'a mut dyn FnMut(RegisterStatus),
    pause: Duration,
    last: String,
}

impl Waiting<'_> {
    /// Polls until the operation ended well. The first poll is sent at once.
    async fn operation(&mut self, mut url: Url) -> Result<(), RegisterError> {
        loop {
            match self.client.send(Request::get(url.clone())).await {
                Ok(response) => match read_poll(&response) {
                    Poll::Succeeded => return Ok(()),
                    Poll::Failed { status, code, message } => {
                        return Err(RegisterError::Failed { status, code, message });
                    }
                    Poll::Running { status, next, wait } => {
                        let next = next.and_then(|next| url.join(&next).ok());
                        match next {
                            Some(next) if self.client.may_be_asked(&next) => url = next,
                            // Elsewhere the token may not go: the model itself shows the end.
                            Some(_) => return Ok(()),
                            None => {}
                        }
                        self.wait(status, wait).await?;
                    }
                },
                // One bad moment of the network does not undo a registration.
                Err(error) if may_pass(&error) => self.wait(self.last.clone(), None).await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Reads the model until it shows an end.
    async fn model(&mut self, name: &ModelName, version: &ModelVersion) -> Result<CustomModel, RegisterError> {
        loop {
            match self.client.get_model(name, version).await {
                Ok(model) => {
                    let state = model.view().provisioning_state.clone().unwrap_or_else(|| "Succeeded".into());
                    match end_of(&state) {
                        Some(true) => return Ok(model),
                        Some(false) => return Err(RegisterError::Failed { status: state, code: None, message: None }),
                        None => self.wait(state, None).await?,
                    }
                }
                // Just after the end the model may not be there yet.
                Err(HttpError::Service(missing)) if missing.status == 404 => self.wait(self.last.clone(), None).await?,
                Err(error) if may_pass(&error) => self.wait(self.last.clone(), None).await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn wait(&mut self, status: String, asked: Option<Duration>) -> Result<(), RegisterError> {
        let elapsed = self.started.elapsed();
        (self.on)(RegisterStatus { status: status.clone(), elapsed });
        self.last = status;
        let timings = &self.client.timings;
        let wait = match asked {
            Some(asked) => timings.scaled(asked).min(timings.retry_after_cap),
            None => self.pause,
        };
        if elapsed + wait > timings.register {
            return Err(RegisterError::TimedOut { last: self.last.clone(), after: elapsed });
        }
        tokio::time::sleep(wait).await;
        self.pause = (self.pause * 2).min(timings.poll_cap);
        Ok(())
    }
}

/// The closed list of ends: well, or not; any other word means that it goes on.
fn end_of(status: &str) -> Option<bool> {
    match status.to_ascii_lowercase().as_str() {
        "succeeded" | "completed" => Some(true),
        "failed" | "canceled" | "cancelled" => Some(false),
        _ => None,
    }
}

fn read_poll(response: &Response) -> Poll {
    let wait = response.header("retry-after").and_then(|value| value.trim().parse().ok()).map(Duration::from_secs);
    let next = response.header("location").map(str::to_owned);
    let body = response.json::<Value>().unwrap_or_default();
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let properties = &body["properties"];
    let status = [
        &body["status"],
        &body["provisioningState"],
        &body["state"],
        &properties["provisioningState"],
        &properties["status"],
    ]
    .iter()
    .find_map(|value| text(value));
    match status {
        Some(status) => match end_of(&status) {
            Some(true) => Poll::Succeeded,
            Some(false) => {
                let error = [&body["error"], &properties["error"]]
                    .into_iter()
                    .find(|error| error.is_object())
                    .unwrap_or(&Value::Null);
                Poll::Failed { status, code: text(&error["code"]), message: reason_of(error) }
            }
            None => Poll::Running { status, next, wait },
        },
        // The model itself, which the service gives when all is done.
        None if response.status == 200 && body["name"].is_string() => Poll::Succeeded,
        None => Poll::Running { status: "InProgress".into(), next, wait },
    }
}

/// The service's reason with its details, cleaned of secrets.
fn reason_of(error: &Value) -> Option<String> {
    let mut lines: Vec<&str> = error["message"].as_str().into_iter().collect();
    for detail in error["details"].as_array().into_iter().flatten() {
        lines.extend(detail["message"].as_str());
    }
    if lines.is_empty() { None } else { Some(crate::redact::clean(&lines.join("\n"))) }
}

fn is_no_route(error: &HttpError) -> bool {
    let HttpError::Service(error) = error else { return false };
    match error.status {
        405 => true,
        404 => !error.code.as_deref().is_some_and(|code| MODEL_CODES.contains(&code)),
        _ => false,
    }
}

/// The service may have taken the request although it did not say so.
fn is_ambiguous(error: &HttpError) -> bool {
    match error {
        HttpError::Service(error) => matches!(error.status, 408 | 500 | 502 | 503 | 504),
        HttpError::Network { .. } | HttpError::Truncated { .. } => true,
        _ => false,
    }
}

fn may_pass(error: &HttpError) -> bool {
    match error {
        HttpError::Service(error) => matches!(error.status, 408 | 429 | 500 | 502 | 503 | 504),
        HttpError::Network { .. } | HttpError::Truncated { .. } | HttpError::BadAnswer { .. } => true,
        _ => false,
    }
}

fn same_place(model: &CustomModel, registration: &Registration) -> bool {
    let there = model.view().blob_uri.as_deref().and_then(|uri| Url::parse(uri).ok());
    there.is_some_and(|there| crate::redact::SecretUrl::new(there).without_query() == registration.blob_uri)
}
