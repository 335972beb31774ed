//! Transfer of one file through this machine's memory: ranges of the Hub become blocks of the store. The content is
//! hashed in order during the transfer, and compared with the Hub's checksum before the blob is committed.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::ledger::Ledger;
use super::{Arrival, ImportContext, SharedRemoteFile};
use crate::hub::{HubSum, SumMismatch, SumState, VerifyMode};
use crate::model::{BlobPath, ContentHash, Report, SourceFile};
use crate::native::error::NativeError;
use crate::native::file::{ContentTarget, blocking, closed, while_in_flight};
use crate::native::read::FileSum;
use crate::native::{SMALL, file};
use crate::store::{BlockId, BlockLayout, content_type};
use crate::units;

/// Maximum number of blocks of one file that are begun after its saved checksum, and so are sent again after an
/// interruption.
const BLOCKS_AHEAD: u64 = 8;
/// Number of these that are fetched concurrently; the others are being sent.
const FETCHED_AHEAD: usize = 4;

/// Transfer of one content of a large file.
struct FileStream<'f, 'a> {
    import: &'f ImportContext<'a>,
    remote: &'f SharedRemoteFile,
    path: &'f BlobPath,
    layout: BlockLayout,
    ids: Vec<BlockId>,
    /// Id of the file in the record of checksums.
    whole: String,
    generation: u32,
}

/// Start of the checksum of a content.
struct SumStart {
    block: u64,
    sum: SumState,
}

