//! Copies by the store itself, and reads of its content.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use thiserror::Error;

use super::{BlobStore, Method, Request, Retry, VERSION, blob_url};
use crate::http::{Backoff, HttpError};
use crate::model::BlobPath;
use crate::store::blocks::BlockId;
use crate::store::error::{StoreError, has_code, rejects_sas};

/// Error code of the store if it could not read from the source.
const SOURCE_FAILED: &str = "CannotVerifyCopySource";
/// Attempts to read back a part.
const READS: u32 = 5;

/// A part of a file at another server.
pub(crate) struct CopySource<'s> {
    /// URL, byte for byte as that server returned it. A secret.
    pub(crate) url: &'s str,
    /// Start and length in bytes.
    pub(crate) range: (u64, u64),
}

/// Failure of the store to copy a block.
#[derive(Debug, Error)]
pub(crate) enum CopyRefusal {
    /// The store cannot read from the source, which responded with this status, if at all.
    #[error("the blob store cannot read from the source ({})", .status.map_or_else(|| "no answer".to_owned(), |status| status.to_string()))]
    Source {
        /// Status of the source.
        status: Option<u16>,
    },
    /// The store itself rejected the request, or did not respond.
    #[error(transparent)]
    Store(StoreError),
}

impl BlobStore {
    /// Put Block From URL: the store fetches the block itself. Sent once, or again with a renewed SAS.
    ///
    /// # Errors
    /// See [`CopyRefusal`].
    pub(crate) async fn put_block_from_url(
        &self,
        (path, id): (&BlobPath, &BlockId),
        source: &CopySource<'_>,
        limit: Duration,
    ) -> Result<(), CopyRefusal> {
        let (start, length) = source.range;
        loop {
            let (sas, generation) = self.current().await;
            let url = blob_url(sas.expose(), path, &[("comp", "block"), ("blockid", id.as_str())]);
            let request = Request::new(Method::PUT, url, Retry::None)
                .header("x-ms-version", VERSION)
                .header("content-length", "0")
                .header("x-ms-copy-source", source.url.to_owned())
                .header("x-ms-source-range", format!("bytes={start}-{}", start + length - 1))
                .limit(limit)
                .blob_store();
            let Err(error) = self.http.send(&request).await else {
                self.traffic.add_answer();
                self.mark_proved(generation).await;
                return Ok(());
            };
            let of_source = error.service().and_then(|answer| answer.copy_source_status);
            if of_source.is_some() || has_code(&error, SOURCE_FAILED) {
                // Without details, the store's own status is that of the source.
                return Err(CopyRefusal::Source { status: of_source.or(error.status()) });
            }
            // Other rejections of this kind come from the store's network rules, which a new SAS does not change.
            if !has_code(&error, "AuthenticationFailed") {
                return Err(CopyRefusal::Store(StoreError::Http(error)));
            }
            self.renew(generation, error).await.map_err(CopyRefusal::Store)?;
        }
    }

    /// Returns false if the SAS states that it does not permit reading.
    pub(crate) async fn may_read(&self) -> bool {
        let sas = self.sas().await;
        sas.expose().query_pairs().find(|(name, _)| name == "sp").is_none_or(|(_, rights)| rights.contains('r'))
    }

    /// Get Blob: a part of the committed content, start and length in bytes.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub(crate) async fn read(&self, path: &BlobPath, (start, length): (u64, u64)) -> Result<Bytes, StoreError> {
        let mut backoff = Backoff::new(&self.timings, Retry::Idempotent).attempts(READS);
        loop {
            let (sas, generation) = self.current().await;
            let url = blob_url(sas.expose(), path, &[]);
            let request = Request::download(url, self.timings.download_stall)
                .header("x-ms-version", VERSION)
                .header("range", format!("bytes={start}-{}", start + length - 1));
            let error = match self.read_once(&request, length).await {
                Ok(content) => {
                    self.traffic.add_answer();
                    return Ok(content);
                }
                Err(error) => error,
            };
            if rejects_sas(&error) {
                self.renew(generation, error).await?;
                continue;
            }
            let Some(pause) = backoff.after(&error) else { return Err(StoreError::Http(error)) };
            tokio::time::sleep(pause).await;
        }
    }

    async fn read_once(&self, request: &Request<'static>, length: u64) -> Result<Bytes, HttpError> {
        let exchange = self.http.exchange(request).await?;
        if exchange.status() != 206 && exchange.status() != 200 {
            return Err(exchange.refusal().await);
        }
        let mut content = BytesMut::with_capacity(usize::try_from(length).unwrap_or_default());
        let mut download = exchange.into_download();
        while let Some(piece) = download.next().await? {
            content.extend_from_slice(&piece);
        }
        Ok(content.freeze())
    }
}
