//! Requests that change blobs.

use std::time::SystemTime;

use serde::Deserialize;

use super::{Committed, Contents, key, with_version_headers};
use crate::request::Request;
use crate::response::Response;

#[derive(Deserialize)]
struct BlockListBody {
    #[serde(rename = "$value", default)]
    entries: Vec<BlockListEntry>,
}

#[derive(Deserialize)]
enum BlockListEntry {
    Latest(String),
    Committed(String),
    Uncommitted(String),
}

impl Contents {
    pub(super) fn put_blob(&mut self, request: &Request) -> Response {
        if request.header("x-ms-blob-type") != Some("BlockBlob") {
            return Response::refusal(400, "InvalidHeaderValue");
        }
        self.commit(request, Vec::new(), content_length(request))
    }

    pub(super) fn put_block(&mut self, request: &Request) -> Response {
        let Some(id) = request.query("blockid").filter(|id| !id.is_empty()) else {
            return Response::refusal(400, "InvalidQueryParameterValue");
        };
        let uncommitted = &mut self.blobs.entry(key(request)).or_default().uncommitted;
        // The service rejects IDs of different lengths in one blob.
        if uncommitted.keys().next().is_some_and(|other| other.len() != id.len()) {
            return Response::refusal(400, "InvalidBlobOrBlock");
        }
        uncommitted.insert(id.to_owned(), content_length(request));
        Response::new(201).header("x-ms-request-server-encrypted", "true")
    }

    pub(super) fn put_block_list(&mut self, request: &Request) -> Response {
        let text = String::from_utf8_lossy(&request.body);
        let Ok(list) = quick_xml::de::from_str::<BlockListBody>(text.trim_start_matches('\u{feff}')) else {
            return Response::refusal(400, "InvalidXmlDocument");
        };
        let known = self.blobs.get(&key(request));
        let uncommitted = |id: &str| known.and_then(|blob| blob.uncommitted.get(id).copied());
        let committed = |id: &str| {
            let blocks = &known.and_then(|blob| blob.committed.as_ref())?.blocks;
            blocks.iter().find(|(other, _)| other == id).map(|(_, bytes)| *bytes)
        };
        let blocks: Option<Vec<(String, u64)>> = list
            .entries
            .into_iter()
            .map(|entry| {
                let (bytes, id) = match entry {
                    BlockListEntry::Latest(id) => (uncommitted(&id).or_else(|| committed(&id)), id),
                    BlockListEntry::Uncommitted(id) => (uncommitted(&id), id),
                    BlockListEntry::Committed(id) => (committed(&id), id),
                };
                bytes.map(|bytes| (id, bytes))
            })
            .collect();
        let Some(blocks) = blocks else { return Response::refusal(400, "InvalidBlockList") };
        let bytes = blocks.iter().map(|(_, bytes)| bytes).sum();
        self.commit(request, blocks, bytes)
    }

    fn commit(&mut self, request: &Request, blocks: Vec<(String, u64)>, bytes: u64) -> Response {
        self.writes += 1;
        let text = |name: &str| request.header(name).map(str::to_owned);
        let committed = Committed {
            blocks,
            bytes,
            etag: format!("0x8D{:012X}", self.writes),
            modified: SystemTime::now(),
            content_type: text("x-ms-blob-content-type").or_else(|| text("content-type")).unwrap_or_default(),
            md5: text("x-ms-blob-content-md5").or_else(|| text("content-md5")),
            metadata: request.metadata(),
        };
        let response =
            with_version_headers(Response::new(201), &committed).header("x-ms-request-server-encrypted", "true");
        let blob = self.blobs.entry(key(request)).or_default();
        blob.writes += 1;
        blob.uncommitted.clear();
        blob.committed = Some(committed);
        response
    }

    pub(super) fn delete(&mut self, request: &Request) -> Response {
        match self.blobs.remove(&key(request)) {
            Some(_) => Response::new(202),
            None => Response::refusal(404, "BlobNotFound"),
        }
    }
}

/// Length of the content: a structured message is longer than its content.
fn content_length(request: &Request) -> u64 {
    let declared = request.header("x-ms-structured-content-length").and_then(|text| text.parse().ok());
    declared.or(request.length).unwrap_or(0)
}
