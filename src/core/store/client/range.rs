//! Reads a range of a blob, and only of its listed version.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::{BlobStore, Method, StoredFile, VERSION, blob_url};
use crate::http::{Backoff, HttpError, RangeFlaw, RangeReader, RangeResponse, RangeSource, Request, ResponseFlaw};
use crate::model::BlobPath;
use crate::store::error::{StoreError, rejects_sas};
use crate::store::retry;

/// Failure to read a range to its end.
#[derive(Debug, Error)]
pub(crate) enum RangeError {
    /// The blob was overwritten since it was listed, or no longer exists.
    #[error("{0} was changed in the blob store while it was read")]
    Changed(BlobPath),
    /// The store rejected the request permanently, or did not respond.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<HttpError> for RangeError {
    fn from(error: HttpError) -> Self {
        Self::Store(StoreError::Http(error))
    }
}

/// Reader of a range of a blob. Retries transient failures without end: the caller limits the time.
pub(crate) type BlobRange = RangeReader<BlobRangeSource>;

/// A blob of a store, as it was listed.
pub(crate) struct BlobRangeSource {
    store: Arc<BlobStore>,
    file: StoredFile,
}

impl BlobStore {
    /// Reads a range of a blob.
    pub(crate) fn read_range(self: &Arc<Self>, file: &StoredFile, range: Range<u64>) -> BlobRange {
        RangeReader::new(BlobRangeSource { store: Arc::clone(self), file: file.clone() }, range)
    }
}

impl RangeSource for BlobRangeSource {
    type Error = RangeError;

    fn file_bytes(&self) -> u64 {
        self.file.bytes
    }

    async fn request(&self, range: &Range<u64>, _renewed: bool) -> Result<RangeResponse, RangeError> {
        let store = &self.store;
        let (sas, generation) = store.current().await;
        let url = blob_url(sas.expose(), &self.file.path, &[]);
        let mut request = Request::download(url, store.timings.download_stall)
            .method(Method::GET)
            .header("x-ms-version", VERSION)
            .header("range", format!("bytes={}-{}", range.start, range.end - 1));
        if let Some(etag) = self.file.version.etag() {
            request = request.header("if-match", format!("\"{etag}\""));
        }
        let response = match store.http.exchange(&request).await {
            Ok(response) => response,
            Err(error) => return Ok(RangeResponse::Failed(error)),
        };
        match response.status() {
            206 if response.header("x-ms-request-id").is_some() => {
                store.mark_proved(generation).await;
                Ok(RangeResponse::Partial(Box::new(response)))
            }
            404 | 412 | 416 => Err(RangeError::Changed(self.file.path.clone())),
            200..400 => Ok(RangeResponse::Failed(response.into_intermediary().await)),
            _ => {
                let error = response.refusal().await;
                if rejects_sas(&error) {
                    store.renew(generation, error).await?;
                    return Ok(RangeResponse::Renewed);
                }
                Ok(RangeResponse::Failed(error))
            }
        }
    }

    fn backoff(&self) -> Backoff<'_> {
        retry::backoff(&self.store.timings)
    }

    fn report_retry(&self, _from: u64, pause: Duration, _next_attempt: &str, error: &HttpError) {
        let store = &self.store;
        store.report(store.notices.notice(&store.timings, &self.file.path, pause, error));
    }

    fn flawed(&self, host: &str, flaw: RangeFlaw) -> RangeError {
        let what = match flaw {
            RangeFlaw::FileBytes(_) => return RangeError::Changed(self.file.path.clone()),
            RangeFlaw::ContentRange(sent) => {
                format!("another range than the requested one ({})", sent.as_deref().unwrap_or("no Content-Range"))
            }
            RangeFlaw::TooLong => "more bytes than that range has".to_owned(),
        };
        let what = ResponseFlaw::Shape(what);
        HttpError::BadAnswer { host: host.to_owned(), status: 206, what, request_id: None }.into()
    }
}
