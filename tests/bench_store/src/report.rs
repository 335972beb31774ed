//! Report of the received content, for the program's output.

use serde::Serialize;

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
