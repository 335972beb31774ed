//! Transient faults: reported, retried, and the command continues.

use foundry_emulator::{Fault, FaultKind, RetryAfter, Route};

use super::{Case, WAITS_IN_VAIN_ONCE, faults, reported_retries};

/// Transient faults.
fn transient_faults() -> Vec<(&'static str, FaultKind)> {
    let transient_faults = ["429 in 7 s", "500", "503", "reset", "stall", "truncated", "HTML 502"];
    faults().into_iter().filter(|(name, _)| transient_faults.contains(name)).collect()
}

#[test]
fn transient_fault_is_reported_once_and_the_command_succeeds() {
    let run = |case: &Case, name: &str, fault: &FaultKind| {
        for times in [1, 2] {
            let env = case.env_with(Fault::new(case.route, fault.clone()).times(times), WAITS_IN_VAIN_ONCE);
            let output = env.run(case.args).success();
            assert_eq!(reported_retries(&output), 1, "{:?}, {name} {times} times: {output}", case.route);
            assert!(output.stderr.contains("(2 of 5)"), "{output}");
            assert_eq!(case.requests(&env), times as usize + 1, "{:?}, {name}", case.route);
        }
    };
    let routes =
        [Route::List, Route::Versions, Route::Get, Route::StartPendingUpload, Route::Put, Route::Patch, Route::Delete];
    let cases = routes.map(Case::of);
    for (name, fault) in transient_faults() {
        std::thread::scope(|scope| {
            for case in &cases {
                scope.spawn(|| run(case, name, &fault));
            }
        });
    }
}

#[test]
fn quiet_does_not_report_retries() {
    let case = Case::of(Route::List);
    let env = case.env();
    env.emulator().add_fault(Fault::new(Route::List, FaultKind::status(503)).times(2));
    let output = env.run(&["list", "-q"]).success();
    assert_eq!((output.stderr.as_str(), case.requests(&env)), ("", 3));
}

#[test]
fn retry_message_names_status_delay_and_attempt() {
    let env = Case::of(Route::List).env();
    env.emulator().add_fault(Fault::new(Route::List, FaultKind::retry_later(429, RetryAfter::Seconds(100))).times(1));
    insta::assert_snapshot!(env.run(&["list"]), @"
    NAME      VERSION  WEIGHT TYPE  CREATED               CREATED BY
    my-model  1        FullWeight   2026-02-14T10:30:00Z  emulator

    1 custom model(s) found
    ------- stderr -------
    Foundry is busy (429 Too Many Requests); retrying in 1 s (2 of 5)
    ");
}

/// An operation continues on the service even if a poll fails.
#[test]
fn failed_poll_is_retried() {
    let case = Case::of(Route::Poll);
    std::thread::scope(|scope| {
        for (name, fault) in transient_faults() {
            let case = &case;
            scope.spawn(move || {
                let env = case.env_with(Fault::new(Route::Poll, fault).times(2), WAITS_IN_VAIN_ONCE);
                let output = env.run(case.args).success();
                assert_eq!(reported_retries(&output), 0, "{name}: {output}");
                assert!(case.requests(&env) >= 3, "{name}");
            });
        }
    });
}

/// The emulator's token is always the same, so the test counts requests.
#[test]
fn rejected_token_is_renewed_once() {
    let case = Case::of(Route::List);
    let env = case.env();
    env.emulator().add_fault(Fault::new(Route::List, FaultKind::status(401)).times(1));
    let output = env.run(&["list"]).success();
    assert_eq!((output.stderr.as_str(), case.requests(&env)), ("", 2));
}
