//! Requests to one upload location. Each is repeated until its result is final, with the SAS that is currently valid; a
//! SAS that the store rejects is renewed.

mod copy;
mod metadata;
mod range;
mod stored;

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{Stream, TryStreamExt};
use tokio::sync::Mutex;
use url::Url;

use super::acceptance::of_store;
use super::blocks::BlockId;
use super::container::{Container, blob_url};
use super::error::{StoreError, has_code, is_fault, names_header, rejects_sas};
use super::location::{BlobListing, ListedBlob, UploadLocation};
use super::retry::{self, RetryNotices};
use super::version::BlobVersion;
use super::wire::{BlobEntry, StoredBlocks, block_list, read_blobs, read_blocks};
use crate::env::Timings;
use crate::http::{HttpClient, HttpError, MAX_PAGES, Method, Request, Response, ResponseFlaw, Retry};
use crate::model::{BlobPath, BlobUri, ContentHash, Report, Reporter};
use crate::redact::SecretUrl;

pub(crate) use self::copy::{CopyRefusal, CopySource};
pub(crate) use self::range::{BlobRange, RangeError};
pub use self::stored::StoredFile;

/// Version of the protocol that AzCopy 10.32 uses too.
const VERSION: &str = "2025-07-05";

/// Header of a checksum.
const CHECKSUM: &str = "x-ms-content-crc64";

/// Header of a blob's SHA-256 as metadata: 64 lower-case hex digits.
const SHA256: &str = "x-ms-meta-sha256";

/// State of checksums: not yet known whether the store accepts them. Older emulators answer 500 to them.
const UNKNOWN: u8 = 0;
const ACCEPTED: u8 = 1;
const REFUSED: u8 = 2;

/// Asks the service for a fresh location of the same upload.
pub(crate) type RenewLocation = Arc<dyn Fn() -> BoxFuture<'static, Result<UploadLocation, HttpError>> + Send + Sync>;

/// Makes an entry of a listing.
pub(crate) type ListingEntry<'s> = &'s (dyn Fn(&str, ListedBlob) -> (BlobPath, ListedBlob) + Sync);

/// The SAS in force; each renewal is a new generation.
struct Sas {
    url: SecretUrl,
    generation: u64,
    /// Something was accepted with it.
    is_proved: bool,
}

/// Counters of the traffic.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// Bytes taken from bodies, ever.
    taken: AtomicU64,
    /// Of these the bytes that must be sent again.
    lost: AtomicU64,
    /// Requests that were answered well.
    answers: AtomicU64,
}

impl Traffic {
    /// Bytes that are under way or arrived.
    pub(crate) fn bytes(&self) -> u64 {
        self.taken.load(Ordering::Relaxed).saturating_sub(self.lost.load(Ordering::Relaxed))
    }

    pub(crate) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    /// Bytes that were taken for lost arrived after all.
    fn restore_lost(&self, bytes: u64) {
        self.taken.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counter that grows with any progress, even of content that is sent again.
    fn activity(&self) -> u64 {
        self.taken.load(Ordering::Relaxed) + self.answers.load(Ordering::Relaxed)
    }
}

/// An upload location that is written to.
pub(crate) struct BlobStore {
    http: Arc<HttpClient>,
    timings: Timings,
    reporter: Reporter,
    blob_uri: BlobUri,
    sas: Mutex<Sas>,
    renew: RenewLocation,
    checksums: AtomicU8,
    /// One request at a time finds out whether the store accepts checksums.
    checksum_probe: Mutex<()>,
    /// Blobs are made without their SHA-256 as metadata.
    refuses_metadata: AtomicBool,
    is_read_only: bool,
    notices: RetryNotices,
    traffic: Arc<Traffic>,
}

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
    /// Learns how each attempt ended.
    pub(crate) on_attempt: &'c (dyn Fn(SendAttempt) + Sync),
}

/// End of one attempt to send content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SendAttempt {
    pub(crate) elapsed: Duration,
    pub(crate) has_arrived: bool,
    /// Refused because the store has too much to do.
    pub(crate) is_busy: bool,
}

/// True if a failure may be caused by a checksum that the store does not support.
fn is_of_checksum(error: &HttpError) -> bool {
    names_header(error, CHECKSUM) || is_fault(error)
}

impl BlobStore {
    /// A location that was probed.
    pub(crate) fn new(
        http: Arc<HttpClient>,
        reporter: Reporter,
        location: &UploadLocation,
        renew: RenewLocation,
    ) -> Self {
        Self {
            timings: http.timings().clone(),
            http,
            reporter,
            blob_uri: location.blob_uri.clone(),
            sas: Mutex::new(Sas { url: location.sas.clone(), generation: 0, is_proved: true }),
            renew,
            checksums: AtomicU8::new(UNKNOWN),
            checksum_probe: Mutex::new(()),
            refuses_metadata: AtomicBool::new(false),
            is_read_only: false,
            notices: RetryNotices::default(),
            traffic: Arc::default(),
        }
    }

