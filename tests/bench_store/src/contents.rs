//! Blobs of the store, and the response to each request.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::listing;
use crate::request::Request;
use crate::response::{Response, VERSION};

/// Refusals that a report lists in full.
const MAX_REFUSALS: usize = 20;

/// One write of a blob.
#[derive(Clone, Debug)]
pub(crate) struct Committed {
    /// Ids and sizes of its blocks; empty if it came in one request.
    blocks: Vec<(String, u64)>,
    /// Size in bytes.
    pub(crate) bytes: u64,
    /// Entity tag without its quotes.
    pub(crate) etag: String,
    /// Time of the write.
    pub(crate) modified: SystemTime,
    content_type: String,
    /// MD5 in base64, where the client sent one.
    pub(crate) md5: Option<String>,
    /// Names and values of its metadata.
    pub(crate) metadata: Vec<(String, String)>,
}

/// Part of a file of this machine that an answer ends with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FilePart {
    pub(crate) file: PathBuf,
    pub(crate) start: u64,
    pub(crate) bytes: u64,
}

#[derive(Debug, Default)]
struct Blob {
    committed: Option<Committed>,
    uncommitted: HashMap<String, u64>,
    writes: u64,
}

/// All blobs, and counters. Containers exist as soon as they are named.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    blobs: BTreeMap<(String, String), Blob>,
    writes: u64,
    counts: Report,
    /// Directory with the content of the blobs, which is not kept otherwise.
    served: Option<PathBuf>,
}

/// Content that arrived.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Connections accepted.
    pub connections: u64,
    /// Connections that ended with an error, on either side; a reset of the line is one.
    pub broken_connections: u64,
    /// Requests that arrived whole.
    pub requests: u64,
    /// Requests whose body ended before its length.
    pub cut_off: u64,
    /// Bytes that came over the line, also those that came in vain.
    pub received_bytes: u64,
    /// Bytes of all bodies that arrived whole, also of those that arrived twice.
    pub body_bytes: u64,
    /// Requests that were refused: method, name, parameters, status. The first few.
    pub refusals: Vec<String>,
    /// Blobs in the order of their names.
    pub blobs: Vec<BlobReport>,
}

