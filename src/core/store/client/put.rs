//! Sends content, with a checksum if the store accepts it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use url::Url;

use super::super::acceptance::of_store;
use super::super::blocks::BlockId;
use super::super::container::blob_url;
use super::super::error::{StoreError, has_code, is_fault, names_header};
use super::super::version::BlobVersion;
use super::super::wire::block_list;
use super::{BlobStore, SHA256};
use crate::http::{HttpError, Method, Response};
use crate::model::{BlobPath, ContentHash, Report};

/// Header of a checksum.
const CHECKSUM: &str = "x-ms-content-crc64";

/// State of checksums: not yet known whether the store accepts them. Older emulators answer 500 to them.
pub(super) const UNKNOWN: u8 = 0;
const ACCEPTED: u8 = 1;
const REFUSED: u8 = 2;

/// Content of a block or of a small blob.
pub(crate) struct BlobContent<'c, F> {
    /// Name of the blob.
    pub(crate) path: &'c BlobPath,
    /// Name of the content in messages: `block 812 of 1,200 of model.safetensors`.
    pub(crate) what: String,
    /// Length in bytes.
    pub(crate) length: u64,
    /// CRC-64/NVME: eight little-endian bytes in base64.
    pub(crate) crc64: &'c str,
    /// Makes the body of one attempt.
    pub(crate) body: F,
    /// False once the file has changed: its old content would never arrive.
    pub(crate) is_current: &'c (dyn Fn() -> bool + Sync),
    /// Receives the result of each attempt.
    pub(crate) on_attempt: &'c (dyn Fn(SendAttempt) + Sync),
}

/// Result of one attempt to send content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SendAttempt {
    /// Duration of the attempt.
    pub(crate) elapsed: Duration,
    /// True if the store acknowledged the content.
    pub(crate) has_arrived: bool,
    /// True if the store rejected it because it is busy.
    pub(crate) is_busy: bool,
}

/// True if a failure may be caused by a checksum that the store does not support.
fn is_of_checksum(error: &HttpError) -> bool {
    names_header(error, CHECKSUM) || is_fault(error)
}

