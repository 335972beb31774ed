//! Choice of the number of requests in flight, by the observed rates. Pure.

use std::time::{Duration, Instant};

/// Content of a large request, in bytes, for the time limit.
const BLOCK: f64 = crate::store::BLOCK as f64;
/// Number in flight at the start.
pub(super) const FIRST: u32 = 16;
/// Minimum: one connection alone is often slower than the line.
const MIN: u32 = 2;
/// Maximum time until the content in flight is stored, in seconds.
const MAX_IN_FLIGHT_SECONDS: f64 = 7.0;
/// Time in which the rate limit sends the content in flight at the start, in seconds: the line is assumed to reach the
/// limit.
const LIMITED_SECONDS: f64 = 2.0;
/// Share of the rate limit that counts as reaching it.
const REACHED: f64 = 0.9;
/// Factor of growth.
const GROWTH_FACTOR: u32 = 2;
/// Maximum rate per connection, in bytes per second, up to which growth uses the larger factor below.
const SLOW_CONNECTION: f64 = 16e6;
/// Larger factor of growth.
const FAST_GROWTH_FACTOR: u32 = 4;
/// Minimum factor of the combined rate for which growth is kept.
const MIN_GROWTH: f64 = 1.15;
/// Minimum factor of the combined rate for which a reduction is kept.
const MAX_LOSS: f64 = 0.75;
/// Settled concurrency is measured again immediately if it exceeds the maximum for the time limit by this factor.
const EXCESS_FACTOR: u32 = 2;
/// Settled concurrency is measured again after this time in any case, since the line may have changed.
const RECHECK_INTERVAL: Duration = Duration::from_secs(300);

/// State of the measurement.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// First measurement of the rate.
    Look,
    /// Tries more requests, after this number in flight with this rate.
    More(u32, f64),
    /// Tries fewer requests, after this number in flight with this rate.
    Fewer(u32, f64),
    /// Settled at this time.
    Settled(Instant),
}

/// Chosen concurrency, and the observations behind it. Pure.
#[derive(Debug)]
pub(super) struct Measure {
    max: u32,
    now: u32,
    /// Rate limit set by the user, in bytes per second; infinite without one.
    limit: f64,
    state: Phase,
    /// True if each connection is slow by itself: fewer requests would only make the upload slower.
    is_slow_each: bool,
}

impl Measure {
    /// Starts a measurement. `limit`: rate limit set by the user, in bytes per second. Requests share it: with many of
    /// them, none would complete for a long time.
    pub(super) fn new(max: u32, first: u32, limit: Option<u64>) -> Self {
        let limit = limit.map_or(f64::INFINITY, |rate| rate as f64);
        let limited = ((limit * LIMITED_SECONDS / BLOCK) as u32).max(MIN);
        Self { max, now: first.min(limited).clamp(1, max), limit, state: Phase::Look, is_slow_each: false }
    }

    /// Records the combined rate of all requests in flight in bytes per second, of which the line delivers at most
    /// `delivered`: while the system's buffers fill up, a slow line looks fast.
    pub(super) fn observed(&mut self, rate: f64, delivered: f64, at: Instant) {
        let arriving = rate.min(delivered);
        if let Phase::Settled(since) = self.state {
            if at.duration_since(since) < RECHECK_INTERVAL && !self.are_too_many(arriving) {
                return;
            }
            self.state = Phase::Look;
        }
        let patient = self.max_in_flight(arriving);
        (self.now, self.state) = match self.state {
            Phase::More(number, before) if rate < before * MIN_GROWTH => (number, Phase::Settled(at)),
            // The line is not slow, each connection is.
            Phase::Fewer(number, before) if arriving < before * MAX_LOSS => {
                self.is_slow_each = true;
                self.more(number, before, before, at)
            }
            // The line was slow only for a moment.
            Phase::Fewer(_, before) if arriving > before * MIN_GROWTH => self.more(self.now, rate, arriving, at),
            Phase::Look | Phase::Fewer(..) if patient < self.now => (patient, Phase::Fewer(self.now, arriving)),
            Phase::Look | Phase::More(..) => self.more(self.now, rate, arriving, at),
            Phase::Fewer(..) | Phase::Settled(_) => (self.now, Phase::Settled(at)),
        };
    }

