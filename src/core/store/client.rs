//! Requests to one upload location. Each is retried until its result is final, with the SAS that is currently valid; a
//! SAS that the store rejects is renewed.

mod copy;
mod list;
mod metadata;
mod put;
mod range;
mod stored;
mod traffic;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8};

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;
use url::Url;

use super::acceptance::of_store;
use super::container::blob_url;
use super::error::{StoreError, rejects_sas};
use super::location::UploadLocation;
use super::retry::{self, RetryNotices};
use super::version::BlobVersion;
use super::wire::{StoredBlocks, read_blocks};
use crate::env::Timings;
use crate::http::{HttpClient, HttpError, Method, Request, Response, Retry};
use crate::model::{BlobPath, BlobUri, Report, Reporter};
use crate::redact::SecretUrl;

pub(crate) use self::copy::{CopyRefusal, CopySource};
pub(super) use self::list::{all_pages, list_blobs};
use self::put::UNKNOWN;
pub(crate) use self::put::{BlobContent, SendAttempt};
pub(crate) use self::range::RangeError;
pub use self::stored::StoredFile;
pub(crate) use self::traffic::Traffic;

/// Version of the storage protocol, the one that AzCopy 10.32 uses.
const VERSION: &str = "2025-07-05";

/// Header of a blob's SHA-256 as metadata: 64 lower-case hex digits.
const SHA256: &str = "x-ms-meta-sha256";

/// Requests a new SAS for the same upload from the service.
pub(crate) type RenewLocation = Arc<dyn Fn() -> BoxFuture<'static, Result<UploadLocation, HttpError>> + Send + Sync>;

/// The SAS in force; each renewal is a new generation.
struct Sas {
    url: SecretUrl,
    generation: u64,
    /// True once a request was accepted with this SAS.
    is_proved: bool,
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
    /// Lets one request at a time find out whether the store accepts checksums.
    checksum_probe: Mutex<()>,
    /// True if the store rejects metadata: blobs are created without their SHA-256.
    refuses_metadata: AtomicBool,
    is_read_only: bool,
    notices: RetryNotices,
    traffic: Arc<Traffic>,
}

impl BlobStore {
    /// Client for a location whose SAS was probed.
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

    /// Returns this location for reading only.
    pub(crate) fn read_only(mut self) -> Self {
        self.is_read_only = true;
        self
    }

    /// Returns this location for probing: a rejected SAS is not renewed.
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

    /// Counters of the traffic with this location.
    pub(crate) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Deletes one blob. A blob that does not exist counts as deleted.
    ///
    /// # Errors
    /// The response of the store, also if the SAS does not permit deletion.
    pub(crate) async fn delete(&self, path: &BlobPath) -> Result<(), HttpError> {
        let url = blob_url(self.sas().await.expose(), path, &[]);
        match self.http.send(&of_store(Request::new(Method::DELETE, url, Retry::Idempotent), None)).await {
            Ok(_) => Ok(()),
            Err(error) if error.status() == Some(404) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Get Block List: blocks that the store holds for a blob; `None` if the SAS does not permit listing.
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

    /// Builds a request that is sent once, and fails when the whole upload makes no progress.
    fn request(&self, method: Method, url: Url) -> Request<'_> {
        let request = Request::new(method, url, Retry::None)
            .header("x-ms-version", VERSION)
            .stall_timeout(self.timings.request, || self.traffic.activity());
        of_store(request, None)
    }

    /// Repeats a request until the response is final, as long as its content is current. The stall watch of the upload
    /// limits the time.
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
                    self.traffic.add_answer();
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

    /// Replaces the SAS of this generation by a new one, unless that is already done.
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
