//! Reader of a range of a file. If a server stops, sends too little or drops the connection, the rest is requested
//! again.
//!
//! Owns the position, the attempts and the check of `Content-Range`. The requests, and the interpretation of
//! rejections, belong to the service that has the file: [`RangeSource`].

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;

use super::download::{Download, RawResponse};
use super::error::{HttpError, NetworkFault};
use super::retry::{Backoff, Failures};

/// Service that has the file.
pub(crate) trait RangeSource {
    /// Permanent failure.
    type Error: From<HttpError>;

    /// Size of the whole file in bytes, as listed before.
    fn file_bytes(&self) -> u64;

    /// Requests a range once. `renewed` is true if the access was renewed and no byte has been received since.
    async fn request(&self, range: &Range<u64>, renewed: bool) -> Result<RangeResponse, Self::Error>;

    /// Retry policy for consecutive attempts without a byte.
    fn backoff(&self) -> Backoff<'_>;

    /// Reports a failed attempt before the delay. `from` is the position in the file.
    fn report_retry(&self, from: u64, pause: Duration, next_attempt: &str, error: &HttpError);

    /// Error for a response whose bytes are not the requested ones.
    fn flawed(&self, host: &str, flaw: RangeFlaw) -> Self::Error;
}

/// Result of one request for a range.
pub(crate) enum RangeResponse {
    /// 206 of the service; its `Content-Range` is not checked yet.
    Partial(Box<RawResponse>),
    /// Access was renewed with a new SAS or signed URL: request again immediately.
    Renewed,
    /// Failure that the retry policy decides on.
    Failed(HttpError),
}

/// Difference between a response and the request.
#[derive(Debug)]
pub(crate) enum RangeFlaw {
    /// The whole file has this size in bytes, not the listed one.
    FileBytes(u64),
    /// `Content-Range` as received, which names another range or is malformed; `None` if it is missing.
    ContentRange(Option<String>),
    /// More bytes than the range has.
    TooLong,
}

/// Bytes of one range, each once and in order. Dropping the reader closes the connection.
pub(crate) struct RangeReader<S> {
    source: S,
    at: u64,
    end: u64,
    open: Option<Download>,
    /// Consecutive attempts since the last byte.
    failures: Failures,
    /// True if the access was renewed and no byte has been received since.
    renewed: bool,
}

impl<S: RangeSource> RangeReader<S> {
    /// Reader of `range`, which must not exceed the file. Sends nothing before the first [`Self::next`].
    pub(crate) fn new(source: S, range: Range<u64>) -> Self {
        let Range { start, end } = range;
        Self { source, at: start, end, open: None, failures: Failures::default(), renewed: false }
    }

    /// Returns the next bytes; `None` at the end of the range. May be dropped at any time.
    ///
    /// # Errors
    /// Permanent failures, and the last failure once the retry policy of the source ends.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, S::Error> {
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
                    return Err(self.source.flawed(download.host(), RangeFlaw::TooLong));
                }
                Ok(Some(piece)) => {
                    self.at += piece.len() as u64;
                    (self.failures, self.renewed) = (Failures::default(), false);
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

    /// Requests the rest of the range; `None` if another attempt is due.
    async fn reopen(&mut self) -> Result<Option<Download>, S::Error> {
        match self.source.request(&(self.at..self.end), self.renewed).await? {
            RangeResponse::Partial(response) => self.checked(response).map(Some),
            RangeResponse::Renewed => {
                self.renewed = true;
                Ok(None)
            }
            RangeResponse::Failed(error) => {
                self.pause(error).await?;
                Ok(None)
            }
        }
    }

    /// Compares `Content-Range` with the request and with the listed size.
    fn checked(&self, response: Box<RawResponse>) -> Result<Download, S::Error> {
        let header = response.header("content-range");
        let flaw = match header.and_then(content_range) {
            Some((_, _, total)) if total != self.source.file_bytes() => RangeFlaw::FileBytes(total),
            Some((first, last, _)) if (first, last) == (self.at, self.end - 1) => return Ok(response.into_download()),
            _ => RangeFlaw::ContentRange(header.map(crate::redact::clean)),
        };
        Err(self.source.flawed(response.host(), flaw))
    }

    /// Counts a failed attempt, and waits before the next one.
    async fn pause(&mut self, error: HttpError) -> Result<(), S::Error> {
        let mut backoff = self.source.backoff().resume(self.failures);
        let Some(pause) = backoff.after(&error) else { return Err(error.into()) };
        let (failures, next_attempt) = (backoff.failures(), backoff.next_attempt());
        self.failures = failures;
        self.source.report_retry(self.at, pause, &next_attempt, &error);
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

/// Parses `Content-Range: bytes 0-7/100` into first byte, last byte and size of the whole file.
fn content_range(header: &str) -> Option<(u64, u64, u64)> {
    let (range, total) = header.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((first.trim().parse().ok()?, last.trim().parse().ok()?, total.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::content_range;

    #[test]
    fn a_content_range_is_read() {
        assert_eq!(content_range("bytes 0-7/100"), Some((0, 7, 100)));
        for odd in ["bytes */100", "bytes 0-7/*", "0-7/100", ""] {
            assert_eq!(content_range(odd), None, "{odd}");
        }
    }

    #[test]
    fn content_range_survives_mutation() {
        crate::fuzz::fuzz("content-range", &[b"bytes 0-7/100"], |input| {
            content_range(&String::from_utf8_lossy(input));
        });
    }
}
