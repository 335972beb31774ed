//! The four calls of a block blob (contracts/blob.md 2), each repeated until it is answered for good; with a SAS that is
//! renewed on the way.

use std::io;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::Mutex;
use url::Url;

use super::error::NativeError;
use super::meter::Sent;
use super::window::Place;
use super::wire::{Blocks, blob_url, block_list, read_blocks};
use super::{Controls, Renewed};
use crate::http::{HttpClient, HttpError, Method, Request, Response, Retry, Upload};
use crate::model::Report;
use crate::redact::SecretUrl;

/// The version that AzCopy 10.32 speaks too.
const VERSION: &str = "2025-07-05";
/// First pause between tries of a block, and the longest (contracts/blob.md 5).
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(32));
/// A retry of each of 32 connections would bury everything else.
const BETWEEN_NOTICES: Duration = Duration::from_secs(2);

/// Whether the store takes checksums: older emulators answer 500 to them.
const UNKNOWN: u8 = 0;
const TAKEN: u8 = 1;
const REFUSED: u8 = 2;

/// The SAS of this moment; each renewal is a new generation.
struct Sas {
    url: SecretUrl,
    generation: u64,
    /// Something was accepted with it.
    good: bool,
}

/// An upload location.
pub(super) struct Store<'a, R> {
    http: &'a HttpClient,
    controls: &'a Controls<'a>,
    sas: Mutex<Sas>,
    renew: R,
    checksums: AtomicU8,
    /// The first request with a checksum goes alone: whether it is taken is not known before.
    first: Mutex<()>,
    last_notice: std::sync::Mutex<Option<Instant>>,
    pub(super) sent: Arc<Sent>,
}

/// What is put.
pub(super) struct Content<'c> {
    /// Name of the blob.
    pub(super) path: &'c str,
    /// `block 812 of 1,200 of model.safetensors`.
    pub(super) what: String,
    /// Length in bytes.
    pub(super) length: u64,
    /// Its CRC-64 in base64.
    pub(super) crc: &'c str,
    /// Looks whether the file is still what it was: another content would never arrive.
    pub(super) look: &'c (dyn Fn() -> Result<(), NativeError> + Sync),
    /// Learns how long it took.
    pub(super) place: Option<&'c Place<'c>>,
}

impl<'a, R: AsyncFn() -> Result<Renewed, HttpError>> Store<'a, R> {
    pub(super) fn new(http: &'a HttpClient, controls: &'a Controls<'a>, sas: SecretUrl, renew: R) -> Self {
        Self {
            http,
            controls,
            // The probe was answered well.
            sas: Mutex::new(Sas { url: sas, generation: 0, good: true }),
            renew,
            checksums: AtomicU8::new(UNKNOWN),
            first: Mutex::new(()),
            last_notice: std::sync::Mutex::new(None),
            sent: Arc::new(Sent::default()),
        }
    }

