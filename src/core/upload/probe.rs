//! One question to the blob store before AzCopy runs: AzCopy is silent for 16 minutes when the store does not answer
//! (contracts/azcopy.md 0.6), and tells a refused SAS only after its first file.

use std::fmt;
use std::time::Duration;

use super::container::Place;
use crate::http::{HttpClient, HttpError, Method, Request, Retry};
use crate::redact::SecretUrl;

/// What the store says of the SAS.
pub(super) enum Probe {
    /// It is good, or at least its signature is.
    Usable,
    /// It is not.
    Refused(Refusal),
}

/// The store's words for a refused SAS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// The store's error code.
    pub code: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.status, self.code.as_deref()) {
            (404, _) => f.write_str("the upload location does not exist (404)"),
            (status, Some(code)) => write!(f, "the blob store refused the upload location's SAS ({status} {code})"),
            (status, None) => write!(f, "the blob store refused the upload location's SAS ({status})"),
        }
    }
}

/// Lists at most one blob of the container, once, within `limit`.
///
/// # Errors
/// When the store does not answer, or with a status that says nothing about the SAS.
pub(super) async fn probe(http: &HttpClient, sas: &SecretUrl, limit: Duration) -> Result<Probe, HttpError> {
    let request =
        Request::new(Method::GET, Place::of(sas.expose()).listing("", Some(1)), Retry::None).limit(limit).blob_store();
    match http.send(&request).await {
        Ok(_) => Ok(Probe::Usable),
        // The signature is good, only listing is not allowed: a SAS for writing alone.
        Err(HttpError::Service(error))
            if error.status == 403 && error.code.as_deref() == Some("AuthorizationPermissionMismatch") =>
        {
            Ok(Probe::Usable)
        }
        Err(HttpError::Service(error)) if matches!(error.status, 403 | 404) => {
            Ok(Probe::Refused(Refusal { status: error.status, code: error.code }))
        }
        Err(error) => Err(error),
    }
}
