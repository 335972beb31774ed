//! Rate limit for all connections together.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Maximum idle time that can be caught up.
const BURST: Duration = Duration::from_millis(100);

/// Rate in bytes per second, and the time at which the next ones may be sent.
#[derive(Debug)]
pub(super) struct Rate {
    bytes_per_second: u64,
    next: Mutex<Instant>,
}

impl Rate {
    /// Limit of this many bytes per second.
    pub(super) fn new(bytes_per_second: u64) -> Self {
        Self { bytes_per_second: bytes_per_second.max(1), next: Mutex::new(Instant::now()) }
    }

    /// Waits until this many bytes may be sent.
    pub(super) async fn wait(&self, bytes: u64) {
        let cost = Duration::from_secs_f64(bytes as f64 / self.bytes_per_second as f64);
        let turn = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let earliest = Instant::now().checked_sub(BURST).unwrap_or(*next);
            let turn = (*next).max(earliest);
            *next = turn + cost;
            *next
        };
        tokio::time::sleep_until(turn).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn concurrent_requests_share_one_rate() {
        let rate = Rate::new(1000);
        let begun = Instant::now();
        let waits = (0..50).map(|_| rate.wait(100));
        futures_util::future::join_all(waits).await;
        let seconds = begun.elapsed().as_secs_f64();
        assert!((4.8..=5.2).contains(&seconds), "{seconds}");
    }
}
