//! Concurrency of large requests: as many in flight as make the upload faster, and no more.
//!
//! An interruption loses what is in flight. On a slow line 32 blocks in flight would take minutes until the first of them
//! has arrived, and a line that breaks more often than that would never get one through. So the number grows as long as
//! a block takes no longer for it: then each connection had room of its own. Where a block takes longer, the line is full.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};

/// Requests with less content than this, in bytes, lose next to nothing and are not held back.
pub(super) const LARGE: u64 = 1 << 20;
/// Size in bytes that times are compared for.
const BLOCK: f64 = (8 << 20) as f64;
/// Number in flight at the start.
const FIRST: u32 = 4;
/// One connection alone is often slower than the line.
const MIN: u32 = 2;
/// A block that takes longer is worth a try with fewer of them at once.
const LONG: Duration = Duration::from_secs(15);
/// More at once are worth it when a block takes no more than so many times as long.
const GROWN: f64 = 1.5;
/// Fewer at once are worth it when a block takes no more than so much of its time.
const SHRUNK: f64 = 0.75;
/// The line may be another one after that long.
const REST: Duration = Duration::from_secs(300);

/// What the number is now there for.
#[derive(Clone, Copy, Debug)]
enum State {
    /// A look at how long a block takes.
    Look,
    /// A try, after this number at once with this time of a block.
    More(u32, Duration),
    /// The same, downwards.
    Fewer(u32, Duration),
    /// It is the right one since then.
    Settled(Instant),
}

/// The number, and what decides it. Pure.
#[derive(Debug)]
struct Measure {
    max: u32,
    now: u32,
    state: State,
    /// Grows with each change: requests that were begun before tell nothing about the number that is now.
    age: u64,
    /// How many tell something, and how long a block took them in all.
    told: (u32, Duration),
}

impl Measure {
    fn new(max: u32) -> Self {
        Self { max, now: FIRST.min(max), state: State::Look, age: 0, told: (0, Duration::ZERO) }
    }

    /// A block took so long that was begun at this age.
    fn took(&mut self, age: u64, block: Duration, at: Instant) {
        if let State::Settled(since) = self.state {
            if at.duration_since(since) < REST {
                return;
            }
            self.state = State::Look;
        }
        if age != self.age {
            return;
        }
        self.told = (self.told.0 + 1, self.told.1 + block);
        if self.told.0 < self.now.div_ceil(2) {
            return;
        }
        let block = self.told.1 / self.told.0;
        let (number, state) = self.decided(block, at);
        self.age += u64::from(number != self.now);
        (self.now, self.state, self.told) = (number, state, (0, Duration::ZERO));
    }

    fn decided(&self, block: Duration, at: Instant) -> (u32, State) {
        let try_more = |from: u32, block| match (from * 2).min(self.max) {
            more if more > from => (more, State::More(from, block)),
            _ => (from, State::Settled(at)),
        };
        let try_fewer = || match (self.now / 2).max(MIN) {
            fewer if fewer < self.now => (fewer, State::Fewer(self.now, block)),
            _ => (self.now, State::Settled(at)),
        };
        match self.state {
            State::More(number, before) if block > before.mul_f64(GROWN) => (number, State::Settled(at)),
            // It is not the line that is slow, but each connection.
            State::Fewer(number, before) if block > before.mul_f64(SHRUNK) => try_more(number, block),
            State::Look | State::Fewer(..) if block > LONG => try_fewer(),
            State::Look | State::More(..) => try_more(self.now, block),
            State::Fewer(..) | State::Settled(_) => (self.now, State::Settled(at)),
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
}

/// Permit for one in-flight request; released on drop.
#[derive(Debug)]
pub(super) struct ConcurrencyPermit<'w> {
    concurrency: &'w Concurrency,
    permit: Option<SemaphorePermit<'w>>,
    age: u64,
}

impl Concurrency {
    /// `max`: never more in flight.
    pub(super) fn new(max: u32) -> Self {
        let measure = Measure::new(max);
        let permits = Semaphore::new(measure.now as usize);
        Self { permits, kept: Mutex::new(Kept { measure, owed: 0 }) }
    }

