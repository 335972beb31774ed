//! Reads a body and counts it on arrival: a response may be endless, or a small one may decompress into a huge one.

use super::error::{HttpError, ResponseFlaw};
use super::fault;
use super::response::Response;

/// Maximum size of a body that is read, in bytes.
pub(super) const LIMIT: usize = 16 << 20;

/// Returns the whole body. `head` is used only for errors.
pub(super) async fn read(mut response: reqwest::Response, head: &Response) -> Result<Vec<u8>, HttpError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| fault::network(&head.host, error))? {
        if body.len() + chunk.len() > LIMIT {
            return Err(head.bad(ResponseFlaw::TooBig));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
