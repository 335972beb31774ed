//! Record of the traffic: each request, and bytes per file.

use std::collections::BTreeMap;

use serde::Serialize;

/// Origin that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The Hub.
    Hub,
    /// CDN of the Hub.
    Cdn,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestRecord {
    /// Origin that was asked.
    pub side: Side,
    /// Method.
    pub method: String,
    /// Path without its query.
    pub path: String,
    /// File of a repository, where one was asked for.
    pub file: Option<String>,
    /// `Range` header.
    pub range: Option<String>,
    /// Status of the answer.
    pub status: u16,
    /// An `Authorization` header came with it.
    pub has_authorization: bool,
}

/// Requests and bytes of one file's content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileCount {
    /// Requests for content.
    pub requests: u64,
    /// Bytes of content that were handed to connections.
    pub bytes: u64,
}

/// All that was recorded.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    pub(crate) requests: Vec<RequestRecord>,
    pub(crate) files: BTreeMap<String, FileCount>,
}

impl Record {
    /// Content of a file is about to be sent.
    pub(crate) fn content(&mut self, file: &str) {
        self.files.entry(file.to_owned()).or_default().requests += 1;
    }

    /// Bytes of it were handed over.
    pub(crate) fn sent(&mut self, file: &str, bytes: u64) {
        self.files.entry(file.to_owned()).or_default().bytes += bytes;
    }
}