    /// Waits for a permit.
    pub(super) async fn enter(&self) -> Result<ConcurrencyPermit<'_>, AcquireError> {
        let permit = Some(self.permits.acquire().await?);
        Ok(ConcurrencyPermit { concurrency: self, permit, age: self.kept().measure.age })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConcurrencyPermit<'_> {
    /// A try of this request ended after that time. Returns the new number where it is another one now.
    pub(super) fn took(&self, bytes: u64, time: Duration, arrived: bool) -> Option<u32> {
        // How soon a line breaks says nothing of its speed; that it broke before anything arrived does.
        if !arrived && time <= LONG {
            return None;
        }
        let mut kept = self.concurrency.kept();
        let before = kept.measure.now;
        kept.measure.took(self.age, time.mul_f64(BLOCK / bytes.max(1) as f64), Instant::now());
        let now = kept.measure.now;
        let more = now.saturating_sub(before);
        let paid = more.min(kept.owed);
        kept.owed = kept.owed - paid + before.saturating_sub(now);
        self.concurrency.permits.add_permits((more - paid) as usize);
        (now != before).then_some(now)
    }
}

impl Drop for ConcurrencyPermit<'_> {
    fn drop(&mut self) {
        let mut kept = self.concurrency.kept();
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

    /// A line of so many MiB a second, with so many for each connection at most and 30 ms a request.
    struct Line {
        all: f64,
        connection: f64,
    }

    impl Line {
        fn block(&self, at_once: u32) -> Duration {
            let share = (self.all / f64::from(at_once)).min(self.connection);
            Duration::from_secs_f64(8.0 / share + 0.03)
        }

        /// Sends until the number has settled; how many blocks that took is below `blocks`.
        fn settle(&self, measure: &mut Measure, at: Instant, blocks: u32) {
            for _ in 0..blocks {
                if matches!(measure.state, State::Settled(_)) {
                    return;
                }
                measure.took(measure.age, self.block(measure.now), at);
            }
            panic!("{measure:?}");
        }

        fn number(&self) -> u32 {
            let mut measure = Measure::new(32);
            self.settle(&mut measure, Instant::now(), 32);
            measure.now
        }
    }

    #[test]
    fn a_full_line_keeps_few_blocks_and_one_with_room_gets_many() {
        for (all, connection, number) in [
            (1e9, 25.0, 32),
            (400.0, 25.0, 16),
            (2.5, 100.0, 4),
            (0.5, 100.0, 2),
            (0.1, 100.0, 2),
            (1e9, 0.3, 32),
            (300.0, 300.0, 4),
        ] {
            assert_eq!(Line { all, connection }.number(), number, "{all} {connection}");
        }
    }

    #[test]
    fn a_line_that_changes_is_noticed_after_a_while() {
        let (begun, mut measure) = (Instant::now(), Measure::new(32));
        Line { all: 2.5, connection: 100.0 }.settle(&mut measure, begun, 32);
        let wide = Line { all: 1e9, connection: 25.0 };
        measure.took(measure.age, wide.block(4), begun + REST / 2);
        assert_eq!(measure.now, 4);
        let later = begun + REST;
        measure.took(measure.age, wide.block(4), later);
        wide.settle(&mut measure, later, 64);
        assert_eq!(measure.now, 32);
    }

    #[test]
    fn what_was_begun_before_a_change_tells_nothing() {
        let mut measure = Measure::new(32);
        let at = Instant::now();
        for _ in 0..2 {
            measure.took(0, Duration::from_secs(1), at);
        }
        assert_eq!((measure.now, measure.age), (8, 1));
        for _ in 0..100 {
            measure.took(0, Duration::from_secs(9), at);
        }
        assert_eq!(measure.now, 8);
    }

    #[test]
    fn no_more_than_asked() {
        for max in [1, 2, 3, 5, 32] {
            let mut measure = Measure::new(max);
            Line { all: 1e9, connection: 1.0 }.settle(&mut measure, Instant::now(), 64);
            assert_eq!(measure.now, max);
            Line { all: 0.1, connection: 1.0 }.settle(&mut Measure::new(max), Instant::now(), 64);
        }
    }

    #[tokio::test]
    async fn places_come_and_go_with_the_number() {
        let window = Concurrency::new(32);
        let mut places = Vec::new();
        for _ in 0..4 {
            places.push(window.enter().await.expect("a place"));
        }
        assert_eq!(window.permits.available_permits(), 0);
        // Two long ones: half as many.
        assert_eq!(places[0].took(8 << 20, Duration::from_secs(60), false), None);
        assert_eq!(places[1].took(8 << 20, Duration::from_secs(60), true), Some(2));
        drop(places);
        assert_eq!((window.permits.available_permits(), window.kept().owed), (2, 0));
        // It did not help: as many as before, and a try with more.
        let place = window.enter().await.expect("a place");
        assert_eq!(place.took(8 << 20, Duration::from_secs(59), true), Some(8));
        drop(place);
        assert_eq!(window.permits.available_permits(), 8);
    }
}
