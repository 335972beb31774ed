//! Texts of a service: its errors, the URL of its operation, and the models that it returns.

use foundry_emulator::{Config, Fault, FaultKind, OperationEnd, Route};
use serde_json::json;

use super::{LEAK, env, env_with, search};
use crate::support::{CANARY, CREATE, TestEnv};

/// A service may repeat in its errors what it received, or the SAS that it issued.
#[test]
fn messages_of_a_service_are_masked() {
    let refusal = |status| FaultKind::refusal(status, "Bad", &format!("cannot read {LEAK} with Bearer CANARY5A5"));
    for (route, kind, code) in [
        (Route::StartPendingUpload, refusal(400), 1),
        (Route::StartPendingUpload, refusal(403), 4),
        (Route::StartPendingUpload, refusal(409), 5),
        (Route::StartPendingUpload, refusal(500), 9),
        (Route::StartPendingUpload, FaultKind::refusal(400, LEAK, ""), 1),
        (Route::StartPendingUpload, FaultKind::Html { status: 502 }, 9),
        (Route::StartPendingUpload, FaultKind::Truncated, 9),
        (Route::StartPendingUpload, FaultKind::Redirect { to: LEAK.to_owned() }, 9),
        (Route::CreateAsync, refusal(400), 8),
        (Route::CreateAsync, refusal(500), 8),
        (Route::CreateAsync, FaultKind::Html { status: 400 }, 8),
        (Route::CreateAsync, FaultKind::Redirect { to: LEAK.to_owned() }, 8),
        (Route::Poll, refusal(400), 8),
    ] {
        let env = env();
        env.emulator().add_fault(Fault::new(route, kind.clone()));
        search(&format!("{route:?} {kind:?}"), &env, &CREATE, code);
    }
    let operation_end = OperationEnd::Failed {
        status: "Failed".into(),
        code: "Unreadable".into(),
        message: format!("the weights at {LEAK} are no weights"),
    };
    let env = env_with(Config { operation_end, ..Config::default() });
    search("a failed operation", &env, &CREATE, 8);
}

/// The URL of an operation may contain a signature.
#[test]
fn signed_operation_url_is_not_stored() {
    let env = env_with(Config { operation_query: Some("t=CANARY5A5".into()), ..Config::default() });
    env.emulator().add_fault(Fault::new(Route::Poll, FaultKind::status(400)));
    search("a signed operation", &env, &CREATE, 8);
    let polls = |env: &TestEnv| {
        let requests = env.emulator().requests();
        let polls = requests.into_iter().filter(|sent| sent.path.contains("/operations/"));
        polls.map(|sent| sent.query.get("t").cloned()).collect::<Vec<_>>()
    };
    assert!(!polls(&env).is_empty() && polls(&env).iter().all(|t| t.as_deref() == Some(CANARY)), "{:?}", polls(&env));
    // The journal does not store the URL, so the next run reads the state from the model.
    let asked = polls(&env).len();
    env.emulator().configure(|config| config.polls_until_done = 0);
    env.run(&CREATE).success();
    assert_eq!(polls(&env).len(), asked);
}

/// Scripts receive the URL of the operation, which may contain a signature.
#[test]
fn signed_operation_url_is_not_shown() {
    let env = env_with(Config { operation_query: Some("t=CANARY5A5".into()), ..Config::default() });
    search("--no-wait", &env, &[&CREATE[..], &["--no-wait"]].concat(), 0);
}

/// A service may return a SAS as a part of the model.
#[test]
fn sas_in_a_model_is_masked() {
    let env = env();
    let uri = format!("https://a.blob.core.windows.net/c?sv=1&sig={CANARY}&secret={CANARY}");
    env.emulator()
        .seed(&json!({
            "name": "my-model", "version": "7", "blobUri": uri, "description": format!("from {uri} today"),
            "tags": {"from": uri}, "warnings": [{"code": "W", "message": uri}],
            "unknown": {"sasUri": uri, "kept": "see https://h/p?page=2"},
        }))
        .expect("seeded");
    for args in [
        &["list"][..],
        &["versions", "--name", "my-model"],
        &["show", "--name", "my-model"],
        &["show", "--name", "my-model", "--version", "7"],
    ] {
        search(&args.join(" "), &env, args, 0);
    }
    let model = env.run(&["show", "--name", "my-model", "-o", "json"]).success().json();
    assert_eq!(model["blobUri"], "https://a.blob.core.windows.net/c?***");
    assert_eq!(model["unknown"]["kept"], "see https://h/p?page=2", "values that are not secret are unchanged");
}

/// The entire query of a weights URL is secret, not only parameters that look like a signature.
#[test]
fn weights_url_is_shown_without_its_query() {
    let env = env();
    let uri = format!("https://a.blob.core.windows.net/c?sv=1&t={CANARY}");
    env.emulator()
        .seed(&json!({
            "name": "my-model", "version": "7", "blobUri": uri,
            "from": {"blobUri": uri}, "parts": [{"blobUri": uri}],
        }))
        .expect("seeded");
    for args in [
        &["list"][..],
        &["versions", "--name", "my-model"],
        &["show", "--name", "my-model"],
        &["show", "--name", "my-model", "--version", "7"],
        &["update", "--name", "my-model", "--version", "7", "--description", "d"],
        &["wait", "--name", "my-model", "--version", "7"],
    ] {
        search(&args.join(" "), &env, args, 0);
    }
    let model = env.run(&["show", "--name", "my-model", "-o", "json"]).success().json();
    let masked = "https://a.blob.core.windows.net/c?***";
    assert_eq!(model["blobUri"], masked);
    assert_eq!((&model["from"], &model["parts"][0]), (&json!({"blobUri": masked}), &json!({"blobUri": masked})));
}
