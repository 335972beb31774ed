//! Which failures are worth another try, and how long to wait before it. Pure.

use std::time::{Duration, SystemTime};

use super::error::{Fault, HttpError};
use crate::env::Timings;

/// Tries of one request, the first included (cli.md 12).
pub(super) const TRIES: u32 = 5;

/// What may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Sending twice does what sending once does.
    Idempotent,
    /// Only what the service surely has not seen or has not begun.
    OnlyUnprocessed,
    /// Nothing: the caller decides.
    None,
}

/// Whether a failure is worth another try under this policy.
pub(super) fn worthwhile(policy: Retry, error: &HttpError) -> bool {
    match error {
        HttpError::Service(error) => status(policy, error.status, error.retry_after.is_some()),
        HttpError::Network { fault, connecting, .. } => network(policy, *fault, *connecting),
        // The same answer would come again.
        HttpError::BadAnswer { .. } | HttpError::Redirect { .. } | HttpError::SignIn(_) | HttpError::Setup { .. } => {
            false
        }
    }
}

fn status(policy: Retry, status: u16, retry_after: bool) -> bool {
    match policy {
        Retry::Idempotent => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
        // A 503 of a gateway may come after the work was handed on; one with Retry-After is the service's own.
        Retry::OnlyUnprocessed => status == 429 || (status == 503 && retry_after),
        Retry::None => false,
    }
}

fn network(policy: Retry, fault: Fault, connecting: bool) -> bool {
    // A certificate and a proxy's refusal stay as they are.
    let passing = matches!(
        fault,
        Fault::Dns | Fault::Refused | Fault::ProxyDown | Fault::Timeout | Fault::Unreachable | Fault::Reset
    );
    match policy {
        Retry::Idempotent => passing,
        Retry::OnlyUnprocessed => passing && connecting,
        Retry::None => false,
    }
}

/// The wait after this many failed tries (1 and up): the larger of the doubling pause and `Retry-After`, each with its
/// cap. `jitter` is between 0 and 1 and spreads the pause by a quarter to both sides.
pub(super) fn pause(failed: u32, retry_after: Option<Duration>, jitter: f64, timings: &Timings) -> Duration {
    let doubled = timings.retry_first.saturating_mul(1 << failed.saturating_sub(1).min(16));
    let own = doubled.mul_f64(0.75 + jitter.clamp(0.0, 1.0) / 2.0).min(timings.retry_cap);
    own.max(asked_for(retry_after, timings))
}

/// `Retry-After` on this run's clock, under its cap; zero when the service did not ask.
pub(super) fn asked_for(retry_after: Option<Duration>, timings: &Timings) -> Duration {
    // Capped first: a service may send any number, and scaling a huge one would overflow.
    let asked = retry_after.unwrap_or_default().min(Duration::from_secs(24 * 3600));
    timings.scaled(asked).min(timings.retry_after_cap)
}

/// A wait as it is reported: `0.5 s`, `2 s`.
pub(super) fn seconds(wait: Duration) -> String {
    let tenths = (wait.as_secs_f64() * 10.0).round() / 10.0;
    format!("{tenths} s")
}

/// Reads both forms of `Retry-After`: seconds, or a date relative to the answer's own `Date`, else to our clock.
pub(super) fn retry_after(value: &str, date: Option<&str>, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let since = date.and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
    Some(until.duration_since(since).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Flaw, ServiceError};

    fn service(status: u16, retry_after: Option<Duration>) -> HttpError {
        HttpError::Service(Box::new(ServiceError { status, retry_after, ..ServiceError::default() }))
    }

    #[test]
    fn every_status_has_its_rule() {
        let retried = |policy, after: Option<Duration>| -> Vec<u16> {
            (100..=599).filter(|status| worthwhile(policy, &service(*status, after))).collect()
        };
        let after = Some(Duration::ZERO);
        assert_eq!(retried(Retry::Idempotent, None), [408, 429, 500, 502, 503, 504]);
        assert_eq!(retried(Retry::Idempotent, after), [408, 429, 500, 502, 503, 504]);
        assert_eq!(retried(Retry::OnlyUnprocessed, None), [429]);
        assert_eq!(retried(Retry::OnlyUnprocessed, after), [429, 503]);
        assert_eq!(retried(Retry::None, after), [0; 0]);
    }

    #[test]
    fn every_fault_has_its_rule() {
        use Fault::{Dns, Other, Proxy, ProxyDown, Refused, Reset, Timeout, Tls, Unreachable};
        let proxy = Proxy { status: Some(407) };
        for (fault, connecting, idempotent, unprocessed) in [
            (Dns, true, true, true),
            (Refused, true, true, true),
            (Timeout, true, true, true),
            (Timeout, false, true, false),
            (Unreachable, true, true, true),
            (Reset, true, true, true),
            (Reset, false, true, false),
            (Tls, true, false, false),
            (proxy, true, false, false),
            (ProxyDown, true, true, true),
            (Other, false, false, false),
        ] {
            let error = HttpError::Network { host: "h".into(), fault, connecting, words: String::new() };
            let found =
                [Retry::Idempotent, Retry::OnlyUnprocessed, Retry::None].map(|policy| worthwhile(policy, &error));
            assert_eq!(found, [idempotent, unprocessed, false], "{fault:?} {connecting}");
        }
        let answer = HttpError::BadAnswer { host: "h".into(), status: 200, what: Flaw::Html, request_id: None };
        assert!(!worthwhile(Retry::Idempotent, &answer));
    }

    #[test]
    fn the_pause_doubles_and_gives_way_to_the_service() {
        let timings = Timings::default();
        let seconds = |failed, after: Option<u64>, jitter| {
            pause(failed, after.map(Duration::from_secs), jitter, &timings).as_secs_f64()
        };
        assert_eq!([1, 2, 3, 4].map(|failed| seconds(failed, None, 0.5)), [0.5, 1.0, 2.0, 4.0]);
        assert_eq!([0.0, 1.0].map(|jitter| seconds(1, None, jitter)), [0.375, 0.625]);
        assert_eq!(seconds(u32::MAX, None, 1.0), 20.0);
        assert_eq!(seconds(1, Some(7), 0.5), 7.0);
        assert_eq!(seconds(4, Some(1), 0.5), 4.0);
        assert_eq!(seconds(1, Some(u64::MAX), 0.5), 120.0);
    }

    #[test]
    fn both_forms_of_retry_after_are_read() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let ours = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (value, date, seconds) in [
            ("3", None, Some(3)),
            (" 0 ", None, Some(0)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", None, Some(10)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some("Sun, 06 Nov 1994 08:49:40 GMT"), Some(7)),
            (ours, Some("Sun, 06 Nov 1994 09:00:00 GMT"), Some(0)),
            ("-1", None, None),
            ("1.5", None, None),
            ("soon", None, None),
        ] {
            assert_eq!(retry_after(value, date, now).map(|d| d.as_secs()), seconds, "{value}");
        }
    }
}
