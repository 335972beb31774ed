//! Progress of an upload, and the duration of a stall: one meter and one stall watch for all engines. Pure: time is an
//! argument.

use std::time::{Duration, Instant};

use crate::model::TransferProgress;

/// Interval between reads of the counters.
pub(crate) const TICK: Duration = Duration::from_millis(200);

/// Progress that never decreases and never reports completion before the end is verified.
#[derive(Debug)]
pub(crate) struct Meter {
    progress: TransferProgress,
    has_plan: bool,
}

/// Counters of an engine at one moment; bytes may exceed the total if something was sent twice.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    /// Bytes that are in flight or stored.
    pub(crate) bytes: u64,
    /// Of these, the bytes that an earlier run sent.
    pub(crate) found: u64,
    /// Complete files.
    pub(crate) files: u64,
    /// Total bytes and files that the engine itself has found so far; ignored if there is a plan.
    pub(crate) totals: Option<(u64, u64)>,
    /// Of the bytes, those that the store copied itself; `None` if nothing is imported.
    pub(crate) remote: Option<u64>,
}

impl Meter {
    /// Starts with the plan; a remote source has none, so the engine's own totals count.
    pub(crate) fn new(at_start: TransferProgress) -> Self {
        Self { progress: at_start, has_plan: at_start.total_bytes.is_some() }
    }

    /// Updates the counters, and returns the progress: bytes and files never decrease, and bytes stay below the total
    /// until the end.
    pub(crate) fn update(&mut self, counters: Counters) -> TransferProgress {
        let progress = &mut self.progress;
        if let (false, Some((bytes, files))) = (self.has_plan, counters.totals) {
            progress.total_bytes = Some(bytes.max(progress.total_bytes.unwrap_or_default()));
            progress.total_files = Some(files.max(progress.total_files.unwrap_or_default()));
        }
        let ceiling = progress.total_bytes.map_or(u64::MAX, |total| total.saturating_sub(1));
        progress.bytes = progress.bytes.max(counters.bytes.min(ceiling));
        progress.found = counters.found;
        // The rest was sent by this machine, and must not decrease while the last byte is withheld.
        progress.remote = counters.remote.map(|remote| {
            let sent = counters.bytes.saturating_sub(counters.found + remote);
            remote.min(progress.bytes.saturating_sub(counters.found + sent))
        });
        progress.files = progress.files.max(counters.files.min(progress.total_files.unwrap_or(u64::MAX)));
        *progress
    }

    /// Current progress.
    pub(crate) fn progress(&self) -> TransferProgress {
        self.progress
    }
}

/// Measures the time without progress.
#[derive(Debug)]
pub(crate) struct StallWatch {
    notice: Duration,
    limit: Duration,
    last_move: Instant,
    notices: u32,
    /// The highest value of each number so far.
    highest: Vec<u64>,
}

/// No progress for some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stall {
    /// Time without progress.
    pub(crate) silent: Duration,
    /// True if the limit is reached: the upload must be ended.
    pub(crate) over: bool,
}

impl StallWatch {
    /// Reports at intervals of `notice`, and ends at `limit`.
    pub(crate) fn new(notice: Duration, limit: Duration, now: Instant) -> Self {
        Self { notice, limit, last_move: now, notices: 0, highest: Vec::new() }
    }

    /// Records numbers, always the same ones: a new maximum is progress. A number that falls and rises again is not,
    /// since content that is sent repeatedly without being accepted is not progress.
    pub(crate) fn observe(&mut self, numbers: &[u64], now: Instant) {
        self.highest.resize(numbers.len().max(self.highest.len()), 0);
        let mut has_moved = false;
        for (highest, number) in self.highest.iter_mut().zip(numbers) {
            has_moved |= number > highest;
            *highest = (*highest).max(*number);
        }
        if has_moved {
            self.record_movement(now);
        }
    }

    /// Records activity without numbers, such as the start of a job.
    pub(crate) fn record_movement(&mut self, now: Instant) {
        (self.last_move, self.notices) = (now, 0);
    }

