//! Upload location, and the request that checks its SAS.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::acceptance::of_store;
use super::container::Container;
use super::error::SasRefusal;
use super::version::BlobVersion;
use crate::http::{HttpClient, HttpError, Method, Request, Retry};
use crate::model::{BlobPath, BlobUri};
use crate::redact::SecretUrl;

/// One blob in the store's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedBlob {
    /// Size in bytes.
    pub bytes: u64,
    /// Version of the blob.
    #[serde(flatten)]
    pub version: BlobVersion,
}

/// Blobs by their name in the upload location.
pub type BlobListing = BTreeMap<BlobPath, ListedBlob>;

/// Upload location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadLocation {
    /// SAS URL of the container, or of a prefix in it, that permits writing.
    pub sas: SecretUrl,
    /// Address of the location in the registration.
    pub blob_uri: BlobUri,
    /// The service's id of the pending upload.
    pub id: Option<String>,
}

impl UploadLocation {
    /// Probes the SAS: lists at most one blob, once, within `limit`. AzCopy is silent for 16 minutes when the store
    /// does not respond, and reports a rejected SAS only after its first file. `None` if the SAS is valid, or at least
    /// its signature is.
    ///
    /// # Errors
    /// If the store does not respond, or with a status that is not about the SAS.
    pub(crate) async fn probe(&self, http: &HttpClient, limit: Duration) -> Result<Option<SasRefusal>, HttpError> {
        let url = Container::of(self.sas.expose()).listing("", Some(1));
        let request = of_store(Request::new(Method::GET, url, Retry::None).limit(limit), None);
        let mut answer = http.send(&request).await;
        if answer.as_ref().is_err_and(HttpError::is_of_intermediary) {
            answer = http.send(&request).await;
        }
        match answer {
            Ok(_) => Ok(None),
            // The signature is valid and only listing is not permitted: a write-only SAS.
            Err(HttpError::Service(error))
                if error.status == 403 && error.has_code(&["AuthorizationPermissionMismatch"]) =>
            {
                Ok(None)
            }
            Err(HttpError::Service(error)) if matches!(error.status, 403 | 404) => {
                Ok(Some(SasRefusal { status: error.status, code: error.code }))
            }
            Err(error) => Err(error),
        }
    }
}
