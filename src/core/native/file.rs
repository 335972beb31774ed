//! One file: what of it is already uploaded, the rest block by block, and the commit.

use std::cell::Cell;
use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::Controls;
use super::concurrency::{Concurrency, ConcurrencyPermit, LARGE};
use super::error::NativeError;
use super::rate::Rate;
use super::read::{Sums, body};
use super::record::Record;
use super::tally::Tally;
use crate::model::{ArrivedFile, BlobPath, Report, SourceFile};
use crate::source::look_at;
use crate::store::{Attempt, BlobContent, BlobStore, BlobVersion, BlockId, BlockLayout, content_type};
use crate::units;

/// A file that changes more often than this while it is sent never keeps still.
const STARTS: u32 = 4;
/// Fewer bytes than this are read before anybody wonders.
const WORTH_A_WORD: u64 = 512 << 20;

/// Everything that the files of one upload share.
pub(super) struct Files<'a> {
    pub(super) store: &'a BlobStore,
    pub(super) controls: &'a Controls<'a>,
    pub(super) record: &'a Record,
    pub(super) directory: &'a Path,
    pub(super) tally: Tally,
    /// Requests in flight.
    pub(super) permits: Semaphore,
    /// Of these the large ones, where their number is not given.
    pub(super) concurrency: Option<Concurrency>,
    pub(super) rate: Option<Arc<Rate>>,
}

/// A file as it was sent.
pub(super) struct Sent {
    pub(super) file: SourceFile,
    pub(super) sha256: Option<String>,
    /// Which write of the blob it became.
    pub(super) version: BlobVersion,
    /// It is not what it was when it was planned.
    pub(super) is_changed: bool,
}

/// Permission for one request.
struct Turn<'f> {
    permit: Option<ConcurrencyPermit<'f>>,
    _request: SemaphorePermit<'f>,
}

/// One file that is being sent, in the shape that it had when it was begun.
struct Sending<'f, 'a> {
    files: &'f Files<'a>,
    shape: &'f SourceFile,
    local: &'f Path,
    layout: &'f BlockLayout,
}

impl Files<'_> {
    /// Sends what is missing of a file, as it is now.
    pub(super) async fn send(&self, planned: &SourceFile) -> Result<Sent, NativeError> {
        let path = &planned.path;
        let local = path.below(self.directory);
        for _ in 0..STARTS {
            let shape = self.look(path)?;
            let layout = self.record.layout(&shape);
            let sending = Sending { files: self, shape: &shape, local: &local, layout: &layout };
            let sent = if layout.count() == 1 { sending.whole().await } else { sending.blocks().await };
            // What was sent is the file only if it kept still; a failure may be that of its change.
            let arrived = match (sent, sending.still()) {
                (Ok(arrived), Ok(())) => Some(arrived),
                (Err(NativeError::File { .. }) | Ok(_), Err(why @ NativeError::File { .. })) => return Err(why),
                (Ok(_) | Err(NativeError::Changing { .. } | NativeError::File { .. }), Err(_)) => None,
                (Err(error), _) => return Err(error),
            };
            if let Some((sha256, version)) = arrived {
                let arrived = ArrivedFile { path: path.clone(), bytes: shape.bytes, sha256: sha256.clone() };
                self.record.file(&layout, arrived, version.clone()).map_err(NativeError::Record)?;
                self.tally.add_file();
                let is_changed = shape != *planned;
                return Ok(Sent { file: shape, sha256, version, is_changed });
            }
            self.report(Report::Notice(format!("{path} changed while it was sent: it starts again")));
        }
        Err(NativeError::Changing { path: path.clone() })
    }

    fn look(&self, path: &BlobPath) -> Result<SourceFile, NativeError> {
        look_at(self.directory, path).map_err(|why| file_error(path, why))
    }

    /// Waits for the turn of a request of this size in bytes.
    async fn turn(&self, bytes: u64) -> Result<Turn<'_>, NativeError> {
        // The semaphores are never closed.
        let closed = |error| NativeError::Record(io::Error::other(error));
        let permit = match &self.concurrency {
            Some(concurrency) if bytes >= LARGE => Some(concurrency.enter().await.map_err(closed)?),
            _ => None,
        };
        Ok(Turn { permit, _request: self.permits.acquire().await.map_err(closed)? })
    }

    fn report(&self, report: Report) {
        (self.controls.reporter)(report);
    }
}

