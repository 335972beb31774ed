//! Blobs of a source that AzCopy copies from store to store, as pinned by a plan. Reads only.

use super::client::list_blobs;
use super::container::Container;
use super::location::{BlobListing, ListedBlob};
use super::version::BlobVersion;
use crate::http::{HttpClient, HttpError, Method, RawResponse, Request};
use crate::model::{BlobPath, file_name};
use crate::redact::SecretUrl;

/// Lists the blobs at this address by the names that the copies get: one blob, or all below a folder or container.
///
/// # Errors
/// When the store does not respond, or the SAS permits neither reading the blob nor listing.
pub async fn source_blobs(http: &HttpClient, url: &SecretUrl) -> Result<BlobListing, HttpError> {
    let container = Container::of(url.expose());
    if !container.prefix().is_empty()
        && let Some((name, blob)) = one_blob(http, url, container.prefix()).await?
    {
        return Ok(BlobListing::from([(name, blob)]));
    }
    list_blobs(http, url, &|name, blob| (name.into(), blob)).await
}

/// Returns the blob at this address; `None` if it does not exist or the SAS does not permit reading it.
async fn one_blob(
    http: &HttpClient,
    url: &SecretUrl,
    prefix: &str,
) -> Result<Option<(BlobPath, ListedBlob)>, HttpError> {
    let request = Request::download(url.expose().clone(), http.timings().probe).method(Method::HEAD).blob_store();
    let exchange = http.exchange(&request).await?;
    match exchange.status() {
        200 => Ok(listed(&exchange).map(|blob| (file_name(prefix.trim_end_matches('/')).into(), blob))),
        400 | 403 | 404 | 409 => Ok(None),
        _ => Err(exchange.refusal().await),
    }
}

/// Returns the blob that the headers describe; `None` for a folder of a hierarchical namespace.
fn listed(exchange: &RawResponse) -> Option<ListedBlob> {
    let header = |name| exchange.header(name);
    if header("x-ms-meta-hdi_isfolder").is_some_and(|word| word.eq_ignore_ascii_case("true")) {
        return None;
    }
    header("x-ms-blob-type")?;
    let bytes = header("content-length")?.parse().ok()?;
    Some(ListedBlob {
        bytes,
        version: BlobVersion::new(header("etag"), header("content-md5"), header("last-modified")),
    })
}