    /// Time of the next check.
    pub(crate) fn due(&self) -> Instant {
        self.last_move + self.limit.min(self.notice.saturating_mul(self.notices + 1))
    }

    /// Stall to report: after each further notice interval, and at the limit.
    pub(crate) fn check(&mut self, now: Instant) -> Option<Stall> {
        if now < self.due() {
            return None;
        }
        let silent = now - self.last_move;
        // The check is late by more than an interval: one notice is enough.
        while self.last_move + self.notice.saturating_mul(self.notices + 1) <= now && self.notices < u32::MAX - 1 {
            self.notices += 1;
        }
        Some(Stall { silent, over: silent >= self.limit })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn planned(total: u64) -> Meter {
        Meter::new(TransferProgress { total_bytes: Some(total), total_files: Some(2), ..TransferProgress::default() })
    }

    fn counters(bytes: u64, files: u64) -> Counters {
        Counters { bytes, files, ..Counters::default() }
    }

    #[test]
    fn repeated_bytes_never_reach_the_total() {
        let mut meter = planned(100);
        assert_eq!(meter.update(counters(60, 1)).bytes, 60);
        assert_eq!(meter.update(counters(140, 1)).bytes, 99);
        assert_eq!(meter.update(counters(0, 0)), meter.progress());
        assert_eq!((meter.progress().bytes, meter.progress().files), (99, 1));
    }

    /// Nothing more is sent if the store copied the rest; the withheld byte is one of the store's.
    #[test]
    fn bytes_sent_by_this_machine_never_decrease() {
        let mut meter = planned(100);
        let mut sent = |bytes, remote| {
            let progress = meter.update(Counters { remote: Some(remote), ..counters(bytes, 1) });
            progress.bytes - progress.remote.expect("an import")
        };
        assert_eq!([sent(40, 0), sent(70, 30), sent(100, 60)], [40, 40, 40]);
    }

    #[test]
    fn a_remote_source_uses_the_totals_of_the_engine() {
        let mut meter = Meter::new(TransferProgress::default());
        assert_eq!(meter.update(counters(10, 1)).total_bytes, None);
        let progress = meter.update(Counters { totals: Some((80, 2)), ..counters(70, 1) });
        assert_eq!((progress.bytes, progress.total_bytes, progress.total_files), (70, Some(80), Some(2)));
        let mut planned = planned(100);
        let progress = planned.update(Counters { totals: Some((80, 9)), ..counters(70, 1) });
        assert_eq!((progress.total_bytes, progress.total_files), (Some(100), Some(2)));
    }

    proptest! {
        #[test]
        fn progress_never_decreases_or_exceeds_the_total(total in 1u64..1000, steps in prop::collection::vec(0u64..2000, 0..20)) {
            let mut meter = planned(total);
            let mut last = 0;
            for bytes in steps {
                let now = meter.update(counters(bytes, 0)).bytes;
                prop_assert!(now >= last && now < total);
                last = now;
            }
        }
    }

    #[test]
    fn a_stall_is_reported_at_each_interval_and_ended_at_the_limit() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut watch = StallWatch::new(Duration::from_secs(15), Duration::from_secs(40), start);
        assert_eq!(watch.check(at(14)), None);
        assert_eq!(watch.check(at(15)), Some(Stall { silent: Duration::from_secs(15), over: false }));
        assert_eq!((watch.due(), watch.check(at(16))), (at(30), None));
        watch.observe(&[1, 5], at(20));
        assert_eq!(watch.due(), at(35));
        // The same numbers are not progress, nor is one that fell and rose again.
        watch.observe(&[1, 5], at(30));
        watch.observe(&[0, 5], at(31));
        watch.observe(&[1, 5], at(32));
        assert!(!watch.check(at(52)).expect("a stall").over);
        assert_eq!(watch.due(), at(60));
        assert!(watch.check(at(60)).expect("a stall").over);
        watch.observe(&[1, 6], at(61));
        assert_eq!(watch.check(at(75)), None);
    }
}