    /// This location where it is only read.
    pub(crate) fn read_only(mut self) -> Self {
        self.is_read_only = true;
        self
    }

    /// This location while it is being probed: a SAS that is refused is not renewed.
    pub(crate) fn while_probing(mut self) -> Self {
        self.sas.get_mut().is_proved = false;
        self
    }

    /// SAS in force, for a program that writes to the location itself.
    pub(crate) async fn sas(&self) -> SecretUrl {
        self.sas.lock().await.url.clone()
    }

    /// Host and port of the location.
    pub(crate) fn host(&self) -> String {
        self.blob_uri.host()
    }

    pub(crate) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Lists the blobs of the location, all pages; `None` if the SAS does not allow that. `shared` makes an entry of a
    /// listed blob, reusing parts that are in memory already.
    ///
    /// # Errors
    /// When the store does not answer, or with something that is no list.
    pub(crate) async fn list(&self, shared: ListingEntry<'_>) -> Result<Option<BlobListing>, StoreError> {
        self.listed(async |sas| list_blobs(&self.http, sas, shared).await).await
    }

    /// Makes a list with the SAS in force, and once more with a fresh one; `None` if the SAS does not allow that.
    async fn listed<T>(&self, list: impl AsyncFn(&SecretUrl) -> Result<T, HttpError>) -> Result<Option<T>, StoreError> {
        let (sas, generation) = self.current().await;
        match list(&sas).await {
            Ok(listed) => Ok(Some(listed)),
            Err(error) if rejects_sas(&error) => {
                self.renew(generation, error).await?;
                match list(&self.current().await.0).await {
                    Ok(listed) => Ok(Some(listed)),
                    Err(error) if error.status() == Some(403) => Ok(None),
                    Err(error) => Err(StoreError::Http(error)),
                }
            }
            Err(error) if error.status() == Some(403) => Ok(None),
            Err(error) => Err(StoreError::Http(error)),
        }
    }

    /// Deletes one blob. One that is not there is deleted.
    ///
    /// # Errors
    /// Also when the SAS does not allow it.
    pub(crate) async fn delete(&self, path: &BlobPath) -> Result<(), HttpError> {
        let url = blob_url(self.sas().await.expose(), path, &[]);
        match self.http.send(&of_store(Request::new(Method::DELETE, url, Retry::Idempotent), None)).await {
            Ok(_) => Ok(()),
            Err(error) if error.status() == Some(404) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Put Blob: a file in one request, with its SHA-256 as metadata. Returns which write it was.
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

    /// Put Block List: makes the blob, with its SHA-256 as metadata. Returns which write it was; `None` if the store
    /// does not have all of these blocks.
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

    /// Get Block List: blocks that the store holds for a blob; `None` if the SAS does not allow to list.
    pub(crate) async fn block_list(&self, path: &BlobPath) -> Result<Option<StoredBlocks>, StoreError> {
        let asked = self
            .attempts((&format!("the blocks of {path}"), &|| true), async |sas| {
                let url = blob_url(sas, path, &[("comp", "blocklist"), ("blocklisttype", "all")]);
                self.http.send(&self.request(Method::GET, url)).await
            })
            .await;
        match asked {
            Ok(response) => read_blocks(&response).map(Some).map_err(StoreError::Http),
            Err(StoreError::Http(error)) if error.status() == Some(404) => Ok(Some(StoredBlocks::default())),
            Err(StoreError::Http(error)) if error.status() == Some(403) => Ok(None),
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
                    all.taken.fetch_add(piece.len() as u64, Ordering::Relaxed);
                })
            };
            let begun = Instant::now();
            let put = self.http.send(&request.stream(content.length, body)).await;
            let is_busy =
                put.as_ref().err().and_then(HttpError::status).is_some_and(|status| matches!(status, 429 | 503));
            (content.on_attempt)(SendAttempt { elapsed: begun.elapsed(), has_arrived: put.is_ok(), is_busy });
            if put.is_err() {
                self.traffic.lost.fetch_add(taken.load(Ordering::Relaxed), Ordering::Relaxed);
            }
            put
        };
        let put = async |sas: &Url| {
            // Most stores accept them, so that nothing waits for the first answer.
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

    /// Finds out, after this failure of content with a checksum, whether the store accepts checksums. A refusal is
    /// believed where the store names the header, or refuses the same content twice and accepts it without in between: a
    /// passing fault must not cost the proof of everything that follows.
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
            self.traffic.lost.fetch_add(bytes, Ordering::Relaxed);
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

    /// A request that is sent once, and fails when nothing of the whole upload moves.
    fn request(&self, method: Method, url: Url) -> Request<'_> {
        let request = Request::new(method, url, Retry::None)
            .header("x-ms-version", VERSION)
            .stall_timeout(self.timings.request, || self.traffic.activity());
        of_store(request, None)
    }

