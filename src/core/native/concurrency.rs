//! Concurrency of large requests: as many in flight as increase the rate of the upload, and no more.
//!
//! An interruption loses the content in flight. On a slow line, 32 blocks in flight would take minutes until the first
//! of them is stored, and a line that fails more often than that would never complete one. So concurrency grows only
//! while the combined rate grows, and shrinks if the blocks in flight would take too long. If the user set a rate
//! limit, concurrency starts low, and does not grow once that rate is reached.
//!
//! The rate is known long before the first block is stored: it is the rate of each connection after the buffers of the
//! system, which accept some content immediately, are full.

mod measure;
mod observe;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};

use self::measure::{FIRST, Measure};
use self::observe::Observer;
pub(super) use self::observe::RequestProgress;

/// Minimum content of a limited request, in bytes: smaller ones lose next to nothing and are not held back.
pub(super) const LARGE_REQUEST: u64 = 1 << 20;
/// Minimum time to a failure, before any content was stored, that indicates the speed of the line.
const MIN_BREAK_TIME: Duration = Duration::from_secs(15);

/// Permits for the large requests of one upload.
#[derive(Debug)]
pub(super) struct Concurrency {
    permits: Semaphore,
    kept: Mutex<ConcurrencyState>,
}

#[derive(Debug)]
struct ConcurrencyState {
    measure: Measure,
    observer: Observer,
    /// Permits that are removed when they are released: the concurrency has shrunk since they were issued.
    owed: u32,
    /// Time of the last change of the concurrency.
    changed: Instant,
}

/// Permit for one in-flight request; released on drop.
#[derive(Debug)]
pub(super) struct ConcurrencyPermit<'w> {
    concurrency: &'w Concurrency,
    permit: Option<SemaphorePermit<'w>>,
    progress: Arc<RequestProgress>,
}

impl Concurrency {
    /// Concurrency of an upload. `max`: upper limit. `earlier`: value that an earlier run settled on. A value above the
    /// default start is soon found again; a lower one would take minutes to find on a slow line. `limit`: rate limit
    /// set by the user, in bytes per second.
    pub(super) fn new(max: u32, earlier: Option<u32>, limit: Option<u64>) -> Self {
        let measure = Measure::new(max, earlier.map_or(FIRST, |number| number.min(FIRST)), limit);
        let permits = Semaphore::new(measure.current() as usize);
        let changed = Instant::now();
        let observer = Observer::new(changed);
        Self { permits, kept: Mutex::new(ConcurrencyState { measure, observer, owed: 0, changed }) }
    }

    /// Waits for a permit for one request with this many bytes of content.
    pub(super) async fn enter(&self, length: u64) -> Result<ConcurrencyPermit<'_>, AcquireError> {
        let permit = Some(self.permits.acquire().await?);
        let progress = Arc::new(RequestProgress::new(length));
        self.kept().observer.enter(Arc::clone(&progress));
        Ok(ConcurrencyPermit { concurrency: self, permit, progress })
    }

    /// Current concurrency.
    pub(super) fn number(&self) -> u32 {
        self.kept().measure.current()
    }

    /// Adjusts the concurrency by the requests in flight. Returns the new value if it changed.
    pub(super) fn judge(&self, now: Instant) -> Option<u32> {
        let mut kept = self.kept();
        let number = kept.measure.current();
        let delivered = kept.observer.bound(number, now);
        match kept.observer.rate(number, now) {
            Some(rate) => self.change(&mut kept, now, |measure| measure.observed(rate, delivered, now)),
            None if kept.measure.are_too_many(delivered) => {
                self.change(&mut kept, now, |measure| measure.delivered(delivered))
            }
            None => None,
        }
    }

    /// Concurrency that the measurements settled on.
    pub(super) fn settled(&self) -> Option<u32> {
        self.kept().measure.settled()
    }

    fn change(&self, kept: &mut ConcurrencyState, now: Instant, decide: impl FnOnce(&mut Measure)) -> Option<u32> {
        let before = kept.measure.current();
        decide(&mut kept.measure);
        kept.observer.begin_observation(now);
        let number = kept.measure.current();
        let more = number.saturating_sub(before);
        let paid = more.min(kept.owed);
        kept.owed = kept.owed - paid + before.saturating_sub(number);
        self.permits.add_permits((more - paid) as usize);
        (number != before).then(|| {
            kept.changed = now;
            number
        })
    }

    fn kept(&self) -> MutexGuard<'_, ConcurrencyState> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConcurrencyPermit<'_> {
    /// Progress of this request.
    pub(super) fn progress(&self) -> &Arc<RequestProgress> {
        &self.progress
    }

    /// Records a failed attempt of this request and its duration; `is_busy`: the store is overloaded. Returns the new
    /// concurrency if it changed.
    pub(super) fn failed(&self, time: Duration, is_busy: bool) -> Option<u32> {
        // The time to a failure does not show the line's speed; a failure before any content was stored does.
        if !is_busy && time <= MIN_BREAK_TIME {
            return None;
        }
        let (now, mut kept) = (Instant::now(), self.concurrency.kept());
        // A request from before a change does not show the effect of the current concurrency.
        if kept.changed + time > now {
            return None;
        }
        self.concurrency.change(&mut kept, now, |measure| measure.failed(now))
    }
}

