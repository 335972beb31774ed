//! SHA-256 of the files in the blob store, which are read but not stored.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::sync::Semaphore;

use crate::foundry::ModelFiles;
use crate::model::{BlobPath, ContentHash};
use crate::progress::StallWatch;
use crate::store::{BlobStore, RangeError, StoreError, StoredFile};

/// Bytes per request, buffered in memory until earlier ranges are read.
const PART: u64 = 4 << 20;
/// Maximum number of parts in memory, over all files.
const PARTS: usize = 16;
/// Maximum number of files that are read concurrently.
const FILES: usize = 8;

/// Failure to read the files back.
#[derive(Debug, Error)]
pub enum ReadBackError {
    /// A blob was overwritten in the meantime.
    #[error("{0} was changed in the blob store while it was read")]
    Changed(BlobPath),
    /// The store rejected the request permanently, or did not respond.
    #[error(transparent)]
    Store(StoreError),
    /// No data was received for this time.
    #[error("no data received from the blob store for {}", crate::units::duration(*.0))]
    Stalled(std::time::Duration),
    /// The work was cancelled.
    #[error("the files were not read to their end")]
    Stopped,
}

impl From<RangeError> for ReadBackError {
    fn from(error: RangeError) -> Self {
        match error {
            RangeError::Changed(path) => Self::Changed(path),
            RangeError::Store(error) => Self::Store(error),
        }
    }
}

/// Reads all files of a model, and returns their checksums in the order of the list. `on` receives the number of bytes.
/// Ends if nothing arrives for `stall_limit`.
///
/// # Errors
/// See [`ReadBackError`].
pub async fn read_back(
    files: &ModelFiles,
    stall_limit: std::time::Duration,
    on: &mut dyn FnMut(u64),
) -> Result<Vec<ContentHash>, ReadBackError> {
    let (parts, read) = (Semaphore::new(PARTS), Arc::new(AtomicU64::new(0)));
    let (parts, shared) = (&parts, &read);
    let sums = stream::iter(files.files().iter().cloned())
        .map(|file| async move { sum_of(&files.store, file, parts, shared).await })
        .buffered(FILES)
        .try_collect();
    let mut sums = std::pin::pin!(sums);
    let mut tick = tokio::time::interval(crate::progress::TICK);
    let mut watch = StallWatch::new(stall_limit, stall_limit, Instant::now());
    loop {
        tokio::select! {
            biased;
            sums = &mut sums => return sums,
            _ = tick.tick() => {
                let bytes = read.load(Ordering::Relaxed);
                on(bytes);
                watch.observe(&[bytes], Instant::now());
                if let Some(stall) = watch.check(Instant::now()) {
                    return Err(ReadBackError::Stalled(stall.silent));
                }
            }
        }
    }
}

async fn sum_of(
    store: &Arc<BlobStore>,
    file: StoredFile,
    parts: &Semaphore,
    read: &Arc<AtomicU64>,
) -> Result<ContentHash, ReadBackError> {
    let bytes = file.bytes;
    let file = &file;
    let ranges = (0..bytes.div_ceil(PART)).map(|part| part * PART..bytes.min((part + 1) * PART));
    let pieces = stream::iter(ranges).map(|range| async move {
        // In the order of the ranges, so that the first one of a file never waits for its later ones.
        let permit = parts.acquire().await.map_err(|_| ReadBackError::Stopped)?;
        Ok::<_, ReadBackError>((part(store, file, range, read).await?, permit))
    });
    let mut pieces = std::pin::pin!(pieces.buffered(PARTS));
    let mut sum = Sha256::new();
    while let Some((part, permit)) = pieces.try_next().await? {
        let work = move || {
            part.iter().for_each(|piece| sum.update(piece));
            sum
        };
        sum = tokio::task::spawn_blocking(work).await.map_err(io::Error::other).map_err(|_| ReadBackError::Stopped)?;
        drop(permit);
    }
    Ok(<[u8; 32]>::from(sum.finalize()).into())
}

/// Pieces of one range.
async fn part(
    store: &Arc<BlobStore>,
    file: &StoredFile,
    range: Range<u64>,
    read: &AtomicU64,
) -> Result<Vec<Bytes>, RangeError> {
    let mut source = store.read_range(file, range);
    let mut pieces = Vec::new();
    while let Some(piece) = source.next().await? {
        read.fetch_add(piece.len() as u64, Ordering::Relaxed);
        pieces.push(piece);
    }
    Ok(pieces)
}
