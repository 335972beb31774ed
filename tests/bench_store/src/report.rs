//! Report of the received content, for the program's output.

use serde::Serialize;

/// Received content.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Connections accepted.
    pub connections: u64,
    /// Connections that ended with an error, on either side; includes resets by the line.
    pub broken_connections: u64,
    /// Complete requests.
    pub requests: u64,
    /// Requests whose body was shorter than its declared length.
    pub cut_off: u64,
    /// Bytes received over the line, including those of failed requests.
    pub received_bytes: u64,
    /// Bytes of all complete bodies, including repeated ones.
    pub body_bytes: u64,
    /// First rejected requests: method, name, status.
    pub refusals: Vec<String>,
    /// Blobs in the order of their names.
    pub blobs: Vec<BlobReport>,
}

/// Received content of one blob.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BlobReport {
    /// Container and name.
    pub name: String,
    /// Size in bytes; `None` while nothing is committed.
    pub bytes: Option<u64>,
    /// Number of its blocks; 0 if it was written in one request.
    pub blocks: usize,
    /// Number of commits.
    pub writes: u64,
    /// Number of uncommitted blocks.
    pub uncommitted_blocks: usize,
    /// Bytes of the uncommitted blocks.
    pub uncommitted_bytes: u64,
}
