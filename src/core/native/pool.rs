//! Memory for content in transit: each block is read once, and held until the store has acknowledged it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

/// Maximum size of all content of one upload in memory, in bytes.
const LIMIT: usize = 256 << 20;
/// Number of blocks in addition to those in flight: they wait for the checksum of their file.
const WAITING: usize = 4;
/// Unit of the limit, in bytes.
const PAGE: usize = 4096;
/// Minimum size of a buffer that is kept, in bytes: smaller ones are cheaper to allocate than to keep.
const MIN_POOLED_BUFFER: usize = 1 << 20;

type FreeBuffers = Arc<Mutex<Vec<Vec<u8>>>>;

/// Bounded memory, and the free buffers: new pages for every block would cost as much as a checksum.
#[derive(Debug)]
pub(super) struct Pool {
    pages: Arc<Semaphore>,
    /// Size of a block in bytes.
    block: usize,
    bytes: AtomicUsize,
    free: FreeBuffers,
}

/// A reserved part of the pool; returned when the last reference to its content is dropped.
#[derive(Debug)]
pub(super) struct PooledBuffer {
    buffer: Vec<u8>,
    length: usize,
    free: FreeBuffers,
    _pages: OwnedSemaphorePermit,
}

impl Pool {
    /// Pool for this number of blocks in flight, of this size in bytes. New memory costs the system as much as a
    /// checksum, so the pool grows only as the line needs it.
    pub(super) fn new(in_flight: u32, block: u64) -> Self {
        let block = usize::try_from(block).unwrap_or(LIMIT).min(LIMIT);
        let (pages, bytes) = (Arc::new(Semaphore::new(0)), AtomicUsize::new(0));
        let pool = Self { pages, block, bytes, free: FreeBuffers::default() };
        pool.grow(in_flight);
        pool
    }

    /// Grows the pool for this number of blocks in flight, within the limit.
    pub(super) fn grow(&self, in_flight: u32) {
        let wanted = ((in_flight as usize).saturating_add(WAITING)).saturating_mul(self.block).min(LIMIT);
        let before = self.bytes.fetch_max(wanted, Ordering::Relaxed);
        self.pages.add_permits(wanted.saturating_sub(before) / PAGE);
    }

    /// Reserves a buffer of this many bytes. A block that is larger than the pool occupies all of it.
    pub(super) async fn reserve(&self, bytes: u64) -> Result<PooledBuffer, AcquireError> {
        let all = self.bytes.load(Ordering::Relaxed);
        let bytes = usize::try_from(bytes).unwrap_or(all).min(all);
        let pages = u32::try_from(bytes.div_ceil(PAGE)).unwrap_or(u32::MAX);
        let pages = Arc::clone(&self.pages).acquire_many_owned(pages).await?;
        Ok(PooledBuffer { buffer: Vec::new(), length: 0, free: Arc::clone(&self.free), _pages: pages })
    }
}

impl PooledBuffer {
    /// Buffer of this length, with arbitrary content.
    pub(super) fn buffer(&mut self, length: usize) -> &mut [u8] {
        if self.buffer.len() < length {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            let fitting = free.iter().position(|buffer| buffer.len() >= length).filter(|_| length >= MIN_POOLED_BUFFER);
            let buffer = fitting.map(|at| free.swap_remove(at));
            drop(free);
            self.buffer = buffer.unwrap_or_else(|| vec![0; length]);
        }
        self.length = length;
        &mut self.buffer[..length]
    }

    /// Content of the buffer, which any number of readers can share.
    pub(super) fn filled(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for PooledBuffer {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

impl Drop for PooledBuffer {
    fn drop(&mut self) {
        if self.buffer.len() >= MIN_POOLED_BUFFER {
            self.free.lock().unwrap_or_else(PoisonError::into_inner).push(std::mem::take(&mut self.buffer));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const BYTES: u64 = 5 << 20;

    #[tokio::test]
    async fn the_pool_holds_only_content_in_flight() {
        let pool = Pool::new(8, BYTES);
        let mut held = Vec::new();
        let mut fill = |pool: &Pool| {
            while let Some(pooled) = pool.reserve(BYTES).now_or_never() {
                held.push(pooled.expect("room"));
            }
            held.len()
        };
        assert_eq!(fill(&pool), 8 + WAITING);
        pool.grow(16);
        pool.grow(8);
        assert_eq!(fill(&pool), 16 + WAITING);
        pool.grow(u32::MAX);
        assert_eq!(fill(&pool) as u64, LIMIT as u64 / BYTES);
        held.pop();
        assert!(pool.reserve(BYTES).now_or_never().is_some());
        held.clear();
        assert!(pool.reserve(u64::MAX).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_buffer_is_reused_after_its_last_reader() {
        let pool = Pool::new(8, BYTES);
        let mut pooled = pool.reserve(BYTES).await.expect("room");
        pooled.buffer(8 << 20)[0] = 7;
        let (content, reader) = {
            let content = pooled.filled();
            (content.clone(), content)
        };
        drop(content);
        assert_eq!((reader.len(), reader[0], pool.free.lock().expect("a lock").len()), (8 << 20, 7, 0));
        drop(reader);
        let mut pooled = pool.reserve(BYTES).await.expect("room");
        assert_eq!(pooled.buffer(2 << 20)[0], 7);
        pooled.buffer(1 << 20);
        assert_eq!(pooled.filled().len(), 1 << 20);
        let mut small = pool.reserve(5).await.expect("room");
        small.buffer(5);
        drop(small);
        assert_eq!(pool.free.lock().expect("a lock").len(), 1);
    }
}
