//! Download of the files of a registered model: fetched in concurrent ranges into parts in a private directory below
//! the target, verified by their SHA-256 if it is known, and then moved into place. Content that is already present is
//! not fetched again.

mod error;
mod file;
mod inspect;
mod name;
mod place;
mod plan;
mod record;
mod space;

pub use error::{DownloadError, Obstacle};
pub use name::NameHazard;
pub use plan::{DownloadPlan, DownloadRequest, PresentContent};

use std::collections::{BTreeSet, HashSet};
use std::fs::TryLockError;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use tokio::sync::Semaphore;

use self::file::{FetchedFile, blocking, disk};
use self::plan::{FileState, PlannedFile};
use self::record::{RECORD, Record};
use crate::descriptors;
use crate::env::Timings;
use crate::files::{create_private_directory, open_private, remove_directory, remove_file, sync_directory};
use crate::foundry::ModelFiles;
use crate::model::{ContentHash, Reporter, TransferEvent, TransferProgress, content_digest};
use crate::progress::{Counters, Meter, StallWatch, TICK};
use crate::source::DOWNLOAD_DIRECTORY;
use crate::store::BlobStore;

/// Bytes of one request.
const RANGE: u64 = 8 << 20;
/// Bytes per entry of the record: the maximum that is fetched again per interrupted request. Smaller than [`RANGE`], so
/// that a slow line with 32 requests in flight loses megabytes and not minutes.
const CHUNK: u64 = 1 << 20;
/// Default number of concurrent requests.
const DEFAULT_REQUESTS: u32 = 32;
/// Maximum number of large files in flight: more would leave more partial files after an interruption.
const LARGE_FILES: usize = 4;
const LOCK: &str = "lock";

/// Number of chunks of a file of this size.
fn chunks_of(bytes: u64) -> u64 {
    bytes.div_ceil(CHUNK)
}

/// Limits and settings of a download.
pub struct DownloadControls {
    /// Limits and delays.
    pub timings: Timings,
    /// Duration of a stall that ends the download.
    pub stall_limit: Duration,
    /// Number of concurrent requests; `None`: 32.
    pub parallel: Option<u32>,
    /// Receives notices.
    pub reporter: Reporter,
}

/// A file that is in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadedFile {
    /// Name of the blob, and of the file below the directory.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the content, if it was compared with the recorded one.
    pub sha256: Option<ContentHash>,
    /// True if the file was complete before this run.
    pub is_present: bool,
}

/// State shared by all files of one download.
struct Job {
    store: Arc<BlobStore>,
    directory: PathBuf,
    private: PathBuf,
    record: Record,
    force: bool,
    /// Hashes files without a recorded checksum too, for the digest.
    sums_all: bool,
    /// Requests in flight.
    requests: Arc<Semaphore>,
    /// Files whose content is being written to the disk.
    syncing: AtomicU64,
    received: AtomicU64,
    found: AtomicU64,
    files: AtomicU64,
}

/// Download that owns its directory until it is dropped.
pub struct Download {
    plan: DownloadPlan,
    controls: DownloadControls,
    /// Number of concurrent requests.
    parallel: u32,
    /// Nearest ancestor of the directory, or the directory itself, that existed before.
    existing: PathBuf,
    job: Arc<Job>,
    // Held, not read: the lock ends with the handle.
    _lock: std::fs::File,
}

