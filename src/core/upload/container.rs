//! What a container holds, asked of the blob store itself (contracts/blob.md 6): what arrived, and what does not
//! belong there.

use std::collections::BTreeMap;

use serde::Deserialize;
use url::{Host, Url};

use crate::http::{Flaw, HttpClient, HttpError, Method, Request, Retry};
use crate::redact::SecretUrl;

/// Files by their name in the upload location, with their sizes in bytes.
pub type Blobs = BTreeMap<String, u64>;

/// Lists the whole blobs of an upload location, all pages; `None` when its SAS does not allow that.
///
/// # Errors
/// When the store does not answer, or with something that is no list.
pub async fn blobs(http: &HttpClient, sas: &SecretUrl) -> Result<Option<Blobs>, HttpError> {
    let place = Place::of(sas.expose());
    let mut found = Blobs::new();
    let mut marker = String::new();
    loop {
        let request = Request::new(Method::GET, place.listing(&marker, None), Retry::Idempotent);
        let response = match http.send(&request.blob_store()).await {
            Ok(response) => response,
            Err(error) if error.status() == Some(403) => return Ok(None),
            Err(error) => return Err(error),
        };
        let text = String::from_utf8_lossy(&response.body);
        let page: Page = quick_xml::de::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|_| response.bad(Flaw::Shape("it is no list of blobs".into())))?;
        for blob in page.blobs.blob {
            if let Some(name) = blob.name.strip_prefix(&place.prefix) {
                found.insert(name.to_owned(), blob.properties.length);
            }
        }
        // A list that goes on where it began would never end.
        match page.next_marker {
            Some(next) if !next.is_empty() && next != marker => marker = next,
            _ => return Ok(Some(found)),
        }
    }
}

/// Removes one blob of an upload location. One that is not there is removed.
///
/// # Errors
/// Also when the SAS does not allow it.
pub async fn remove_blob(http: &HttpClient, sas: &SecretUrl, name: &str) -> Result<(), HttpError> {
    let mut url = sas.expose().clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(name.split('/'));
    }
    let request = Request::new(Method::DELETE, url, Retry::Idempotent).blob_store();
    match http.send(&request).await {
        Ok(_) => Ok(()),
        Err(error) if error.status() == Some(404) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The container of an upload location, and the prefix that the location has in it.
pub(super) struct Place {
    container: Url,
    prefix: String,
}

impl Place {
    pub(super) fn of(sas: &Url) -> Self {
        // Where the host is no name, the account stands in the path (Azurite).
        let account_in_path = !matches!(sas.host(), Some(Host::Domain(name)) if name != "localhost");
        let parts: Vec<&str> = sas.path_segments().into_iter().flatten().filter(|part| !part.is_empty()).collect();
        let (container, prefix) = parts.split_at(parts.len().min(if account_in_path { 2 } else { 1 }));
        let prefix = prefix.iter().map(|part| format!("{}/", percent_decoded(part))).collect();
        let mut url = sas.clone();
        url.set_path(&container.join("/"));
        Self { container: url, prefix }
    }

    /// The question for the list of blobs, or for at most so many of the container's.
    pub(super) fn listing(&self, marker: &str, at_most: Option<u16>) -> Url {
        let mut url = self.container.clone();
        let mut query = url.query_pairs_mut();
        query.append_pair("restype", "container").append_pair("comp", "list");
        match at_most {
            Some(at_most) => drop(query.append_pair("maxresults", &at_most.to_string())),
            None if self.prefix.is_empty() => {}
            None => drop(query.append_pair("prefix", &self.prefix)),
        }
        if !marker.is_empty() {
            query.append_pair("marker", marker);
        }
        drop(query);
        url
    }
}

fn percent_decoded(part: &str) -> String {
    // A query of one key, which the URL library decodes; a '+' is no blank in a path.
    let escaped = part.replace('+', "%2B");
    url::form_urlencoded::parse(escaped.as_bytes()).map(|(key, _)| key.into_owned()).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    #[serde(default)]
    blobs: BlobList,
    #[serde(default)]
    next_marker: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct BlobList {
    blob: Vec<Blob>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Blob {
    name: String,
    properties: Properties,
}

#[derive(Deserialize)]
struct Properties {
    #[serde(rename = "Content-Length")]
    length: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_container_is_asked_whatever_prefix_the_location_has() {
        for (sas, at_most, asked) in [
            (
                "https://a.blob.core.windows.net/c/some/pre%20fix/?sv=1&sig=x%2By",
                None,
                "https://a.blob.core.windows.net/c?sv=1&sig=x%2By&restype=container&comp=list&prefix=some%2Fpre+fix%2F",
            ),
            (
                "https://a.blob.core.windows.net/c/some/prefix?sv=1&sig=x%2By",
                Some(1),
                "https://a.blob.core.windows.net/c?sv=1&sig=x%2By&restype=container&comp=list&maxresults=1",
            ),
            (
                "http://127.0.0.1:10000/devstoreaccount1/c?sig=x",
                None,
                "http://127.0.0.1:10000/devstoreaccount1/c?sig=x&restype=container&comp=list",
            ),
        ] {
            assert_eq!(Place::of(&Url::parse(sas).expect("a URL")).listing("", at_most).as_str(), asked);
        }
    }

    #[test]
    fn a_list_of_blobs_is_read_whatever_else_stands_in_it() {
        let page = r#"<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="x" ContainerName="c"><Prefix/><Blobs><Blob><Name>a &amp; b #1.bin</Name><Properties><Creation-Time>t</Creation-Time><Content-Length>7</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob><Blob><Name>c</Name><Snapshot/><Properties><Content-Length>0</Content-Length></Properties></Blob></Blobs><NextMarker>n</NextMarker></EnumerationResults>"#;
        let page: Page = quick_xml::de::from_str(page).expect("a list");
        let names: Vec<(&str, u64)> =
            page.blobs.blob.iter().map(|blob| (blob.name.as_str(), blob.properties.length)).collect();
        assert_eq!((names, page.next_marker.as_deref()), (vec![("a & b #1.bin", 7), ("c", 0)], Some("n")));
        let empty: Page = quick_xml::de::from_str("<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>")
            .expect("an empty list");
        assert!(empty.blobs.blob.is_empty());
        quick_xml::de::from_str::<Page>("<EnumerationResults/>").expect("an empty list");
    }
}