    /// Put Blob: a file in one request.
    pub(super) async fn put_blob<B>(
        &self,
        content: &Content<'_>,
        content_type: &str,
        body: impl Fn(Arc<AtomicU64>) -> B,
    ) -> Result<(), NativeError>
    where
        B: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        let headers =
            vec![("x-ms-blob-type", "BlockBlob".to_owned()), ("x-ms-blob-content-type", content_type.to_owned())];
        self.put(content, &[], &headers, body).await
    }

    /// Put Block.
    pub(super) async fn put_block<B>(
        &self,
        content: &Content<'_>,
        id: &str,
        body: impl Fn(Arc<AtomicU64>) -> B,
    ) -> Result<(), NativeError>
    where
        B: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        self.put(content, &[("comp", "block"), ("blockid", id)], &[], body).await
    }

    /// Put Block List: makes the blob. False where the store does not have all of these blocks.
    pub(super) async fn put_block_list(
        &self,
        path: &str,
        ids: &[String],
        content_type: &str,
    ) -> Result<bool, NativeError> {
        let list = Bytes::from(block_list(ids));
        let headers =
            [("content-type", "application/xml".to_owned()), ("x-ms-blob-content-type", content_type.to_owned())];
        let what = format!("the block list of {path}");
        let committed = self
            .attempts((path, &what, &|| Ok(())), async |sas| {
                let list = list.clone();
                let length = list.len() as u64;
                let body = futures_util::stream::once(async move { Ok(list) });
                let url = blob_url(sas, path, &[("comp", "blocklist")]);
                self.http.put(self.upload(url, &headers, length, body), || self.sent.moves()).await
            })
            .await;
        match committed {
            Ok(_) => Ok(true),
            Err(NativeError::Store { error, .. }) if has_code(&error, "InvalidBlockList") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Get Block List: what the store has of a blob; `None` where the SAS does not allow to ask.
    pub(super) async fn block_list(&self, path: &str) -> Result<Option<Blocks>, NativeError> {
        let asked = self
            .attempts((path, &format!("the blocks of {path}"), &|| Ok(())), async |sas| {
                let url = blob_url(sas, path, &[("comp", "blocklist"), ("blocklisttype", "all")]);
                let request = Request::new(Method::GET, url, Retry::None).header("x-ms-version", VERSION);
                self.http.send(&request.blob_store()).await
            })
            .await;
        match asked {
            Ok(response) => {
                read_blocks(&response).map(Some).map_err(|error| NativeError::Store { path: path.to_owned(), error })
            }
            Err(NativeError::Store { error, .. }) if error.status() == Some(404) => Ok(Some(Blocks::default())),
            Err(NativeError::Store { error, .. }) if error.status() == Some(403) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn put<B>(
        &self,
        content: &Content<'_>,
        query: &[(&str, &str)],
        headers: &[(&'static str, String)],
        body: impl Fn(Arc<AtomicU64>) -> B,
    ) -> Result<(), NativeError>
    where
        B: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        let once = async |sas: &Url, with_sum: bool| {
            let mut headers = headers.to_vec();
            headers.extend(with_sum.then(|| ("x-ms-content-crc64", content.crc.to_owned())));
            let url = blob_url(sas, content.path, query);
            let taken = Arc::new(AtomicU64::new(0));
            let upload = self.upload(url, &headers, content.length, body(Arc::clone(&taken)));
            let begun = Instant::now();
            let put = self.http.put(upload, || self.sent.moves()).await;
            let changed = content.place.and_then(|place| place.took(content.length, begun.elapsed(), put.is_ok()));
            if let Some(number) = changed {
                self.report(Report::Debug(format!("at most {number} large requests at once from now on")));
            }
            if put.is_err() {
                self.sent.lost(taken.load(Ordering::Relaxed));
            }
            put
        };
        let put = async |sas: &Url| {
            let mut known = self.checksums.load(Ordering::Relaxed);
            if known == UNKNOWN {
                let alone = self.first.lock().await;
                known = self.checksums.load(Ordering::Relaxed);
                if known == UNKNOWN {
                    return self.find_out(sas, &once).await;
                }
                drop(alone);
            }
            once(sas, known == TAKEN).await
        };
        self.attempts((content.path, &content.what, content.look), put).await.map(drop)
    }

    /// Sends with a checksum; where the store does not take that, without one from then on.
    async fn find_out(
        &self,
        sas: &Url,
        once: &impl AsyncFn(&Url, bool) -> Result<Response, HttpError>,
    ) -> Result<Response, HttpError> {
        let with = once(sas, true).await;
        match &with {
            Ok(_) => self.checksums.store(TAKEN, Ordering::Relaxed),
            Err(error) if matches!(error.status(), Some(500 | 501)) => {
                let without = once(sas, false).await;
                if without.is_ok() {
                    self.checksums.store(REFUSED, Ordering::Relaxed);
                    self.report(Report::Debug("the blob store takes no CRC64: blocks go without".into()));
                }
                return without;
            }
            Err(_) => {}
        }
        with
    }

    fn upload<B>(&self, url: Url, headers: &[(&'static str, String)], length: u64, body: B) -> Upload<B> {
        let mut headers = headers.to_vec();
        headers.push(("x-ms-version", VERSION.to_owned()));
        Upload { url, headers, length, body, stall: self.controls.timings.request }
    }

    /// Repeats a request until it is answered for good, as long as `look` finds nothing. The watch over the whole upload
    /// limits how long.
    async fn attempts(
        &self,
        (path, what, look): (&str, &str, &(dyn Fn() -> Result<(), NativeError> + Sync)),
        once: impl AsyncFn(&Url) -> Result<Response, HttpError>,
    ) -> Result<Response, NativeError> {
        let mut failed = 0;
        loop {
            let (url, generation) = {
                let sas = self.sas.lock().await;
                (sas.url.clone(), sas.generation)
            };
            let error = match once(url.expose()).await {
                Ok(response) => {
                    self.sent.answered();
                    self.proved(generation).await;
                    return Ok(response);
                }
                Err(error) => error,
            };
            if error.status() == Some(403) && !has_code(&error, "AuthorizationPermissionMismatch") {
                self.renew(generation, error).await?;
                continue;
            }
            look()?;
            if !is_passing(&error) {
                return Err(NativeError::Store { path: path.to_owned(), error });
            }
            failed += 1;
            let pause = self.pause(failed, &error);
            self.say_retry(what, pause, &error);
            tokio::time::sleep(pause).await;
        }
    }
}

impl<R: AsyncFn() -> Result<Renewed, HttpError>> Store<'_, R> {
    async fn proved(&self, generation: u64) {
        let mut sas = self.sas.lock().await;
        sas.good |= sas.generation == generation;
    }

    /// Gets a fresh SAS in place of the one of this generation, unless somebody did already.
    async fn renew(&self, generation: u64, refusal: HttpError) -> Result<(), NativeError> {
        let mut sas = self.sas.lock().await;
        if sas.generation != generation {
            return Ok(());
        }
        if !sas.good {
            return Err(NativeError::Refused(refusal));
        }
        self.report(Report::Notice(
            "The upload location's SAS was refused on the way. Asking for a fresh one...".into(),
        ));
        match (self.renew)().await.map_err(NativeError::NoFreshSas)? {
            Renewed::Here(url) => *sas = Sas { url, generation: generation + 1, good: false },
            Renewed::Elsewhere => return Err(NativeError::Moved),
        }
        Ok(())
    }

    fn pause(&self, failed: u32, error: &HttpError) -> Duration {
        let timings = &self.controls.timings;
        let (first, longest) = (timings.scaled(PAUSES.0), timings.scaled(PAUSES.1));
        let own = first.saturating_mul(1 << (failed - 1).min(16)).min(longest);
        // Spread, so that 32 connections do not come back as one.
        let spread = f64::from(uuid::Uuid::new_v4().as_fields().0) / f64::from(u32::MAX);
        let asked = self.http.asked_for(error.service().and_then(|error| error.retry_after));
        own.mul_f64(0.75 + spread / 2.0).max(asked)
    }

    /// Says one of the retries of all connections now and then, and each one for `--debug`.
    fn say_retry(&self, what: &str, pause: Duration, error: &HttpError) {
        let words = match error {
            HttpError::Service(error) => error.to_string(),
            other => other.to_string(),
        };
        let seconds = (pause.as_secs_f64() * 10.0).ceil() / 10.0;
        let text = format!("retrying {what} in {seconds} s: {words}");
        let mut last = self.last_notice.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| last.elapsed() >= self.controls.timings.scaled(BETWEEN_NOTICES));
        if is_due {
            *last = Some(Instant::now());
        }
        drop(last);
        self.report(if is_due { Report::Notice(text) } else { Report::Debug(text) });
    }

    fn report(&self, report: Report) {
        (self.controls.reporter)(report);
    }
}

fn has_code(error: &HttpError, code: &str) -> bool {
    error.service().is_some_and(|error| error.has_code(&[code]))
}

/// Worth another try: faults that pass, and a content that was damaged on the way.
fn is_passing(error: &HttpError) -> bool {
    error.is_passing() || ["Crc64Mismatch", "Md5Mismatch"].iter().any(|code| has_code(error, code))
}
