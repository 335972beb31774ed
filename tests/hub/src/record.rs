//! Record of the traffic: each request, and bytes per file.

use std::collections::BTreeMap;

use serde::Serialize;

/// Origin that received the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The Hub.
    Hub,
    /// CDN of the Hub.
    Cdn,
}

/// Recorded request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestRecord {
    /// Origin that received the request.
    pub side: Side,
    /// Method.
    pub method: String,
    /// Path without its query.
    pub path: String,
    /// File of a repository, if one was requested.
    pub file: Option<String>,
    /// `Range` header.
    pub range: Option<String>,
    /// Status of the response.
    pub status: u16,
    /// True if the request had an `Authorization` header.
    pub has_authorization: bool,
}

/// Requests and bytes of one file's content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileCount {
    /// Requests for content.
    pub requests: u64,
    /// Bytes of content that were sent.
    pub bytes: u64,
}

/// All recorded requests and bytes.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    pub(crate) requests: Vec<RequestRecord>,
    pub(crate) files: BTreeMap<String, FileCount>,
}

impl Record {
    /// Counts a request for content of a file.
    pub(crate) fn content(&mut self, file: &str) {
        self.files.entry(file.to_owned()).or_default().requests += 1;
    }

    /// Counts sent bytes of a file.
    pub(crate) fn sent(&mut self, file: &str, bytes: u64) {
        self.files.entry(file.to_owned()).or_default().bytes += bytes;
    }
}