impl Drop for ConcurrencyPermit<'_> {
    fn drop(&mut self) {
        let mut kept = self.concurrency.kept();
        kept.observer.leave(&self.progress, Instant::now());
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
    use super::observe::{OBSERVATION_TIME, WARM_UP};
    use super::*;

    /// Requests in flight of 16 MiB each, whose progress the test controls.
    async fn in_flight(concurrency: &Concurrency, number: usize) -> Vec<ConcurrencyPermit<'_>> {
        let mut permits = Vec::new();
        for _ in 0..number {
            permits.push(concurrency.enter(16 << 20).await.expect("a permit"));
        }
        permits
    }

    #[tokio::test]
    async fn concurrency_grows_before_the_first_block_is_stored() {
        let concurrency = Concurrency::new(32, None, None);
        let mut permits = in_flight(&concurrency, 16).await;
        assert_eq!(concurrency.permits.available_permits(), 0);
        // The rate while the buffers fill up does not count, however high.
        permits.iter().for_each(|permit| permit.progress().add(2 << 20));
        let begun = Instant::now();
        assert_eq!(concurrency.judge(begun + WARM_UP / 2), None);
        assert_eq!(concurrency.judge(begun + WARM_UP), None);
        permits.iter().for_each(|permit| permit.progress().add(1 << 20));
        assert_eq!(concurrency.judge(begun + WARM_UP + OBSERVATION_TIME / 2), None);
        // 16 requests at 10 MiB per second; then 32 at 2.
        let observed = begun + WARM_UP + OBSERVATION_TIME;
        assert_eq!(concurrency.judge(observed), Some(32));
        permits.extend(in_flight(&concurrency, 16).await);
        permits[16..].iter().for_each(|permit| permit.progress().add(1 << 20));
        assert_eq!(concurrency.judge(observed + WARM_UP), None);
        permits.iter().for_each(|permit| permit.progress().add(1 << 20));
        assert_eq!(concurrency.judge(observed + WARM_UP + OBSERVATION_TIME * 5), Some(16));
        assert_eq!(concurrency.settled(), Some(16));
        assert_eq!(concurrency.kept().owed, 16);
        permits.truncate(16);
        assert_eq!(concurrency.kept().owed, 0);
        assert_eq!(concurrency.permits.available_permits(), 0);
    }

    #[tokio::test]
    async fn requests_of_an_earlier_concurrency_are_ignored() {
        let concurrency = Concurrency::new(32, None, None);
        let mut permits = in_flight(&concurrency, 16).await;
        permits.iter().for_each(|permit| permit.progress().add(1 << 20));
        let begun = Instant::now() + WARM_UP;
        assert_eq!(concurrency.judge(begun), None);
        permits.iter().for_each(|permit| permit.progress().add(1 << 20));
        // 16 requests at 50 KiB per second: it would take minutes until all are stored.
        assert_eq!(concurrency.judge(begun + Duration::from_secs(20)), Some(2));
        // While more than two are still in flight, none is admitted, and nothing is adjusted.
        permits.truncate(3);
        assert_eq!(concurrency.permits.available_permits(), 0);
        assert_eq!(concurrency.judge(begun + Duration::from_secs(30)), None);
        permits.truncate(2);
        // Nor does a line that pauses for a while.
        assert_eq!(concurrency.judge(begun + Duration::from_secs(45)), None);
        assert_eq!(concurrency.settled(), None);
        permits.iter().for_each(|permit| permit.progress().add(4 << 20));
        assert_eq!(concurrency.judge(begun + Duration::from_secs(55)), None);
        assert_eq!(concurrency.settled(), Some(2));
    }

    #[tokio::test]
    async fn long_transfers_reveal_a_slow_line() {
        let concurrency = Concurrency::new(32, None, None);
        let mut permits = in_flight(&concurrency, 16).await;
        // The buffers accept all of it immediately.
        permits.iter().for_each(|permit| permit.progress().add(16 << 20));
        let begun = Instant::now();
        assert_eq!(concurrency.judge(begun + Duration::from_secs(10)), None);
        assert_eq!(concurrency.judge(begun + Duration::from_secs(60)), Some(5));
        assert_eq!(concurrency.judge(begun + Duration::from_secs(100)), None);
        permits.clear();
        assert_eq!(concurrency.permits.available_permits(), 5);
    }

    #[tokio::test]
    async fn a_busy_store_gets_fewer_requests_once() {
        let concurrency = Concurrency::new(32, Some(16), None);
        let mut permits = in_flight(&concurrency, 16).await;
        assert_eq!(permits[0].failed(Duration::ZERO, false), None);
        assert_eq!(permits[0].failed(Duration::ZERO, true), Some(8));
        assert_eq!(permits[1].failed(Duration::from_secs(1), true), None);
        permits.clear();
        assert_eq!((concurrency.permits.available_permits(), concurrency.settled()), (8, Some(8)));
    }
}
