//! One file: what of it is there already, the rest block by block, and the commit.

use std::cell::Cell;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::error::NativeError;
use super::layout::{FileShape, Layout, content_type};
use super::rate::Rate;
use super::read::{Sums, body};
use super::record::{Record, SentFile};
use super::store::{Content, Store};
use super::window::{LARGE, Place, Window};
use super::{Controls, Renewed};
use crate::http::HttpError;
use crate::model::Report;
use crate::units;

/// A file that changes more often than that while it is sent never keeps still.
const STARTS: u32 = 4;
/// Fewer bytes than that are read before anybody wonders.
const WORTH_A_WORD: u64 = 512 << 20;

/// What all files of one upload share.
pub(super) struct Files<'a, R> {
    pub(super) store: Store<'a, R>,
    pub(super) controls: &'a Controls<'a>,
    pub(super) record: &'a Record,
    pub(super) directory: &'a Path,
    /// Requests under way at once.
    pub(super) permits: Semaphore,
    /// Of these the large ones, where their number is not given.
    pub(super) window: Option<Window>,
    pub(super) rate: Option<Arc<Rate>>,
}

/// A request's place among those under way.
struct Turn<'f> {
    place: Option<Place<'f>>,
    _permit: SemaphorePermit<'f>,
}

impl<R: AsyncFn() -> Result<Renewed, HttpError>> Files<'_, R> {
    /// Sends what is missing of a file, as it is now.
    pub(super) async fn send(&self, path: &str) -> Result<(FileShape, SentFile), NativeError> {
        let local = self.directory.join(path);
        for _ in 0..STARTS {
            let shape = look(&local, path).map_err(|why| file_error(path, why))?;
            let layout = Layout::of(&shape);
            let sent = if layout.count() == 1 {
                self.send_whole(&local, &shape, &layout).await
            } else {
                self.send_blocks(&local, &shape, &layout).await
            };
            // What was sent is the file only if it kept still; a failure may be that of its change.
            let sha256 = match (sent, still(&local, &shape)) {
                (Ok(sha256), Ok(())) => Some(sha256),
                (Err(NativeError::File { .. }) | Ok(_), Err(why @ NativeError::File { .. })) => return Err(why),
                (Ok(_) | Err(NativeError::Changing { .. } | NativeError::File { .. }), Err(_)) => None,
                (Err(error), _) => return Err(error),
            };
            if let Some(sha256) = sha256 {
                let file = SentFile { path: path.to_owned(), bytes: shape.bytes, sha256 };
                self.record.file(&layout, file.clone()).map_err(NativeError::Record)?;
                self.store.sent.file();
                return Ok((shape, file));
            }
            let words = format!("{path} changed while it was sent: it starts again");
            (self.controls.reporter)(Report::Notice(words));
        }
        Err(NativeError::Changing { path: path.to_owned() })
    }

    /// A small file goes in one request. The inner value is its SHA-256.
    async fn send_whole(
        &self,
        local: &Path,
        shape: &FileShape,
        layout: &Layout,
    ) -> Result<Option<String>, NativeError> {
        let range = layout.range(0);
        let turn = self.turn(range.1).await?;
        let sums = Sums::open(local, self.controls.hash).map_err(|why| file_error(&shape.path, why))?;
        let (sums, crc) = sum(sums, range).await.map_err(|why| file_error(&shape.path, why))?;
        let look = || still(local, shape);
        let (path, what, place) = (&shape.path, shape.path.clone(), turn.place.as_ref());
        let content = Content { path, what, length: range.1, crc: &crc, look: &look, place };
        let body = |taken| body(local.to_owned(), range, (Arc::clone(&self.store.sent), taken), self.rate.clone());
        self.store.put_blob(&content, content_type(&shape.path), body).await?;
        Ok(sums.finish())
    }

    /// A large one block by block.
    async fn send_blocks(
        &self,
        local: &Path,
        shape: &FileShape,
        layout: &Layout,
    ) -> Result<Option<String>, NativeError> {
        let ids: Vec<String> = (0..layout.count()).map(|index| layout.id(index)).collect();
        let listed = self.store.block_list(&shape.path).await?;
        let is_made = listed.as_ref().is_some_and(|blocks| blocks.committed == ids);
        let mut there: HashSet<String> = match listed {
            _ if is_made => ids.iter().cloned().collect(),
            Some(blocks) => blocks.uncommitted,
            // Nobody may ask: what the store acknowledged counts, until the commit says otherwise.
            None => ids.iter().filter(|id| self.record.knows(id)).cloned().collect(),
        };
        loop {
            let sha256 = self.blocks(local, shape, layout, (&ids, &there)).await?;
            if is_made {
                return Ok(sha256);
            }
            still(local, shape)?;
            if self.store.put_block_list(&shape.path, &ids, content_type(&shape.path)).await? {
                return Ok(sha256);
            }
            let words = format!("the blob store lost blocks of {}: it starts again", shape.path);
            (self.controls.reporter)(Report::Notice(words));
            there.clear();
        }
    }

    /// Sends the blocks that are not there. The inner value is the file's SHA-256.
    async fn blocks(
        &self,
        local: &Path,
        shape: &FileShape,
        layout: &Layout,
        (ids, there): (&[String], &HashSet<String>),
    ) -> Result<Option<String>, NativeError> {
        // What is there has to be read too for the file's sum, and what is missing shall not wait for that.
        let is_read_apart = self.controls.hash && !there.is_empty();
        let open = |whole| Sums::open(local, whole).map_err(|why| file_error(&shape.path, why));
        let unread = Cell::new(if is_read_apart { shape.bytes } else { 0 });
        let sending = async {
            let sums = open(self.controls.hash && !is_read_apart)?;
            let sum = self.missing_blocks(local, shape, layout, (ids, there), sums).await?;
            if unread.get() > WORTH_A_WORD {
                let (path, bytes) = (&shape.path, units::bytes(unread.get()));
                let words = format!("Reading {path} to its end for its SHA-256: {bytes} are left.");
                (self.controls.reporter)(Report::Notice(words));
            }
            Ok(sum)
        };
        let reading = async {
            if !is_read_apart {
                return Ok(None);
            }
            let mut sums = open(true)?;
            for range in (0..layout.count()).map(|index| layout.range(index)) {
                (sums, _) = sum(sums, range).await.map_err(|why| file_error(&shape.path, why))?;
                self.store.sent.read(range.1);
                unread.set(unread.get() - range.1);
            }
            Ok(sums.finish())
        };
        let (sent, read) = tokio::try_join!(sending, reading)?;
        Ok(sent.or(read))
    }

    /// Sends what is missing, and reads it on the way. The inner value is what these sums say of it.
    async fn missing_blocks(
        &self,
        local: &Path,
        shape: &FileShape,
        layout: &Layout,
        (ids, there): (&[String], &HashSet<String>),
        mut sums: Sums,
    ) -> Result<Option<String>, NativeError> {
        let mut under_way = FuturesUnordered::new();
        let count = units::grouped(ids.len() as u64);
        for (index, id) in (0..).zip(ids) {
            let range = layout.range(index);
            if there.contains(id) {
                self.store.sent.found(range.1);
                continue;
            }
            let turn = while_under_way(&mut under_way, self.turn(range.1)).await?;
            let summing = async { sum(sums, range).await.map_err(|why| file_error(&shape.path, why)) };
            let (summed, crc) = while_under_way(&mut under_way, summing).await?;
            sums = summed;
            let what = format!("block {} of {count} of {}", units::grouped(index + 1), shape.path);
            under_way.push(self.block(local, shape, (id, range, crc, what), turn));
        }
        while let Some(sent) = under_way.next().await {
            sent?;
        }
        Ok(sums.finish())
    }

    async fn block(
        &self,
        local: &Path,
        shape: &FileShape,
        (id, range, crc, what): (&str, (u64, u64), String, String),
        turn: Turn<'_>,
    ) -> Result<(), NativeError> {
        let look = || still(local, shape);
        let place = turn.place.as_ref();
        let content = Content { path: &shape.path, what, length: range.1, crc: &crc, look: &look, place };
        let body = |taken| body(local.to_owned(), range, (Arc::clone(&self.store.sent), taken), self.rate.clone());
        self.store.put_block(&content, id, body).await?;
        drop(turn);
        self.record.block(id).map_err(NativeError::Record)
    }

    /// Waits for the turn of a request of so many bytes.
    async fn turn(&self, bytes: u64) -> Result<Turn<'_>, NativeError> {
        // They are never closed.
        let closed = |error| NativeError::Record(io::Error::other(error));
        let place = match &self.window {
            Some(window) if bytes >= LARGE => Some(window.enter().await.map_err(closed)?),
            _ => None,
        };
        Ok(Turn { place, _permit: self.permits.acquire().await.map_err(closed)? })
    }
}