impl Download {
    /// Creates the private directory, locks it, and removes what does not belong to this download. Blocks.
    ///
    /// # Errors
    /// [`DownloadError::InUse`] and [`DownloadError::Disk`].
    pub fn begin(files: &ModelFiles, plan: DownloadPlan, controls: DownloadControls) -> Result<Self, DownloadError> {
        let private = plan.directory.join(DOWNLOAD_DIRECTORY);
        if inspect::obstacle(&private).map_err(disk(&private))?.is_some() {
            return Err(disk(&private)(io::Error::other("it is not a directory of its own")));
        }
        let existing = plan.directory.ancestors().find(|path| path.exists()).unwrap_or(&plan.directory).to_owned();
        std::fs::create_dir_all(&plan.directory).map_err(disk(&plan.directory))?;
        create_private_directory(&private).map_err(disk(&private))?;
        let lock = open_private(&private.join(LOCK)).map_err(disk(&private))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DownloadError::InUse(plan.directory)),
            Err(TryLockError::Error(why)) => return Err(disk(&private)(why)),
        }
        let known: HashSet<&str> = plan.files.iter().map(|file| file.part.as_str()).collect();
        for entry in std::fs::read_dir(&private).map_err(disk(&private))?.flatten() {
            let name = entry.file_name();
            let is_known = name.to_str().is_some_and(|name| known.contains(name) || [LOCK, RECORD].contains(&name));
            if !is_known {
                remove_file(&entry.path()).map_err(disk(&private))?;
            }
        }
        let parallel =
            descriptors::concurrent_requests(controls.parallel.unwrap_or(DEFAULT_REQUESTS), &controls.reporter);
        let record = Record::open(&private).map_err(disk(&private))?;
        let job = Job {
            store: Arc::clone(&files.store),
            directory: plan.directory.clone(),
            private,
            record,
            force: plan.force,
            sums_all: plan.digest.is_some(),
            requests: Arc::new(Semaphore::new(parallel as usize)),
            syncing: AtomicU64::new(0),
            received: AtomicU64::new(0),
            found: AtomicU64::new(0),
            files: AtomicU64::new(0),
        };
        Ok(Self { plan, controls, parallel, existing, job: Arc::new(job), _lock: lock })
    }

    /// Fetches missing content, verifies it, and moves it into place. May be dropped at any time: fetched content is
    /// kept.
    ///
    /// # Errors
    /// See [`DownloadError`].
    pub async fn run(self, on: &mut dyn FnMut(TransferEvent)) -> Result<Vec<DownloadedFile>, DownloadError> {
        let fetched = self.fetch_all(on).await?;
        let done = self.move_all(fetched).await?;
        self.sync_directories().await?;
        let private = self.job.private.clone();
        let remove = || {
            let private = private.clone();
            blocking(move || remove_directory(&private))
        };
        // Under the lock, so that no other process has begun in it; but Windows does not remove open files. All files
        // are in place: a failed cleanup is not a failed download.
        if remove().await.is_err() {
            drop(self);
            drop(remove().await);
        }
        Ok(done)
    }

    fn missing(&self) -> impl Iterator<Item = &PlannedFile> {
        self.plan.files.iter().filter(|file| file.is_missing())
    }

    async fn fetch_all(&self, on: &mut dyn FnMut(TransferEvent)) -> Result<Vec<FetchedFile>, DownloadError> {
        let (begun, job, controls) = (Instant::now(), &self.job, &self.controls);
        let parallel = self.parallel as usize;
        let mut large: Vec<PlannedFile> = self.missing().cloned().collect();
        let mut meter = Meter::new(TransferProgress {
            total_bytes: Some(large.iter().map(|file| file.file.bytes).sum()),
            total_files: Some(large.len() as u64),
            ..TransferProgress::default()
        });
        on(TransferEvent::Started(meter.progress()));
        // The large ones first: they determine when the download ends; small ones fill the gaps.
        large.sort_by_key(|file| std::cmp::Reverse(file.file.bytes));
        let small = large.split_off(large.partition_point(|file| file.file.bytes > RANGE));
        let fetch = |file: PlannedFile| Box::pin(file::fetch(Arc::clone(job), file));
        let large = stream::iter(large).map(fetch).buffer_unordered(LARGE_FILES.min(parallel));
        let small = stream::iter(small).map(fetch).buffer_unordered(parallel);
        let mut work = stream::select(large, small);
        let counters = || {
            let (received, found) = (job.received.load(Ordering::Relaxed), job.found.load(Ordering::Relaxed));
            let files = job.files.load(Ordering::Relaxed);
            Counters { bytes: received + found, found, files, ..Counters::default() }
        };
        let mut stall_watch = StallWatch::new(controls.timings.stall_notice, controls.stall_limit, begun);
        let mut tick = tokio::time::interval(TICK);
        let (mut bytes, mut fetched, mut syncs) = (0, Vec::new(), 0);
        loop {
            tokio::select! {
                biased;
                done = work.next() => match done {
                    Some(Ok(done)) => {
                        bytes += done.planned.file.bytes;
                        let path = done.planned.file.path.to_string();
                        let (bytes, sha256) = (done.planned.file.bytes, done.sha256);
                        on(TransferEvent::FileDone { path, bytes, sha256 });
                        fetched.push(done);
                    }
                    Some(Err(error)) => return Err(error),
                    None => break,
                },
                _ = tick.tick() => {
                    let counters = counters();
                    on(TransferEvent::Progress(meter.update(counters)));
                    // A disk that is slow to flush its caches is not a stall of the network.
                    syncs += u64::from(job.syncing.load(Ordering::Relaxed) > 0);
                    stall_watch.observe(&[counters.bytes, counters.files, syncs], Instant::now());
                    if let Some(stall) = stall_watch.check(Instant::now()) {
                        on(TransferEvent::Stalled { silent: stall.silent, network_error_percent: None });
                        if stall.over {
                            return Err(DownloadError::Stalled(stall.silent));
                        }
                    }
                }
            }
        }
        on(TransferEvent::Progress(meter.update(counters())));
        on(TransferEvent::Done { bytes, files: fetched.len() as u64, elapsed: begun.elapsed() });
        Ok(fetched)
    }

    /// Flushes the names of all files to the disk: the parts, from which they could be restored, are removed next.
    async fn sync_directories(&self) -> Result<(), DownloadError> {
        let mut directories: BTreeSet<PathBuf> = BTreeSet::new();
        for planned in &self.plan.files {
            let path = planned.file.path.below(&self.job.directory);
            for directory in path.ancestors().skip(1) {
                if !directories.insert(directory.to_owned()) || directory == self.existing {
                    break;
                }
            }
        }
        let sync = |path: &Path| sync_directory(path).map_err(disk(path));
        let work = move || directories.iter().try_for_each(|path| sync(path));
        tokio::task::spawn_blocking(work).await.map_err(|_| DownloadError::Stopped)?
    }

    /// Compares the digest if it is the only proof, and moves files that waited for it into place. Returns all files of
    /// the plan.
    async fn move_all(&self, fetched: Vec<FetchedFile>) -> Result<Vec<DownloadedFile>, DownloadError> {
        let mut sums: std::collections::HashMap<&str, ContentHash> = std::collections::HashMap::new();
        sums.extend(fetched.iter().filter_map(|one| Some((one.planned.file.path.as_str(), one.sha256?))));
        for planned in &self.plan.files {
            let known = match planned.state {
                FileState::Present(sum) => Some(sum),
                _ => planned.file.sha256,
            };
            if let Some(sum) = known {
                sums.entry(planned.file.path.as_str()).or_insert(sum);
            }
        }
        if let Some(digest) = self.plan.digest {
            let files = self.plan.files.iter().map(|one| &one.file);
            let known: Option<Vec<_>> =
                files.map(|file| Some((file.path.as_str(), file.bytes, *sums.get(file.path.as_str())?))).collect();
            if known.map(content_digest) != Some(digest) {
                let parts: Vec<_> = fetched.iter().filter(|one| !one.is_moved).map(|one| one.planned.clone()).collect();
                let job = Arc::clone(&self.job);
                let discard = move || parts.iter().try_for_each(|planned| job.discard(planned));
                blocking(discard).await.map_err(disk(&self.job.private))?;
                return Err(DownloadError::DigestMismatch);
            }
        }
        for one in fetched.iter().filter(|one| !one.is_moved) {
            place::move_into_place(Arc::clone(&self.job), one.planned.clone()).await?;
        }
        let is_proved = |planned: &PlannedFile| self.plan.digest.is_some() || planned.file.sha256.is_some();
        let done = self.plan.files.iter().map(|planned| {
            let path = planned.file.path.to_string();
            let sha256 = sums.get(path.as_str()).copied().filter(|_| is_proved(planned));
            DownloadedFile { sha256, path, bytes: planned.file.bytes, is_present: !planned.is_missing() }
        });
        Ok(done.collect())
    }
}