impl ImportContext<'_> {
    /// Streams a file. The inner error has both checksums of content that is not the Hub's.
    pub(super) async fn streamed(
        &self,
        remote: &SharedRemoteFile,
        shape: &SourceFile,
    ) -> Result<Result<Arrival, SumMismatch>, NativeError> {
        match shape.bytes <= SMALL {
            true => self.small(remote, shape).await,
            false => self.large(remote, shape).await,
        }
    }

    /// Sends a small file in one request.
    async fn small(
        &self,
        remote: &SharedRemoteFile,
        shape: &SourceFile,
    ) -> Result<Result<Arrival, SumMismatch>, NativeError> {
        let files = self.files;
        // Always in this order: a task that holds memory waits for a permit, never the reverse.
        let fetching = self.fetches.acquire().await.map_err(closed)?;
        let pooled = files.reserve_buffer(shape.bytes).await?;
        let content = self.fetch(remote, Self::remote_range(remote), pooled).await?;
        drop(fetching);
        let (expected, bytes) = (remote.file().sum, content.bytes.clone());
        let sums = blocking(move || {
            let mut sum = SumState::new(expected, bytes.len() as u64);
            sum.update(&bytes);
            Ok((sum.finish(), sha256(expected, &bytes)))
        });
        let (sum, sha256) = sums.await.map_err(NativeError::Record)?;
        if let Err(sums) = sum {
            return Ok(Err(sums));
        }
        let turn = files.request_permit(shape.bytes).await?;
        let path = &shape.path;
        let target =
            ContentTarget { path, id: None, sha256: Some(sha256), what: path.to_string(), is_current: &|| true };
        let version = files.put(&content, target, &turn).await?;
        Ok(Ok((Some(sha256), version)))
    }

    /// Sends a large file block by block.
    async fn large(
        &self,
        remote: &SharedRemoteFile,
        shape: &SourceFile,
    ) -> Result<Result<Arrival, SumMismatch>, NativeError> {
        let begun = Cell::new(Some(self.files.begun.acquire().await.map_err(closed)?));
        let whole = self.files.record.layout(shape).whole();
        let saved = self.sums.get(&whole);
        let layout = self.files.record.streamed_layout(shape).generation(saved.generation);
        let ids: Vec<BlockId> = (0..layout.count()).map(|index| layout.id(index)).collect();
        let path = &shape.path;
        let (listed, is_committed) = self.listed(path, &ids).await?;
        let of_store = |error| NativeError::of_store(path, error);
        if let Some(version) = is_committed {
            // The blob consists of verified content, unless its checksum was lost.
            let is_proved = saved.blocks == layout.count();
            return self.verified_hash(is_proved, remote, shape).await.map(|sum| sum.map(|sum| (sum, version)));
        }
        let mut uploaded = listed;
        let expected = remote.file().sum;
        let resumed = SumState::resume(expected, &saved.state()).filter(|_| saved.blocks > 0);
        let (first, sum) = match resumed {
            Some(sum) => (saved.blocks, sum),
            None => (0, SumState::new(expected, shape.bytes)),
        };
        let streaming = FileStream { import: self, remote, path, layout, ids, whole, generation: saved.generation };
        // Blocks that were sent without being hashed are fetched and sent again: only blocks hashed in transit are
        // known to be correct. There are more of them than one run leaves only if the record of checksums was lost.
        let again = (first..streaming.layout.count()).filter(|index| uploaded.contains(streaming.id(*index))).count();
        let is_provable = again as u64 <= BLOCKS_AHEAD;
        let begin = is_provable.then_some(SumStart { block: first, sum });
        let sum = streaming.pass(&uploaded, begin, || drop(begun.take())).await?;
        let sha256 = match sum.map(SumState::finish) {
            None => None,
            Some(Ok(sum)) => Some(sum),
            Some(Err(sums)) => return Ok(Err(sums)),
        };
        let mut is_second_pass = false;
        let version = loop {
            let store = self.files.store;
            let committed = store.put_block_list(path, &streaming.ids, content_type(path), expected.sha256());
            let committed = committed.await.map_err(of_store)?;
            if let Some(version) = committed {
                break version;
            }
            // A store that loses every block twice will always lose them.
            if std::mem::replace(&mut is_second_pass, true) {
                return Err(NativeError::BlocksLost { path: path.clone() });
            }
            self.files.report(Report::Notice(format!("the blob store lost blocks of {path}: it starts over")));
            uploaded.clear();
            let begin = SumStart { block: 0, sum: SumState::new(expected, shape.bytes) };
            if let Some(Err(sums)) = streaming.pass(&uploaded, Some(begin), || ()).await?.map(SumState::finish) {
                return Ok(Err(sums));
            }
        };
        let proved = self.verified_hash(sha256.is_some() || is_second_pass, remote, shape).await?;
        Ok(proved.map(|sum| (sum, version)))
    }

    /// Returns the SHA-256 of a file in the store; verifies it first if it is unverified and the import requires proof.
    async fn verified_hash(
        &self,
        is_proved: bool,
        remote: &SharedRemoteFile,
        shape: &SourceFile,
    ) -> Result<Result<Option<ContentHash>, SumMismatch>, NativeError> {
        let hash = |sum| match sum {
            HubSum::Sha256(hash) => Some(hash),
            HubSum::GitSha1(_) => None,
        };
        if is_proved {
            return Ok(Ok(hash(remote.file().sum)));
        }
        if self.transfer.verify == VerifyMode::Full {
            return Ok(self.read_back(remote, shape).await?.map(hash));
        }
        self.files.report(Report::Warning(format!(
            "{}: resumed without the record of its checksum, so the whole-file checksum is not proved. To prove it, use \
             --verify full.",
            shape.path
        )));
        Ok(Ok(None))
    }
}

impl FileStream<'_, '_> {
    fn id(&self, index: u64) -> &BlockId {
        &self.ids[usize::try_from(index).unwrap_or(usize::MAX)]
    }

