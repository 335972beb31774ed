//! Retries of the blob store's calls: which failures, after which pause, and what is said of them.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::error::has_code;
use crate::env::Timings;
use crate::http::HttpError;
use crate::model::Report;

/// First pause between tries of a block, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(32));
/// A retry of each of 32 connections would bury everything else.
const BETWEEN_NOTICES: Duration = Duration::from_secs(2);

/// Notices about the retries of all connections.
#[derive(Debug, Default)]
pub(super) struct RetryNotices {
    last_notice: Mutex<Option<Instant>>,
}

impl RetryNotices {
    /// One of the retries of all connections now and then, and each one for `--debug`.
    pub(super) fn notice(&self, timings: &Timings, what: &str, pause: Duration, error: &HttpError) -> Report {
        let words = match error {
            HttpError::Service(error) => error.to_string(),
            other => other.to_string(),
        };
        let seconds = (pause.as_secs_f64() * 10.0).ceil() / 10.0;
        let text = format!("retrying {what} in {seconds} s: {words}");
        let mut last = self.last_notice.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| last.elapsed() < timings.scaled(BETWEEN_NOTICES)) {
            return Report::Debug(text);
        }
        *last = Some(Instant::now());
        Report::Notice(text)
    }
}

/// The pause after so many failed tries, without what the store asks for.
pub(super) fn pause(timings: &Timings, failed: u32) -> Duration {
    let (first, longest) = (timings.scaled(PAUSES.0), timings.scaled(PAUSES.1));
    let pause = first.saturating_mul(1 << (failed - 1).min(16)).min(longest);
    // Spread, so that 32 connections do not come back as one.
    let spread = f64::from(uuid::Uuid::new_v4().as_fields().0) / f64::from(u32::MAX);
    pause.mul_f64(0.75 + spread / 2.0)
}

/// Worth another try: faults that pass, and a content that was damaged on the way.
pub(super) fn is_passing(error: &HttpError) -> bool {
    error.is_passing() || ["Crc64Mismatch", "Md5Mismatch"].iter().any(|code| has_code(error, code))
}