/// Waits for something; the requests that are under way go on meanwhile.
async fn while_under_way<T>(
    under_way: &mut FuturesUnordered<impl Future<Output = Result<(), NativeError>>>,
    work: impl Future<Output = Result<T, NativeError>>,
) -> Result<T, NativeError> {
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            Some(sent) = under_way.next(), if !under_way.is_empty() => sent?,
            done = &mut work => return done,
        }
    }
}

/// Sums take a moment of processor time: not on the thread that sends.
async fn sum(mut sums: Sums, range: (u64, u64)) -> io::Result<(Sums, String)> {
    let work = move || sums.block(range).map(|crc| (sums, crc));
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

fn look(local: &Path, path: &str) -> io::Result<FileShape> {
    let metadata = fs::metadata(local)?;
    let since = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let modified = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
    Ok(FileShape { path: path.to_owned(), bytes: metadata.len(), modified })
}

/// Whether a file is what it was.
fn still(local: &Path, shape: &FileShape) -> Result<(), NativeError> {
    match look(local, &shape.path) {
        Ok(now) if now == *shape => Ok(()),
        Ok(_) => Err(NativeError::Changing { path: shape.path.clone() }),
        Err(why) => Err(file_error(&shape.path, why)),
    }
}

fn file_error(path: &str, why: io::Error) -> NativeError {
    NativeError::File { path: path.to_owned(), why }
}