    /// Fetches and sends missing blocks, and hashes the content from `begin` on; returns the checksum at the end.
    /// `on_begun` is called when the last block has begun.
    async fn pass(
        &self,
        uploaded: &HashSet<BlockId>,
        begin: Option<SumStart>,
        on_begun: impl Fn(),
    ) -> Result<Option<SumState>, NativeError> {
        let files = self.import.files;
        let first_summed = begin.as_ref().map_or(u64::MAX, |begin| begin.block);
        let window = Semaphore::new(usize::try_from(BLOCKS_AHEAD).unwrap_or_default());
        let fetched = Semaphore::new(FETCHED_AHEAD);
        let ledger = RefCell::new(Ledger::new(first_summed));
        let advance = || self.advance(&ledger, &window);
        let (in_order, blocks) = mpsc::unbounded_channel::<(u64, oneshot::Receiver<Bytes>)>();
        let sending = async {
            let in_order = in_order;
            let mut in_flight = FuturesUnordered::new();
            let count = units::grouped(self.ids.len() as u64);
            for index in 0..self.layout.count() {
                let (range, id) = (self.layout.range(index), self.id(index));
                let is_summed = index >= first_summed;
                if uploaded.contains(id) && !is_summed {
                    files.tally.add_found(range.1);
                    continue;
                }
                if is_summed {
                    let waiting = async { window.acquire().await.map_err(closed) };
                    while_in_flight(&mut in_flight, waiting).await?.forget();
                }
                let fetching = async {
                    let of_file = fetched.acquire().await.map_err(closed)?;
                    Ok((of_file, self.import.fetches.acquire().await.map_err(closed)?))
                };
                let fetching = while_in_flight(&mut in_flight, fetching).await?;
                let pooled = while_in_flight(&mut in_flight, files.reserve_buffer(range.1)).await?;
                let (read, for_sum) = oneshot::channel();
                if is_summed {
                    // The receiver is dropped only when the upload ends.
                    in_order.send((index, for_sum)).ok();
                }
                let what = format!("block {} of {count} of {}", units::grouped(index + 1), self.path);
                let (ledger, advance) = (&ledger, &advance);
                in_flight.push(async move {
                    let content = self.import.fetch(self.remote, range, pooled).await?;
                    drop(fetching);
                    read.send(content.bytes.clone()).ok();
                    let turn = files.request_permit(range.1).await?;
                    let target =
                        ContentTarget { path: self.path, id: Some(id), sha256: None, what, is_current: &|| true };
                    files.put(&content, target, &turn).await?;
                    drop((turn, content));
                    files.record.block(id).map_err(NativeError::Record)?;
                    if is_summed {
                        ledger.borrow_mut().stored(index);
                        advance()?;
                    }
                    Ok(())
                });
            }
            on_begun();
            while let Some(sent) = in_flight.next().await {
                sent?;
            }
            Ok(())
        };
        let (sum, ()) = tokio::try_join!(self.sum(begin, blocks, (&ledger, &advance)), sending)?;
        Ok(sum)
    }

    /// Hashes the blocks in order.
    async fn sum(
        &self,
        begin: Option<SumStart>,
        mut blocks: mpsc::UnboundedReceiver<(u64, oneshot::Receiver<Bytes>)>,
        (ledger, advance): (&RefCell<Ledger>, &impl Fn() -> Result<(), NativeError>),
    ) -> Result<Option<SumState>, NativeError> {
        let Some(SumStart { mut sum, .. }) = begin else { return Ok(None) };
        while let Some((index, block)) = blocks.recv().await {
            // A block that cannot be fetched ends the transfer, which reports the reason.
            let Ok(content) = block.await else { return Ok(None) };
            sum = blocking(move || {
                sum.update(&content);
                Ok(sum)
            })
            .await
            .map_err(|why| file::file_error(self.path, why))?;
            ledger.borrow_mut().summed(index + 1, sum.save());
            advance()?;
        }
        Ok(Some(sum))
    }

    /// Records up to where the file is stored and hashed, and lets more blocks begin.
    fn advance(&self, ledger: &RefCell<Ledger>, window: &Semaphore) -> Result<(), NativeError> {
        let Some((blocks, more, state)) = ledger.borrow_mut().advance() else { return Ok(()) };
        window.add_permits(usize::try_from(more).unwrap_or_default());
        self.import.sums.save(&self.whole, (self.generation, blocks), &state).map_err(NativeError::Record)
    }
}

/// SHA-256 of content that was verified with this checksum.
fn sha256(sum: HubSum, bytes: &[u8]) -> ContentHash {
    match sum {
        HubSum::Sha256(hash) => hash,
        HubSum::GitSha1(_) => {
            let mut sum = FileSum::new();
            sum.update(bytes);
            sum.hash()
        }
    }
}
