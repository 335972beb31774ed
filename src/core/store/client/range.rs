//! Streams the bytes of a range of a blob. If a store stops, sends too little or breaks off, the rest is requested
//! again, and only from the listed write of the blob.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use thiserror::Error;

use super::{BlobStore, Method, StoredFile, VERSION, blob_url};
use crate::http::{Download, HttpError, NetworkFault, RawResponse, Request, ResponseFlaw};
use crate::model::BlobPath;
use crate::store::error::{StoreError, rejects_sas};
use crate::store::retry;

/// Failure to read a range to its end.
#[derive(Debug, Error)]
pub(crate) enum RangeError {
    /// The blob was overwritten since it was listed, or is gone.
    #[error("{0} was changed in the blob store while it was read")]
    Changed(BlobPath),
    /// The store rejected the request permanently, or did not respond.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Bytes of one range, each once and in order. Dropping the stream closes the connection.
pub(crate) struct BlobRange {
    store: Arc<BlobStore>,
    file: StoredFile,
    at: u64,
    end: u64,
    open: Option<Download>,
    /// Consecutive attempts without a byte.
    failed: u32,
    /// An intermediary responded, and no byte arrived since.
    met_intermediary: bool,
}

impl BlobRange {
    pub(crate) fn new(store: Arc<BlobStore>, file: StoredFile, range: Range<u64>) -> Self {
        Self { store, file, at: range.start, end: range.end, open: None, failed: 0, met_intermediary: false }
    }

    /// Returns the next bytes; `None` at the end of the range. Transient failures are retried without end: the
    /// reader limits the time. May be dropped at any time.
    ///
    /// # Errors
    /// See [`RangeError`].
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, RangeError> {
        while self.at < self.end {
            let mut download = match self.open.take() {
                Some(download) => download,
                None => match self.reopen().await? {
                    Some(download) => download,
                    None => continue,
                },
            };
            match download.next().await {
                Ok(Some(piece)) if piece.is_empty() => self.open = Some(download),
                Ok(Some(piece)) if piece.len() as u64 > self.end - self.at => {
                    let host = download.host().to_owned();
                    self.pause(bad_range(host, "more bytes than that range has".to_owned())).await?;
                }
                Ok(Some(piece)) => {
                    self.at += piece.len() as u64;
                    (self.failed, self.met_intermediary) = (0, false);
                    self.open = Some(download);
                    return Ok(Some(piece));
                }
                Ok(None) => {
                    let host = download.host().to_owned();
                    let message = "the response ended early".to_owned();
                    self.pause(HttpError::Network { host, fault: NetworkFault::Reset, connecting: false, message })
                        .await?;
                }
                Err(error) => self.pause(error).await?,
            }
        }
        Ok(None)
    }

    /// Requests the rest of the range; `None` if another attempt is useful.
    async fn reopen(&mut self) -> Result<Option<Download>, RangeError> {
        let store = Arc::clone(&self.store);
        let (sas, generation) = store.current().await;
        let url = blob_url(sas.expose(), &self.file.path, &[]);
        let mut request = Request::download(url, store.timings.download_stall)
            .method(Method::GET)
            .header("x-ms-version", VERSION)
            .header("range", format!("bytes={}-{}", self.at, self.end - 1));
        if let Some(etag) = self.file.version.etag() {
            request = request.header("if-match", format!("\"{etag}\""));
        }
        let exchange = match store.http.exchange(&request).await {
            Ok(exchange) => exchange,
            Err(error) => {
                self.pause(error).await?;
                return Ok(None);
            }
        };
        match exchange.status() {
            206 if exchange.header("x-ms-request-id").is_some() => {
                let download = self.checked(exchange)?;
                store.mark_proved(generation).await;
                Ok(Some(download))
            }
            404 | 412 | 416 => Err(RangeError::Changed(self.file.path.clone())),
            200..400 => {
                let error = exchange.into_intermediary().await;
                self.pause(error).await?;
                Ok(None)
            }
            _ => {
                let error = exchange.refusal().await;
                match rejects_sas(&error) {
                    true => store.renew(generation, error).await?,
                    false => self.pause(error).await?,
                }
                Ok(None)
            }
        }
    }

    /// Compares `Content-Range` with the request and with the list.
    fn checked(&self, exchange: RawResponse) -> Result<Download, RangeError> {
        let sent = exchange.header("content-range").unwrap_or_default();
        let expected = format!("bytes {}-{}/{}", self.at, self.end - 1, self.file.bytes);
        if sent == expected {
            return Ok(exchange.into_download());
        }
        let total = sent.rsplit('/').next().and_then(|total| total.parse::<u64>().ok());
        if total.is_some_and(|total| total != self.file.bytes) {
            return Err(RangeError::Changed(self.file.path.clone()));
        }
        let what = format!("another range than the one asked for ({})", crate::redact::clean(sent));
        Err(StoreError::Http(bad_range(exchange.host().to_owned(), what)).into())
    }

    /// Counts a failed attempt, and waits before the next one.
    async fn pause(&mut self, error: HttpError) -> Result<(), RangeError> {
        let store = Arc::clone(&self.store);
        let is_second = error.is_of_intermediary() && std::mem::replace(&mut self.met_intermediary, true);
        let mut backoff = retry::backoff(&store.timings).failed_before(self.failed);
        let pause = backoff.after(&error).filter(|_| !is_second);
        let Some(pause) = pause else { return Err(StoreError::Http(error).into()) };
        self.failed = backoff.failed();
        store.report(store.notices.notice(&store.timings, &self.file.path, pause, &error));
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

fn bad_range(host: String, what: String) -> HttpError {
    HttpError::BadAnswer { host, status: 206, what: ResponseFlaw::Shape(what), request_id: None }
}
