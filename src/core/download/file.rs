//! Download of one file: its ranges into its part, its SHA-256, and its move into place.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinSet;

use super::error::{DownloadError, Obstacle};
use super::inspect::{is_absent, modified, obstacle};
use super::plan::PlannedFile;
use super::{Job, RANGE, ranges_of};
use crate::files::{read_exact_at, remove_file, rename, write_all_at};
use crate::model::{BlobPath, ContentHash};

/// Bytes per write.
const BATCH: usize = 1 << 20;
/// Bytes that are hashed at a time: few enough for the processor's cache.
const PIECE: usize = 256 * 1024;

/// File that was fetched completely.
pub(super) struct FetchedFile {
    pub(super) planned: PlannedFile,
    /// SHA-256 of the written content, if it was computed.
    pub(super) sha256: Option<ContentHash>,
    /// True if the file is in place; otherwise its part waits for the digest of all files.
    pub(super) is_moved: bool,
}

/// Fetches the missing ranges of a file, and compares its checksum with the recorded one.
pub(super) async fn fetch(job: Arc<Job>, planned: PlannedFile) -> Result<FetchedFile, DownloadError> {
    let path = job.private.join(planned.part.as_str());
    let (opened, written) = {
        let (job, planned, of_part) = (Arc::clone(&job), planned.clone(), path.clone());
        blocking(move || job.open(&planned, &of_part)).await.map_err(disk(&path))?
    };
    let part = Arc::new(opened);
    let found: u64 =
        written.iter().map(|range| span(*range, planned.file.bytes)).map(|range| range.end - range.start).sum();
    job.found.fetch_add(found, Ordering::Relaxed);
    let is_summed = job.sums_all || planned.file.sha256.is_some();
    let (done, ranges) = mpsc::unbounded_channel();
    let summing = async {
        match is_summed {
            true => sum(&part, planned.file.bytes, ranges, written.clone()).await.map_err(disk(&path)).map(Some),
            false => Ok(None),
        }
    };
    let (sha256, ()) = tokio::try_join!(summing, missing(&job, &planned, (&part, &path), &written, done))?;
    drop(part);
    if let (Some(sum), Some(recorded)) = (sha256, planned.file.sha256)
        && sum != recorded
    {
        let (of_job, of_plan) = (Arc::clone(&job), planned.clone());
        blocking(move || of_job.discard(&of_plan)).await.map_err(disk(&path))?;
        return Err(DownloadError::Mismatch(planned.file.path));
    }
    let is_moved = !job.sums_all || planned.file.sha256.is_some();
    if is_moved {
        move_into_place(Arc::clone(&job), planned.clone()).await?;
    }
    job.files.fetch_add(1, Ordering::Relaxed);
    Ok(FetchedFile { planned, sha256, is_moved })
}

/// Fetches the ranges that are not written, each as soon as a permit is available.
async fn missing(
    job: &Arc<Job>,
    planned: &PlannedFile,
    (part, path): (&Arc<File>, &Path),
    written: &HashSet<u64>,
    done: mpsc::UnboundedSender<u64>,
) -> Result<(), DownloadError> {
    // Tasks of their own: each is run where its connection is.
    let mut in_flight = JoinSet::new();
    for range in (0..ranges_of(planned.file.bytes)).filter(|range| !written.contains(range)) {
        let turn = Arc::clone(&job.requests).acquire_owned().await.map_err(|_| DownloadError::Stopped)?;
        let work = FileRange {
            job: Arc::clone(job),
            planned: planned.clone(),
            part: Arc::clone(part),
            path: path.to_owned(),
            range,
        };
        in_flight.spawn(work.fetch(turn, done.clone()));
        while let Some(ended) = in_flight.try_join_next() {
            ended.map_err(|_| DownloadError::Stopped)??;
        }
    }
    drop(done);
    while let Some(ended) = in_flight.join_next().await {
        ended.map_err(|_| DownloadError::Stopped)??;
    }
    Ok(())
}

/// One range of a file.
struct FileRange {
    job: Arc<Job>,
    planned: PlannedFile,
    part: Arc<File>,
    path: PathBuf,
    range: u64,
}

impl FileRange {
    async fn fetch(self, turn: OwnedSemaphorePermit, done: mpsc::UnboundedSender<u64>) -> Result<(), DownloadError> {
        let span = span(self.range, self.planned.file.bytes);
        let mut at = span.start;
        let mut source = self.job.store.read_range(&self.planned.file, span);
        let (mut batch, mut length) = (Vec::new(), 0);
        loop {
            let piece = source.next().await?;
            let is_end = piece.is_none();
            if let Some(piece) = piece {
                self.job.received.fetch_add(piece.len() as u64, Ordering::Relaxed);
                length += piece.len();
                batch.push(piece);
            }
            if length >= BATCH || is_end {
                let (part, pieces, from) = (Arc::clone(&self.part), std::mem::take(&mut batch), at);
                blocking(move || write(&part, &pieces, from)).await.map_err(disk(&self.path))?;
                at += std::mem::take(&mut length) as u64;
            }
            if is_end {
                break;
            }
        }
        // A file of one range is fetched again as a whole.
        if ranges_of(self.planned.file.bytes) > 1 {
            self.job.record.range(&self.planned.part, self.range).map_err(disk(&self.job.private))?;
        }
        drop(turn);
        // Nobody listens where nothing is summed.
        done.send(self.range).ok();
        Ok(())
    }
}

