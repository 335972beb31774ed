//! The native engine: uploads block by block, with what it takes to go on at the block where it was broken off
//! (contracts/blob.md). Knows no service but the blob store; its SAS stays in memory.

mod error;
mod file;
mod layout;
mod meter;
mod rate;
mod read;
mod record;
mod retry;
mod store;
mod window;
mod wire;

pub use error::NativeError;
pub use layout::FileShape;
pub use record::{Record, SentFile, whole_files};

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use tokio::sync::Semaphore;

use self::file::Files;
use self::meter::{Meter, Silence};
use self::rate::Rate;
use self::store::Store;
use self::window::Window;
use crate::cancel::{Cancellation, Urgency};
use crate::env::Timings;
use crate::http::{HttpClient, HttpError};
use crate::model::{Reporter, TransferEvent, TransferProgress};
use crate::redact::SecretUrl;

/// Requests under way at once, at most: measured (contracts/blob.md 1).
const PARALLEL: u32 = 32;
/// Files that are sent at once: more would leave more of them in parts when the upload breaks off.
const FILES: usize = 4;
/// Between looks at the counters.
const TICK: Duration = Duration::from_millis(200);

/// What steers an upload.
pub struct Controls<'a> {
    /// Limits and delays.
    pub timings: &'a Timings,
    /// How long the upload may stand still.
    pub stall_limit: Duration,
    /// Highest rate in bytes per second.
    pub limit_rate: Option<u64>,
    /// Requests under way at once; `None`: as many as the line is worth.
    pub parallel: Option<u32>,
    /// Whether the SHA-256 of each file is wanted.
    pub hash: bool,
    /// Set when the person interrupts.
    pub cancel: &'a Cancellation,
    /// For what is worth saying.
    pub reporter: &'a Reporter,
}

/// A file that is to be sent.
#[derive(Clone, Debug)]
pub struct Missing<'a> {
    /// Its name in the container, and below the source directory.
    pub path: &'a str,
    /// Its size when it was planned.
    pub bytes: u64,
}

/// Where a fresh SAS leads.
#[derive(Clone, Debug)]
pub enum Renewed {
    /// To the same place.
    Here(SecretUrl),
    /// To another one.
    Elsewhere,
}

/// Sends these files of a directory, each as it is when its turn comes. Returns the shapes that they were sent in.
///
/// # Errors
/// See [`NativeError`]. What arrived stands in the record.
pub async fn send<R: AsyncFn() -> Result<Renewed, HttpError>>(
    http: &HttpClient,
    controls: &Controls<'_>,
    record: &Record,
    (directory, missing): (&Path, &[Missing<'_>]),
    (sas, renew): (SecretUrl, R),
    on: &mut dyn FnMut(TransferEvent),
) -> Result<Vec<FileShape>, NativeError> {
    let begun = Instant::now();
    let all: u64 = missing.iter().map(|file| file.bytes).sum();
    let mut meter = Meter::new(all, missing.len() as u64);
    on(TransferEvent::Started(meter.progress()));
    let parallel = controls.parallel.unwrap_or(PARALLEL).max(1);
    let files = Files {
        store: Store::new(http, controls, sas, renew),
        controls,
        record,
        directory,
        permits: Semaphore::new(parallel as usize),
        window: controls.parallel.is_none().then(|| Window::new(parallel)),
        rate: controls.limit_rate.map(|rate| Arc::new(Rate::new(rate))),
    };
    let sent = Arc::clone(&files.store.sent);
    let mut shapes = Vec::with_capacity(missing.len());
    {
        // The large ones first: they decide when it ends; small ones fill the gaps.
        let mut order: Vec<(u64, &str)> = missing.iter().map(|file| (file.bytes, file.path)).collect();
        order.sort_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
        let (large, small): (Vec<_>, Vec<_>) = order.into_iter().partition(|(bytes, _)| *bytes > SMALL);
        let (mut large_files, mut small_files) = (Vec::new(), Vec::new());
        large_files.extend(large.into_iter().map(|(_, path)| files.send(path)));
        small_files.extend(small.into_iter().map(|(_, path)| files.send(path)));
        let large = futures_util::stream::iter(large_files).buffer_unordered(FILES);
        let small = futures_util::stream::iter(small_files).buffer_unordered(parallel as usize);
        let work = futures_util::stream::select(large, small);
        tokio::pin!(work);
        let mut tick = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                biased;
                () = controls.cancel.at_least(Urgency::Graceful) => {
                    return Err(NativeError::Interrupted { progress: meter.update(&sent) });
                }
                done = work.next() => match done {
                    Some(Ok((shape, file))) => {
                        on(TransferEvent::FileDone { path: file.path, bytes: file.bytes, sha256: file.sha256 });
                        shapes.push(shape);
                    }
                    Some(Err(error)) => return Err(error),
                    None => break,
                },
                _ = tick.tick() => {
                    on(TransferEvent::Progress(meter.update(&sent)));
                    let (notice, limit) = (controls.timings.stall_notice, controls.stall_limit);
                    if let Some(Silence { silent, over }) = meter.silence(&sent, notice, limit) {
                        on(TransferEvent::Stalled { silent, network_error_percent: None });
                        if over {
                            return Err(NativeError::Stalled { silent, progress: meter.progress() });
                        }
                    }
                }
            }
        }
    }
    let bytes = shapes.iter().map(|shape| shape.bytes).sum();
    on(TransferEvent::Progress(meter.update(&sent)));
    on(TransferEvent::Done { bytes, files: shapes.len() as u64, elapsed: begun.elapsed() });
    Ok(shapes)
}

/// A file that goes in one request.
const SMALL: u64 = 8 << 20;

impl NativeError {
    /// How far the upload was, where that is told.
    #[must_use]
    pub fn progress(&self) -> Option<TransferProgress> {
        match self {
            Self::Interrupted { progress } | Self::Stalled { progress, .. } => Some(*progress),
            _ => None,
        }
    }
}
