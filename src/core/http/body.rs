//! Reads a body, counted while it comes: an answer may be endless, or a small one that unpacks into a huge one.

use super::error::{Flaw, HttpError};
use super::fault;

/// The largest body that is read (cli.md 12).
pub(super) const LIMIT: usize = 16 << 20;

/// The whole body. `status` and `host` are for the error alone.
pub(super) async fn read(mut response: reqwest::Response, status: u16, host: &str) -> Result<Vec<u8>, HttpError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| fault::network(host, error))? {
        if body.len() + chunk.len() > LIMIT {
            return Err(HttpError::BadAnswer { host: host.to_owned(), status, what: Flaw::TooBig, request_id: None });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
