//! Getting an upload location from the service, proved to accept what is sent.

use std::time::Duration;

use super::UploadError;
use crate::foundry::FoundryClient;
use crate::http::HttpClient;
use crate::model::{ModelName, ModelVersion};
use crate::store::UploadLocation;

/// A location that is proved to accept what is sent: the first one, or one fresh one if its SAS is rejected.
///
/// # Errors
/// See [`UploadError`]; nothing was sent.
pub(super) async fn usable_location(
    foundry: &FoundryClient,
    http: &HttpClient,
    limit: Duration,
    (name, version): (&ModelName, &ModelVersion),
) -> Result<UploadLocation, UploadError> {
    let first = match foundry.start_pending_upload(name, version).await {
        Ok(location) => location,
        Err(error) if error.status() == Some(409) => return Err(UploadError::Conflict(error)),
        Err(error) => return Err(UploadError::NoLocation(error)),
    };
    if first.probe(http, limit).await.map_err(UploadError::Unreachable)?.is_none() {
        return Ok(first);
    }
    let fresh = foundry.start_pending_upload(name, version).await.map_err(UploadError::NoFreshSas)?;
    match fresh.probe(http, limit).await.map_err(UploadError::Unreachable)? {
        None => Ok(fresh),
        Some(refusal) => Err(UploadError::SasRejected(refusal)),
    }
}
