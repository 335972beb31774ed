//! Retry policy: which failures are retried, and the delay before the next attempt or poll.

use std::time::{Duration, SystemTime};

use super::error::{HttpError, NetworkFault};
use crate::env::Timings;

/// Attempts of one request, including the first.
const ATTEMPTS: u32 = 5;
const NO_JITTER: f64 = 0.5;

/// Which failures of a request are retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Transient failures of a request that can be repeated without further effect.
    Idempotent,
    /// Transient failures, and content that was damaged in transit.
    IdempotentContent,
    /// Failures after which the service has certainly not received or not begun the request.
    OnlyUnprocessed,
    /// None: the caller decides.
    None,
}

/// Delays between the attempts of one request, or between the polls of one operation.
///
/// A delay doubles from the first one up to the cap. The delay of an attempt varies by a quarter in both directions, so
/// that many connections do not retry in lockstep; a `Retry-After` extends it. The delay of a poll is replaced by
/// `Retry-After`.
#[derive(Clone, Debug)]
pub(crate) struct Backoff<'a> {
    timings: &'a Timings,
    retry: Retry,
    attempts: Option<u32>,
    first: Duration,
    cap: Duration,
    failures: Failures,
}

/// Failed attempts so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Failures {
    count: u32,
    /// True after a response of an intermediary.
    met_intermediary: bool,
}

impl<'a> Backoff<'a> {
    /// Returns the delays of a request: five attempts, between `Timings::retry_first` and `Timings::retry_cap`.
    pub(crate) fn new(timings: &'a Timings, retry: Retry) -> Self {
        let (first, cap) = (timings.retry_first, timings.retry_cap);
        Self { timings, retry, attempts: Some(ATTEMPTS), first, cap, failures: Failures::default() }
    }

    /// Returns the delays of an operation that is polled: between `Timings::poll_first` and `Timings::poll_cap`.
    pub(crate) fn polls(timings: &'a Timings) -> Self {
        Self::new(timings, Retry::None).unlimited().between(timings.poll_first, timings.poll_cap)
    }

    /// Sets the number of attempts, including the first.
    pub(crate) fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// Removes the limit of attempts.
    pub(crate) fn unlimited(mut self) -> Self {
        self.attempts = None;
        self
    }

    /// Sets the first and the maximum delay, on this run's clock.
    pub(crate) fn between(mut self, first: Duration, cap: Duration) -> Self {
        (self.first, self.cap) = (first, cap);
        self
    }

    /// Continues after these failures.
    pub(crate) fn resume(mut self, failures: Failures) -> Self {
        self.failures = failures;
        self
    }

    /// Counts a failed attempt, and returns the delay before the next one; `None` if the failure is final.
    pub(crate) fn after(&mut self, error: &HttpError) -> Option<Duration> {
        self.failures.count += 1;
        // A sign-in page persists; a misrouted connection is unlikely to happen twice.
        let mut is_first_intermediary = || {
            self.retry != Retry::None
                && error.is_of_intermediary()
                && !std::mem::replace(&mut self.failures.met_intermediary, true)
        };
        let is_worthwhile = is_retryable(self.retry, error) || is_first_intermediary();
        if self.attempts.is_some_and(|attempts| self.failures.count >= attempts) || !is_worthwhile {
            return None;
        }
        let requested = requested_pause(error.service().and_then(|error| error.retry_after), self.timings);
        Some(pause(self.first, self.cap, self.failures.count, rand::random()).max(requested))
    }

    /// Returns the delay before the next poll.
    pub(crate) fn poll(&mut self, retry_after: Option<Duration>) -> Duration {
        if retry_after.is_some() {
            // A service that asks for a zero delay still gets one.
            return requested_pause(retry_after, self.timings).max(self.first);
        }
        self.failures.count += 1;
        pause(self.first, self.cap, self.failures.count, NO_JITTER)
    }

    /// Failed attempts so far.
    pub(crate) fn failures(&self) -> Failures {
        self.failures
    }

    /// Number of failed attempts so far.
    pub(crate) fn failed(&self) -> u32 {
        self.failures.count
    }

    /// Number of the next attempt, with the total if it is limited: `2 of 5`.
    pub(crate) fn next_attempt(&self) -> String {
        let next = self.failures.count + 1;
        self.attempts.map_or_else(|| next.to_string(), |all| format!("{next} of {all}"))
    }
}

/// True if a failure is retried under this policy.
pub(super) fn is_retryable(policy: Retry, error: &HttpError) -> bool {
    match error {
        HttpError::Service(error) => {
            let damaged = policy == Retry::IdempotentContent && error.has_code(&["Crc64Mismatch", "Md5Mismatch"]);
            damaged || status(policy, error.status, error.retry_after.is_some())
        }
        HttpError::Network { fault, connecting, .. } => network(policy, *fault, *connecting),
        // The response would be the same.
        HttpError::BadAnswer { .. } | HttpError::Redirect { .. } | HttpError::SignIn(_) | HttpError::Setup { .. } => {
            false
        }
    }
}

fn status(policy: Retry, status: u16, retry_after: bool) -> bool {
    match policy {
        Retry::Idempotent | Retry::IdempotentContent => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
        // A 503 of a gateway may follow after the request was forwarded; one with Retry-After comes from the service.
        Retry::OnlyUnprocessed => status == 429 || (status == 503 && retry_after),
        Retry::None => false,
    }
}

fn network(policy: Retry, fault: NetworkFault, connecting: bool) -> bool {
    // Certificate errors and rejections by a proxy persist.
    let passing = matches!(
        fault,
        NetworkFault::Dns
            | NetworkFault::Refused
            | NetworkFault::ProxyDown
            | NetworkFault::Timeout
            | NetworkFault::Unreachable
            | NetworkFault::Reset
    );
    match policy {
        Retry::Idempotent | Retry::IdempotentContent => passing,
        Retry::OnlyUnprocessed => passing && connecting,
        Retry::None => false,
    }
}

/// Delay after this number of failures (1 and up): doubled from the first one up to the cap, then varied by a quarter
/// in both directions. `jitter` is between 0 and 1.
fn pause(first: Duration, cap: Duration, failed: u32, jitter: f64) -> Duration {
    let doubled = first.saturating_mul(1 << failed.saturating_sub(1).min(16)).min(cap);
    doubled.mul_f64(0.75 + jitter / 2.0)
}

/// `Retry-After` on this run's clock, limited by its cap; zero if the service did not ask for one.
fn requested_pause(retry_after: Option<Duration>, timings: &Timings) -> Duration {
    // Capped first: a service may send any number, and scaling a huge one would overflow.
    let requested = retry_after.unwrap_or_default().min(Duration::from_secs(24 * 3600));
    timings.scaled(requested).min(timings.retry_after_cap)
}

/// Formats a reported delay: `0.5 s`, `2 s`.
pub(super) fn seconds(wait: Duration) -> String {
    let tenths = (wait.as_secs_f64() * 10.0).round() / 10.0;
    format!("{tenths} s")
}

/// Parses both forms of `Retry-After`: seconds, or a date relative to the response's own `Date`, otherwise to the local
/// clock.
pub(super) fn retry_after(value: &str, date: Option<&str>, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let since = date.and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
    Some(until.duration_since(since).unwrap_or_default())
}

/// Seconds until the window of a rate limit ends: `t` of `RateLimit: "api";r=0;t=55`, from the IETF draft.
pub(super) fn rate_limit(value: &str) -> Option<Duration> {
    let fields = value.split(',').next()?.split(';').map(str::trim);
    let seconds = fields.filter_map(|field| field.strip_prefix("t=")).next()?;
    seconds.parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests;
