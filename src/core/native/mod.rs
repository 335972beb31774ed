//! The native engine: uploads block by block, and resumes at the block where it was interrupted. Uses no service but
//! the blob store; the SAS stays in memory.

mod concurrency;
mod error;
mod file;
mod import;
mod pool;
mod rate;
mod read;
mod record;
mod tally;

pub use error::NativeError;
pub(crate) use record::{Record, arrived_files};

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use tokio::sync::{Semaphore, mpsc};

use self::concurrency::Concurrency;
use self::file::{UploadContext, concurrency_report};
use self::import::{FETCHES, ImportContext};
use self::pool::Pool;
use self::rate::Rate;
use self::tally::Tally;
use crate::cancel::{Cancellation, Urgency};
use crate::descriptors;
use crate::env::Timings;
use crate::hub::{HubSource, HubTransfer};
use crate::model::{BlobPath, Reporter, SourceFile, TransferEvent, TransferProgress};
use crate::progress::{Counters, Meter, StallWatch, TICK};
use crate::store::{BLOCK, BlobStore, BlobVersion, STREAMED_BLOCK};

/// Maximum number of concurrent requests: measurements showed no gain from more.
const MAX_REQUESTS: u32 = 32;
/// Maximum number of large files that have blocks to begin.
const LARGE_FILES: usize = 4;
/// Maximum size of a file that is sent in one request, in bytes.
const SMALL: u64 = 8 << 20;
/// Interval between adjustments of the concurrency.
const ADJUST_INTERVAL: Duration = Duration::from_millis(50);

/// Limits and settings of an upload.
pub(crate) struct TransferControls<'a> {
    /// Limits and delays.
    pub(crate) timings: &'a Timings,
    /// Time without progress after which the upload is ended.
    pub(crate) stall_limit: Duration,
    /// Maximum rate in bytes per second.
    pub(crate) limit_rate: Option<u64>,
    /// Number of concurrent requests; `None` to adapt it to the line.
    pub(crate) parallel: Option<u32>,
    /// Computes the SHA-256 of each file.
    pub(crate) hash: bool,
    /// Set when the user interrupts the upload.
    pub(crate) cancel: &'a Cancellation,
    /// Receives notices.
    pub(crate) reporter: &'a Reporter,
}

/// Report of an engine on the files that it sent.
#[derive(Debug, Default)]
pub struct Transferred {
    /// Files that differ from their planned size or time: they changed before or during the transfer.
    pub changed: Vec<SourceFile>,
    /// Version of each written blob; empty for an engine that does not report it.
    pub written: HashMap<BlobPath, BlobVersion>,
}

/// Origin of the files.
#[derive(Clone, Copy)]
pub(crate) enum FileOrigin<'a> {
    /// In a directory of this machine.
    Directory(&'a Path),
    /// On the Hugging Face Hub.
    Hub(&'a HubSource, &'a HubTransfer),
}

impl FileOrigin<'_> {
    /// Block size in bytes of a file with several blocks.
    fn block(&self) -> u64 {
        match self {
            Self::Directory(_) => BLOCK,
            Self::Hub(..) => STREAMED_BLOCK,
        }
    }
}

