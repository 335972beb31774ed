//! Reads a range of a file on the Hub, from the server that holds its bytes.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::client::SERVICE;
use super::error::HubError;
use super::remote_file::{Location, RemoteFile};
use crate::http::{
    Backoff, HttpError, Method, RangeFlaw, RangeReader, RangeResponse, RangeSource, RedirectFault, Retry,
};
use crate::model::Report;

/// Reader of a range of a file; fails after five consecutive attempts without a byte.
pub(crate) type RemoteRange = RangeReader<RemoteRangeSource>;

/// A file of a pinned commit.
pub(crate) struct RemoteRangeSource(Arc<RemoteFile>);

impl RemoteFile {
    /// Reads a range of the file; the range is truncated to the file's size.
    pub(crate) fn stream(self: &Arc<Self>, range: Range<u64>) -> RemoteRange {
        let end = range.end.min(self.file().bytes);
        RangeReader::new(RemoteRangeSource(Arc::clone(self)), range.start..end)
    }
}

impl RangeSource for RemoteRangeSource {
    type Error = HubError;

    fn file_bytes(&self) -> u64 {
        self.0.file().bytes
    }

    async fn request(&self, range: &Range<u64>, renewed: bool) -> Result<RangeResponse, HubError> {
        let (file, client) = (&self.0, &self.0.client);
        let location = file.location().await?;
        let url = match &location {
            Location::Hub(url) => url,
            Location::Signed(signed) => signed.url(),
        };
        let header = format!("bytes={}-{}", range.start, range.end - 1);
        let request = client.request(Method::GET, url.clone()).header("range", header);
        let response = match &location {
            // The Hub's rejections and rate limits need interpretation.
            Location::Hub(_) => client.send(&request, file.about()).await?,
            Location::Signed(_) => match client.http().exchange(&request).await {
                Ok(response) => response,
                Err(error) => return Ok(RangeResponse::Failed(error)),
            },
        };
        match (response.status(), &location) {
            (206, _) => Ok(RangeResponse::Partial(Box::new(response))),
            (200, _) => Err(self.bad_range(response.host(), "the whole file (200)".to_owned())),
            (416, _) => Err(file.mismatch_error(format!("{} has fewer bytes of it than the list", response.host()))),
            (401 | 403 | 404 | 410, Location::Signed(signed)) => {
                let host = response.host().to_owned();
                match response.refusal().await {
                    HttpError::Service(answer) if renewed => {
                        Err(HubError::Refused { path: file.file().repo_path.clone(), host, answer })
                    }
                    HttpError::Service(_) => {
                        file.drop_location(signed).await;
                        Ok(RangeResponse::Renewed)
                    }
                    error => Ok(RangeResponse::Failed(error)),
                }
            }
            (..=399, _) => Err(response.bad_redirect(RedirectFault::NoLocation).into()),
            _ => Ok(RangeResponse::Failed(response.refusal().await)),
        }
    }

    fn backoff(&self) -> Backoff<'_> {
        Backoff::new(self.0.client.http().timings(), Retry::Idempotent)
    }

    fn report_retry(&self, from: u64, _pause: Duration, next_attempt: &str, error: &HttpError) {
        let path = &self.0.file().repo_path;
        let text = format!("{SERVICE}: {path} from byte {from}: {error}; attempt {next_attempt}");
        self.0.client.http().report(Report::Debug(text));
    }

    fn flawed(&self, host: &str, flaw: RangeFlaw) -> HubError {
        match flaw {
            RangeFlaw::FileBytes(total) => {
                self.0.mismatch_error(format!("the size is {total} in one and {} in another", self.file_bytes()))
            }
            RangeFlaw::ContentRange(sent) => {
                self.bad_range(host, sent.unwrap_or_else(|| "no Content-Range".to_owned()))
            }
            RangeFlaw::TooLong => self.bad_range(host, "more bytes than that part has".to_owned()),
        }
    }
}

impl RemoteRangeSource {
    fn bad_range(&self, host: &str, what: String) -> HubError {
        HubError::BadRange { path: self.0.file().repo_path.clone(), host: host.to_owned(), what }
    }
}
