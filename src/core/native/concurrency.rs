//! Concurrency of large requests: as many in flight as make the upload faster, and no more.
//!
//! An interruption loses what is in flight. On a slow line 32 blocks in flight would take minutes until the first of them
//! has arrived, and a line that breaks more often than that would never get one through. So the number grows only while
//! the rate of all of them together grows, and shrinks where what is in flight would take too long.
//!
//! The rate is known long before the first block has arrived: it is what each connection takes once the buffers of the
//! system, which take some of it at once, are full.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};

/// Requests with less content than this, in bytes, lose next to nothing and are not held back.
pub(super) const LARGE: u64 = 1 << 20;
/// Content of a large request, in bytes, as far as patience goes.
const BLOCK: f64 = (8 << 20) as f64;
/// Number in flight at the start.
const FIRST: u32 = 8;
/// One connection alone is often slower than the line.
const MIN: u32 = 2;
/// Seconds that what is in flight may take to arrive.
const PATIENCE: f64 = 7.0;
/// A line that breaks before anything has arrived says something of its speed only after this.
const LONG: Duration = Duration::from_secs(15);
/// So many times as many are tried,
const MORE: u32 = 2;
/// where each connection is no faster than so many bytes per second, this many at once,
const SLOW: f64 = 16e6;
const MANY_MORE: u32 = 4;
/// and they are worth it where all together are so much faster.
const GROWN: f64 = 1.15;
/// Fewer are worth it where all together are no slower than that.
const SHRUNK: f64 = 0.75;
/// The buffers of the system are full so long after the first byte of a request.
const WARM: Duration = Duration::from_millis(150);
/// Each connection is watched so long, on average, before the number is judged,
const LOOK: Duration = Duration::from_millis(100);
/// and all of them for so many bytes, since a slow connection seldom takes a piece,
const LOOK_BYTES: u64 = 4 << 20;
/// or, where not even that moves, for so long.
const LONGEST_LOOK: Duration = Duration::from_secs(10);
/// The line may be another one after that long.
const REST: Duration = Duration::from_secs(300);

/// Purpose of the present number.
#[derive(Clone, Copy, Debug)]
enum State {
    /// A first look at the rate.
    Look,
    /// An attempt, after this number in flight with this rate.
    More(u32, f64),
    /// An attempt with fewer, after this number in flight with this rate.
    Fewer(u32, f64),
    /// Found to be the right one at this time.
    Settled(Instant),
}

/// The number, and what decides it. Pure.
#[derive(Debug)]
struct Measure {
    max: u32,
    now: u32,
    state: State,
    /// Each connection is slow for itself: patience would only make the upload slower.
    is_slow_each: bool,
}

impl Measure {
    fn new(max: u32, first: u32) -> Self {
        Self { max, now: first.clamp(1, max), state: State::Look, is_slow_each: false }
    }

    /// All requests in flight together made so many bytes per second.
    fn observed(&mut self, rate: f64, at: Instant) {
        if let State::Settled(since) = self.state {
            if at.duration_since(since) < REST {
                return;
            }
            self.state = State::Look;
        }
        let patient = self.patient(rate);
        (self.now, self.state) = match self.state {
            State::More(number, before) if rate < before * GROWN => (number, State::Settled(at)),
            // The line is not slow, each connection is.
            State::Fewer(number, before) if rate < before * SHRUNK => {
                self.is_slow_each = true;
                self.more(number, before, at)
            }
            State::Look | State::Fewer(..) if patient < self.now => (patient, State::Fewer(self.now, rate)),
            State::Look | State::More(..) => self.more(self.now, rate, at),
            State::Fewer(..) | State::Settled(_) => (self.now, State::Settled(at)),
        };
    }

    /// A request was refused because the store is busy, or the line broke although it had time.
    fn failed(&mut self, at: Instant) {
        (self.now, self.state) = ((self.now / 2).max(MIN.min(self.max)), State::Settled(at));
    }

    fn more(&self, from: u32, rate: f64, at: Instant) -> (u32, State) {
        let most = if self.is_slow_each { self.max } else { self.patient(rate) };
        let times = if rate / f64::from(from) < SLOW { MANY_MORE } else { MORE };
        match (from * times).min(most).min(self.max) {
            more if more > from => (more, State::More(from, rate)),
            _ => (from, State::Settled(at)),
        }
    }

