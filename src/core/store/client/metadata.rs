//! SHA-256 of a file as metadata of its blob, set by the request that creates the blob: `custom verify` and
//! `custom download` compare with it.

use std::sync::atomic::Ordering;

use super::{BlobStore, Response, SHA256};
use crate::http::HttpError;
use crate::model::{ContentHash, Report};
use crate::store::error::{StoreError, has_code, names_header};

impl BlobStore {
    /// Creates a blob with its SHA-256 as metadata; without it if it is unknown, or if the store rejects the metadata.
    pub(super) async fn with_metadata(
        &self,
        sha256: Option<ContentHash>,
        put: impl AsyncFn(Option<&str>) -> Result<Response, StoreError>,
    ) -> Result<Response, StoreError> {
        let sum = sha256.filter(|_| !self.refuses_metadata.load(Ordering::Relaxed)).map(|sum| sum.to_string());
        match put(sum.as_deref()).await {
            Err(StoreError::Http(error)) if sum.is_some() && may_refuse_metadata(&error) => {}
            ended => return ended,
        }
        let made = put(None).await?;
        if !self.refuses_metadata.swap(true, Ordering::Relaxed) {
            self.report(Report::Warning(format!(
                "The blob store refuses metadata ({SHA256}): files are stored without their SHA-256, and 'custom verify' \
                 cannot compare their content."
            )));
        }
        Ok(made)
    }
}

/// True for a rejection that the metadata may have caused: a missing permission of the SAS, or an invalid header.
fn may_refuse_metadata(error: &HttpError) -> bool {
    match error.status() {
        Some(403) => true,
        Some(400) => {
            names_header(error, SHA256)
                || ["InvalidMetadata", "UnsupportedHeader", "InvalidHeaderValue"]
                    .iter()
                    .any(|code| has_code(error, code))
        }
        _ => false,
    }
}
