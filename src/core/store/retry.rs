//! Retries of requests to the blob store: the failures, the delays, and the reports.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::env::Timings;
use crate::http::{Backoff, HttpError, Retry};
use crate::model::Report;

/// First and maximum delay between attempts of a block.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(32));
/// Minimum interval of notices: a notice for each retry of 32 connections would drown out everything else.
const NOTICE_INTERVAL: Duration = Duration::from_secs(2);

/// Notices about the retries of all connections.
#[derive(Debug, Default)]
pub(super) struct RetryNotices {
    last_notice: Mutex<Option<Instant>>,
}

impl RetryNotices {
    /// Report for a retry: a notice for one of all connections from time to time, otherwise a line for `--debug`.
    pub(super) fn notice(&self, timings: &Timings, what: &str, pause: Duration, error: &HttpError) -> Report {
        let reason = match error {
            HttpError::Service(error) => error.to_string(),
            other => other.to_string(),
        };
        let seconds = (pause.as_secs_f64() * 10.0).ceil() / 10.0;
        let text = format!("retrying {what} in {seconds} s: {reason}");
        let mut last = self.last_notice.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| last.elapsed() < timings.scaled(NOTICE_INTERVAL)) {
            return Report::Debug(text);
        }
        *last = Some(Instant::now());
        Report::Notice(text)
    }
}

/// Unlimited retries: the stall watch of the upload limits them.
pub(super) fn backoff(timings: &Timings) -> Backoff<'_> {
    let (first, longest) = (timings.scaled(PAUSES.0), timings.scaled(PAUSES.1));
    Backoff::new(timings, Retry::IdempotentContent).unlimited().between(first, longest)
}
