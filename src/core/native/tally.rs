//! Counters of one upload in addition to the store's traffic.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of found, finished and read content.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Bytes that an earlier run sent.
    found: AtomicU64,
    /// Complete files.
    files: AtomicU64,
    /// Bytes read for checksums alone.
    read: AtomicU64,
    /// Bytes received from the Hub.
    received: AtomicU64,
    /// Bytes that the store copied itself.
    copied: AtomicU64,
}

impl Tally {
    /// Adds bytes that an earlier run sent.
    pub(super) fn add_found(&self, bytes: u64) {
        self.found.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts one more complete file.
    pub(super) fn add_file(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds bytes that were read for the checksum of a file and not for sending.
    pub(super) fn add_read(&self, bytes: u64) {
        self.read.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Adds bytes received from another server.
    pub(super) fn add_received(&self, bytes: u64) {
        self.received.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Adds bytes that the store copied directly.
    pub(super) fn add_copied(&self, bytes: u64) {
        self.copied.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Subtracts bytes that the store copied, but that are sent after all.
    pub(super) fn sub_copied(&self, bytes: u64) {
        self.copied.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes received from the Hub.
    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Bytes that the store copied itself.
    pub(super) fn copied(&self) -> u64 {
        self.copied.load(Ordering::Relaxed)
    }

    /// Bytes that an earlier run sent.
    pub(super) fn found(&self) -> u64 {
        self.found.load(Ordering::Relaxed)
    }

    /// Number of complete files.
    pub(super) fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// Bytes read only for checksums.
    pub(super) fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }
}
