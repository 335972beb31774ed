//! Transfer of one opened file: in one request, or block by block.

use std::cell::Cell;
use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{SemaphorePermit, mpsc, oneshot};

use super::super::error::NativeError;
use super::super::pool::PooledBuffer;
use super::super::read::{FileSum, fill};
use super::{BufferedContent, ContentTarget, RequestPermit, UploadContext, blocking, file_error, while_in_flight};
use crate::model::{BlobPath, ContentHash, Report, SourceFile};
use crate::store::{BlobVersion, BlockId, BlockLayout, StoredBlocks, content_type};
use crate::units;

/// Interval of progress reports in bytes read.
const REPORTED_READ_BYTES: u64 = 512 << 20;

/// One file that is being sent, in the state that it had when it was opened.
pub(super) struct FileSender<'f, 'a> {
    pub(super) files: &'f UploadContext<'a>,
    pub(super) shape: &'f SourceFile,
    pub(super) layout: &'f BlockLayout,
    /// Held until the last block of a large file has begun.
    pub(super) begun: Cell<Option<SemaphorePermit<'f>>>,
}

impl FileSender<'_, '_> {
    fn path(&self) -> &BlobPath {
        &self.shape.path
    }

    /// Sends a small file in one request. Returns its SHA-256, and the version of the blob.
    pub(super) async fn whole(
        &self,
        content: BufferedContent,
        sha256: Option<ContentHash>,
        turn: RequestPermit<'_>,
    ) -> Result<(Option<ContentHash>, BlobVersion), NativeError> {
        let version = self.put(&content, self.path().to_string(), &turn, (None, sha256)).await?;
        Ok((sha256, version))
    }

    /// Sends a large file block by block. Returns its SHA-256, and the version of the blob.
    pub(super) async fn blocks(&self, file: Arc<File>) -> Result<(Option<ContentHash>, BlobVersion), NativeError> {
        let (store, path) = (self.files.store, self.path());
        let of_store = |error| NativeError::of_store(path, error);
        let ids: Vec<BlockId> = (0..self.layout.count()).map(|index| self.layout.id(index)).collect();
        let listed = if self.files.record.is_first_run() {
            Some(StoredBlocks::default())
        } else {
            store.block_list(path).await.map_err(of_store)?
        };
        let committed = listed.as_ref().filter(|blocks| blocks.committed == ids).map(|blocks| blocks.version.clone());
        let mut uploaded: HashSet<BlockId> = match listed {
            _ if committed.is_some() => ids.iter().cloned().collect(),
            Some(blocks) => blocks.uncommitted,
            // The SAS does not permit listing: acknowledged blocks count, until the commit fails.
            None => ids.iter().filter(|id| self.files.record.contains(id)).cloned().collect(),
        };
        let mut is_second_pass = false;
        loop {
            let sha256 = self.missing_and_sum(&file, &ids, &uploaded).await?;
            if let Some(version) = committed {
                return Ok((sha256, version));
            }
            self.files.ensure_unchanged(self.shape)?;
            if let Some(version) =
                store.put_block_list(path, &ids, content_type(path), sha256).await.map_err(of_store)?
            {
                return Ok((sha256, version));
            }
            // A store that loses every block twice will always lose them.
            if std::mem::replace(&mut is_second_pass, true) {
                return Err(NativeError::BlocksLost { path: path.clone() });
            }
            self.files.report(Report::Notice(format!("the blob store lost blocks of {path}: it starts over")));
            uploaded.clear();
        }
    }

    /// Sends the blocks that are not uploaded. The inner value is the file's SHA-256.
    async fn missing_and_sum(
        &self,
        file: &Arc<File>,
        ids: &[BlockId],
        uploaded: &HashSet<BlockId>,
    ) -> Result<Option<ContentHash>, NativeError> {
        // The file's checksum needs the uploaded blocks too, and the missing ones should not wait for that.
        let is_read_apart = self.files.controls.hash && !uploaded.is_empty();
        let unread = Cell::new(if is_read_apart { self.shape.bytes } else { 0 });
        let sending = async {
            let sha256 = self.missing(file, ids, uploaded, self.files.controls.hash && !is_read_apart).await?;
            if unread.get() > REPORTED_READ_BYTES {
                let (path, bytes) = (self.path(), units::bytes(unread.get()));
                let message = format!("Reading the rest of {path} for its SHA-256: {bytes} left.");
                self.files.report(Report::Notice(message));
            }
            Ok(sha256)
        };
        let reading = async {
            if !is_read_apart {
                return Ok(None);
            }
            let mut sum = FileSum::new();
            for range in (0..self.layout.count()).map(|index| self.layout.range(index)) {
                let file = Arc::clone(file);
                sum = self.blocking(move || sum.read(&file, range).map(|()| sum)).await?;
                self.files.tally.add_read(range.1);
                unread.set(unread.get() - range.1);
            }
            Ok(Some(sum.hash()))
        };
        let (sent, read) = tokio::try_join!(sending, reading)?;
        Ok(sent.or(read))
    }

