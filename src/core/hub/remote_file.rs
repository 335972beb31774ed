//! One file of a commit, read by ranges: the server of its bytes, and its known faults.

use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use time::OffsetDateTime;
use tokio::sync::{Mutex, OnceCell};
use url::Url;

use super::client::{HubClient, RequestSubject};
use super::error::HubError;
use super::id::{CommitId, RepoId};
use super::signed_url::SignedUrl;
use super::source::HubFile;
use super::sum::{HubSum, SumState};
use super::wire::unquoted;
use crate::http::{HttpError, Method, RedirectFault};
use crate::model::is_loopback;

/// Maximum number of consecutive redirects.
const REDIRECTS: usize = 5;

/// A file of a pinned commit. Knows the server of its bytes, requests a signed URL once an hour, and shares it.
#[derive(Debug)]
pub(crate) struct RemoteFile {
    pub(super) client: Arc<HubClient>,
    repo: RepoId,
    sha: CommitId,
    file: HubFile,
    location: Mutex<Option<Location>>,
    whole: OnceCell<Bytes>,
}

/// Server of a file's bytes.
#[derive(Clone, Debug)]
pub(super) enum Location {
    /// The Hub itself.
    Hub(Url),
    /// Server in the signed URL.
    Signed(Arc<SignedUrl>),
}

impl RemoteFile {
    /// Reader of this file.
    pub(super) fn new(client: Arc<HubClient>, repo: RepoId, sha: CommitId, file: HubFile) -> Self {
        Self { client, repo, sha, file, location: Mutex::new(None), whole: OnceCell::new() }
    }

    /// The file.
    pub(crate) fn file(&self) -> &HubFile {
        &self.file
    }

