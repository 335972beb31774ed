//! Counters of the traffic with the store, for progress and for the stall watch.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of all connections to one location.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// Total number of bytes handed to the network.
    sent: AtomicU64,
    /// Of these, the bytes that must be sent again.
    lost: AtomicU64,
    /// Requests with a successful response.
    answers: AtomicU64,
}

impl Traffic {
    /// Bytes that are in flight or stored.
    pub(crate) fn bytes(&self) -> u64 {
        self.sent.load(Ordering::Relaxed).saturating_sub(self.lost.load(Ordering::Relaxed))
    }

    /// Requests with a successful response.
    pub(crate) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    /// Counts bytes handed to the network.
    pub(super) fn add_sent(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts bytes of a failed request: they will be sent again.
    pub(super) fn add_lost(&self, bytes: u64) {
        self.lost.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts bytes that were counted as lost and turned out to be stored.
    pub(super) fn restore_lost(&self, bytes: u64) {
        self.add_sent(bytes);
    }

    /// Counts a successful response: progress for the stall watch, also where no content moves.
    pub(super) fn add_answer(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    /// Counter that grows with any progress, even of content that is sent again.
    pub(super) fn activity(&self) -> u64 {
        self.sent.load(Ordering::Relaxed) + self.answers.load(Ordering::Relaxed)
    }
}
