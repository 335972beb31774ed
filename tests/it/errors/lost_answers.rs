//! Requests whose response was lost.

use foundry_emulator::{Config, Fault, FaultKind, Route};

use super::{CREATE, Case, DELETE, OVERWRITE, WAITS_IN_VAIN_ONCE};
use crate::support::{TestEnv, env_with};

/// The service responds with 200 for a deleted version, so a deletion is retried, and its second response is accepted.
#[test]
fn deletion_with_a_lost_response_succeeds() {
    for args in [DELETE, OVERWRITE] {
        let case = Case { args, ..Case::of(Route::Delete) };
        for fault in [FaultKind::Reset, FaultKind::status(503), FaultKind::Truncated] {
            let env = case.env();
            env.emulator().add_fault(Fault::new(Route::Delete, fault.clone()).times(1).processed());
            let output = env.run(args).success();
            assert_eq!(case.requests(&env), 2, "{fault:?}: {output}");
        }
    }
}

/// Method and last path segment of each request after the upload.
fn registration(env: &TestEnv) -> Vec<String> {
    let requests = env.emulator().requests();
    let after = requests.iter().skip_while(|request| !request.path.ends_with("/createAsync"));
    after
        .filter(|request| !request.path.contains("/operations/"))
        .map(|request| format!("{} {}", request.method, request.path.rsplit('/').next().unwrap_or_default()))
        .collect()
}

#[test]
fn registration_with_a_lost_response_is_found_and_not_sent_again() {
    for fault in [FaultKind::Reset, FaultKind::Stall, FaultKind::status(500), FaultKind::Html { status: 200 }] {
        let mut env = env_with(Config { visible_while_creating: true, ..Config::default() });
        if fault == FaultKind::Stall {
            env.set("AZURE_AI_MODELS_TEST_TIME", WAITS_IN_VAIN_ONCE);
        }
        env.emulator().add_fault(Fault::new(Route::CreateAsync, fault.clone()).times(1).processed());
        env.run(CREATE).success();
        let sent = registration(&env);
        assert_eq!(sent.iter().filter(|sent| *sent == "POST createAsync").count(), 1, "{fault:?}: {sent:?}");
        assert_eq!(sent[1], "GET 1", "{fault:?}");
    }
}

/// While the operation runs, the service may not show the version yet: the second POST conflicts with the first.
#[test]
fn registration_with_a_lost_response_that_is_not_visible_yet_succeeds() {
    let case = Case::of(Route::CreateAsync);
    let env = case.env();
    env.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::Reset).times(1).processed());
    env.run(CREATE).success();
    assert_eq!(case.requests(&env), 2);
}

#[test]
fn registration_that_never_arrived_is_sent_again_after_a_get() {
    let case = Case::of(Route::CreateAsync);
    let env = case.env();
    env.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::Reset).times(1));
    env.run(CREATE).success();
    assert_eq!(registration(&env)[..3], ["POST createAsync", "GET 1", "POST createAsync"]);
}

/// The response to the retry may be that the version exists.
#[test]
fn put_with_a_lost_response_is_found() {
    for fault in [FaultKind::Reset, FaultKind::status(503)] {
        let case = Case::of(Route::Put);
        let env = case.env();
        env.emulator().add_fault(Fault::new(Route::Put, fault).times(1).processed());
        env.emulator().add_fault(Fault::new(Route::Put, FaultKind::refusal(409, "ModelVersionConflict", "It exists.")));
        env.run(CREATE).success();
        assert_eq!(case.requests(&env), 2);
    }
}
