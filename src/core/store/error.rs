//! Errors between this program and a blob store.

use std::fmt;

use thiserror::Error;

use crate::http::HttpError;

/// Failure of a request to the blob store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The store rejects the SAS, and a new one too.
    #[error("the blob store refused the upload, also with a new SAS ({0})")]
    SasRejected(#[source] HttpError),
    /// The store rejects the SAS, and the service did not return a new one.
    #[error("the upload SAS was rejected, and Foundry did not provide a new one")]
    NoFreshSas(#[source] HttpError),
    /// The new SAS is for another location.
    #[error("Foundry moved the upload location")]
    Moved,
    /// The content is no longer the announced one: sending it again would never succeed.
    #[error("the content changed during the upload")]
    Stale,
    /// The store rejected the request permanently, or did not respond.
    #[error(transparent)]
    Http(HttpError),
}

/// Error of the store for a rejected SAS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SasRefusal {
    /// HTTP status: 403 or 404.
    pub status: u16,
    /// The store's error code.
    pub code: Option<String>,
}

impl fmt::Display for SasRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.status, self.code.as_deref()) {
            (404, _) => f.write_str("the upload location does not exist (404)"),
            (status, Some(code)) => write!(f, "the blob store rejected the upload SAS ({status} {code})"),
            (status, None) => write!(f, "the blob store rejected the upload SAS ({status})"),
        }
    }
}

/// True if the store rejected the SAS itself. The other kind of 403 means that the SAS is valid but does not permit
/// this operation.
pub(super) fn rejects_sas(error: &HttpError) -> bool {
    error.status() == Some(403) && !has_code(error, "AuthorizationPermissionMismatch")
}

/// True if the store failed, regardless of the request.
pub(super) fn is_fault(error: &HttpError) -> bool {
    matches!(error.status(), Some(500 | 501))
}

/// True if the store names this header in its error.
pub(super) fn names_header(error: &HttpError, header: &str) -> bool {
    error
        .service()
        .is_some_and(|error| error.mentions(&[header]) || error.details.iter().any(|one| one.message == header))
}

/// True if the store's error has this code.
pub(super) fn has_code(error: &HttpError, code: &str) -> bool {
    error.service().is_some_and(|error| error.has_code(&[code]))
}