    /// Subject of requests for this file.
    pub(super) fn about(&self) -> RequestSubject<'_> {
        RequestSubject { repo: &self.repo, revision: self.sha.as_str(), path: &self.file.repo_path }
    }

    /// Signed URL of the file with enough remaining lifetime; `None` if the Hub itself sends the bytes.
    ///
    /// # Errors
    /// See [`HubError`].
    pub(crate) async fn signed_url(&self) -> Result<Option<Arc<SignedUrl>>, HubError> {
        Ok(match self.location().await? {
            Location::Signed(signed) => Some(signed),
            Location::Hub(_) => None,
        })
    }

    /// New signed URL to replace a rejected one. Sends a request to the Hub only if none has been sent since.
    ///
    /// # Errors
    /// See [`HubError`].
    pub(crate) async fn renew(&self, refused: &SignedUrl) -> Result<Option<Arc<SignedUrl>>, HubError> {
        self.drop_location(refused).await;
        self.signed_url().await
    }

    /// Discards a rejected signed URL, unless another reader has replaced it.
    pub(super) async fn drop_location(&self, refused: &SignedUrl) {
        let mut location = self.location.lock().await;
        if matches!(&*location, Some(Location::Signed(signed)) if **signed == *refused) {
            *location = None;
        }
    }

    /// Reads the bytes of this range.
    ///
    /// # Errors
    /// See [`HubError`].
    pub(crate) async fn bytes(self: &Arc<Self>, range: Range<u64>) -> Result<Bytes, HubError> {
        let mut stream = self.stream(range.clone());
        let Some(first) = stream.next().await? else { return Ok(Bytes::new()) };
        if first.len() as u64 == range.end - range.start {
            return Ok(first);
        }
        let mut whole = BytesMut::with_capacity(usize::try_from(range.end - range.start).unwrap_or_default());
        whole.extend_from_slice(&first);
        while let Some(piece) = stream.next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    /// Reads the whole content, verified by its checksum, and keeps it: for documents of a few megabytes.
    ///
    /// # Errors
    /// See [`HubError`].
    pub(crate) async fn whole(self: &Arc<Self>) -> Result<Bytes, HubError> {
        let read = || async {
            let bytes = self.bytes(0..self.file.bytes).await?;
            let mut sum = SumState::new(self.file.sum, self.file.bytes);
            sum.update(&bytes);
            match sum.finish() {
                Ok(_) => Ok(bytes),
                Err(sums) => Err(HubError::Mismatch { path: self.file.repo_path.clone(), sums }),
            }
        };
        self.whole.get_or_try_init(read).await.cloned()
    }

    /// Returns the server of the bytes. One request to the Hub serves all waiting readers.
    pub(super) async fn location(&self) -> Result<Location, HubError> {
        let mut location = self.location.lock().await;
        if let Some(known) = location.clone()
            && !matches!(&known, Location::Signed(signed) if signed.is_ending())
        {
            return Ok(known);
        }
        let found = self.locate().await?;
        *location = Some(found.clone());
        Ok(found)
    }

    /// Requests the server of the bytes from the Hub, and compares the response with the Hub's list.
    async fn locate(&self) -> Result<Location, HubError> {
        let client = &self.client;
        let mut url = client.resolve(&self.repo, &self.sha, &self.file.repo_path)?;
        for turn in 0..=REDIRECTS {
            let exchange = client.send(&client.request(Method::HEAD, url.clone()), self.about()).await?;
            let header = |name| exchange.header(name);
            if turn == 0 {
                self.compare(header)?;
            }
            if !exchange.is_redirect() {
                return Ok(Location::Hub(url));
            }
            let next = client.redirect_target(&exchange, &url)?;
            if !client.endpoint().is_origin_of(&next) {
                return self.signed(&exchange, next);
            }
            url = next;
        }
        let host = client.endpoint().host().to_owned();
        Err(HttpError::Redirect { host, status: 302, why: RedirectFault::TooMany }.into())
    }

    fn signed(&self, exchange: &crate::http::RawResponse, url: Url) -> Result<Location, HubError> {
        // Only a Hub on this machine may lead to another server on this machine.
        let is_secure = match is_loopback(&url) {
            true => self.client.endpoint().is_loopback(),
            false => url.scheme() == "https",
        };
        if !is_secure || !url.username().is_empty() || url.password().is_some() {
            let to = crate::redact::bare(url).to_string();
            return Err(HubError::Redirect { host: exchange.host().to_owned(), to });
        }
        let now = exchange.header("date").and_then(|date| httpdate::parse_http_date(date).ok());
        let now = now.map_or_else(OffsetDateTime::now_utc, OffsetDateTime::from).unix_timestamp();
        let raw = exchange.location().unwrap_or_default();
        if url.as_str() != raw {
            let text = format!("the signed URL of {} changes when it is parsed", self.file.repo_path);
            self.client.http().report(crate::model::Report::Debug(text));
        }
        Ok(Location::Signed(Arc::new(SignedUrl::new(raw, url, now))))
    }

    /// Compares the headers of a response with the commit and the list of files.
    fn compare<'a>(&self, header: impl Fn(&'static str) -> Option<&'a str>) -> Result<(), HubError> {
        let Some(commit) = header("x-repo-commit") else {
            let host = self.client.endpoint().host().to_owned();
            return Err(HubError::NotAHub { host, what: "the response for a file contains no commit" });
        };
        let differs = |what: &str, listed: &dyn std::fmt::Display, found: &str| {
            Err(self.mismatch_error(format!("the {what} is {found} in one and {listed} in another")))
        };
        if !commit.eq_ignore_ascii_case(self.sha.as_str()) {
            return differs("commit", &self.sha, commit);
        }
        if let Some(size) = header("x-linked-size")
            && size.trim() != self.file.bytes.to_string()
        {
            return differs("size", &self.file.bytes, size);
        }
        if let (HubSum::Sha256(sum), Some(tag)) = (self.file.sum, header("x-linked-etag").map(unquoted))
            && !tag.eq_ignore_ascii_case(&sum.to_string())
        {
            return differs("SHA-256", &sum, tag);
        }
        Ok(())
    }

    /// Error for responses of the Hub that contradict each other; `what` names the difference.
    pub(super) fn mismatch_error(&self, what: String) -> HubError {
        HubError::Disagree { path: self.file.repo_path.clone(), what: crate::redact::clean(&what) }
    }
}
