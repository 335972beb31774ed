//! Registrations with an operation that cannot be read or never ends: the state of the model decides.

use foundry_emulator::{Config, Emulator, Fault, FaultKind, Route};
use serde_json::{Value, json};

use crate::support::{CREATE, Running, TestEnv, env_with as env, eventually};

const WAIT: [&str; 6] = ["custom", "wait", "--name", "my-model", "--version", "1"];

/// Service whose operation never ends.
fn env_with_endless_operation() -> TestEnv {
    env(Config { polls_until_done: u32::MAX, ..Config::default() })
}

/// The requested model, as the service returns it.
fn requested_model(emulator: &Emulator, state: Option<&str>) -> Option<Value> {
    let requests = emulator.requests();
    let asked = requests.iter().find(|request| request.path.ends_with("/createAsync"))?;
    let mut model = asked.body.clone();
    model["name"] = json!("my-model");
    model["version"] = json!("1");
    if let Some(state) = state {
        model["provisioningState"] = json!(state);
    }
    Some(model)
}

/// Adds the model once its registration was requested.
fn register(env: &TestEnv) {
    eventually("a registration", || requested_model(env.emulator(), None).is_some());
    let model = requested_model(env.emulator(), Some("Succeeded")).expect("a registration");
    env.emulator().seed(&model).expect("seeded");
}

#[test]
fn model_is_polled_if_the_operation_is_unreadable() {
    for kind in [FaultKind::status(401), FaultKind::status(403), FaultKind::status(500), FaultKind::Reset] {
        let env = env(Config { polls_until_done: 0, ..Config::default() });
        env.emulator().add_fault(Fault::new(Route::Poll, kind.clone()));
        let running = Running::start(&env, &[&CREATE[..], &["--timeout", "1h"]].concat());
        register(&env);
        running.finish(&env).success();
    }
}

#[test]
fn failed_registration_is_read_from_the_model() {
    let env = env_with_endless_operation();
    env.emulator().add_fault(Fault::new(Route::Poll, FaultKind::status(403)));
    let running = Running::start(&env, &CREATE);
    eventually("a registration", || requested_model(env.emulator(), None).is_some());
    let mut model = requested_model(env.emulator(), Some("Failed")).expect("a registration");
    model["error"] = json!({"code": "UnsupportedWeightFormat", "message": "No."});
    env.emulator().seed(&model).expect("seeded");
    let output = running.finish(&env).fails_with(8);
    assert!(output.stderr.contains("the registration failed: No. (UnsupportedWeightFormat)"), "{output}");
}

/// The last request before the limit reads the model.
#[test]
fn model_that_exists_at_the_limit_is_a_success() {
    let env = env_with_endless_operation();
    let running = Running::start(&env, &[&CREATE[..], &["--timeout", "2m"]].concat());
    register(&env);
    running.finish(&env).success();
}

#[test]
fn next_run_polls_the_model_and_not_the_operation() {
    let env = env_with_endless_operation();
    drop(env.run(&[&CREATE[..], &["--timeout", "10s"]].concat()).fails_with(8));
    register(&env);
    let polls = || env.emulator().requests().iter().filter(|request| request.path.contains("/operations/")).count();
    let before = polls();
    env.run(&CREATE).success();
    assert!(polls() - before <= 1, "the operation was polled {} times", polls() - before);
}

#[test]
fn wait_polls_the_model_if_the_operation_is_unreadable() {
    let env = env_with_endless_operation();
    drop(env.run(&[&CREATE[..], &["--timeout", "10s"]].concat()).fails_with(8));
    env.emulator().add_fault(Fault::new(Route::Poll, FaultKind::status(403)));
    register(&env);
    env.run(&WAIT).success();
}

#[test]
fn wait_succeeds_if_the_operation_never_ends() {
    let env = env_with_endless_operation();
    drop(env.run(&[&CREATE[..], &["--timeout", "10s"]].concat()).fails_with(8));
    register(&env);
    env.run(&[&WAIT[..], &["--timeout", "2m"]].concat()).success();
}

/// A GET may lag behind, and respond with any code.
#[test]
fn wait_tolerates_any_404() {
    let env = env(Config::default());
    env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("seeded");
    env.emulator().add_fault(Fault::new(Route::Get, FaultKind::status(404)).times(3));
    env.run(&WAIT).success();
}

/// When the wait reaches its limit, the error suggests how to wait longer.
#[test]
fn timeout_names_the_command_that_waits() {
    let env = env_with_endless_operation();
    let output = env.run(&[&CREATE[..], &["--timeout", "10s"]].concat()).fails_with(8);
    assert!(output.stderr.contains("azure-ai-models custom wait --name my-model --version 1"), "{output}");
}

/// Not every service returns a state with the model; the operation always has one.
#[test]
fn page_of_create_shows_the_state_of_the_operation() {
    let env = env(Config { registers_as: Some(json!({ "provisioningState": null })), ..Config::default() });
    let output = env.run(&CREATE).success();
    assert!(output.stdout.contains("  State:        Succeeded\n"), "{output}");
}
