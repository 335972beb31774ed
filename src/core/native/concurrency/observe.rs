//! Rate of requests in flight, measured long before the first of them completes. Pure except for the clock of each
//! request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Time after the first byte of a request until the buffers of the system are full.
pub(super) const WARM_UP: Duration = Duration::from_millis(150);
/// Average time for which each connection is observed before the concurrency is adjusted.
pub(super) const OBSERVATION_TIME: Duration = Duration::from_millis(100);
/// Number of bytes for which all connections together are observed, since a slow connection rarely accepts a piece.
const OBSERVATION_BYTES: u64 = 4 << 20;
/// Maximum time of an observation, if not even that many bytes move.
const MAX_OBSERVATION: Duration = Duration::from_secs(10);
/// Weight of the newest request in the rate of stored content.
const NEWEST_WEIGHT: f64 = 0.25;

/// Progress of one request, counted by the thread that sends it.
#[derive(Debug)]
pub(in crate::native) struct RequestProgress {
    entered: Instant,
    /// Length of the content in bytes.
    length: u64,
    taken: AtomicU64,
    /// Nanoseconds from `entered` until the first byte was accepted; 0 before that.
    begun: AtomicU64,
    /// Nanoseconds from `entered` until the last byte so far was accepted.
    last: AtomicU64,
}

impl RequestProgress {
    /// Progress of a request with this many bytes of content.
    pub(super) fn new(length: u64) -> Self {
        let [taken, begun, last] = Default::default();
        Self { entered: Instant::now(), length, taken, begun, last }
    }

    /// Counts accepted bytes.
    pub(in crate::native) fn add(&self, bytes: u64) {
        let nanoseconds = u64::try_from(self.entered.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1);
        self.last.store(nanoseconds, Ordering::Relaxed);
        if self.taken.fetch_add(bytes, Ordering::Relaxed) == 0 {
            self.begun.store(nanoseconds, Ordering::Relaxed);
        }
    }

    /// Starts another attempt.
    pub(in crate::native) fn restart(&self) {
        self.begun.store(0, Ordering::Relaxed);
        self.taken.store(0, Ordering::Relaxed);
    }

    /// Time at which the first byte was accepted, and the number of bytes accepted so far.
    fn start_and_bytes(&self) -> Option<(Instant, u64)> {
        match self.begun.load(Ordering::Relaxed) {
            0 => None,
            begun => Some((self.after(begun), self.taken.load(Ordering::Relaxed))),
        }
    }

    /// Time until which the line has shown its rate: content that was accepted completely only waits for its
    /// acknowledgement.
    fn until(&self, taken: u64, now: Instant) -> Instant {
        if taken < self.length { now } else { self.after(self.last.load(Ordering::Relaxed)).min(now) }
    }

    fn after(&self, nanoseconds: u64) -> Instant {
        self.entered + Duration::from_nanos(nanoseconds)
    }
}

/// A request in flight.
#[derive(Debug)]
struct TrackedRequest {
    progress: Arc<RequestProgress>,
    /// Maximum number of concurrent requests during this one, including itself.
    beside: usize,
    /// Time and byte at which the current observation of this request began.
    from: Option<(Instant, u64)>,
}

/// Observations of the current concurrency.
#[derive(Debug)]
struct Observation {
    begun: Instant,
    /// Throughput of the requests that have ended.
    ended: Throughput,
}

/// Bytes, and the connection time that they took.
#[derive(Clone, Copy, Debug, Default)]
struct Throughput {
    connections: u32,
    bytes: u64,
    time: Duration,
}

impl Throughput {
    fn add(&mut self, bytes: u64, time: Duration) {
        (self.connections, self.bytes, self.time) = (self.connections + 1, self.bytes + bytes, self.time + time);
    }
}

impl Observation {
    fn begin(begun: Instant) -> Self {
        Self { begun, ended: Throughput::default() }
    }
}

impl TrackedRequest {
    /// Bytes and time of this observation; none while buffers fill up, nor after everything was accepted.
    fn observe(&mut self, look: Instant, now: Instant) -> Option<(u64, Duration)> {
        let (begun, taken) = self.progress.start_and_bytes()?;
        if now < begun + WARM_UP {
            return None;
        }
        // Another attempt may have begun in the meantime.
        let (from, bytes) =
            self.from.filter(|(at, bytes)| *at >= begun && *bytes <= taken).unwrap_or((now.max(look), taken));
        self.from = Some((from, bytes));
        let is_known = taken > bytes || taken < self.progress.length;
        is_known.then(|| (taken - bytes, self.progress.until(taken, now).saturating_duration_since(from)))
    }

    /// Upper bound of the line's rate for this request in bytes per second: content in the buffers of the system may
    /// still be in transit.
    fn bound(&self, now: Instant) -> Option<f64> {
        let (begun, _) = self.progress.start_and_bytes()?;
        Some(self.progress.length as f64 / now.saturating_duration_since(begun).as_secs_f64())
    }

    /// Bytes and time at the end of the request. A request within this observation counts as a whole: its
    /// acknowledgement had to wait for the content in the buffers.
    fn ended(&mut self, look: Instant, now: Instant) -> Option<(u64, Duration)> {
        let (begun, taken) = self.progress.start_and_bytes()?;
        if begun >= look { Some((taken, now.saturating_duration_since(begun))) } else { self.observe(look, now) }
    }
}