impl Sending<'_, '_> {
    fn path(&self) -> &BlobPath {
        &self.shape.path
    }

    /// An error where the file is not what it was.
    fn still(&self) -> Result<(), NativeError> {
        if self.files.look(self.path())? == *self.shape {
            Ok(())
        } else {
            Err(NativeError::Changing { path: self.path().clone() })
        }
    }

    fn open(&self, hash: bool) -> Result<Sums, NativeError> {
        Sums::open(self.local, hash).map_err(|why| file_error(self.path(), why))
    }

    async fn sum(&self, sums: Sums, range: (u64, u64)) -> Result<(Sums, String), NativeError> {
        sum(sums, range).await.map_err(|why| file_error(self.path(), why))
    }

    /// A small file in one request. Returns its SHA-256, and which write of the blob it became.
    async fn whole(&self) -> Result<(Option<String>, BlobVersion), NativeError> {
        let range = self.layout.range(0);
        let turn = self.files.turn(range.1).await?;
        let (sums, crc64) = self.sum(self.open(self.files.controls.hash)?, range).await?;
        let version = self.put(range, &crc64, self.path().to_string(), &turn, None).await?;
        Ok((sums.finish(), version))
    }

    /// A large file block by block. Returns its SHA-256, and which write of the blob it became.
    async fn blocks(&self) -> Result<(Option<String>, BlobVersion), NativeError> {
        let (store, path) = (self.files.store, self.path());
        let of_store = |error| NativeError::of_store(path, error);
        let ids: Vec<BlockId> = (0..self.layout.count()).map(|index| self.layout.id(index)).collect();
        let listed = store.block_list(path).await.map_err(of_store)?;
        let committed = listed.as_ref().filter(|blocks| blocks.committed == ids).map(|blocks| blocks.version.clone());
        let mut uploaded: HashSet<BlockId> = match listed {
            _ if committed.is_some() => ids.iter().cloned().collect(),
            Some(blocks) => blocks.uncommitted,
            // Nobody may ask: what the store acknowledged counts, until the commit says otherwise.
            None => ids.iter().filter(|id| self.files.record.knows(id)).cloned().collect(),
        };
        let mut is_second_pass = false;
        loop {
            let sha256 = self.missing_and_sum(&ids, &uploaded).await?;
            if let Some(version) = committed {
                return Ok((sha256, version));
            }
            self.still()?;
            if let Some(version) = store.put_block_list(path, &ids, content_type(path)).await.map_err(of_store)? {
                return Ok((sha256, version));
            }
            // A store that loses every block, twice, will lose them for ever.
            if std::mem::replace(&mut is_second_pass, true) {
                return Err(NativeError::BlocksLost { path: path.clone() });
            }
            self.files.report(Report::Notice(format!("the blob store lost blocks of {path}: it starts again")));
            uploaded.clear();
        }
    }

