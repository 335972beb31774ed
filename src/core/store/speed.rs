//! Speed of an upload, measured with blocks that are staged and never committed, so that no blob is created. The store
//! discards them.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::acceptance::of_store;
use super::container::blob_url;
use super::location::UploadLocation;
use crate::http::{HttpClient, HttpError, Method, Request, Retry};

/// Number of bytes to send.
pub const SPEED_PROBE: u64 = 16 << 20;
/// Number of blocks, each sent over its own connection.
const BLOCKS: usize = 4;
/// Time limit: a slower line is not measured.
const LIMIT: Duration = Duration::from_secs(5 * 60);

impl UploadLocation {
    /// Host and port of the store.
    #[must_use]
    pub fn host(&self) -> String {
        self.blob_uri.host()
    }

    /// Sends [`SPEED_PROBE`] bytes, and returns how long the store took to accept them.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn measure(&self, http: &HttpClient) -> Result<Duration, HttpError> {
        // Not zeros: compressible content would falsify the measurement.
        let mut content = vec![0; SPEED_PROBE as usize / BLOCKS];
        rand::fill(&mut content[..]);
        let (content, name) = (Bytes::from(content), format!("speed-probe-{}", uuid::Uuid::new_v4()));
        let put = |number: usize| {
            let id = STANDARD.encode(format!("{number:016}"));
            let url = blob_url(self.sas.expose(), &name, &[("comp", "block"), ("blockid", &id)]);
            let request = Request::new(Method::PUT, url, Retry::Idempotent).limit(LIMIT);
            of_store(request.bytes("application/octet-stream", content.clone()), None)
        };
        let requests: [Request<'_>; BLOCKS] = std::array::from_fn(put);
        let begun = Instant::now();
        let sent = requests.iter().map(|request| Box::pin(http.send(request)));
        futures_util::future::try_join_all(sent).await?;
        Ok(begun.elapsed())
    }
}
