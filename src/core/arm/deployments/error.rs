//! Errors of a write to a deployment, or of the wait for its completion.

use thiserror::Error;

use crate::http::{ErrorDetail, HttpError};

/// Failure of a write, or of the deployment that it changes.
#[derive(Debug, Error)]
pub enum DeployError {
    /// The service rejected the request.
    #[error("the request was refused")]
    Refused(#[source] HttpError),
    /// Other operations kept the account busy the whole time.
    #[error("the account was busy with another operation")]
    Busy(#[source] HttpError),
    /// The response to the write was lost, and a deployment of another model has the name.
    #[error("a deployment of another model now has this name")]
    Taken,
    /// The deployment failed.
    #[error("the deployment ended in state '{state}'{}", detail_suffix(detail.as_ref()))]
    Failed {
        /// State in the service's spelling.
        state: String,
        /// Error of the service, if reported.
        detail: Option<ErrorDetail>,
        /// Further details.
        details: Vec<ErrorDetail>,
    },
    /// The limit ended the wait; the operation continues.
    #[error("the deployment is still running")]
    TimedOut {
        /// Last reported state.
        last_state: Option<String>,
        /// Failure of the last query, if it failed.
        last_fault: Option<HttpError>,
    },
    /// The write was accepted, but the deployment did not appear.
    #[error("the deployment was accepted but did not appear")]
    NotVisible,
    /// The deployment does not exist.
    #[error("the deployment does not exist")]
    NotFound,
    /// The deployment was being deleted during the wait, and is gone.
    #[error("the deployment was deleted in the meantime")]
    Deleted,
    /// The deployment succeeded, but without the accepted change.
    #[error("the service accepted the change, but the deployment does not show it")]
    NotApplied,
    /// The state of the deployment cannot be read.
    #[error("the state of the deployment cannot be read")]
    Unwatchable(#[source] HttpError),
}

impl DeployError {
    /// True for a rejection of the model itself.
    #[must_use]
    pub fn is_about_model(&self) -> bool {
        match self {
            Self::Refused(error) => {
                error.service().is_some_and(|error| error.has_code_anywhere(&["DeploymentModelNotSupported"]))
            }
            _ => false,
        }
    }

    /// True for a rejection that mentions the content filter, regardless of its code.
    #[must_use]
    pub fn is_about_content_filter(&self) -> bool {
        const WORDS: [&str; 3] = ["content filter", "rai policy", "raipolicy"];
        match self {
            Self::Refused(error) => error.service().is_some_and(|error| error.status == 400 && error.mentions(&WORDS)),
            _ => false,
        }
    }
}

fn detail_suffix(detail: Option<&ErrorDetail>) -> String {
    match detail {
        Some(ErrorDetail { message, .. }) if !message.is_empty() => format!(": {message}"),
        _ => String::new(),
    }
}
