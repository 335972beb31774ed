//! Start of a registration: sent once. If it is unknown whether the service received the request, the model is looked
//! up instead.

use url::Url;

use super::client::FoundryClient;
use super::register::RegisterError;
use super::state::{self, OperationState};
use super::wire::{self, Dialect};
use crate::http::{HttpError, Method, Retry};
use crate::model::{ModelName, ModelVersion, Registration};

/// A registration that the service accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedRegistration {
    /// URL of the operation; `None` if the model itself must be polled.
    pub operation: Option<Url>,
    /// State in the response that accepted the registration.
    pub state: OperationState,
    /// True if the service accepted this very registration. Otherwise it may be a different one of the same version,
    /// until the model is seen.
    pub is_ours: bool,
    /// True if the response was 202 or named an operation: the registration is explicitly in progress.
    pub is_accepted: bool,
}

impl AcceptedRegistration {
    /// A registration of this version that is in progress: polled through its operation, or without one through the
    /// model.
    #[must_use]
    pub fn in_progress(operation: Option<Url>) -> Self {
        Self { operation, state: OperationState::Running("InProgress".into()), is_ours: false, is_accepted: false }
    }

    /// True if the model need not be polled to know that this registration is in progress.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.is_ours && self.is_accepted && matches!(self.state, OperationState::Running(_))
    }

    /// URL of the operation, if it contains no secret and may be printed and stored.
    #[must_use]
    pub fn shareable_operation(&self) -> Option<&Url> {
        self.operation.as_ref().filter(|url| url.query_pairs().all(|(key, _)| key == "api-version"))
    }
}

impl FoundryClient {
    /// Submits a registration to the service. `createAsync` is never repeated when its outcome is unknown: the model is
    /// looked up first.
    ///
    /// # Errors
    /// [`RegisterError::Refused`], [`RegisterError::NoRoute`] and [`RegisterError::VersionTaken`].
    pub async fn start_registration(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        registration: &Registration,
    ) -> Result<AcceptedRegistration, RegisterError> {
        match self.create_async(name, version, registration).await {
            Ok(started) => Ok(started),
            Err(first) if is_missing_route(&first) => {
                match self.put_model(name, version, registration).await {
                    Ok(started) => Ok(started),
                    // The first attempt may have been accepted, and a later one rejected because the version exists.
                    Err(second) if is_outcome_unknown(&second) || second.status() == Some(409) => {
                        match self.find_registration(name, version, registration).await? {
                            Some(true) => Ok(accepted()),
                            _ => Err(RegisterError::NoRoute { first, second }),
                        }
                    }
                    Err(second) => Err(RegisterError::NoRoute { first, second }),
                }
            }
            Err(first) if is_outcome_unknown(&first) => {
                self.resolve_uncertain(name, version, registration, first).await
            }
            Err(first) => Err(RegisterError::Refused(first)),
        }
    }

    /// Sends POST `createAsync`, once.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn create_async(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        registration: &Registration,
    ) -> Result<AcceptedRegistration, HttpError> {
        let url = self.version_url(name, version, Some("createAsync"));
        self.start(Method::POST, url, Retry::OnlyUnprocessed, registration).await
    }

    /// Sends a PUT of the version, for services without `createAsync`.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn put_model(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        registration: &Registration,
    ) -> Result<AcceptedRegistration, HttpError> {
        self.start(Method::PUT, self.version_url(name, version, None), Retry::Idempotent, registration).await
    }

    async fn start(
        &self,
        method: Method,
        url: Url,
        retry: Retry,
        registration: &Registration,
    ) -> Result<AcceptedRegistration, HttpError> {
        let body = wire::registration(Dialect::of(self.api_version()), registration);
        let response = self.send(self.request(method, url.clone(), retry).json(&body)).await?;
        response.check_body()?;
        let (operation, state) = (self.operation_of(&url, &response), state::of_response(&response));
        let is_accepted = response.status == 202 || operation.is_some();
        Ok(AcceptedRegistration { operation, state, is_ours: true, is_accepted })
    }

    /// Resolves a `createAsync` that was interrupted: it may have been accepted.
    async fn resolve_uncertain(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        registration: &Registration,
        first: HttpError,
    ) -> Result<AcceptedRegistration, RegisterError> {
        match self.find_registration(name, version, registration).await? {
            Some(true) => return Ok(accepted()),
            Some(false) => {}
            None => return Err(RegisterError::Refused(first)),
        }
        match self.create_async(name, version, registration).await {
            Ok(started) => Ok(started),
            // A conflict with this client's own first attempt, unless the version has other files.
            Err(second) if second.status() == Some(409) => {
                self.find_registration(name, version, registration).await.map(|_| accepted())
            }
            Err(second) if is_outcome_unknown(&second) => {
                match self.find_registration(name, version, registration).await? {
                    Some(true) => Ok(accepted()),
                    _ => Err(RegisterError::Refused(second)),
                }
            }
            Err(second) => Err(RegisterError::Refused(second)),
        }
    }

    /// Returns true if the version exists and comes from this registration; `None` if that is unknown.
    async fn find_registration(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        registration: &Registration,
    ) -> Result<Option<bool>, RegisterError> {
        match self.get_model(name, version).await {
            Ok(model) => match registration.difference(&model) {
                Some(difference) => Err(RegisterError::VersionTaken { difference }),
                None => Ok(Some(true)),
            },
            Err(error) if error.status() == Some(404) => Ok(Some(false)),
            Err(_) => Ok(None),
        }
    }
}

/// Registration accepted by a request whose response was lost.
fn accepted() -> AcceptedRegistration {
    AcceptedRegistration {
        operation: None,
        state: OperationState::Running("Accepted".into()),
        is_ours: false,
        is_accepted: false,
    }
}

/// True for a 405, and for a 404 that is not about a model.
fn is_missing_route(error: &HttpError) -> bool {
    error.service().is_some_and(|error| match error.status {
        405 => true,
        404 => !error.is_model_not_found(),
        _ => false,
    })
}

/// True if the service may have accepted the request in spite of the failure.
fn is_outcome_unknown(error: &HttpError) -> bool {
    match error {
        // With Retry-After the service itself reports that nothing was begun.
        HttpError::Service(error) if error.status == 503 => error.retry_after.is_none(),
        HttpError::Service(error) => matches!(error.status, 408 | 500 | 502 | 504),
        HttpError::Network { connecting, .. } => !connecting,
        // 2xx with a body that is too large, or from another server.
        HttpError::BadAnswer { .. } => true,
        HttpError::Redirect { .. } | HttpError::SignIn(_) | HttpError::Setup { .. } => false,
    }
}