    /// Sends the blocks that are not uploaded. The inner value is the file's SHA-256.
    async fn missing_and_sum(
        &self,
        ids: &[BlockId],
        uploaded: &HashSet<BlockId>,
    ) -> Result<Option<String>, NativeError> {
        // What is uploaded has to be read too for the file's sum, and what is missing shall not wait for that.
        let is_read_apart = self.files.controls.hash && !uploaded.is_empty();
        let unread = Cell::new(if is_read_apart { self.shape.bytes } else { 0 });
        let sending = async {
            let sums = self.open(self.files.controls.hash && !is_read_apart)?;
            let sha256 = self.missing(ids, uploaded, sums).await?;
            if unread.get() > WORTH_A_WORD {
                let (path, bytes) = (self.path(), units::bytes(unread.get()));
                let words = format!("Reading {path} to its end for its SHA-256: {bytes} are left.");
                self.files.report(Report::Notice(words));
            }
            Ok(sha256)
        };
        let reading = async {
            if !is_read_apart {
                return Ok(None);
            }
            let mut sums = self.open(true)?;
            for range in (0..self.layout.count()).map(|index| self.layout.range(index)) {
                (sums, _) = self.sum(sums, range).await?;
                self.files.tally.add_read(range.1);
                unread.set(unread.get() - range.1);
            }
            Ok(sums.finish())
        };
        let (sent, read) = tokio::try_join!(sending, reading)?;
        Ok(sent.or(read))
    }

    /// Sends what is missing, and reads it on the way. The inner value is the SHA-256 that the sums come to.
    async fn missing(
        &self,
        ids: &[BlockId],
        uploaded: &HashSet<BlockId>,
        mut sums: Sums,
    ) -> Result<Option<String>, NativeError> {
        let mut in_flight = FuturesUnordered::new();
        let count = units::grouped(ids.len() as u64);
        for (index, id) in (0..).zip(ids) {
            let range = self.layout.range(index);
            if uploaded.contains(id) {
                self.files.tally.add_found(range.1);
                continue;
            }
            let turn = while_in_flight(&mut in_flight, self.files.turn(range.1)).await?;
            let (summed, crc64) = while_in_flight(&mut in_flight, self.sum(sums, range)).await?;
            sums = summed;
            let what = format!("block {} of {count} of {}", units::grouped(index + 1), self.path());
            in_flight.push(async move {
                self.put(range, &crc64, what, &turn, Some(id)).await?;
                drop(turn);
                self.files.record.block(id).map_err(NativeError::Record)
            });
        }
        while let Some(sent) = in_flight.next().await {
            sent?;
        }
        Ok(sums.finish())
    }

    /// Puts one range of the file: a block of this id, or without one the blob itself. Returns which write of the blob it
    /// was; none for a block.
    async fn put(
        &self,
        range: (u64, u64),
        crc64: &str,
        what: String,
        turn: &Turn<'_>,
        id: Option<&BlockId>,
    ) -> Result<BlobVersion, NativeError> {
        let learn = |attempt: Attempt| {
            let number =
                turn.permit.as_ref().and_then(|permit| permit.took(range.1, attempt.elapsed, attempt.has_arrived));
            if let Some(number) = number {
                self.files.report(Report::Debug(format!("at most {number} large requests at once from now on")));
            }
        };
        let content = BlobContent {
            path: self.path(),
            what,
            length: range.1,
            crc64,
            body: || body(self.local.to_owned(), range, self.files.rate.clone()),
            is_current: &|| self.still().is_ok(),
            on_attempt: &learn,
        };
        let put = match id {
            Some(id) => self.files.store.put_block(&content, id).await.map(|()| BlobVersion::default()),
            None => self.files.store.put_blob(&content, content_type(self.path())).await,
        };
        put.map_err(|error| NativeError::of_store(self.path(), error))
    }
}

/// Waits for something; the requests in flight go on meanwhile.
async fn while_in_flight<T>(
    in_flight: &mut FuturesUnordered<impl Future<Output = Result<(), NativeError>>>,
    work: impl Future<Output = Result<T, NativeError>>,
) -> Result<T, NativeError> {
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            Some(sent) = in_flight.next(), if !in_flight.is_empty() => sent?,
            done = &mut work => return done,
        }
    }
}

/// Sums take a moment of processor time: not on the thread that sends.
async fn sum(mut sums: Sums, range: (u64, u64)) -> io::Result<(Sums, String)> {
    let work = move || sums.block(range).map(|crc| (sums, crc));
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

fn file_error(path: &BlobPath, why: io::Error) -> NativeError {
    NativeError::File { path: path.clone(), why }
}