    /// The most that patience allows at this rate.
    fn patient(&self, rate: f64) -> u32 {
        if self.is_slow_each {
            return self.max;
        }
        ((rate * PATIENCE / BLOCK) as u32).clamp(MIN.min(self.max), self.max)
    }
}

/// Progress of one request, counted by whatever thread sends it.
#[derive(Debug)]
pub(super) struct Progress {
    entered: Instant,
    taken: AtomicU64,
    /// Nanoseconds from `entered` until the first byte was taken; 0 before that.
    begun: AtomicU64,
}

impl Progress {
    fn new() -> Self {
        Self { entered: Instant::now(), taken: AtomicU64::new(0), begun: AtomicU64::new(0) }
    }

    /// So many more bytes were taken.
    pub(super) fn add(&self, bytes: u64) {
        if self.taken.fetch_add(bytes, Ordering::Relaxed) == 0 {
            let nanoseconds = u64::try_from(self.entered.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.begun.store(nanoseconds.max(1), Ordering::Relaxed);
        }
    }

    /// Another attempt begins.
    pub(super) fn restart(&self) {
        self.begun.store(0, Ordering::Relaxed);
        self.taken.store(0, Ordering::Relaxed);
    }

    /// When the first byte was taken, and how many were by now.
    fn taken(&self) -> Option<(Instant, u64)> {
        match self.begun.load(Ordering::Relaxed) {
            0 => None,
            begun => Some((self.entered + Duration::from_nanos(begun), self.taken.load(Ordering::Relaxed))),
        }
    }
}

/// Permits for the large requests of one upload.
#[derive(Debug)]
pub(super) struct Concurrency {
    permits: Semaphore,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    measure: Measure,
    /// Permits that end with their release: the number has shrunk meanwhile.
    owed: u32,
    in_flight: Vec<Watched>,
    look: Look,
    /// When the number changed.
    changed: Instant,
}

/// A request in flight.
#[derive(Debug)]
struct Watched {
    progress: Arc<Progress>,
    /// From when, and from which byte on, it counts for the present look.
    from: Option<(Instant, u64)>,
}

/// Observations of the present number.
#[derive(Debug)]
struct Look {
    begun: Instant,
    /// Of requests that have ended.
    ended: Observed,
}

/// Bytes over the time of connections.
#[derive(Clone, Copy, Debug, Default)]
struct Observed {
    connections: u32,
    bytes: u64,
    time: Duration,
}

impl Observed {
    fn add(&mut self, bytes: u64, time: Duration) {
        (self.connections, self.bytes, self.time) = (self.connections + 1, self.bytes + bytes, self.time + time);
    }
}

impl Look {
    fn begin(begun: Instant) -> Self {
        Self { begun, ended: Observed::default() }
    }
}

impl Watched {
    /// Observations since it counts; none while buffers fill.
    fn observe(&mut self, look: Instant, now: Instant) -> Option<(u64, Duration)> {
        let (begun, taken) = self.progress.taken()?;
        if now < begun + WARM {
            return None;
        }
        // Another attempt may have begun meanwhile.
        let (from, bytes) =
            self.from.filter(|(at, bytes)| *at >= begun && *bytes <= taken).unwrap_or((now.max(look), taken));
        self.from = Some((from, bytes));
        Some((taken - bytes, now.saturating_duration_since(from)))
    }

    /// Observations at the end of the request: a short one counts as a whole.
    fn ended(&mut self, look: Instant, now: Instant) -> Option<(u64, Duration)> {
        let (begun, taken) = self.progress.taken()?;
        if self.from.is_none() && begun >= look {
            return Some((taken, now.saturating_duration_since(begun)));
        }
        self.observe(look, now)
    }
}

impl Kept {
    fn begin_look(&mut self, now: Instant) {
        self.look = Look::begin(now);
        for watched in &mut self.in_flight {
            watched.from = watched.from.and_then(|_| Some((now, watched.progress.taken()?.1)));
        }
    }

