//! The four calls of a block blob (contracts/blob.md 2), each repeated until it is answered for good; with a SAS that is
//! renewed on the way.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::Mutex;
use url::Url;

use super::error::NativeError;
use super::meter::Sent;
use super::retry::{self, Retries, has_code, is_passing};
use super::window::Place;
use super::wire::{Blocks, blob_url, block_list, read_blocks};
use super::{Controls, Renewed};
use crate::http::{HttpClient, HttpError, Method, Request, Response, Retry, Upload};
use crate::model::Report;
use crate::redact::SecretUrl;

/// The version that AzCopy 10.32 speaks too.
const VERSION: &str = "2025-07-05";

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
    retries: Retries,
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
            retries: Retries::default(),
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
            let asked = self.http.asked_for(error.service().and_then(|error| error.retry_after));
            let pause = retry::pause(self.controls.timings, failed).max(asked);
            self.report(self.retries.said(self.controls.timings, what, pause, &error));
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

    fn report(&self, report: Report) {
        (self.controls.reporter)(report);
    }
}
