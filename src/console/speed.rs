//! Rate over a recent window: unknown until there are enough samples, and decreasing during a stall. Pure.

use std::collections::VecDeque;
use std::time::Duration;

/// Maximum age of samples.
const SAMPLE_WINDOW: Duration = Duration::from_secs(20);
/// Minimum time span for a rate.
const MIN_SPAN: Duration = Duration::from_secs(2);

/// Samples of transferred bytes, by the time since the start.
#[derive(Clone, Debug, Default)]
pub(super) struct Speed {
    samples: VecDeque<(Duration, u64)>,
}

impl Speed {
    /// Adds a sample. Time and bytes never decrease.
    pub(super) fn add(&mut self, at: Duration, bytes: u64) {
        self.samples.push_back((at, bytes));
        while self.samples.len() > 2 && self.samples.front().is_some_and(|(first, _)| *first + SAMPLE_WINDOW < at) {
            self.samples.pop_front();
        }
    }

    /// Current rate in bytes per second; `None` while there are too few samples.
    pub(super) fn rate(&self, now: Duration) -> Option<f64> {
        let (first, from) = self.samples.front()?;
        let (_, to) = self.samples.back()?;
        let span = now.saturating_sub(*first);
        if span < MIN_SPAN || to <= from {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let bytes = to.saturating_sub(*from) as f64;
        Some(bytes / span.as_secs_f64())
    }

    /// Remaining time at the current rate.
    pub(super) fn eta(&self, now: Duration, left: u64) -> Option<Duration> {
        #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
        let seconds = left as f64 / self.rate(now)?;
        // More than a year is not a useful estimate.
        (seconds < 365.0 * 86400.0).then(|| Duration::from_secs_f64(seconds))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_rate_covers_only_recent_samples() {
        let mut speed = Speed::default();
        speed.add(seconds(0), 0);
        assert_eq!(speed.rate(seconds(1)), None);
        for second in 1..=100 {
            speed.add(
                seconds(second),
                second * if second <= 50 { 100 } else { 10 } + if second > 50 { 4500 } else { 0 },
            );
        }
        assert_eq!(speed.rate(seconds(100)), Some(10.0));
        assert_eq!(speed.eta(seconds(100), 50), Some(seconds(5)));
        let stalled = speed.rate(seconds(140)).expect("a rate");
        assert!(stalled < 5.0, "the rate falls during a stall: {stalled}");
    }

    proptest! {
        #[test]
        fn rates_are_positive_and_an_eta_needs_a_rate(steps in prop::collection::vec((0u64..10, 0u64..1_000_000), 0..40), wait in 0u64..100) {
            let mut speed = Speed::default();
            let (mut at, mut bytes) = (0, 0);
            for (time, more) in steps {
                at += time;
                bytes += more;
                speed.add(seconds(at), bytes);
            }
            let now = seconds(at + wait);
            let rate = speed.rate(now);
            prop_assert!(rate.is_none_or(|rate| rate > 0.0 && rate.is_finite()));
            prop_assert!(rate.is_some() || speed.eta(now, 10).is_none());
        }
    }
}