    /// The rate of all in flight together in bytes per second, once enough of it was seen.
    fn rate(&mut self, now: Instant) -> Option<f64> {
        let number = self.measure.now;
        let in_flight = u32::try_from(self.in_flight.len()).unwrap_or(u32::MAX);
        let enough = number - number / 4;
        // Requests of another number tell nothing of this one.
        if in_flight > number || in_flight < enough {
            self.begin_look(now);
            return None;
        }
        let (mut seen, look) = (self.look.ended, self.look.begun);
        for watched in &mut self.in_flight {
            if let Some((bytes, time)) = watched.observe(look, now) {
                seen.add(bytes, time);
            }
        }
        if seen.connections < enough || seen.time < LOOK * number {
            return None;
        }
        if seen.bytes < LOOK_BYTES && seen.time < LONGEST_LOOK * number {
            return None;
        }
        if seen.bytes == 0 {
            // A line that stands still tells nothing.
            self.begin_look(now);
            return None;
        }
        Some(seen.bytes as f64 / seen.time.as_secs_f64() * f64::from(number))
    }
}

/// Permit for one in-flight request; released on drop.
#[derive(Debug)]
pub(super) struct ConcurrencyPermit<'w> {
    concurrency: &'w Concurrency,
    permit: Option<SemaphorePermit<'w>>,
    progress: Arc<Progress>,
}

impl Concurrency {
    /// `max`: never more in flight. `earlier`: the number that was right for an earlier run. A larger one than the usual
    /// beginning is soon found again; a smaller one would be found after minutes of a slow line.
    pub(super) fn new(max: u32, earlier: Option<u32>) -> Self {
        let measure = Measure::new(max, earlier.map_or(FIRST, |number| number.min(FIRST)));
        let permits = Semaphore::new(measure.now as usize);
        let changed = Instant::now();
        let look = Look::begin(changed);
        Self { permits, kept: Mutex::new(Kept { measure, owed: 0, in_flight: Vec::new(), look, changed }) }
    }

    /// Waits for a permit for one request.
    pub(super) async fn enter(&self) -> Result<ConcurrencyPermit<'_>, AcquireError> {
        let permit = Some(self.permits.acquire().await?);
        let progress = Arc::new(Progress::new());
        self.kept().in_flight.push(Watched { progress: Arc::clone(&progress), from: None });
        Ok(ConcurrencyPermit { concurrency: self, permit, progress })
    }

    /// The present number.
    pub(super) fn number(&self) -> u32 {
        self.kept().measure.now
    }

    /// Judges the number by what is in flight. Returns the new one where it is another one now.
    pub(super) fn judge(&self, now: Instant) -> Option<u32> {
        let mut kept = self.kept();
        let rate = kept.rate(now)?;
        self.change(&mut kept, now, |measure| measure.observed(rate, now))
    }

    /// The number that was found to be right.
    pub(super) fn settled(&self) -> Option<u32> {
        let kept = self.kept();
        matches!(kept.measure.state, State::Settled(_)).then_some(kept.measure.now)
    }

    fn change(&self, kept: &mut Kept, now: Instant, decide: impl FnOnce(&mut Measure)) -> Option<u32> {
        let before = kept.measure.now;
        decide(&mut kept.measure);
        kept.begin_look(now);
        let number = kept.measure.now;
        let more = number.saturating_sub(before);
        let paid = more.min(kept.owed);
        kept.owed = kept.owed - paid + before.saturating_sub(number);
        self.permits.add_permits((more - paid) as usize);
        (number != before).then(|| {
            kept.changed = now;
            number
        })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConcurrencyPermit<'_> {
    /// Progress of this request.
    pub(super) fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// An attempt of this request failed after that time; `is_busy`: because the store has too much to do. Returns the
    /// new number where it is another one now.
    pub(super) fn failed(&self, time: Duration, is_busy: bool) -> Option<u32> {
        // How soon a line breaks says nothing of its speed; that it broke before anything arrived does.
        if !is_busy && time <= LONG {
            return None;
        }
        let (now, mut kept) = (Instant::now(), self.concurrency.kept());
        // What was begun before a change tells nothing of the number that is now.
        if kept.changed + time > now {
            return None;
        }
        self.concurrency.change(&mut kept, now, |measure| measure.failed(now))
    }
}

