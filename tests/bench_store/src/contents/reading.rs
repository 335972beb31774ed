//! Requests that read blobs and lists.

use super::{Committed, Contents, FilePart, key, with_version_headers};
use crate::listing;
use crate::request::Request;
use crate::response::Response;

impl Contents {
    pub(super) fn block_list(&self, request: &Request) -> Response {
        let Some(blob) = self.blobs.get(&key(request)) else { return Response::refusal(404, "BlobNotFound") };
        let blocks = blob.committed.iter().flat_map(|committed| &committed.blocks);
        let committed = blocks.map(|(id, bytes)| (id.as_str(), *bytes));
        let uncommitted = blob.uncommitted.iter().map(|(id, bytes)| (id.as_str(), *bytes));
        let response = Response::new(200).xml(listing::blocks(committed, uncommitted));
        match &blob.committed {
            Some(committed) => with_version_headers(response, committed),
            None => response,
        }
    }

    pub(super) fn properties(&self, request: &Request) -> Response {
        match self.blobs.get(&key(request)).and_then(|blob| blob.committed.as_ref()) {
            None => Response::refusal(404, "BlobNotFound"),
            Some(committed) => with_blob_headers(Response::new(200).length(committed.bytes), committed)
                .header("x-ms-access-tier", "Hot")
                .header("x-ms-lease-status", "unlocked")
                .header("x-ms-lease-state", "available"),
        }
    }

    /// Get Blob: the whole blob or a range.
    pub(super) fn read(&self, request: &Request) -> Response {
        let committed = self.blobs.get(&key(request)).and_then(|blob| blob.committed.as_ref());
        let (Some(served), Some(committed)) = (&self.served, committed) else {
            return Response::refusal(404, "BlobNotFound");
        };
        let etag = format!("\"{}\"", committed.etag);
        if request.header("if-match").is_some_and(|wanted| wanted != etag && wanted != "*") {
            return Response::refusal(412, "ConditionNotMet");
        }
        let file = served.join(&request.blob);
        let requested = request.header("x-ms-range").or_else(|| request.header("range"));
        let (response, start, bytes) = match requested {
            None => (Response::new(200), 0, committed.bytes),
            Some(range) => {
                let range = range.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
                let Some((first, last)) = range.and_then(|(first, last)| Some((first.parse::<u64>().ok()?, last)))
                else {
                    return Response::refusal(400, "InvalidHeaderValue");
                };
                if first >= committed.bytes {
                    return Response::refusal(416, "InvalidRange");
                }
                let last = last.parse().unwrap_or(u64::MAX).min(committed.bytes - 1);
                let sent = format!("bytes {first}-{last}/{}", committed.bytes);
                (Response::new(206).header("content-range", &sent), first, last + 1 - first)
            }
        };
        with_blob_headers(response.part(FilePart { file, start, bytes }), committed)
    }

    pub(super) fn list(&self, request: &Request) -> Response {
        let page = listing::Page {
            prefix: request.query("prefix").unwrap_or(""),
            delimiter: request.query("delimiter").filter(|text| !text.is_empty()),
            marker: request.query("marker").unwrap_or(""),
            max_results: request.query("maxresults").and_then(|text| text.parse().ok()),
        };
        let first = page.prefix.max(page.marker);
        let blobs = self
            .blobs
            .range((request.container.clone(), first.to_owned())..)
            .take_while(|((container, name), _)| *container == request.container && name.starts_with(page.prefix))
            .filter_map(|((_, name), blob)| Some((name.as_str(), blob.committed.as_ref()?)));
        let has_metadata =
            request.query("include").is_some_and(|parts| parts.split(',').any(|part| part == "metadata"));
        Response::new(200).xml(listing::blobs(&page, has_metadata, blobs))
    }
}

/// Adds version headers, content type and metadata of a blob.
fn with_blob_headers(response: Response, committed: &Committed) -> Response {
    let response = with_version_headers(response, committed)
        .header("content-type", &committed.content_type)
        .header("x-ms-blob-type", "BlockBlob")
        .header("accept-ranges", "bytes");
    committed
        .metadata
        .iter()
        .fold(response, |response, (name, value)| response.header(&format!("x-ms-meta-{name}"), value))
}
