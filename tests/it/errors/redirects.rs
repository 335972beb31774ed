//! Redirects, and oversized bodies.

use foundry_emulator::{Fault, FaultKind, Route};
use serde_json::json;

use super::{CREATE, Case, SHOW, reported_retries};
use crate::support::TestEnv;

#[test]
fn redirect_within_the_origin_is_followed_for_a_get() {
    let case = Case::of(Route::Get);
    let env = case.env();
    let to = "/api/projects/demo/models/my-model/versions/1?api-version=2025-11-15-preview".to_owned();
    env.emulator().add_fault(Fault::new(Route::Get, FaultKind::Redirect { to }).times(1));
    assert_eq!(env.run(&["show", "-n", "my-model", "--version", "1", "-o", "json"]).success().json()["version"], "1");
    assert_eq!(case.requests(&env), 2);
    let to = "/api/projects/demo/models/my-model/versions/1".to_owned();
    env.emulator().add_fault(Fault::new(Route::Get, FaultKind::Redirect { to }));
    let error = env.run(&[SHOW, &["-o", "json"]].concat()).fails_with(9).json_error();
    assert_eq!(error["code"], "redirect", "{error}");
    assert_eq!(case.requests(&env), 2 + 6, "the first, and five that follow");
}

#[test]
fn redirect_to_another_host_is_not_followed() {
    let elsewhere = TestEnv::new();
    let there = elsewhere.emulator().endpoint();
    let env = Case::of(Route::List).env();
    let to = format!("{there}/models");
    env.emulator().add_fault(Fault::new(Route::Any, FaultKind::Redirect { to }));
    let output = env.run(&["list"]);
    let authority = there.split('/').nth(2).expect("an authority");
    insta::assert_snapshot!(output.to_string().replace(authority, "[ELSEWHERE]"), @"
    ------- stderr -------
    ERROR: [EMULATOR] redirects the request (307): it redirects to [ELSEWHERE], which receives no token

    Suggestion: Use the project's own endpoint. Tokens are not sent to other addresses.
    [exit code: 9]
    ");
    assert!(elsewhere.emulator().requests().is_empty());
}

#[test]
fn redirect_of_a_post_is_rejected() {
    let case = Case::of(Route::StartPendingUpload);
    let env = case.env();
    env.emulator().add_fault(Fault::new(Route::StartPendingUpload, FaultKind::Redirect { to: "/elsewhere".into() }));
    insta::assert_snapshot!(env.run(case.args).abridged(), @"
    ------- stderr -------
    [WARNINGS]
    [STEP 1]
    ERROR: [EMULATOR] redirects the request (307): only GET requests are followed

    Suggestion: Use the project's own endpoint. Tokens are not sent to other addresses.
    [exit code: 9]
    ");
    assert_eq!(env.emulator().requests().len(), 1);
    let case = Case::of(Route::CreateAsync);
    let env = case.env();
    env.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::Redirect { to: "/elsewhere".into() }));
    let error = env.run(&[case.args, &["-o", "json"]].concat()).fails_with(8).json_error();
    assert_eq!((&error["kind"], &error["code"]), (&json!("registration_failed"), &json!("redirect")), "{error}");
    assert_eq!(case.requests(&env), 1);
}

#[test]
fn oversized_body_is_rejected() {
    let case = Case::of(Route::List);
    let env = case.env();
    env.emulator().add_fault(Fault::new(Route::List, FaultKind::HugeBody { bytes: (16 << 20) - 100 }));
    env.run(&["list"]).success();
    let env = case.env();
    env.emulator().add_fault(Fault::new(Route::List, FaultKind::HugeBody { bytes: 16 << 20 }));
    let output = env.run(&["list", "-o", "json"]).fails_with(9);
    let error = output.json_error();
    assert_eq!((&error["kind"], &error["code"]), (&json!("service"), &json!("bad_answer")), "{error}");
    assert!(error["message"].as_str().expect("a string").contains("larger than 16 MB"), "{error}");
    assert_eq!((output.stdout.as_str(), case.requests(&env)), ("", 1));
}

#[test]
fn proxies_are_not_used_for_this_machine() {
    let mut env = Case::of(Route::CreateAsync).env();
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        env.set(name, "http://127.0.0.1:9").set(&name.to_lowercase(), "http://127.0.0.1:9");
    }
    let output = env.run(CREATE).success();
    assert_eq!(reported_retries(&output), 0, "{output}");
}