/// Requests in flight, and their current observation.
#[derive(Debug)]
pub(super) struct Observer {
    in_flight: Vec<TrackedRequest>,
    look: Observation,
    /// Rate at which content was stored in bytes per second, by the time from the start of whole requests to their
    /// acknowledgement.
    delivered: Option<f64>,
}

impl Observer {
    /// Observer without requests.
    pub(super) fn new(now: Instant) -> Self {
        Self { in_flight: Vec::new(), look: Observation::begin(now), delivered: None }
    }

    /// Adds a request that begins.
    pub(super) fn enter(&mut self, progress: Arc<RequestProgress>) {
        self.in_flight.push(TrackedRequest { progress, beside: 0, from: None });
        let number = self.in_flight.len();
        self.in_flight.iter_mut().for_each(|watched| watched.beside = watched.beside.max(number));
    }

    /// Removes a request that has ended.
    pub(super) fn leave(&mut self, progress: &Arc<RequestProgress>, now: Instant) {
        if let Some(at) = self.in_flight.iter().position(|watched| Arc::ptr_eq(&watched.progress, progress)) {
            let mut watched = self.in_flight.swap_remove(at);
            // The duration of a smaller one depends more on the server than on the line.
            if let Some(bound) = watched.bound(now).filter(|_| watched.progress.length >= crate::store::BLOCK / 2) {
                let delivered = bound * watched.beside as f64;
                self.delivered =
                    Some(self.delivered.map_or(delivered, |before| before + (delivered - before) * NEWEST_WEIGHT));
            }
            if let Some((bytes, time)) = watched.ended(self.look.begun, now) {
                self.look.ended.add(bytes, time);
            }
        }
    }

    /// Begins a new observation.
    pub(super) fn begin_observation(&mut self, now: Instant) {
        self.look = Observation::begin(now);
        for watched in &mut self.in_flight {
            watched.from = watched.from.and_then(|_| Some((now, watched.progress.start_and_bytes()?.1)));
        }
    }

    /// Upper bound of the line's rate in bytes per second, from the requests in flight and from the content already
    /// stored.
    pub(super) fn bound(&self, number: u32, now: Instant) -> f64 {
        let in_flight = u32::try_from(self.in_flight.len()).unwrap_or(u32::MAX);
        let on_their_way = if in_flight < number - number / 4 {
            f64::INFINITY
        } else {
            let all = |watched: &TrackedRequest| {
                watched.bound(now).map_or(f64::INFINITY, |bound| bound * watched.beside as f64)
            };
            self.in_flight.iter().map(all).sum::<f64>() / f64::from(in_flight)
        };
        self.delivered.map_or(on_their_way, |delivered| delivered.min(on_their_way))
    }

    /// Combined rate at this concurrency in bytes per second, once enough of it was observed.
    pub(super) fn rate(&mut self, number: u32, now: Instant) -> Option<f64> {
        let in_flight = u32::try_from(self.in_flight.len()).unwrap_or(u32::MAX);
        let enough = number - number / 4;
        // Requests of another concurrency do not count for this one.
        if in_flight > number || in_flight < enough {
            self.begin_observation(now);
            return None;
        }
        let (mut seen, look) = (self.look.ended, self.look.begun);
        for watched in &mut self.in_flight {
            if let Some((bytes, time)) = watched.observe(look, now) {
                seen.add(bytes, time);
            }
        }
        if seen.connections < enough || seen.time < OBSERVATION_TIME * number {
            return None;
        }
        if seen.bytes < OBSERVATION_BYTES && seen.time < MAX_OBSERVATION * number {
            return None;
        }
        if seen.bytes == 0 {
            // A line without progress shows no rate.
            self.begin_observation(now);
            return None;
        }
        Some(seen.bytes as f64 / seen.time.as_secs_f64() * f64::from(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_attempt_restarts_the_observation() {
        let progress = Arc::new(RequestProgress::new(16 << 20));
        let mut watched = TrackedRequest { progress: Arc::clone(&progress), beside: 1, from: None };
        let look = Instant::now();
        let at = |looks: u32| look + WARM_UP * 2 + OBSERVATION_TIME * looks;
        progress.add(5 << 20);
        assert_eq!(watched.observe(look, at(0)), Some((0, Duration::ZERO)));
        progress.add(1 << 20);
        assert_eq!(watched.observe(look, at(1)), Some((1 << 20, OBSERVATION_TIME)));
        progress.restart();
        assert_eq!(watched.observe(look, at(2)), None);
        progress.add(2 << 20);
        assert_eq!(watched.observe(look, at(3)), Some((0, Duration::ZERO)));
        progress.add(2 << 20);
        assert_eq!(watched.observe(look, at(4)), Some((2 << 20, OBSERVATION_TIME)));
    }

    #[test]
    fn buffered_content_is_counted_only_once_acknowledged() {
        let progress = Arc::new(RequestProgress::new(8 << 20));
        let mut watched = TrackedRequest { progress: Arc::clone(&progress), beside: 1, from: None };
        let look = Instant::now();
        progress.add(8 << 20);
        let later = look + WARM_UP * 2;
        assert_eq!(watched.observe(look, later), None);
        assert_eq!(watched.observe(look, later + OBSERVATION_TIME), None);
        let (bytes, time) = watched.ended(look, later + OBSERVATION_TIME).expect("a whole request");
        assert!(bytes == 8 << 20 && time <= WARM_UP * 2 + OBSERVATION_TIME && time > WARM_UP * 2, "{bytes} {time:?}");
        // Begun before this observation, and all of it accepted before.
        assert_eq!(watched.ended(later, later + OBSERVATION_TIME * 2), None);
    }
}
