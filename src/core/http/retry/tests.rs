use super::*;
use crate::http::{ResponseFlaw, ServiceError};

#[test]
fn the_end_of_a_rate_limit_is_read() {
    for (value, seconds) in [
        (r#""api";r=0;t=55"#, Some(55)),
        (r#""api"; r=0; t=300, "pages";t=1"#, Some(300)),
        (r#""api";r=0"#, None),
        (r#""api";t=soon"#, None),
        ("", None),
    ] {
        assert_eq!(rate_limit(value).map(|limit| limit.as_secs()), seconds, "{value}");
    }
}

const POLICIES: [Retry; 4] = [Retry::Idempotent, Retry::IdempotentContent, Retry::OnlyUnprocessed, Retry::None];

fn service(status: u16, retry_after: Option<Duration>) -> HttpError {
    HttpError::Service(Box::new(ServiceError { status, retry_after, ..ServiceError::default() }))
}

fn coded(code: &str) -> HttpError {
    let code = Some(code.to_owned());
    HttpError::Service(Box::new(ServiceError { status: 400, code, ..ServiceError::default() }))
}

fn network(fault: NetworkFault, connecting: bool) -> HttpError {
    HttpError::Network { host: "h".into(), fault, connecting, message: String::new() }
}

/// One line for each policy, with the failures that it retries.
fn retried(failures: &[(String, HttpError)]) -> String {
    let line = |policy| {
        let of_policy = failures.iter().filter(|(_, error)| is_retryable(policy, error));
        of_policy.fold(format!("{policy:?}:"), |line, (name, _)| line + " " + name) + "\n"
    };
    POLICIES.map(line).concat()
}

#[test]
fn every_status_has_its_rule() {
    let all = |retry_after| -> Vec<(String, HttpError)> {
        (100..=599).map(|status| (status.to_string(), service(status, retry_after))).collect()
    };
    assert_eq!(
        retried(&all(None)),
        "Idempotent: 408 429 500 502 503 504\n\
         IdempotentContent: 408 429 500 502 503 504\n\
         OnlyUnprocessed: 429\n\
         None:\n"
    );
    assert_eq!(
        retried(&all(Some(Duration::ZERO))),
        "Idempotent: 408 429 500 502 503 504\n\
         IdempotentContent: 408 429 500 502 503 504\n\
         OnlyUnprocessed: 429 503\n\
         None:\n"
    );
    let codes = ["Crc64Mismatch", "Md5Mismatch", "InvalidBlockList"];
    assert_eq!(
        retried(&codes.map(|code| (code.to_owned(), coded(code)))),
        "Idempotent:\nIdempotentContent: Crc64Mismatch Md5Mismatch\nOnlyUnprocessed:\nNone:\n"
    );
}

#[test]
fn every_fault_has_its_rule() {
    use NetworkFault::{Dns, Other, Proxy, ProxyDown, Refused, Reset, Timeout, Tls, Unreachable, Untrusted};
    // A new variant must be added here to compile.
    let next = |fault: &NetworkFault| match fault {
        Dns => Some(Refused),
        Refused => Some(Tls),
        Tls => Some(Untrusted),
        Untrusted => Some(Proxy { status: None }),
        Proxy { status: None } => Some(Proxy { status: Some(407) }),
        Proxy { status: Some(_) } => Some(ProxyDown),
        ProxyDown => Some(Timeout),
        Timeout => Some(Unreachable),
        Unreachable => Some(Reset),
        Reset => Some(Other),
        Other => None,
    };
    let all = |connecting| -> Vec<(String, HttpError)> {
        let faults = std::iter::successors(Some(Dns), next);
        faults.map(|fault| (format!("{fault:?}"), network(fault, connecting))).collect()
    };
    assert_eq!(
        retried(&all(true)),
        "Idempotent: Dns Refused ProxyDown Timeout Unreachable Reset\n\
         IdempotentContent: Dns Refused ProxyDown Timeout Unreachable Reset\n\
         OnlyUnprocessed: Dns Refused ProxyDown Timeout Unreachable Reset\n\
         None:\n"
    );
    assert_eq!(
        retried(&all(false)),
        "Idempotent: Dns Refused ProxyDown Timeout Unreachable Reset\n\
         IdempotentContent: Dns Refused ProxyDown Timeout Unreachable Reset\n\
         OnlyUnprocessed:\n\
         None:\n"
    );
    let host = "h".to_owned();
    let answer = HttpError::BadAnswer { host, status: 200, what: ResponseFlaw::Html, request_id: None };
    assert!(POLICIES.iter().all(|policy| !is_retryable(*policy, &answer)));
}

#[test]
fn the_delay_doubles_up_to_its_cap_with_jitter() {
    let (first, cap) = (Duration::from_millis(500), Duration::from_secs(20));
    let seconds = |failed, jitter| pause(first, cap, failed, jitter).as_secs_f64();
    assert_eq!([1, 2, 3, 4].map(|failed| seconds(failed, NO_JITTER)), [0.5, 1.0, 2.0, 4.0]);
    assert_eq!([0.0, 1.0].map(|jitter| seconds(1, jitter)), [0.375, 0.625]);
    assert_eq!([0.0, 1.0].map(|jitter| seconds(u32::MAX, jitter)), [15.0, 25.0]);
}

#[test]
fn attempts_end_at_their_limit_or_at_a_final_failure() {
    let timings = Timings::default();
    let mut backoff = Backoff::new(&timings, Retry::Idempotent).attempts(3);
    let (busy, requested) = (service(503, None), service(503, Some(Duration::from_secs(7))));
    let first = backoff.after(&busy).expect("a pause").as_secs_f64();
    assert!((0.375..=0.625).contains(&first), "{first}");
    assert_eq!((backoff.failed(), backoff.next_attempt().as_str()), (1, "2 of 3"));
    assert_eq!(backoff.after(&requested), Some(Duration::from_secs(7)));
    assert_eq!(backoff.after(&busy), None);
    assert_eq!(Backoff::new(&timings, Retry::Idempotent).after(&service(404, None)), None);
    let for_ever = service(503, Some(Duration::MAX));
    let capped = Backoff::new(&timings, Retry::Idempotent).after(&for_ever);
    assert_eq!(capped, Some(timings.retry_after_cap));
    let mut unlimited = Backoff::new(&timings, Retry::Idempotent).unlimited();
    assert!((0..100).all(|_| unlimited.after(&busy).is_some()));
    assert_eq!(unlimited.next_attempt(), "101");
}

#[test]
fn a_response_of_an_intermediary_is_retried_once() {
    let timings = Timings::default();
    let intermediary = HttpError::BadAnswer {
        host: "h".to_owned(),
        status: 200,
        what: ResponseFlaw::Intermediary(Box::default()),
        request_id: None,
    };
    let mut backoff = Backoff::new(&timings, Retry::IdempotentContent).unlimited();
    assert!(backoff.after(&intermediary).is_some());
    assert!(backoff.after(&service(503, None)).is_some());
    assert_eq!(backoff.after(&intermediary), None);
    assert_eq!(Backoff::new(&timings, Retry::None).after(&intermediary), None);
}

#[test]
fn poll_delays_double_unless_the_service_asks_for_one() {
    let timings = Timings::default();
    let mut polls = Backoff::polls(&timings);
    let mut seconds = |requested: Option<u64>| polls.poll(requested.map(Duration::from_secs)).as_secs_f64();
    assert_eq!([None, None, Some(7), Some(0), None].map(&mut seconds), [0.25, 0.5, 7.0, 0.25, 1.0]);
    assert_eq!([Some(u64::MAX), None].map(&mut seconds), [120.0, 2.0]);
    assert_eq!((0..10).map(|_| seconds(None)).last(), Some(15.0));
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

#[test]
fn retry_after_survives_mutation() {
    let seeds: [&[u8]; 4] =
        [b"120", b"Wed, 21 Oct 2026 07:28:00 GMT", b"Sunday, 06-Nov-94 08:49:37 GMT", b"99999999999999999999"];
    crate::fuzz::fuzz("retry-after", &seeds, |input| {
        let text = String::from_utf8_lossy(input);
        let wait = retry_after(&text, Some(&text), SystemTime::now()).or(retry_after(&text, None, SystemTime::now()));
        drop(wait.map(seconds));
    });
}