impl BlobStore {
    /// Put Blob: a file in one request, with its SHA-256 as metadata. Returns the version of the blob.
    pub(crate) async fn put_blob<F, B>(
        &self,
        content: &BlobContent<'_, F>,
        content_type: &'static str,
        sha256: Option<ContentHash>,
    ) -> Result<BlobVersion, StoreError>
    where
        F: Fn() -> B + Sync,
        B: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        let put = async |sum: Option<&str>| {
            let headers = [("x-ms-blob-type", "BlockBlob"), ("x-ms-blob-content-type", content_type)];
            let headers: Vec<_> = headers.into_iter().chain(sum.map(|sum| (SHA256, sum))).collect();
            self.put(content, &[], &headers).await
        };
        let put = self.with_metadata(sha256, put).await?;
        Ok(BlobVersion::new(put.etag.as_deref(), put.content_md5.as_deref(), put.last_modified.as_deref()))
    }

    /// Put Block.
    pub(crate) async fn put_block<F, B>(&self, content: &BlobContent<'_, F>, id: &BlockId) -> Result<(), StoreError>
    where
        F: Fn() -> B + Sync,
        B: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        self.put(content, &[("comp", "block"), ("blockid", id.as_str())], &[]).await.map(drop)
    }

    /// Put Block List: creates the blob, with its SHA-256 as metadata. Returns the version of the blob; `None` if the
    /// store does not have all of these blocks.
    pub(crate) async fn put_block_list(
        &self,
        path: &BlobPath,
        ids: &[BlockId],
        content_type: &'static str,
        sha256: Option<ContentHash>,
    ) -> Result<Option<BlobVersion>, StoreError> {
        let list = Bytes::from(block_list(ids));
        let what = format!("the block list of {path}");
        let commit = async |sum: Option<&str>| {
            let once = async |sas: &Url| {
                let request = self.request(Method::PUT, blob_url(sas, path, &[("comp", "blocklist")]));
                let request = request.header("x-ms-blob-content-type", content_type);
                let request = match sum {
                    Some(sum) => request.header(SHA256, sum.to_owned()),
                    None => request,
                };
                self.http.send(&request.bytes("application/xml", list.clone())).await
            };
            self.attempts((&what, &|| true), once).await
        };
        match self.with_metadata(sha256, commit).await {
            // Its Content-MD5 is that of the list of blocks.
            Ok(put) => Ok(Some(BlobVersion::new(put.etag.as_deref(), None, put.last_modified.as_deref()))),
            Err(StoreError::Http(error)) if has_code(&error, "InvalidBlockList") => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn put<F, B>(
        &self,
        content: &BlobContent<'_, F>,
        query: &[(&str, &str)],
        headers: &[(&'static str, &str)],
    ) -> Result<Response, StoreError>
    where
        F: Fn() -> B + Sync,
        B: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        let once = async |sas: &Url, with_checksum: bool| {
            let taken = Arc::new(AtomicU64::new(0));
            let mut request = self.request(Method::PUT, blob_url(sas, content.path, query));
            for (name, value) in headers {
                request = request.header(name, (*value).to_owned());
            }
            if with_checksum {
                request = of_store(request.header(CHECKSUM, content.crc64.to_owned()), Some(content.crc64));
            }
            let body = || {
                let (mine, all) = (Arc::clone(&taken), Arc::clone(&self.traffic));
                (content.body)().inspect_ok(move |piece| {
                    mine.fetch_add(piece.len() as u64, Ordering::Relaxed);
                    all.add_sent(piece.len() as u64);
                })
            };
            let begun = Instant::now();
            let put = self.http.send(&request.stream(content.length, body)).await;
            let is_busy =
                put.as_ref().err().and_then(HttpError::status).is_some_and(|status| matches!(status, 429 | 503));
            (content.on_attempt)(SendAttempt { elapsed: begun.elapsed(), has_arrived: put.is_ok(), is_busy });
            if put.is_err() {
                self.traffic.add_lost(taken.load(Ordering::Relaxed));
            }
            put
        };
        let put = async |sas: &Url| {
            // Most stores accept them, so requests do not wait for the first response.
            let has_checksum = self.checksums.load(Ordering::Relaxed) != REFUSED;
            let error = match once(sas, has_checksum).await {
                Ok(response) if has_checksum => {
                    self.checksums.store(ACCEPTED, Ordering::Relaxed);
                    return Ok(response);
                }
                Err(error) if has_checksum && is_of_checksum(&error) => error,
                answer => return answer,
            };
            let alone = self.checksum_probe.lock().await;
            match self.checksums.load(Ordering::Relaxed) {
                UNKNOWN => self.probe_checksum_support(sas, (content.length, error), &once).await,
                REFUSED => {
                    drop(alone);
                    once(sas, false).await
                }
                _ => Err(error),
            }
        };
        self.attempts((&content.what, content.is_current), put).await
    }

    /// Finds out, after this failure of content with a checksum, whether the store accepts checksums. Concludes that it
    /// does not if the store names the header, or rejects the same content twice and accepts it without a checksum in
    /// between: a transient failure must not cost the proof of all further content.
    async fn probe_checksum_support(
        &self,
        sas: &Url,
        (bytes, error): (u64, HttpError),
        once: &impl AsyncFn(&Url, bool) -> Result<Response, HttpError>,
    ) -> Result<Response, HttpError> {
        let is_named = names_header(&error, CHECKSUM);
        let without = once(sas, false).await?;
        if !is_named {
            // The content is sent again, and counts once.
            self.traffic.add_lost(bytes);
            match once(sas, true).await {
                Ok(response) => {
                    self.checksums.store(ACCEPTED, Ordering::Relaxed);
                    return Ok(response);
                }
                Err(error) if is_fault(&error) => self.traffic.restore_lost(bytes),
                Err(error) => return Err(error),
            }
        }
        self.checksums.store(REFUSED, Ordering::Relaxed);
        self.report(Report::Warning(format!(
            "The blob store does not support checksums ({CHECKSUM}): damage in transit is not \
             noticed."
        )));
        Ok(without)
    }
}
