//! Faults that pass: reported, repeated, and the command goes on.

use foundry_emulator::{Fault, FaultKind, RetryAfter, Route};

use super::{Case, IN_VAIN_AT_FIRST, faults, retries_said};

/// Faults that pass.
fn passing() -> Vec<(&'static str, FaultKind)> {
    let passing = ["429 in 7 s", "500", "503", "reset", "stall", "truncated", "HTML 502"];
    faults().into_iter().filter(|(name, _)| passing.contains(name)).collect()
}

#[test]
fn a_transient_fault_is_reported_once_and_the_command_succeeds() {
    let run = |case: &Case, name: &str, fault: &FaultKind| {
        for times in [1, 2] {
            let env = case.env_with(Fault::new(case.route, fault.clone()).times(times), IN_VAIN_AT_FIRST);
            let output = env.run(case.args).success();
            assert_eq!(retries_said(&output), 1, "{:?}, {name} {times} times: {output}", case.route);
            assert!(output.stderr.contains("(2 of 5)"), "{output}");
            assert_eq!(case.requests(&env), times as usize + 1, "{:?}, {name}", case.route);
        }
    };
    let routes =
        [Route::List, Route::Versions, Route::Get, Route::StartPendingUpload, Route::Put, Route::Patch, Route::Delete];
    let cases = routes.map(Case::of);
    for (name, fault) in passing() {
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
fn a_retry_in_words() {
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

/// An operation continues whether it can be polled or not.
#[test]
fn a_failed_poll_is_repeated() {
    let case = Case::of(Route::Poll);
    std::thread::scope(|scope| {
        for (name, fault) in passing() {
            let case = &case;
            scope.spawn(move || {
                let env = case.env_with(Fault::new(Route::Poll, fault).times(2), IN_VAIN_AT_FIRST);
                let output = env.run(case.args).success();
                assert_eq!(retries_said(&output), 0, "{name}: {output}");
                assert!(case.requests(&env) >= 3, "{name}");
            });
        }
    });
}

/// The emulator's token is always the same, so that the number of requests decides.
#[test]
fn a_refused_token_is_fetched_again_once() {
    let case = Case::of(Route::List);
    let env = case.env();
    env.emulator().add_fault(Fault::new(Route::List, FaultKind::status(401)).times(1));
    let output = env.run(&["list"]).success();
    assert_eq!((output.stderr.as_str(), case.requests(&env)), ("", 2));
}