    /// Records the maximum rate that the line delivers, in bytes per second, regardless of what the system's buffers
    /// accept.
    pub(super) fn delivered(&mut self, rate: f64) {
        (self.now, self.state) = (self.max_in_flight(rate).min(self.now), Phase::Look);
    }

    /// Records that a request was rejected because the store is busy, or that the line failed although it had time.
    pub(super) fn failed(&mut self, at: Instant) {
        (self.now, self.state) = ((self.now / 2).max(MIN.min(self.max)), Phase::Settled(at));
    }

    /// Current concurrency.
    pub(super) fn current(&self) -> u32 {
        self.now
    }

    /// Current concurrency, if it is settled.
    pub(super) fn settled(&self) -> Option<u32> {
        matches!(self.state, Phase::Settled(_)).then_some(self.now)
    }

    fn more(&self, from: u32, rate: f64, arriving: f64, at: Instant) -> (u32, Phase) {
        let most = self.max_in_flight(arriving);
        let times = if rate / f64::from(from) < SLOW_CONNECTION { FAST_GROWTH_FACTOR } else { GROWTH_FACTOR };
        match (from * times).min(most).min(self.max) {
            _ if rate >= self.limit * REACHED => (from, Phase::Settled(at)),
            more if more > from => (more, Phase::More(from, rate)),
            _ => (from, Phase::Settled(at)),
        }
    }

    /// True if even half of the current concurrency exceeds the maximum for this rate.
    pub(super) fn are_too_many(&self, rate: f64) -> bool {
        self.now > MIN && self.max_in_flight(rate) <= self.now / EXCESS_FACTOR
    }

