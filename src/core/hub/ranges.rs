//! Streams the bytes of a range. If a server stops, sends too little or drops the connection, the remainder is
//! requested again.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::client::SERVICE;
use super::error::HubError;
use super::remote_file::{Location, RemoteFile};
use super::wire::content_range;
use crate::http::{Backoff, Download, HttpError, Method, NetworkFault, RawResponse, Retry};
use crate::model::Report;

/// Bytes of one range. Each byte comes once, in order; dropping it ends the connection.
pub(crate) struct RangeStream {
    file: Arc<RemoteFile>,
    at: u64,
    end: u64,
    open: Option<Download>,
    /// Attempts in a row that brought no byte.
    failed: u32,
    /// A signed URL was refused, and no byte came since.
    is_renewed: bool,
}

impl RangeStream {
    pub(super) fn new(file: Arc<RemoteFile>, range: Range<u64>) -> Self {
        let end = range.end.min(file.file().bytes);
        Self { file, at: range.start, end, open: None, failed: 0, is_renewed: false }
    }

    /// Returns the next bytes; `None` at the end of the range. May be dropped at any time.
    ///
    /// # Errors
    /// See [`HubError`]; the last failure, once none of five attempts in a row brought a byte.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, HubError> {
        while self.at < self.end {
            let mut download = match self.open.take() {
                Some(download) => download,
                None => match self.reopen().await? {
                    Some(download) => download,
                    None => continue,
                },
            };
            let left = self.end - self.at;
            match download.next().await {
                Ok(Some(piece)) if piece.is_empty() => self.open = Some(download),
                Ok(Some(piece)) if piece.len() as u64 > left => {
                    return Err(self.bad_range(download.host(), "more bytes than that part has".to_owned()));
                }
                Ok(Some(piece)) => {
                    self.at += piece.len() as u64;
                    (self.failed, self.is_renewed) = (0, false);
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
    async fn reopen(&mut self) -> Result<Option<Download>, HubError> {
        let (file, client) = (Arc::clone(&self.file), Arc::clone(&self.file.client));
        let location = file.location().await?;
        let url = match &location {
            Location::Hub(url) => url,
            Location::Signed(signed) => signed.url(),
        };
        let range = format!("bytes={}-{}", self.at, self.end - 1);
        let request = client.request(Method::GET, url.clone()).header("range", range);
        let exchange = match &location {
            // Refusals and rate limits of the Hub have a meaning of their own.
            Location::Hub(_) => client.send(&request, file.about()).await?,
            Location::Signed(_) => match client.http().exchange(&request).await {
                Ok(exchange) => exchange,
                Err(error) => {
                    self.pause(error).await?;
                    return Ok(None);
                }
            },
        };
        match (exchange.status(), &location) {
            (206, _) => self.checked(exchange).map(Some),
            (200, _) => Err(self.bad_range(exchange.host(), "the whole file (200)".to_owned())),
            (416, _) => Err(file.mismatch_error(format!("{} has fewer bytes of it than the list", exchange.host()))),
            (401 | 403 | 404 | 410, Location::Signed(signed)) => {
                let host = exchange.host().to_owned();
                let HttpError::Service(answer) = exchange.refusal().await else { return Ok(None) };
                if self.is_renewed {
                    let path = file.file().repo_path.clone();
                    return Err(HubError::Refused { path, host, answer });
                }
                self.is_renewed = true;
                file.drop_location(signed).await;
                Ok(None)
            }
            (..=399, _) => Err(exchange.bad_redirect(crate::http::RedirectFault::NoLocation).into()),
            _ => {
                let error = exchange.refusal().await;
                self.pause(error).await?;
                Ok(None)
            }
        }
    }

    /// Compares `Content-Range` with the request and with the list of files.
    fn checked(&self, exchange: RawResponse) -> Result<Download, HubError> {
        let sent = exchange.header("content-range").and_then(content_range);
        match sent {
            Some((_, _, total)) if total != self.file.file().bytes => Err(self
                .file
                .mismatch_error(format!("the size is {total} in one and {} in another", self.file.file().bytes))),
            Some((first, last, _)) if (first, last) == (self.at, self.end - 1) => Ok(exchange.into_download()),
            _ => {
                let sent = exchange.header("content-range").unwrap_or("no Content-Range");
                Err(self.bad_range(exchange.host(), crate::redact::clean(sent)))
            }
        }
    }

    /// Counts a failed attempt, and waits before the next one.
    async fn pause(&mut self, error: HttpError) -> Result<(), HubError> {
        let http = self.file.client.http();
        let mut backoff = Backoff::new(http.timings(), Retry::Idempotent).failed_before(self.failed);
        let Some(pause) = backoff.after(&error) else { return Err(error.into()) };
        self.failed = backoff.failed();
        let path = &self.file.file().repo_path;
        let next = backoff.next_attempt();
        http.report(Report::Debug(format!("{SERVICE}: {path} from byte {}: {error}; attempt {next}", self.at)));
        tokio::time::sleep(pause).await;
        Ok(())
    }

    fn bad_range(&self, host: &str, what: String) -> HubError {
        HubError::BadRange { path: self.file.file().repo_path.clone(), host: host.to_owned(), what }
    }
}