impl Drop for ConcurrencyPermit<'_> {
    fn drop(&mut self) {
        let mut kept = self.concurrency.kept();
        if let Some(at) = kept.in_flight.iter().position(|watched| Arc::ptr_eq(&watched.progress, &self.progress)) {
            let mut watched = kept.in_flight.swap_remove(at);
            let begun = kept.look.begun;
            if let Some((bytes, time)) = watched.ended(begun, Instant::now()) {
                kept.look.ended.add(bytes, time);
            }
        }
        if kept.owed > 0 {
            kept.owed -= 1;
            if let Some(permit) = self.permit.take() {
                permit.forget();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of so many MiB a second, with so many for each connection at most.
    struct Line {
        all: f64,
        connection: f64,
    }

    impl Line {
        fn rate(&self, in_flight: u32) -> f64 {
            (f64::from(in_flight) * self.connection).min(self.all) * f64::from(1 << 20)
        }

        /// Observes until the number has settled.
        fn settle(&self, measure: &mut Measure, at: Instant) {
            for _ in 0..16 {
                measure.observed(self.rate(measure.now), at);
                if matches!(measure.state, State::Settled(_)) {
                    return;
                }
            }
            panic!("{measure:?}");
        }

        fn number(&self, first: u32) -> u32 {
            let mut measure = Measure::new(32, first);
            self.settle(&mut measure, Instant::now());
            measure.now
        }
    }

    #[test]
    fn a_full_line_keeps_few_blocks_and_one_with_room_gets_many() {
        for (all, connection, number) in [
            (1e9, 25.0, 32),
            (400.0, 25.0, 16),
            (100.0, 5.0, 32),
            (2.5, 100.0, 2),
            (0.5, 100.0, 2),
            (0.1, 100.0, 2),
            (1e9, 0.3, 32),
            (300.0, 300.0, 8),
        ] {
            assert_eq!(Line { all, connection }.number(FIRST), number, "{all} {connection}");
        }
        // The number of an earlier run, on the same line and on a wider one.
        assert_eq!(Line { all: 2.5, connection: 100.0 }.number(2), 2);
        assert_eq!(Line { all: 1e9, connection: 25.0 }.number(2), 32);
    }

    #[test]
    fn a_line_that_changes_is_noticed_after_a_while() {
        let (begun, mut measure) = (Instant::now(), Measure::new(32, FIRST));
        Line { all: 2.5, connection: 100.0 }.settle(&mut measure, begun);
        let wide = Line { all: 1e9, connection: 25.0 };
        measure.observed(wide.rate(2), begun + REST / 2);
        assert_eq!(measure.now, 2);
        wide.settle(&mut measure, begun + REST);
        assert_eq!(measure.now, 32);
    }

    #[test]
    fn no_more_than_asked() {
        for max in [1, 2, 3, 5, 32] {
            let mut measure = Measure::new(max, FIRST);
            Line { all: 1e9, connection: 1.0 }.settle(&mut measure, Instant::now());
            assert_eq!(measure.now, max);
            let mut measure = Measure::new(max, FIRST);
            Line { all: 0.1, connection: 1.0 }.settle(&mut measure, Instant::now());
            assert_eq!(measure.now, max.min(2));
            (0..9).for_each(|_| measure.failed(Instant::now()));
            assert_eq!(measure.now, max.min(2));
        }
    }

    /// Requests in flight of 8 MiB each, which take bytes as they are told.
    async fn in_flight(concurrency: &Concurrency, number: usize) -> Vec<ConcurrencyPermit<'_>> {
        let mut permits = Vec::new();
        for _ in 0..number {
            permits.push(concurrency.enter().await.expect("a permit"));
        }
        permits
    }

    #[tokio::test]
    async fn the_number_grows_before_the_first_block_has_arrived() {
        let concurrency = Concurrency::new(32, None);
        let mut permits = in_flight(&concurrency, 8).await;
        assert_eq!(concurrency.permits.available_permits(), 0);
        // What fills the buffers is no rate, however soon it goes.
        permits.iter().for_each(|permit| permit.progress().add(5 << 20));
        let begun = Instant::now();
        assert_eq!(concurrency.judge(begun + WARM / 2), None);
        assert_eq!(concurrency.judge(begun + WARM), None);
        permits.iter().for_each(|permit| permit.progress().add(1 << 20));
        assert_eq!(concurrency.judge(begun + WARM + LOOK / 2), None);
        // 8 times 10 MiB a second; then 32 times 2.
        let looked = begun + WARM + LOOK;
        assert_eq!(concurrency.judge(looked), Some(32));
        permits.extend(in_flight(&concurrency, 24).await);
        permits[8..].iter().for_each(|permit| permit.progress().add(1 << 20));
        assert_eq!(concurrency.judge(looked + WARM), None);
        permits.iter().for_each(|permit| permit.progress().add(1 << 20));
        assert_eq!(concurrency.judge(looked + WARM + LOOK * 5), Some(8));
        assert_eq!(concurrency.settled(), Some(8));
        assert_eq!(concurrency.kept().owed, 24);
        permits.truncate(8);
        assert_eq!(concurrency.kept().owed, 0);
        assert_eq!(concurrency.permits.available_permits(), 0);
    }

    #[tokio::test]
    async fn requests_of_a_number_that_is_gone_tell_nothing() {
        let concurrency = Concurrency::new(32, None);
        let mut permits = in_flight(&concurrency, 8).await;
        permits.iter().for_each(|permit| permit.progress().add(1 << 20));
        let begun = Instant::now() + WARM;
        assert_eq!(concurrency.judge(begun), None);
        permits.iter().for_each(|permit| permit.progress().add(1 << 20));
        // 8 times 100 KiB a second: it would take minutes until all have arrived.
        assert_eq!(concurrency.judge(begun + Duration::from_secs(10)), Some(2));
        // While more than two are still in flight, none is let in, and nothing is judged.
        permits.truncate(3);
        assert_eq!(concurrency.permits.available_permits(), 0);
        assert_eq!(concurrency.judge(begun + Duration::from_secs(30)), None);
        permits.truncate(2);
        // Nor by a line that stands still for a while.
        assert_eq!(concurrency.judge(begun + Duration::from_secs(45)), None);
        assert_eq!(concurrency.settled(), None);
        permits.iter().for_each(|permit| permit.progress().add(4 << 20));
        assert_eq!(concurrency.judge(begun + Duration::from_secs(55)), None);
        assert_eq!(concurrency.settled(), Some(2));
    }

    #[tokio::test]
    async fn a_busy_store_gets_fewer_requests_once() {
        let concurrency = Concurrency::new(32, Some(16));
        let mut permits = in_flight(&concurrency, 8).await;
        assert_eq!(permits[0].failed(Duration::ZERO, false), None);
        assert_eq!(permits[0].failed(Duration::ZERO, true), Some(4));
        assert_eq!(permits[1].failed(Duration::from_secs(1), true), None);
        permits.clear();
        assert_eq!((concurrency.permits.available_permits(), concurrency.settled()), (4, Some(4)));
    }

    #[test]
    fn another_attempt_begins_anew() {
        let progress = Arc::new(Progress::new());
        let mut watched = Watched { progress: Arc::clone(&progress), from: None };
        let look = Instant::now();
        let at = |looks: u32| look + WARM * 2 + LOOK * looks;
        progress.add(5 << 20);
        assert_eq!(watched.observe(look, at(0)), Some((0, Duration::ZERO)));
        progress.add(1 << 20);
        assert_eq!(watched.observe(look, at(1)), Some((1 << 20, LOOK)));
        progress.restart();
        assert_eq!(watched.observe(look, at(2)), None);
        progress.add(2 << 20);
        assert_eq!(watched.observe(look, at(3)), Some((0, Duration::ZERO)));
        progress.add(2 << 20);
        assert_eq!(watched.observe(look, at(4)), Some((2 << 20, LOOK)));
    }

    #[test]
    fn a_short_request_counts_as_a_whole() {
        let progress = Arc::new(Progress::new());
        let mut watched = Watched { progress: Arc::clone(&progress), from: None };
        let look = Instant::now();
        progress.add(8 << 20);
        let (bytes, time) = watched.ended(look, look + LOOK).expect("it has shown something");
        assert!(bytes == 8 << 20 && time <= LOOK, "{bytes} {time:?}");
        // Begun before this look: nothing of it counts.
        assert_eq!(watched.ended(look + LOOK, look + LOOK), None);
    }
}
