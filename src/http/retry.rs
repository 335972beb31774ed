//! Which failures are worth another try, and how long to wait for it (cli.md 12). Pure.

use std::time::{Duration, SystemTime};

use crate::env::Timings;

use super::error::{HttpError, NetworkFault};

/// Tries in all.
pub(super) const TRIES: u32 = 5;

/// When a request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Sending it twice is the same as sending it once.
    Idempotent,
    /// Only when the service surely did not process it: a refused connection, 429, 503 with `Retry-After`.
    Unprocessed,
    /// Never.
    None,
}

/// True when the failure is worth another try under this rule.
pub(super) fn is_worth_it(rule: Retry, error: &HttpError) -> bool {
    match (rule, error) {
        (Retry::None, _) => false,
        (Retry::Idempotent, HttpError::Service(error)) => is_transient(error.status),
        (Retry::Idempotent, HttpError::Network { fault, .. }) => fault_may_pass(fault),
        (Retry::Idempotent, HttpError::Truncated { .. }) => true,
        (Retry::Unprocessed, HttpError::Service(error)) => {
            error.status == 429 || (error.status == 503 && error.retry_after.is_some())
        }
        (Retry::Unprocessed, HttpError::Network { fault, .. }) => *fault == NetworkFault::Refused,
        _ => false,
    }
}

/// Statuses after which the same request may succeed.
#[must_use]
pub(super) fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// A wrong certificate stays wrong, and a proxy that says no goes on saying no.
fn fault_may_pass(fault: &NetworkFault) -> bool {
    match fault {
        NetworkFault::Dns
        | NetworkFault::Refused
        | NetworkFault::Timeout
        | NetworkFault::Reset
        | NetworkFault::Other => true,
        NetworkFault::Tls | NetworkFault::Proxy => false,
    }
}

/// How long to wait before try number `next` (2 and up): the larger of our own pause, which doubles and has up to a
/// quarter of jitter, and what the service asked for.
pub(super) fn pause(timings: &Timings, next: u32, jitter: f64, retry_after: Option<Duration>) -> Duration {
    let doubled = timings.retry_first.saturating_mul(1 << next.saturating_sub(2).min(16));
    let own = doubled.min(timings.retry_cap).mul_f64(1.0 - jitter / 4.0);
    let asked = retry_after.map(|asked| timings.scaled(asked).min(timings.retry_after_cap));
    own.max(asked.unwrap_or_default())
}

/// `Retry-After`: seconds, or an HTTP date.
pub(super) fn retry_after(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(header).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::ServiceError;

    fn service(status: u16, retry_after: Option<u64>) -> HttpError {
        let retry_after = retry_after.map(Duration::from_secs);
        HttpError::Service(Box::new(ServiceError { status, retry_after, ..ServiceError::default() }))
    }

    #[test]
    fn every_status_has_its_rule() {
        let worth = |rule: Retry, after: Option<u64>| -> Vec<u16> {
            (100..=599).filter(|status| is_worth_it(rule, &service(*status, after))).collect()
        };
        assert_eq!(worth(Retry::Idempotent, None), [408, 429, 500, 502, 503, 504]);
        assert_eq!(worth(Retry::Unprocessed, None), [429]);
        assert_eq!(worth(Retry::Unprocessed, Some(1)), [429, 503]);
        assert!(worth(Retry::None, Some(1)).is_empty());
    }

    #[test]
    fn a_request_that_may_have_been_processed_is_not_repeated() {
        let network = |fault| HttpError::Network { host: "h".into(), fault, words: String::new() };
        for (fault, idempotent, unprocessed) in [
            (NetworkFault::Refused, true, true),
            (NetworkFault::Reset, true, false),
            (NetworkFault::Timeout, true, false),
            (NetworkFault::Dns, true, false),
            (NetworkFault::Tls, false, false),
            (NetworkFault::Proxy, false, false),
        ] {
            assert_eq!(is_worth_it(Retry::Idempotent, &network(fault)), idempotent, "{fault:?}");
            assert_eq!(is_worth_it(Retry::Unprocessed, &network(fault)), unprocessed, "{fault:?}");
        }
    }

    #[test]
    fn pauses_double_up_to_a_cap_and_obey_the_service() {
        let timings = Timings::default();
        let seconds = |next, jitter, asked: Option<u64>| {
            pause(&timings, next, jitter, asked.map(Duration::from_secs)).as_secs_f64()
        };
        assert_eq!([2, 3, 4, 5].map(|next| seconds(next, 0.0, None)), [0.5, 1.0, 2.0, 4.0]);
        assert_eq!(seconds(12, 0.0, None), 20.0);
        assert_eq!(seconds(2, 1.0, None), 0.375);
        assert_eq!(seconds(2, 0.0, Some(7)), 7.0);
        assert_eq!(seconds(5, 0.0, Some(1)), 4.0);
        assert_eq!(seconds(2, 0.0, Some(9999)), 120.0);
    }

    #[test]
    fn both_forms_of_retry_after_are_read() {
        let now = httpdate::parse_http_date("Wed, 25 Nov 2026 10:00:00 GMT").expect("a date");
        assert_eq!(retry_after("7", now), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Wed, 25 Nov 2026 10:00:09 GMT", now), Some(Duration::from_secs(9)));
        assert_eq!(retry_after("Wed, 25 Nov 2026 09:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
    }
}
