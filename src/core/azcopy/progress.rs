//! Numbers for the bar that never go backwards and never say "all" too early, and the watch over silence. Pure.

use std::time::{Duration, Instant};

use crate::model::TransferProgress;

use super::message::Summary;

/// Turns AzCopy's numbers into those for the bar.
#[derive(Debug)]
pub(super) struct Meter {
    progress: TransferProgress,
    planned: bool,
}

impl Meter {
    /// Starts with the plan; a remote source has none, and then AzCopy's own totals count once it has scanned.
    pub(super) fn new(at_start: TransferProgress) -> Self {
        Self { progress: at_start, planned: at_start.total_bytes.is_some() }
    }

    pub(super) fn update(&mut self, summary: &Summary) -> TransferProgress {
        let progress = &mut self.progress;
        if !self.planned && summary.scanned {
            progress.total_bytes = Some(summary.bytes_expected.max(progress.total_bytes.unwrap_or_default()));
            progress.total_files = Some(summary.total.max(progress.total_files.unwrap_or_default()));
        }
        // Bytes over the wire are smooth, but count what is sent twice: only the end of the job says "all".
        let ceiling = progress.total_bytes.map_or(u64::MAX, |total| total.saturating_sub(1));
        progress.bytes = progress.bytes.max(summary.bytes_over_wire.min(ceiling));
        progress.files = progress.files.max(summary.completed.min(progress.total_files.unwrap_or(u64::MAX)));
        *progress
    }

    pub(super) fn progress(&self) -> TransferProgress {
        self.progress
    }
}

/// Tells how long nothing has moved.
#[derive(Debug)]
pub(super) struct Watchdog {
    notice: Duration,
    limit: Duration,
    last_move: Instant,
    notices: u32,
    seen: [u64; 5],
    network_error_percent: Option<f64>,
}

/// What the watchdog has to say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Silence {
    pub(super) silent: Duration,
    pub(super) network_error_percent: Option<f64>,
    /// Too long: the job has to be ended.
    pub(super) over: bool,
}

impl Watchdog {
    pub(super) fn new(notice: Duration, limit: Duration, now: Instant) -> Self {
        Self { notice, limit, last_move: now, notices: 0, seen: [0; 5], network_error_percent: None }
    }

    /// Anything that grows is movement: bytes, files, and what a scan finds.
    pub(super) fn update(&mut self, summary: &Summary, now: Instant) {
        let numbers = [
            summary.bytes_over_wire,
            summary.bytes_transferred,
            summary.bytes_expected,
            summary.total,
            summary.completed + summary.failed + summary.skipped,
        ];
        if numbers.iter().zip(&self.seen).any(|(new, old)| new > old) {
            self.moved(now);
        }
        for (old, new) in self.seen.iter_mut().zip(numbers) {
            *old = new.max(*old);
        }
        self.network_error_percent = Some(summary.network_error_percent);
    }

    /// Movement without numbers, such as the start of the job.
    pub(super) fn moved(&mut self, now: Instant) {
        self.last_move = now;
        self.notices = 0;
    }

    /// When to ask again.
    pub(super) fn due(&self) -> Instant {
        self.last_move + self.limit.min(self.notice.saturating_mul(self.notices + 1))
    }

    /// Speaks once each notice interval, and at the limit.
    pub(super) fn check(&mut self, now: Instant) -> Option<Silence> {
        if now < self.due() {
            return None;
        }
        let silent = now - self.last_move;
        // Late by more than an interval: one notice is enough.
        while self.last_move + self.notice.saturating_mul(self.notices + 1) <= now && self.notices < u32::MAX - 1 {
            self.notices += 1;
        }
        let over = silent >= self.limit;
        Some(Silence { silent, network_error_percent: self.network_error_percent, over })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::message::JobStatus;
    use super::*;

    fn summary(bytes: u64, total: u64, completed: u64) -> Summary {
        Summary {
            status: JobStatus::InProgress,
            scanned: true,
            total: 2,
            completed,
            failed: 0,
            skipped: 0,
            bytes_over_wire: bytes,
            bytes_transferred: 0,
            bytes_expected: total,
            network_error_percent: 84.0,
            failed_transfers: vec![],
        }
    }

    fn planned(total: u64) -> Meter {
        Meter::new(TransferProgress { bytes: 0, found: 0, total_bytes: Some(total), files: 0, total_files: Some(2) })
    }

    #[test]
    fn retries_do_not_reach_all() {
        let mut meter = planned(100);
        assert_eq!(meter.update(&summary(60, 100, 1)).bytes, 60);
        assert_eq!(meter.update(&summary(140, 100, 1)).bytes, 99);
        assert_eq!(meter.update(&summary(0, 100, 0)), meter.progress());
        assert_eq!((meter.progress().bytes, meter.progress().files), (99, 1));
    }

    #[test]
    fn a_remote_source_has_totals_once_it_is_scanned() {
        let mut meter = Meter::new(TransferProgress::default());
        let scanning = Summary { scanned: false, ..summary(10, 50, 1) };
        assert_eq!(meter.update(&scanning).total_bytes, None);
        let progress = meter.update(&summary(70, 80, 1));
        assert_eq!((progress.bytes, progress.total_bytes, progress.total_files), (70, Some(80), Some(2)));
    }

    proptest! {
        #[test]
        fn the_bar_never_goes_back_nor_over(total in 1u64..1000, steps in prop::collection::vec(0u64..2000, 0..20)) {
            let mut meter = planned(total);
            let mut last = 0;
            for bytes in steps {
                let now = meter.update(&summary(bytes, total, 0)).bytes;
                prop_assert!(now >= last && now < total);
                last = now;
            }
        }
    }

    #[test]
    fn silence_is_said_at_each_interval_and_ended_at_the_limit() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut dog = Watchdog::new(Duration::from_secs(15), Duration::from_secs(40), start);
        assert_eq!(dog.check(at(14)), None);
        let said = dog.check(at(15)).unwrap();
        assert_eq!((said.silent, said.network_error_percent, said.over), (Duration::from_secs(15), None, false));
        assert_eq!((dog.due(), dog.check(at(16))), (at(30), None));
        dog.update(&summary(1, 100, 0), at(20));
        assert_eq!(dog.due(), at(35));
        // The same numbers again are silence.
        dog.update(&summary(1, 100, 0), at(30));
        assert!(!dog.check(at(52)).unwrap().over);
        assert_eq!(dog.due(), at(60));
        let last = dog.check(at(60)).unwrap();
        assert_eq!((last.over, last.network_error_percent), (true, Some(84.0)));
    }
}