/// Sends these files; files of a directory are sent as they are when their turn comes.
///
/// # Errors
/// See [`NativeError`]. Uploaded content is in the record.
pub(crate) async fn send(
    store: &BlobStore,
    controls: &TransferControls<'_>,
    record: &Record,
    (origin, missing): (FileOrigin<'_>, &[SourceFile]),
    on: &mut dyn FnMut(TransferEvent),
) -> Result<Transferred, NativeError> {
    let begun = Instant::now();
    let mut meter = Meter::new(planned(origin, missing));
    on(TransferEvent::Started(meter.progress()));
    let wanted = controls.parallel.unwrap_or(MAX_REQUESTS).max(1);
    let parallel = descriptors::concurrent_requests(wanted, controls.reporter);
    // Fetched content needs memory in addition to the content being sent.
    let fetches = if let FileOrigin::Hub(..) = origin { FETCHES } else { 0 };
    let mut settled = record.concurrency(&store.host());
    let concurrency = controls.parallel.is_none().then(|| Concurrency::new(parallel, settled, controls.limit_rate));
    let files = UploadContext {
        store,
        controls,
        record,
        directory: match origin {
            FileOrigin::Directory(directory) => directory,
            FileOrigin::Hub(..) => Path::new(""),
        },
        tally: Tally::default(),
        begun: Semaphore::new(LARGE_FILES),
        permits: Semaphore::new(parallel as usize),
        pool: Pool::new(concurrency.as_ref().map_or(parallel, Concurrency::number) + fetches, origin.block()),
        concurrency,
        rate: controls.limit_rate.map(|rate| Arc::new(Rate::new(rate))),
    };
    let (sender, mut import_events) = mpsc::unbounded_channel();
    let import = match origin {
        FileOrigin::Directory(_) => None,
        FileOrigin::Hub(source, transfer) => Some(ImportContext::begin(&files, source, transfer, sender)?),
    };
    let counters = || Counters {
        bytes: store.traffic().bytes() + files.tally.found() + files.tally.copied(),
        remote: import.as_ref().map(|_| files.tally.copied()),
        found: files.tally.found(),
        files: files.tally.files(),
        totals: None,
    };
    let mut stall_watch = StallWatch::new(controls.timings.stall_notice, controls.stall_limit, begun);
    let (mut sent_bytes, mut sent_files, mut transferred) = (0, 0, Transferred::default());
    {
        let (large, small) = by_size(missing);
        // Created lazily: a waiting file costs nothing but its entry in the list.
        let files = &files;
        let import = import.as_ref();
        let send = |file: SourceFile| async move {
            match import {
                None => files.send(&file).await,
                Some(import) => Box::pin(import.send(&file)).await,
            }
        };
        let large = stream::iter(large.into_iter().cloned()).map(send).buffer_unordered(parallel as usize);
        let small = stream::iter(small.into_iter().cloned()).map(send).buffer_unordered(parallel as usize);
        // Small files request their permits immediately, before any large file is open: the order is deterministic.
        let work = stream::select(small, large);
        tokio::pin!(work);
        let (mut tick, mut judge) = (tokio::time::interval(TICK), tokio::time::interval(ADJUST_INTERVAL));
        loop {
            tokio::select! {
                biased;
                () = controls.cancel.at_least(Urgency::Graceful) => {
                    return Err(NativeError::Interrupted { progress: meter.update(counters()) });
                }
                Some(event) = import_events.recv(), if import.is_some() => on(event),
                done = work.next() => match done {
                    Some(Ok(sent)) => {
                        (sent_bytes, sent_files) = (sent_bytes + sent.file.bytes, sent_files + 1);
                        let SourceFile { path, bytes, .. } = &sent.file;
                        on(TransferEvent::FileDone { path: path.to_string(), bytes: *bytes, sha256: sent.sha256 });
                        transferred.written.insert(path.clone(), sent.version);
                        transferred.changed.extend(sent.is_changed.then_some(sent.file));
                    }
                    Some(Err(error)) => return Err(error),
                    None => break,
                },
                _ = judge.tick(), if files.concurrency.is_some() => adapt(files, fetches, &mut settled),
                _ = tick.tick() => {
                    on(TransferEvent::Progress(meter.update(counters())));
                    let done = store.traffic().answers() + files.tally.read();
                    stall_watch.observe(&[counters().bytes, done, files.tally.received()], Instant::now());
                    if let Some(stall) = stall_watch.check(Instant::now()) {
                        on(TransferEvent::Stalled { silent: stall.silent, network_error_percent: None });
                        if stall.over {
                            return Err(NativeError::Stalled { silent: stall.silent, progress: meter.progress() });
                        }
                    }
                }
            }
        }
    }
    while let Ok(event) = import_events.try_recv() {
        on(event);
    }
    if let Some(import) = &import {
        import.report_unverified();
    }
    on(TransferEvent::Progress(meter.update(counters())));
    on(TransferEvent::Done { bytes: sent_bytes, files: sent_files, elapsed: begun.elapsed() });
    Ok(transferred)
}

/// Progress before any content is sent.
fn planned(origin: FileOrigin<'_>, missing: &[SourceFile]) -> TransferProgress {
    TransferProgress {
        bytes: 0,
        found: 0,
        total_bytes: Some(missing.iter().map(|file| file.bytes).sum()),
        files: 0,
        total_files: Some(missing.len() as u64),
        remote: matches!(origin, FileOrigin::Hub(..)).then_some(0),
    }
}

/// Limit of open files of this process, and the number of files that the maximum concurrency needs.
pub(crate) fn open_files() -> (Option<u64>, u64) {
    (descriptors::limit(), descriptors::needed(MAX_REQUESTS))
}

/// Splits files into large and small ones. The large ones go first: they determine when the upload ends; small ones
/// fill the gaps.
fn by_size(missing: &[SourceFile]) -> (Vec<&SourceFile>, Vec<&SourceFile>) {
    let mut large: Vec<&SourceFile> = missing.iter().collect();
    large.sort_by_key(|file| std::cmp::Reverse(file.bytes));
    let first_small = large.partition_point(|file| file.bytes > SMALL);
    let small = large.split_off(first_small);
    (large, small)
}

/// Adjusts the concurrency, and records the settled value for the host.
fn adapt(files: &UploadContext<'_>, fetches: u32, settled: &mut Option<u32>) {
    let Some(concurrency) = &files.concurrency else { return };
    if let Some(number) = concurrency.judge(Instant::now()) {
        files.pool.grow(number + fetches);
        (files.controls.reporter)(concurrency_report(number));
    }
    // The value for a rate limit does not show what is right for the host.
    if files.rate.is_some() {
        return;
    }
    if let Some(number) = concurrency.settled().filter(|number| *settled != Some(*number)) {
        *settled = Some(number);
        files.record.keep_concurrency(&files.store.host(), number);
    }
}
