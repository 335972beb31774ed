//! Registration of an upload, awaited to its end and verified by the model itself.

use std::time::Duration;

use thiserror::Error;

use super::client::FoundryClient;
use super::start::AcceptedRegistration;
use super::state::OperationFailure;
use crate::http::HttpError;
use crate::model::{ModelName, ModelVersion, Registration};

/// Progress of a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterStatus {
    /// Status as reported by the service.
    pub status: String,
    /// Time since the wait began.
    pub elapsed: Duration,
}

/// Failure of a registration, or uncertainty about its outcome.
#[derive(Debug, Error)]
pub enum RegisterError {
    /// The service rejected the request.
    #[error("the model could not be registered")]
    Refused(#[source] HttpError),
    /// The service does not support `createAsync`, and rejected the PUT instead.
    #[error("the model could not be registered")]
    NoRoute {
        /// Response to `createAsync`, which is reported.
        first: HttpError,
        /// Response to the PUT.
        second: HttpError,
    },
    /// The registration was accepted, and failed.
    #[error("the registration failed: {0}")]
    Failed(OperationFailure),
    /// The registration was accepted, and its state cannot be read.
    #[error("the registration was accepted, but its state cannot be read")]
    Unwatchable(#[source] HttpError),
    /// The limit ended the wait; the registration continues.
    #[error("the registration did not finish in time{}", last(last_status.as_deref()))]
    TimedOut {
        /// Last state that the service reported.
        last_status: Option<String>,
        /// Reason why no newer state is known.
        last_fault: Option<HttpError>,
    },
    /// No registration is known and the model does not exist, or the model existed and is gone.
    #[error("{}", absent(last_status.as_deref()))]
    Absent {
        /// Last state that the service reported, if any.
        last_status: Option<String>,
        /// The last 404: about the model, or about the whole project.
        last_look: Box<HttpError>,
    },
    /// The operation succeeded, but the model does not exist.
    #[error("the registration was reported as successful, but the model does not exist")]
    NotProved,
    /// The version exists, but does not come from this registration.
    #[error("the version already exists with other files")]
    VersionTaken {
        /// Difference, as a sentence.
        difference: String,
    },
}

impl RegisterError {
    /// Error code of the service if it no longer accepts the uploaded content, which must be uploaded again.
    #[must_use]
    pub fn rejects_upload(&self) -> Option<&str> {
        const CODES: [&str; 3] = ["UploadExpired", "UploadIncomplete", "InvalidBlobUri"];
        let code = match self {
            Self::Refused(error) | Self::Unwatchable(error) => error.service()?.code.as_deref()?,
            Self::NoRoute { first, .. } => first.service()?.code.as_deref()?,
            Self::Failed(failure) => failure.code.as_deref()?,
            _ => return None,
        };
        CODES.iter().any(|known| known.eq_ignore_ascii_case(code)).then_some(code)
    }

    /// Error code of the service if it rejects this registration, immediately or at its end.
    #[must_use]
    pub fn refusal_code(&self) -> Option<&str> {
        match self {
            Self::Refused(error) | Self::NoRoute { second: error, .. } => {
                error.service().filter(|error| matches!(error.status, 400 | 409 | 422))?.code.as_deref()
            }
            Self::Failed(failure) => failure.code.as_deref(),
            _ => None,
        }
    }
}

fn last(status: Option<&str>) -> String {
    status.map(|status| format!("; its last state was {status}")).unwrap_or_default()
}

fn absent(last_status: Option<&str>) -> String {
    match last_status {
        Some(status) => format!("the model no longer exists; the last state of its registration was {status}"),
        None => "the model does not exist".into(),
    }
}

impl FoundryClient {
    /// Requests a registration, within a time limit. It continues after this process ends: waiting for its end is
    /// enough.
    ///
    /// # Errors
    /// [`RegisterError::Refused`], [`RegisterError::NoRoute`], [`RegisterError::VersionTaken`] and [`RegisterError::TimedOut`].
    pub async fn register(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        registration: &Registration,
        limit: Duration,
    ) -> Result<AcceptedRegistration, RegisterError> {
        tokio::time::timeout(limit, self.start_registration(name, version, registration))
            .await
            .unwrap_or(Err(RegisterError::TimedOut { last_status: None, last_fault: None }))
    }
}