fn span(range: u64, bytes: u64) -> Range<u64> {
    range * RANGE..bytes.min((range + 1) * RANGE)
}

fn write(part: &File, pieces: &[Bytes], mut at: u64) -> io::Result<()> {
    for piece in pieces {
        write_all_at(part, piece, at)?;
        at += piece.len() as u64;
    }
    Ok(())
}

/// Hashes a part in order, as far as its ranges are written.
async fn sum(
    part: &Arc<File>,
    bytes: u64,
    mut ranges: mpsc::UnboundedReceiver<u64>,
    mut written: HashSet<u64>,
) -> io::Result<ContentHash> {
    let mut sum = Sha256::new();
    for next in 0..ranges_of(bytes) {
        while !written.remove(&next) {
            match ranges.recv().await {
                Some(range) => drop(written.insert(range)),
                // A range that cannot be fetched ends the fetching, which says why.
                None => std::future::pending().await,
            }
        }
        let (part, span) = (Arc::clone(part), span(next, bytes));
        sum = blocking(move || read(sum, &part, span)).await?;
    }
    Ok(<[u8; 32]>::from(sum.finalize()).into())
}

fn read(mut sum: Sha256, part: &File, span: Range<u64>) -> io::Result<Sha256> {
    let mut piece = vec![0; PIECE];
    let mut at = span.start;
    while at < span.end {
        let length = usize::try_from(span.end - at).unwrap_or(PIECE).min(PIECE);
        read_exact_at(part, &mut piece[..length], at)?;
        sum.update(&piece[..length]);
        at += length as u64;
    }
    Ok(sum)
}

/// Moves a part into place.
pub(super) async fn move_into_place(job: Arc<Job>, planned: PlannedFile) -> Result<(), DownloadError> {
    let target = planned.file.path.below(&job.directory);
    let moved = blocking(move || job.move_into_place(&planned)).await.map_err(disk(&target))?;
    moved.map_or(Ok(()), Err)
}

impl Job {
    /// Opens the part of a file, and returns the numbers of its written ranges.
    fn open(&self, planned: &PlannedFile, path: &Path) -> io::Result<(File, HashSet<u64>)> {
        let options = || {
            let mut options = File::options();
            options.read(true).write(true);
            options
        };
        if !planned.ranges.is_empty() {
            return Ok((options().open(path)?, planned.ranges.clone()));
        }
        // Not the one of an earlier run, which may be of any length; its ranges do not count any more.
        remove_file(path)?;
        if ranges_of(planned.file.bytes) > 1 {
            self.record.discard(&planned.part)?;
        }
        let part = options().create_new(true).open(path)?;
        part.set_len(planned.file.bytes)?;
        Ok((part, HashSet::new()))
    }

    /// Removes a part with wrong content.
    pub(super) fn discard(&self, planned: &PlannedFile) -> io::Result<()> {
        self.record.discard(&planned.part)?;
        remove_file(&self.private.join(planned.part.as_str()))
    }

    /// Writes the content of a part to the disk: after a power loss a name may be there before the content, and an empty
    /// file under its final name would pass for the model's.
    fn sync(&self, part: &Path) -> io::Result<()> {
        self.syncing.fetch_add(1, Ordering::Relaxed);
        // Windows flushes only what is open for writing.
        let synced = File::options().write(true).open(part).and_then(|part| part.sync_all());
        self.syncing.fetch_sub(1, Ordering::Relaxed);
        synced
    }

    /// Moves a part into place, below directories that are created here and are no links. The inner error is the
    /// obstacle there.
    fn move_into_place(&self, planned: &PlannedFile) -> io::Result<Option<DownloadError>> {
        let path = &planned.file.path;
        for (at, _) in path.match_indices('/') {
            let parent = BlobPath::from(&path[..at]);
            let directory = parent.below(&self.directory);
            match obstacle(&directory)? {
                Some(obstacle) => return Ok(Some(DownloadError::Blocked(vec![(parent.to_string(), obstacle)]))),
                None => match fs::create_dir(&directory) {
                    Err(why) if why.kind() != io::ErrorKind::AlreadyExists => return Err(why),
                    _ => {}
                },
            }
        }
        let target = path.below(&self.directory);
        match fs::symlink_metadata(&target) {
            Err(why) if is_absent(&why) => {}
            Err(why) => return Err(why),
            Ok(found) if found.is_dir() => {
                return Ok(Some(DownloadError::Blocked(vec![(path.to_string(), Obstacle::Directory)])));
            }
            Ok(_) if !self.force => return Ok(Some(DownloadError::Exists(vec![path.to_string()]))),
            Ok(_) => {}
        }
        let part = self.private.join(planned.part.as_str());
        self.sync(&part).inspect_err(|_| {
            // The system may have dropped what it could not write: the ranges are not known to be on the disk.
            drop(self.discard(planned));
        })?;
        rename(&part, &target)?;
        self.record.done(&planned.part, modified(&fs::symlink_metadata(&target)?)?)?;
        Ok(None)
    }
}

/// Error of the file system about this path.
pub(super) fn disk(path: &Path) -> impl FnOnce(io::Error) -> DownloadError {
    let path = path.to_owned();
    move |why| DownloadError::Disk { path, why }
}

/// Runs blocking work on another thread.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
