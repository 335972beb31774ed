//! What has been sent, for the bar, and how long nothing has moved.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::model::TransferProgress;

/// Bytes that were taken from bodies, ever; for everyone who watches whether something moves.
#[derive(Debug, Default)]
pub(super) struct Sent {
    taken: AtomicU64,
    /// Of these the ones that have to be sent again.
    lost: AtomicU64,
    /// Bytes that were there already.
    found: AtomicU64,
    files: AtomicU64,
    /// Requests that were answered well.
    answers: AtomicU64,
    /// Bytes that were read for the sum of a file alone.
    read: AtomicU64,
}

impl Sent {
    pub(super) fn add(&self, bytes: u64) {
        self.taken.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A try broke off after so many bytes.
    pub(super) fn lost(&self, bytes: u64) {
        self.lost.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes that need not be sent.
    pub(super) fn found(&self, bytes: u64) {
        self.found.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes were read for the sum of a file, and not to be sent.
    pub(super) fn read(&self, bytes: u64) {
        self.read.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn file(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn answered(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    pub(super) fn bytes(&self) -> u64 {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        get(&self.taken).saturating_sub(get(&self.lost)) + get(&self.found)
    }

    /// Grows with anything that moves, also in vain.
    pub(super) fn moves(&self) -> u64 {
        [&self.taken, &self.found, &self.files, &self.answers].iter().map(|one| one.load(Ordering::Relaxed)).sum()
    }

    /// Grows with what is done for good, beside bytes.
    fn done(&self) -> u64 {
        self.answers.load(Ordering::Relaxed) + self.read.load(Ordering::Relaxed)
    }
}

/// Progress that never goes back and says "all" only at the end.
#[derive(Debug)]
pub(super) struct Meter {
    progress: TransferProgress,
    /// The most bytes that were sent and not lost, and what else was done, when the upload last came on.
    reached: (u64, u64),
    since: Instant,
    notices: u32,
}

/// Nothing moved for a while.
pub(super) struct Silence {
    pub(super) silent: Duration,
    pub(super) over: bool,
}

impl Meter {
    pub(super) fn new(bytes: u64, files: u64) -> Self {
        let progress =
            TransferProgress { bytes: 0, found: 0, total_bytes: Some(bytes), files: 0, total_files: Some(files) };
        Self { progress, reached: (0, 0), since: Instant::now(), notices: 0 }
    }

    pub(super) fn update(&mut self, sent: &Sent) -> TransferProgress {
        let ceiling = self.progress.total_bytes.unwrap_or_default().saturating_sub(1);
        self.progress.bytes = self.progress.bytes.max(sent.bytes().min(ceiling));
        self.progress.found = sent.found.load(Ordering::Relaxed);
        self.progress.files = sent.files();
        self.progress
    }

    pub(super) fn progress(&self) -> TransferProgress {
        self.progress
    }

    /// A silence that is worth a word: each time another `notice` has passed. What is sent again and again without being
    /// taken is silence.
    pub(super) fn silence(&mut self, sent: &Sent, notice: Duration, limit: Duration) -> Option<Silence> {
        let now = (sent.bytes().max(self.reached.0), sent.done());
        if now != self.reached {
            (self.reached, self.since, self.notices) = (now, Instant::now(), 0);
            return None;
        }
        let silent = self.since.elapsed();
        let over = silent >= limit;
        if !over && silent < notice * (self.notices + 1) {
            return None;
        }
        self.notices += 1;
        Some(Silence { silent, over })
    }
}
