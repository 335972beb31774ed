//! Blobs of the store, and the response to each request.

mod reading;
mod writing;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::report::{BlobReport, Report};
use crate::request::Request;
use crate::response::{Response, VERSION};

/// Maximum number of rejections that a report lists.
const MAX_REFUSALS: usize = 20;

/// Committed write of a blob.
#[derive(Clone, Debug)]
pub(crate) struct Committed {
    /// IDs and sizes of its blocks; empty if it was written in one request.
    blocks: Vec<(String, u64)>,
    /// Size in bytes.
    pub(crate) bytes: u64,
    /// ETag without quotes.
    pub(crate) etag: String,
    /// Time of the write.
    pub(crate) modified: SystemTime,
    content_type: String,
    /// Base64 MD5, if the client sent one.
    pub(crate) md5: Option<String>,
    /// Names and values of its metadata.
    pub(crate) metadata: Vec<(String, String)>,
}

/// Part of a local file, sent as the body of a response.
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
    /// Directory with the content of the blobs; received content is discarded.
    served: Option<PathBuf>,
}

impl Contents {
    /// Creates a store whose blobs are read from the files of the same names below this directory.
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

    /// Records an incomplete request. Returns the number of its response.
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

    /// Executes a request. Returns the serialized response, and the part of a file that follows it.
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
}

fn key(request: &Request) -> (String, String) {
    (request.container.clone(), request.blob.clone())
}

fn with_version_headers(response: Response, committed: &Committed) -> Response {
    let response = response
        .header("etag", &format!("\"{}\"", committed.etag))
        .header("last-modified", &httpdate::fmt_http_date(committed.modified));
    match &committed.md5 {
        Some(md5) => response.header("content-md5", md5),
        None => response,
    }
}
