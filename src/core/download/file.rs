//! Download of one file: its ranges into its part, and its SHA-256.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinSet;

use super::error::DownloadError;
use super::place::move_into_place;
use super::plan::PlannedFile;
use super::{CHUNK, Job, RANGE, chunks_of};
use crate::files::{read_exact_at, remove_file, write_all_at};
use crate::model::ContentHash;

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
        written.iter().map(|chunk| span(*chunk, planned.file.bytes)).map(|span| span.end - span.start).sum();
    job.found.fetch_add(found, Ordering::Relaxed);
    let is_summed = job.sums_all || planned.file.sha256.is_some();
    let (done, chunks) = mpsc::unbounded_channel();
    let summing = async {
        match is_summed {
            true => sum(&part, planned.file.bytes, chunks, written.clone()).await.map_err(disk(&path)).map(Some),
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

/// Fetches the missing chunks, a range of them at a time, as soon as a permit is available.
async fn missing(
    job: &Arc<Job>,
    planned: &PlannedFile,
    (part, path): (&Arc<File>, &Path),
    written: &HashSet<u64>,
    done: mpsc::UnboundedSender<u64>,
) -> Result<(), DownloadError> {
    // Separate tasks: each runs on the thread of its connection.
    let mut in_flight = JoinSet::new();
    for chunks in missing_ranges(chunks_of(planned.file.bytes), written) {
        let turn = Arc::clone(&job.requests).acquire_owned().await.map_err(|_| DownloadError::Stopped)?;
        let work = FileRange {
            job: Arc::clone(job),
            planned: planned.clone(),
            part: Arc::clone(part),
            path: path.to_owned(),
            chunks,
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

/// Contiguous missing chunks; each range of them lies within one of [`RANGE`] bytes.
fn missing_ranges(chunks: u64, written: &HashSet<u64>) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    for chunk in (0..chunks).filter(|chunk| !written.contains(chunk)) {
        match ranges.last_mut() {
            Some(last) if last.end == chunk && !chunk.is_multiple_of(RANGE / CHUNK) => last.end += 1,
            _ => ranges.push(chunk..chunk + 1),
        }
    }
    ranges
}

/// Contiguous chunks of a file, fetched by one request.
struct FileRange {
    job: Arc<Job>,
    planned: PlannedFile,
    part: Arc<File>,
    path: PathBuf,
    chunks: Range<u64>,
}

impl FileRange {
    async fn fetch(self, turn: OwnedSemaphorePermit, done: mpsc::UnboundedSender<u64>) -> Result<(), DownloadError> {
        let bytes = self.planned.file.bytes;
        let all = span(self.chunks.start, bytes).start..span(self.chunks.end - 1, bytes).end;
        let mut source = self.job.store.read_range(&self.planned.file, all);
        // Rest of a piece that extends beyond the end of a chunk.
        let mut rest = Bytes::new();
        for chunk in self.chunks.clone() {
            let span = span(chunk, bytes);
            let (mut pieces, mut missing) = (Vec::new(), span.end - span.start);
            while missing > 0 {
                if rest.is_empty() {
                    // The reader ends with its range.
                    rest = source.next().await?.ok_or(DownloadError::Stopped)?;
                    self.job.received.fetch_add(rest.len() as u64, Ordering::Relaxed);
                }
                let piece = rest.split_to(rest.len().min(usize::try_from(missing).unwrap_or(usize::MAX)));
                missing -= piece.len() as u64;
                pieces.push(piece);
            }
            let part = Arc::clone(&self.part);
            blocking(move || write(&part, &pieces, span.start)).await.map_err(disk(&self.path))?;
            // A file with one chunk is fetched again as a whole.
            if chunks_of(bytes) > 1 {
                self.job.record.chunk(&self.planned.part, chunk).map_err(disk(&self.job.private))?;
            }
            // Fails if the file is not hashed: there is no receiver.
            done.send(chunk).ok();
        }
        // A response that is read to its end frees the connection for the next request.
        drop(source.next().await?);
        drop(turn);
        Ok(())
    }
}

/// Byte range of a chunk.
fn span(chunk: u64, bytes: u64) -> Range<u64> {
    chunk * CHUNK..bytes.min((chunk + 1) * CHUNK)
}

fn write(part: &File, pieces: &[Bytes], mut at: u64) -> io::Result<()> {
    for piece in pieces {
        write_all_at(part, piece, at)?;
        at += piece.len() as u64;
    }
    Ok(())
}

/// Hashes a part in order, up to the last chunk that is written.
async fn sum(
    part: &Arc<File>,
    bytes: u64,
    mut chunks: mpsc::UnboundedReceiver<u64>,
    mut written: HashSet<u64>,
) -> io::Result<ContentHash> {
    let mut sum = Sha256::new();
    for next in 0..chunks_of(bytes) {
        while !written.remove(&next) {
            match chunks.recv().await {
                Some(chunk) => drop(written.insert(chunk)),
                // A chunk that cannot be fetched ends the download, which reports the reason.
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

impl Job {
    /// Opens the part of a file, and returns the numbers of its written chunks.
    fn open(&self, planned: &PlannedFile, path: &Path) -> io::Result<(File, HashSet<u64>)> {
        let options = || {
            let mut options = File::options();
            options.read(true).write(true);
            options
        };
        if !planned.chunks.is_empty() {
            return Ok((options().open(path)?, planned.chunks.clone()));
        }
        // A part of an earlier run may have any length; its chunks no longer count.
        remove_file(path)?;
        if chunks_of(planned.file.bytes) > 1 {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_that_are_not_written_are_fetched_in_ranges() {
        for (chunks, written, expected) in [
            (0, vec![], vec![]),
            (20, vec![], vec![0..8, 8..16, 16..20]),
            (20, vec![0, 1, 9, 19], vec![2..8, 8..9, 10..16, 16..19]),
            (8, (0..8).collect(), vec![]),
        ] {
            assert_eq!(missing_ranges(chunks, &HashSet::from_iter(written)), expected);
        }
    }

    #[test]
    fn the_last_chunk_ends_with_its_file() {
        assert_eq!(span(2, 3 * CHUNK - 5), 2 * CHUNK..3 * CHUNK - 5);
    }
}
