//! One file: detection of content that is already uploaded, upload of the remaining blocks, and the commit.

mod sender;

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Semaphore, SemaphorePermit};

use self::sender::FileSender;
use super::concurrency::{Concurrency, ConcurrencyPermit, LARGE_REQUEST, RequestProgress};
use super::error::NativeError;
use super::pool::{Pool, PooledBuffer};
use super::rate::Rate;
use super::read::{FileSum, fill, pieces};
use super::record::Record;
use super::tally::Tally;
use super::{SMALL, TransferControls};
use crate::model::{ArrivedFile, BlobPath, ContentHash, Report, SourceFile};
use crate::source::{self, stat_file, stat_of_metadata};
use crate::store::{BlobContent, BlobStore, BlobVersion, BlockId, SendAttempt, content_type};

/// Maximum number of times that the upload of a file starts: one that changes more often keeps changing.
const MAX_STARTS: u32 = 4;

/// State shared by all files of one upload.
pub(super) struct UploadContext<'a> {
    pub(super) store: &'a BlobStore,
    pub(super) controls: &'a TransferControls<'a>,
    pub(super) record: &'a Record,
    /// Directory of a local source.
    pub(super) directory: &'a Path,
    pub(super) tally: Tally,
    /// Limits the large files that still have blocks to begin. More of them would leave more partial files after an
    /// interruption; a single one would wait for its checksum.
    pub(super) begun: Semaphore,
    /// Requests in flight.
    pub(super) permits: Semaphore,
    /// Limits the large ones among them, if the concurrency is not fixed.
    pub(super) concurrency: Option<Concurrency>,
    pub(super) pool: Pool,
    pub(super) rate: Option<Arc<Rate>>,
}

/// A file as it was sent.
pub(super) struct SentFile {
    pub(super) file: SourceFile,
    pub(super) sha256: Option<ContentHash>,
    /// Version of the written blob.
    pub(super) version: BlobVersion,
    /// True if the file changed since it was planned.
    pub(super) is_changed: bool,
}

/// Permit for one request.
pub(super) struct RequestPermit<'f> {
    permit: Option<ConcurrencyPermit<'f>>,
    _request: SemaphorePermit<'f>,
}

impl RequestPermit<'_> {
    /// Progress of a large request, which determines the concurrency.
    fn progress(&self) -> Option<&Arc<RequestProgress>> {
        self.permit.as_ref().map(ConcurrencyPermit::progress)
    }
}

/// Content that is held until the store acknowledges it, and its CRC-64.
pub(super) struct BufferedContent {
    pub(super) bytes: Bytes,
    pub(super) crc64: String,
}

/// Destination of content in the store.
pub(super) struct ContentTarget<'t> {
    pub(super) path: &'t BlobPath,
    /// Id of the block; `None` for the blob itself.
    pub(super) id: Option<&'t BlockId>,
    /// SHA-256 of the blob, if the content is all of it.
    pub(super) sha256: Option<ContentHash>,
    /// Name of the content in messages.
    pub(super) what: String,
    /// False once the file has changed.
    pub(super) is_current: &'t (dyn Fn() -> bool + Sync),
}

/// A file that was opened for sending.
struct OpenedFile {
    shape: SourceFile,
    file: File,
    /// Content of a small file, and its SHA-256.
    whole: Option<(BufferedContent, Option<ContentHash>)>,
}

