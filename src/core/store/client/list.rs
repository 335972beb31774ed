//! Lists of blobs.

use std::collections::HashSet;

use url::Url;

use super::BlobStore;
use crate::http::{HttpClient, HttpError, MAX_PAGES, Method, Request, ResponseFlaw, Retry};
use crate::model::BlobPath;
use crate::redact::SecretUrl;
use crate::store::acceptance::of_store;
use crate::store::container::Container;
use crate::store::error::{StoreError, rejects_sas};
use crate::store::location::{BlobListing, ListedBlob};
use crate::store::wire::{BlobEntry, read_blobs};

/// Converts a listed blob to an entry of a listing.
pub(crate) type ListingEntry<'s> = &'s (dyn Fn(&str, ListedBlob) -> (BlobPath, ListedBlob) + Sync);

impl BlobStore {
    /// Lists the blobs of the location, all pages; `None` if the SAS does not permit that. `shared` converts a listed
    /// blob to an entry, and reuses parts that are already in memory.
    ///
    /// # Errors
    /// When the store does not respond, or not with a list.
    pub(crate) async fn list(&self, shared: ListingEntry<'_>) -> Result<Option<BlobListing>, StoreError> {
        self.listed(async |sas| list_blobs(&self.http, sas, shared).await).await
    }

    /// Requests a list with the SAS in force, and again with a new one; `None` if the SAS does not permit listing.
    pub(super) async fn listed<T>(
        &self,
        list: impl AsyncFn(&SecretUrl) -> Result<T, HttpError>,
    ) -> Result<Option<T>, StoreError> {
        let (sas, generation) = self.current().await;
        match list(&sas).await {
            Ok(listed) => Ok(Some(listed)),
            Err(error) if rejects_sas(&error) => {
                self.renew(generation, error).await?;
                match list(&self.current().await.0).await {
                    Ok(listed) => Ok(Some(listed)),
                    Err(error) if error.status() == Some(403) => Ok(None),
                    Err(error) => Err(StoreError::Http(error)),
                }
            }
            Err(error) if error.status() == Some(403) => Ok(None),
            Err(error) => Err(StoreError::Http(error)),
        }
    }
}

/// Lists the blobs of a location with this SAS, all pages.
pub(in crate::store) async fn list_blobs(
    http: &HttpClient,
    sas: &SecretUrl,
    shared: ListingEntry<'_>,
) -> Result<BlobListing, HttpError> {
    // Sorted at the end: a tree that is built in one go has full nodes.
    let mut found = Vec::new();
    let container = Container::of(sas.expose());
    let url = |marker: &str| container.listing(marker, None);
    all_pages(http, &container, &url, &mut |name, entry| found.push(shared(name, entry.blob))).await?;
    Ok(found.into_iter().collect())
}

/// Reads all pages of a list, and passes on each blob of the location with its name there.
pub(in crate::store) async fn all_pages(
    http: &HttpClient,
    container: &Container,
    url: &(dyn Fn(&str) -> Url + Sync),
    on: &mut (dyn FnMut(&str, BlobEntry) + Send),
) -> Result<(), HttpError> {
    let (mut marker, mut seen) = (String::new(), HashSet::new());
    loop {
        let request = Request::new(Method::GET, url(&marker), Retry::Idempotent);
        let response = http.send(&of_store(request, None)).await?;
        let page = read_blobs(&response)?;
        for mut entry in page.blobs {
            let name = std::mem::take(&mut entry.name);
            if let Some(name) = name.strip_prefix(container.prefix()) {
                on(name, entry);
            }
        }
        let Some(next) = page.next else { return Ok(()) };
        // A partial list proves nothing.
        let flaw = |message: &str| Err(response.bad(ResponseFlaw::Shape(message.into())));
        if !seen.insert(next.clone()) {
            return flaw("its list of blobs repeats");
        }
        if seen.len() >= MAX_PAGES {
            return flaw("its list of blobs does not end");
        }
        marker = next;
    }
}