    /// Repeats a request until it is answered for good, as long as its content is current. The stall watch over the whole
    /// upload limits how long.
    async fn attempts(
        &self,
        (what, is_current): (&str, &(dyn Fn() -> bool + Sync)),
        once: impl AsyncFn(&Url) -> Result<Response, HttpError>,
    ) -> Result<Response, StoreError> {
        let mut backoff = retry::backoff(&self.timings);
        loop {
            let (url, generation) = self.current().await;
            let error = match once(url.expose()).await {
                Ok(response) => {
                    self.traffic.answers.fetch_add(1, Ordering::Relaxed);
                    self.mark_proved(generation).await;
                    return Ok(response);
                }
                Err(error) => error,
            };
            if rejects_sas(&error) {
                self.renew(generation, error).await?;
                continue;
            }
            if !is_current() {
                return Err(StoreError::Stale);
            }
            let Some(pause) = backoff.after(&error) else { return Err(StoreError::Http(error)) };
            self.report(self.notices.notice(&self.timings, what, pause, &error));
            tokio::time::sleep(pause).await;
        }
    }

    async fn current(&self) -> (SecretUrl, u64) {
        let sas = self.sas.lock().await;
        (sas.url.clone(), sas.generation)
    }

    async fn mark_proved(&self, generation: u64) {
        let mut sas = self.sas.lock().await;
        sas.is_proved |= sas.generation == generation;
    }

    /// Replaces the SAS of this generation by a new one, unless that was done already.
    async fn renew(&self, generation: u64, refusal: HttpError) -> Result<(), StoreError> {
        let mut sas = self.sas.lock().await;
        if sas.generation != generation {
            return Ok(());
        }
        if !sas.is_proved {
            return Err(StoreError::SasRejected(refusal));
        }
        let whose = if self.is_read_only { "read" } else { "upload" };
        self.report(Report::Notice(format!("The {whose} SAS was rejected. Requesting a new one...")));
        let fresh = (self.renew)().await.map_err(StoreError::NoFreshSas)?;
        if fresh.blob_uri != self.blob_uri {
            return Err(StoreError::Moved);
        }
        *sas = Sas { url: fresh.sas, generation: generation + 1, is_proved: false };
        Ok(())
    }

    fn report(&self, report: Report) {
        (self.reporter)(report);
    }
}

/// Lists the blobs of a location with this SAS, all pages.
pub(super) async fn list_blobs(
    http: &HttpClient,
    sas: &SecretUrl,
    shared: ListingEntry<'_>,
) -> Result<BlobListing, HttpError> {
    // Sorted in the end: a tree that is built at once has full nodes.
    let mut found = Vec::new();
    let container = Container::of(sas.expose());
    let url = |marker: &str| container.listing(marker, None);
    all_pages(http, &container, &url, &mut |name, entry| found.push(shared(name, entry.blob))).await?;
    Ok(found.into_iter().collect())
}

/// Reads all pages of a list, and hands each blob of the location over with its name there.
pub(super) async fn all_pages(
    http: &HttpClient,
    container: &Container,
    url: &(dyn Fn(&str) -> Url + Sync),
    on: &mut (dyn FnMut(&str, BlobEntry) + Send),
) -> Result<(), HttpError> {
    let (mut marker, mut seen) = (String::new(), HashSet::new());
    loop {
        let request = Request::new(Method::GET, url(&marker), Retry::Idempotent);
        let response = http.send(&of_store(request, None)).await?;
        let page = read_blobs(&response)?;
        for mut entry in page.blobs {
            let name = std::mem::take(&mut entry.name);
            if let Some(name) = name.strip_prefix(container.prefix()) {
                on(name, entry);
            }
        }
        let Some(next) = page.next else { return Ok(()) };
        // A partial list proves nothing.
        let flaw = |message: &str| Err(response.bad(ResponseFlaw::Shape(message.into())));
        if !seen.insert(next.clone()) {
            return flaw("its list of blobs repeats");
        }
        if seen.len() >= MAX_PAGES {
            return flaw("its list of blobs does not end");
        }
        marker = next;
    }
}