impl UploadContext<'_> {
    /// Sends the missing content of a file, in its current state.
    pub(super) async fn send(&self, planned: &SourceFile) -> Result<SentFile, NativeError> {
        let path = &planned.path;
        let mut bytes = planned.bytes;
        for _ in 0..MAX_STARTS {
            // A small file is read when it is opened, so it needs its permit first.
            let (turn, pooled, begun) = if bytes <= SMALL {
                (Some(self.request_permit(bytes).await?), Some(self.reserve_buffer(bytes).await?), None)
            } else {
                (None, None, Some(self.begun.acquire().await.map_err(closed)?))
            };
            let OpenedFile { shape, file, whole } = self.open(path, pooled).await?;
            let layout = self.record.layout(&shape);
            let sent = {
                let sending = FileSender { files: self, shape: &shape, layout: &layout, begun: Cell::new(begun) };
                match (whole, turn) {
                    (Some((content, sha256)), Some(turn)) => sending.whole(content, sha256, turn).await,
                    (_, turn) if shape.bytes > SMALL => {
                        drop(turn);
                        sending.blocks(Arc::new(file)).await
                    }
                    // The file has become small.
                    _ => {
                        bytes = shape.bytes;
                        continue;
                    }
                }
            };
            // The sent content is the file only if it did not change; a failure may be caused by its change.
            let arrived = match (sent, self.ensure_unchanged(&shape)) {
                (Ok(arrived), Ok(())) => Some(arrived),
                (Err(NativeError::File { .. }) | Ok(_), Err(why @ NativeError::File { .. })) => return Err(why),
                (Ok(_) | Err(NativeError::Changing { .. } | NativeError::File { .. }), Err(_)) => None,
                (Err(error), _) => return Err(error),
            };
            if let Some((sha256, version)) = arrived {
                let arrived = ArrivedFile { path: path.clone(), bytes: shape.bytes, sha256 };
                self.record.file(&layout, arrived, version.clone()).map_err(NativeError::Record)?;
                self.tally.add_file();
                let is_changed = shape != *planned;
                return Ok(SentFile { file: shape, sha256, version, is_changed });
            }
            self.report(Report::Notice(format!("{path} changed during the upload: it starts over")));
        }
        Err(NativeError::Changing { path: path.clone() })
    }

    /// Opens a file, and reads it if it is small and memory is reserved for it. One job does all of that: handing over
    /// a job costs more than reading a few kilobytes.
    async fn open(&self, path: &BlobPath, pooled: Option<PooledBuffer>) -> Result<OpenedFile, NativeError> {
        let (directory, name, hash) = (self.directory.to_owned(), path.clone(), self.controls.hash);
        let work = move || open(&directory, name, pooled, hash);
        blocking(work).await.map_err(|why| file_error(path, why))
    }

    /// Waits for a permit for a request with this many bytes of content.
    pub(super) async fn request_permit(&self, bytes: u64) -> Result<RequestPermit<'_>, NativeError> {
        let permit = match &self.concurrency {
            Some(concurrency) if bytes >= LARGE_REQUEST => Some(concurrency.enter(bytes).await.map_err(closed)?),
            _ => None,
        };
        Ok(RequestPermit { permit, _request: self.permits.acquire().await.map_err(closed)? })
    }

    /// Reserves this many bytes of memory, waiting if necessary.
    pub(super) async fn reserve_buffer(&self, bytes: u64) -> Result<PooledBuffer, NativeError> {
        self.pool.reserve(bytes).await.map_err(closed)
    }

    /// Returns an error if the file has changed.
    fn ensure_unchanged(&self, shape: &SourceFile) -> Result<(), NativeError> {
        let path = &shape.path;
        let now = stat_file(self.directory, path).map_err(|why| file_error(path, why))?;
        if now == *shape { Ok(()) } else { Err(NativeError::Changing { path: path.clone() }) }
    }

    /// Passes a report to the reporter.
    pub(super) fn report(&self, report: Report) {
        (self.controls.reporter)(report);
    }

    /// Sends content. Returns the version of the blob; none for a block.
    pub(super) async fn put(
        &self,
        content: &BufferedContent,
        target: ContentTarget<'_>,
        turn: &RequestPermit<'_>,
    ) -> Result<BlobVersion, NativeError> {
        let learn = |attempt: SendAttempt| {
            let failed = turn.permit.as_ref().filter(|_| !attempt.has_arrived);
            if let Some(number) = failed.and_then(|permit| permit.failed(attempt.elapsed, attempt.is_busy)) {
                self.report(concurrency_report(number));
            }
        };
        let progress = turn.progress();
        let body = || {
            progress.inspect(|progress| progress.restart());
            pieces(content.bytes.clone(), self.rate.clone(), progress.cloned())
        };
        let ContentTarget { path, id, sha256, what, is_current } = target;
        let length = content.bytes.len() as u64;
        let content = BlobContent { path, what, length, crc64: &content.crc64, body, is_current, on_attempt: &learn };
        let put = match id {
            Some(id) => self.store.put_block(&content, id).await.map(|()| BlobVersion::default()),
            None => self.store.put_blob(&content, content_type(path), sha256).await,
        };
        put.map_err(|error| NativeError::of_store(path, error))
    }
}

fn open(directory: &Path, name: BlobPath, pooled: Option<PooledBuffer>, hash: bool) -> io::Result<OpenedFile> {
    let file = source::open(directory, &name)?;
    let shape = stat_of_metadata(name, &file.metadata()?)?;
    let pooled = pooled.filter(|_| shape.bytes <= SMALL);
    let whole = pooled.map(|mut pooled| -> io::Result<_> {
        let buffer = pooled.buffer(usize::try_from(shape.bytes).map_err(io::Error::other)?);
        let crc64 = fill(&file, 0, buffer)?;
        let sha256 = hash.then(|| {
            let mut sum = FileSum::new();
            sum.update(buffer);
            sum.hash()
        });
        Ok((BufferedContent { bytes: pooled.filled(), crc64 }, sha256))
    });
    Ok(OpenedFile { shape, whole: whole.transpose()?, file })
}

/// Report of a changed number of large requests in flight.
pub(super) fn concurrency_report(number: u32) -> Report {
    Report::Debug(format!("at most {number} large requests at once from now on"))
}

/// Waits for a future while the requests in flight continue.
pub(super) async fn while_in_flight<T, E>(
    in_flight: &mut FuturesUnordered<impl Future<Output = Result<(), E>>>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            Some(sent) = in_flight.next(), if !in_flight.is_empty() => sent?,
            done = &mut work => return done,
        }
    }
}

/// Runs blocking work, such as reading and hashing, outside the threads that send.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Converts the error of a closed semaphore; the semaphores are never closed.
pub(super) fn closed(error: tokio::sync::AcquireError) -> NativeError {
    NativeError::Record(io::Error::other(error))
}

/// Error for a file that cannot be read.
pub(super) fn file_error(path: &BlobPath, why: io::Error) -> NativeError {
    NativeError::File { path: path.clone(), why }
}
