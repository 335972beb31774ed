//! Request for an upload location that is verified to accept content.

use std::time::Duration;

use super::UploadError;
use crate::foundry::FoundryClient;
use crate::model::{ModelName, ModelVersion};
use crate::store::{SasRefusal, UploadLocation};

/// Returns a location that is verified to accept content: the first one, or one new one if its SAS is rejected. Also
/// returns the result of `list`, which is requested concurrently: a round trip may take a third of a second.
///
/// # Errors
/// See [`UploadError`]; nothing was sent.
pub(super) async fn usable_location<L>(
    foundry: &FoundryClient,
    limit: Duration,
    (name, version): (&ModelName, &ModelVersion),
    list: impl AsyncFn(&UploadLocation) -> L,
) -> Result<(UploadLocation, L), UploadError> {
    let first = match foundry.start_pending_upload(name, version).await {
        Ok(location) => location,
        Err(error) if error.status() == Some(409) => return Err(UploadError::Conflict(error)),
        Err(error) => return Err(UploadError::NoLocation(error)),
    };
    if let Ok(listed) = listed_if_usable(foundry, limit, &first, &list).await? {
        return Ok((first, listed));
    }
    let fresh = foundry.start_pending_upload(name, version).await.map_err(UploadError::NoFreshSas)?;
    match listed_if_usable(foundry, limit, &fresh, &list).await? {
        Ok(listed) => Ok((fresh, listed)),
        Err(refusal) => Err(UploadError::SasRejected(refusal)),
    }
}

/// Result of `list`, unless the SAS is rejected: then the list is not awaited.
async fn listed_if_usable<L>(
    foundry: &FoundryClient,
    limit: Duration,
    location: &UploadLocation,
    list: &impl AsyncFn(&UploadLocation) -> L,
) -> Result<Result<L, SasRefusal>, UploadError> {
    let probe = async {
        match location.probe(foundry.http(), limit).await {
            Ok(None) => Ok(()),
            Ok(Some(refusal)) => Err(Ok(refusal)),
            Err(why) => Err(Err(UploadError::Unreachable(why))),
        }
    };
    match tokio::try_join!(probe, async { Ok(list(location).await) }) {
        Ok(((), listed)) => Ok(Ok(listed)),
        Err(Ok(refusal)) => Ok(Err(refusal)),
        Err(Err(error)) => Err(error),
    }
}
