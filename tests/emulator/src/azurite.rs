//! Requests of the emulator to the blob store: grants SAS URLs, creates containers, and checks whether they are empty.

use std::fmt;
use std::time::Duration;

use time::OffsetDateTime;
use url::Url;

use crate::config::BlobStore;
use crate::sas;

/// Lifetime of a SAS for the emulator's own requests.
const OWN_SAS: time::Duration = time::Duration::minutes(5);
/// A local Azurite responds in milliseconds; the limit is for one that hangs.
const REQUEST_TIME: Duration = Duration::from_secs(10);

/// Failed request to Azurite. Contains no URL, which would be a secret.
#[derive(Debug)]
pub(crate) enum BlobStoreError {
    Unreachable(reqwest::Error),
    Refused(reqwest::StatusCode),
}

impl fmt::Display for BlobStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(error) => write!(f, "Azurite did not answer: {error}"),
            Self::Refused(status) => write!(f, "Azurite answered {status}"),
        }
    }
}

impl From<reqwest::Error> for BlobStoreError {
    fn from(error: reqwest::Error) -> Self {
        Self::Unreachable(error.without_url())
    }
}

/// Container with its SAS.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) blob_uri: String,
    pub(crate) sas_uri: String,
    pub(crate) expires_on: String,
}

/// Grants access to a container for this number of seconds.
pub(crate) fn grant(blobs: &BlobStore, container: &str, permissions: &str, seconds: i64) -> Grant {
    let expiry = OffsetDateTime::now_utc() + time::Duration::seconds(seconds);
    let (blob_uri, extra) = match blobs {
        BlobStore::None { base, extra_sas_query } => {
            (format!("{}/{container}", base.as_str().trim_end_matches('/')), extra_sas_query.as_deref())
        }
        BlobStore::Azurite { endpoint } => (container_url(endpoint, container), None),
    };
    let mut sas_uri = format!("{blob_uri}?{}", sas::container(container, permissions, expiry));
    if let Some(extra) = extra {
        sas_uri.push('&');
        sas_uri.push_str(extra);
    }
    Grant { blob_uri, sas_uri, expires_on: sas::timestamp(expiry) }
}

/// Path below the base of the store, if `uri` is below it.
pub(crate) fn path_in_store(blobs: &BlobStore, uri: &Url) -> Option<String> {
    let base = match blobs {
        BlobStore::None { base, .. } => base.as_str().trim_end_matches('/').to_owned(),
        BlobStore::Azurite { endpoint } => container_url(endpoint, "").trim_end_matches('/').to_owned(),
    };
    uri.as_str().strip_prefix(&format!("{base}/")).map(str::to_owned)
}

/// Creates a container if it does not exist.
pub(crate) async fn create_container(
    http: &reqwest::Client,
    endpoint: &Url,
    container: &str,
) -> Result<(), BlobStoreError> {
    let sas = sas::account(OffsetDateTime::now_utc() + OWN_SAS);
    let url = format!("{}?restype=container&{sas}", container_url(endpoint, container));
    let response = http.put(url).header("content-length", 0).timeout(REQUEST_TIME).send().await?;
    match response.status() {
        status if status.is_success() || status == reqwest::StatusCode::CONFLICT => Ok(()),
        status => Err(BlobStoreError::Refused(status)),
    }
}

/// True if at least one blob was committed.
pub(crate) async fn has_blobs(http: &reqwest::Client, endpoint: &Url, container: &str) -> Result<bool, BlobStoreError> {
    let sas = sas::account(OffsetDateTime::now_utc() + OWN_SAS);
    let url = format!("{}?restype=container&comp=list&maxresults=1&{sas}", container_url(endpoint, container));
    let response = http.get(url).timeout(REQUEST_TIME).send().await?;
    if response.status() == reqwest::StatusCode::NOT_FOUND {
        return Ok(false);
    }
    if !response.status().is_success() {
        return Err(BlobStoreError::Refused(response.status()));
    }
    Ok(response.text().await?.contains("<Blob>"))
}

fn container_url(endpoint: &Url, container: &str) -> String {
    format!("{}/{}/{container}", endpoint.as_str().trim_end_matches('/'), sas::ACCOUNT)
}