    /// Maximum concurrency for this rate by the time limit.
    fn max_in_flight(&self, rate: f64) -> u32 {
        if self.is_slow_each {
            return self.max;
        }
        ((rate * MAX_IN_FLIGHT_SECONDS / BLOCK) as u32).clamp(MIN.min(self.max), self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Link with a total rate and a maximum rate per connection, in MiB per second.
    struct SimulatedLink {
        all: f64,
        connection: f64,
    }

    impl SimulatedLink {
        fn rate(&self, in_flight: u32) -> f64 {
            (f64::from(in_flight) * self.connection).min(self.all) * f64::from(1 << 20)
        }

        /// Observes until the concurrency has settled.
        fn settle(&self, measure: &mut Measure, at: Instant) {
            for _ in 0..16 {
                measure.observed(self.rate(measure.now), f64::INFINITY, at);
                if matches!(measure.state, Phase::Settled(_)) {
                    return;
                }
            }
            panic!("{measure:?}");
        }

        fn number(&self, first: u32) -> u32 {
            self.limited(first, None)
        }

        /// Settled concurrency with a rate limit, in MiB per second.
        fn limited(&self, first: u32, limit: Option<u64>) -> u32 {
            let mut measure = Measure::new(32, first, limit.map(|rate| rate << 20));
            let all = limit.map_or(self.all, |rate| self.all.min(rate as f64));
            Self { all, ..*self }.settle(&mut measure, Instant::now());
            measure.now
        }
    }

    #[test]
    fn a_saturated_line_keeps_few_requests_and_a_fast_one_gets_many() {
        for (all, connection, number) in [
            (1e9, 25.0, 32),
            (400.0, 25.0, 16),
            (100.0, 5.0, 32),
            (2.5, 100.0, 3),
            (0.5, 100.0, 2),
            (0.1, 100.0, 2),
            (1e9, 0.3, 32),
            (300.0, 300.0, 16),
        ] {
            assert_eq!(SimulatedLink { all, connection }.number(FIRST), number, "{all} {connection}");
        }
        // Concurrency of an earlier run, on the same line and on a faster one.
        assert_eq!(SimulatedLink { all: 2.5, connection: 100.0 }.number(2), 2);
        assert_eq!(SimulatedLink { all: 1e9, connection: 25.0 }.number(2), 32);
    }

    #[test]
    fn a_rate_limit_is_reached_with_few_requests() {
        let line = SimulatedLink { all: 1e9, connection: 25.0 };
        for (limit, number) in [(1, 2), (8, 3), (16, 6), (64, 16), (1000, 32)] {
            assert_eq!(line.limited(FIRST, Some(limit)), number, "{limit}");
        }
        assert_eq!(line.limited(2, Some(8)), 2, "of an earlier run");
        // More are used if a few connections do not reach the limit.
        assert_eq!(SimulatedLink { all: 1e9, connection: 1.0 }.limited(FIRST, Some(8)), 7);
        // A line that is slower than the limit.
        assert_eq!(SimulatedLink { all: 2.5, connection: 100.0 }.limited(FIRST, Some(64)), 3);
    }

    #[test]
    fn a_changed_line_is_detected_after_some_time() {
        let (begun, mut measure) = (Instant::now(), Measure::new(32, FIRST, None));
        SimulatedLink { all: 2.5, connection: 100.0 }.settle(&mut measure, begun);
        let wide = SimulatedLink { all: 1e9, connection: 25.0 };
        measure.observed(wide.rate(3), f64::INFINITY, begun + RECHECK_INTERVAL / 2);
        assert_eq!(measure.now, 3);
        wide.settle(&mut measure, begun + RECHECK_INTERVAL);
        assert_eq!(measure.now, 32);
    }

    #[test]
    fn a_seemingly_fast_line_is_detected_before_a_block_is_stored() {
        let (begun, mut measure) = (Instant::now(), Measure::new(32, FIRST, None));
        let (buffers, line) =
            (SimulatedLink { all: 13.0, connection: 100.0 }, SimulatedLink { all: 2.5, connection: 100.0 });
        buffers.settle(&mut measure, begun);
        assert_eq!(measure.now, 16);
        let delivered = line.rate(16);
        assert!(!measure.are_too_many(4.0 * delivered) && measure.are_too_many(delivered));
        measure.delivered(delivered);
        assert_eq!(measure.now, 3);
        // The next blocks fill the buffers as fast as the first did.
        measure.observed(buffers.rate(3), delivered, begun + Duration::from_secs(1));
        assert_eq!((measure.now, measure.settled()), (3, Some(3)));
    }

    #[test]
    fn slow_connections_are_distinguished_from_a_slow_line() {
        let (begun, mut measure) = (Instant::now(), Measure::new(32, FIRST, None));
        let line = SimulatedLink { all: 1e9, connection: 0.3 };
        measure.delivered(line.rate(16));
        for _ in 0..8 {
            let rate = line.rate(measure.now);
            measure.observed(rate, rate, begun);
        }
        assert_eq!((measure.now, measure.settled()), (32, Some(32)));
        assert!(!measure.are_too_many(line.rate(32)));
    }

    #[test]
    fn a_short_pause_of_the_line_keeps_the_concurrency() {
        let (begun, mut measure) = (Instant::now(), Measure::new(32, FIRST, None));
        let line = SimulatedLink { all: 400.0, connection: 25.0 };
        line.settle(&mut measure, begun);
        let before = measure.now;
        measure.observed(1e5, f64::INFINITY, begun + Duration::from_secs(1));
        assert!(measure.now < before, "{measure:?}");
        line.settle(&mut measure, begun + Duration::from_secs(2));
        assert_eq!(measure.now, before);
    }

    #[test]
    fn concurrency_never_exceeds_the_maximum() {
        for max in [1, 2, 3, 5, 32] {
            let mut measure = Measure::new(max, FIRST, None);
            SimulatedLink { all: 1e9, connection: 2.0 }.settle(&mut measure, Instant::now());
            assert_eq!(measure.now, max);
            let mut measure = Measure::new(max, FIRST, None);
            SimulatedLink { all: 0.1, connection: 1.0 }.settle(&mut measure, Instant::now());
            assert_eq!(measure.now, max.min(2));
            (0..9).for_each(|_| measure.failed(Instant::now()));
            assert_eq!(measure.now, max.min(2));
        }
    }
}