/// Content that arrived for one blob.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BlobReport {
    /// Container and name.
    pub name: String,
    /// Size in bytes; `None` while nothing is committed.
    pub bytes: Option<u64>,
    /// Blocks that it is made of; 0 where it came in one request.
    pub blocks: usize,
    /// How often it was committed.
    pub writes: u64,
    /// Blocks that belong to no blob yet.
    pub uncommitted_blocks: usize,
    /// Bytes of these.
    pub uncommitted_bytes: u64,
}

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
    /// Blobs are read from the files of their names below this directory.
    pub(crate) fn serving(served: Option<PathBuf>) -> Self {
        Self { served, ..Self::default() }
    }

    pub(crate) fn connected(&mut self) {
        self.counts.connections += 1;
    }

    pub(crate) fn disconnected(&mut self, error: &io::Error) {
        self.counts.broken_connections += 1;
        if error.kind() == io::ErrorKind::InvalidData {
            self.refused(error.to_string());
        }
    }

    /// Notes a request that did not arrive whole. Returns the number of its answer.
    pub(crate) fn cut_off(&mut self) -> u64 {
        self.counts.cut_off += 1;
        self.counts.requests + self.counts.cut_off
    }

    pub(crate) fn report(&self) -> Report {
        let blobs = self.blobs.iter().map(|((container, name), blob)| BlobReport {
            name: format!("{container}/{name}"),
            bytes: blob.committed.as_ref().map(|committed| committed.bytes),
            blocks: blob.committed.as_ref().map_or(0, |committed| committed.blocks.len()),
            writes: blob.writes,
            uncommitted_blocks: blob.uncommitted.len(),
            uncommitted_bytes: blob.uncommitted.values().sum(),
        });
        Report { blobs: blobs.collect(), ..self.counts.clone() }
    }

    /// Carries a request out. Returns the answer for the wire, and the part of a file that follows it.
    pub(crate) fn answer(&mut self, request: &Request) -> (Vec<u8>, Option<FilePart>) {
        self.counts.requests += 1;
        self.counts.body_bytes += request.length.unwrap_or(0);
        let mut response = self.respond(request);
        // A 404 for a blob that does not exist yet is normal.
        if response.status() >= 400 && response.status() != 404 {
            self.refused(format!("{} {}/{} {}", request.method, request.container, request.blob, response.status()));
        }
        for name in ["x-ms-client-request-id", "x-ms-content-crc64", "x-ms-structured-body"] {
            if let Some(value) = request.header(name) {
                response = response.header(name, value);
            }
        }
        let version = request.header("x-ms-version").unwrap_or(VERSION);
        let bytes = response.bytes(self.counts.requests + self.counts.cut_off, version, request.method == "HEAD");
        (bytes, response.into_part())
    }

    fn refused(&mut self, what: String) {
        if self.counts.refusals.len() < MAX_REFUSALS {
            self.counts.refusals.push(what);
        }
    }

    fn respond(&mut self, request: &Request) -> Response {
        let comp = request.query("comp");
        match (request.method.as_str(), request.blob.as_str(), comp) {
            _ if request.container.is_empty() => Response::refusal(400, "InvalidUri"),
            ("GET", "", Some("list")) => self.list(request),
            ("GET" | "HEAD", "", None) => Response::new(200).header("etag", "\"0x8D0\""),
            ("PUT", "", None) => Response::new(201).header("etag", "\"0x8D0\""),
            (_, "", _) => Response::refusal(400, "UnsupportedContainerOperation"),
            ("PUT", _, _) if request.length.is_none() => Response::refusal(411, "MissingContentLengthHeader"),
            ("PUT", _, None) => self.put_blob(request),
            ("PUT", _, Some("block")) => self.put_block(request),
            ("PUT", _, Some("blocklist")) => self.put_block_list(request),
            ("PUT", _, Some("metadata" | "properties" | "tier")) => Response::new(200),
            ("GET", _, Some("blocklist")) => self.block_list(request),
            ("HEAD", _, None) => self.properties(request),
            ("GET", _, None) => self.read(request),
            ("DELETE", _, None) => self.delete(request),
            _ => Response::refusal(400, "UnsupportedOperation"),
        }
    }

    fn put_blob(&mut self, request: &Request) -> Response {
        if request.header("x-ms-blob-type") != Some("BlockBlob") {
            return Response::refusal(400, "InvalidHeaderValue");
        }
        self.commit(request, Vec::new(), content_length(request))
    }

    fn put_block(&mut self, request: &Request) -> Response {
        let Some(id) = request.query("blockid").filter(|id| !id.is_empty()) else {
            return Response::refusal(400, "InvalidQueryParameterValue");
        };
        let uncommitted = &mut self.blobs.entry(key(request)).or_default().uncommitted;
        // The service refuses ids of different lengths in one blob.
        if uncommitted.keys().next().is_some_and(|other| other.len() != id.len()) {
            return Response::refusal(400, "InvalidBlobOrBlock");
        }
        uncommitted.insert(id.to_owned(), content_length(request));
        Response::new(201).header("x-ms-request-server-encrypted", "true")
    }

    fn put_block_list(&mut self, request: &Request) -> Response {
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
        let response = marks(Response::new(201), &committed).header("x-ms-request-server-encrypted", "true");
        let blob = self.blobs.entry(key(request)).or_default();
        blob.writes += 1;
        blob.uncommitted.clear();
        blob.committed = Some(committed);
        response
    }

    fn block_list(&self, request: &Request) -> Response {
        let Some(blob) = self.blobs.get(&key(request)) else { return Response::refusal(404, "BlobNotFound") };
        let blocks = blob.committed.iter().flat_map(|committed| &committed.blocks);
        let committed = blocks.map(|(id, bytes)| (id.as_str(), *bytes));
        let uncommitted = blob.uncommitted.iter().map(|(id, bytes)| (id.as_str(), *bytes));
        let response = Response::new(200).xml(listing::blocks(committed, uncommitted));
        match &blob.committed {
            Some(committed) => marks(response, committed),
            None => response,
        }
    }

    fn properties(&self, request: &Request) -> Response {
        match self.blobs.get(&key(request)).and_then(|blob| blob.committed.as_ref()) {
            None => Response::refusal(404, "BlobNotFound"),
            Some(committed) => described(Response::new(200).length(committed.bytes), committed)
                .header("x-ms-access-tier", "Hot")
                .header("x-ms-lease-status", "unlocked")
                .header("x-ms-lease-state", "available"),
        }
    }

    /// Get Blob, whole or a range of it.
    fn read(&self, request: &Request) -> Response {
        let committed = self.blobs.get(&key(request)).and_then(|blob| blob.committed.as_ref());
        let (Some(served), Some(committed)) = (&self.served, committed) else {
            return Response::refusal(404, "BlobNotFound");
        };
        let etag = format!("\"{}\"", committed.etag);
        if request.header("if-match").is_some_and(|wanted| wanted != etag && wanted != "*") {
            return Response::refusal(412, "ConditionNotMet");
        }
        let file = served.join(&request.blob);
        let asked = request.header("x-ms-range").or_else(|| request.header("range"));
        let (response, start, bytes) = match asked {
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
        described(response.part(FilePart { file, start, bytes }), committed)
    }

    fn delete(&mut self, request: &Request) -> Response {
        match self.blobs.remove(&key(request)) {
            Some(_) => Response::new(202),
            None => Response::refusal(404, "BlobNotFound"),
        }
    }

    fn list(&self, request: &Request) -> Response {
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

fn key(request: &Request) -> (String, String) {
    (request.container.clone(), request.blob.clone())
}

/// Length of the content: that of a structured message is longer than what it holds.
fn content_length(request: &Request) -> u64 {
    let told = request.header("x-ms-structured-content-length").and_then(|text| text.parse().ok());
    told.or(request.length).unwrap_or(0)
}

/// Marks, content type and metadata of a blob.
fn described(response: Response, committed: &Committed) -> Response {
    let response = marks(response, committed)
        .header("content-type", &committed.content_type)
        .header("x-ms-blob-type", "BlockBlob")
        .header("accept-ranges", "bytes");
    committed
        .metadata
        .iter()
        .fold(response, |response, (name, value)| response.header(&format!("x-ms-meta-{name}"), value))
}

fn marks(response: Response, committed: &Committed) -> Response {
    let response = response
        .header("etag", &format!("\"{}\"", committed.etag))
        .header("last-modified", &httpdate::fmt_http_date(committed.modified));
    match &committed.md5 {
        Some(md5) => response.header("content-md5", md5),
        None => response,
    }
}