    /// Sends missing content, each block as soon as it is read. With `hash` the inner value is the SHA-256 of the
    /// blocks in order, regardless of which is sent first.
    async fn missing(
        &self,
        file: &Arc<File>,
        ids: &[BlockId],
        uploaded: &HashSet<BlockId>,
        hash: bool,
    ) -> Result<Option<ContentHash>, NativeError> {
        let (in_order, blocks) = mpsc::unbounded_channel();
        let sending = async move {
            let mut in_flight = FuturesUnordered::new();
            let count = units::grouped(ids.len() as u64);
            for (index, id) in (0..).zip(ids) {
                let range = self.layout.range(index);
                if uploaded.contains(id) {
                    self.files.tally.add_found(range.1);
                    continue;
                }
                let turn = while_in_flight(&mut in_flight, self.files.request_permit(range.1)).await?;
                let pooled = while_in_flight(&mut in_flight, self.files.reserve_buffer(range.1)).await?;
                let (read, for_sum) = oneshot::channel();
                if hash {
                    // The receiver is dropped only when the upload ends.
                    in_order.send(for_sum).ok();
                }
                let what = format!("block {} of {count} of {}", units::grouped(index + 1), self.path());
                in_flight.push(async move {
                    let content = self.read(file, range, pooled).await?;
                    read.send(content.bytes.clone()).ok();
                    self.put(&content, what, &turn, (Some(id), None)).await?;
                    drop((turn, content));
                    self.files.record.block(id).map_err(NativeError::Record)
                });
            }
            drop(self.begun.take());
            while let Some(sent) = in_flight.next().await {
                sent?;
            }
            Ok(())
        };
        let (sha256, ()) = tokio::try_join!(self.sum(blocks), sending)?;
        Ok(sha256.filter(|_| hash))
    }

    /// Reads a block, and hashes it at the same time.
    async fn read(
        &self,
        file: &Arc<File>,
        (start, length): (u64, u64),
        pooled: PooledBuffer,
    ) -> Result<BufferedContent, NativeError> {
        let (file, mut pooled) = (Arc::clone(file), pooled);
        self.blocking(move || {
            let length = usize::try_from(length).map_err(io::Error::other)?;
            let crc64 = fill(&file, start, pooled.buffer(length))?;
            Ok(BufferedContent { bytes: pooled.filled(), crc64 })
        })
        .await
    }

    /// SHA-256 of the blocks in the order in which they were begun; none if there was no block.
    async fn sum(
        &self,
        mut blocks: mpsc::UnboundedReceiver<oneshot::Receiver<Bytes>>,
    ) -> Result<Option<ContentHash>, NativeError> {
        let mut sum = FileSum::new();
        while let Some(block) = blocks.recv().await {
            // A block that cannot be read ends the transfer, which reports the reason.
            let Ok(content) = block.await else { break };
            sum = self
                .blocking(move || {
                    sum.update(&content);
                    Ok(sum)
                })
                .await?;
        }
        Ok(Some(sum.hash()))
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, NativeError> {
        blocking(work).await.map_err(|why| file_error(self.path(), why))
    }

    /// Sends content: a block with this id, or without one the blob itself with its SHA-256. Returns the version of the
    /// blob; none for a block.
    async fn put(
        &self,
        content: &BufferedContent,
        what: String,
        turn: &RequestPermit<'_>,
        (id, sha256): (Option<&BlockId>, Option<ContentHash>),
    ) -> Result<BlobVersion, NativeError> {
        let is_current = || self.files.ensure_unchanged(self.shape).is_ok();
        self.files
            .put(content, ContentTarget { path: self.path(), id, sha256, what, is_current: &is_current }, turn)
            .await
    }
}
