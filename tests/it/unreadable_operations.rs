//! Registrations with an operation that cannot be read or never ends: the model itself decides.

use foundry_emulator::{Config, Emulator, Fault, FaultKind, Route};
use serde_json::{Value, json};

use crate::support::{CREATE, Running, TestEnv, env_with as env, eventually};

const WAIT: [&str; 6] = ["custom", "wait", "--name", "my-model", "--version", "1"];

/// Service whose operation never ends.
fn endless() -> TestEnv {
    env(Config { polls_until_done: u32::MAX, ..Config::default() })
}

/// The model that was asked for, as the service would show it.
fn asked_for(emulator: &Emulator, state: Option<&str>) -> Option<Value> {
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

/// Lets the model be there once its registration was asked for.
fn register(env: &TestEnv) {
    eventually("a registration", || asked_for(env.emulator(), None).is_some());
    let model = asked_for(env.emulator(), Some("Succeeded")).expect("a registration");
    env.emulator().seed(&model).expect("seeded");
}

#[test]
fn an_operation_that_cannot_be_read_gives_way_to_the_model() {
    for kind in [FaultKind::status(401), FaultKind::status(403), FaultKind::status(500), FaultKind::Reset] {
        let env = env(Config { polls_until_done: 0, ..Config::default() });
        env.emulator().add_fault(Fault::new(Route::Poll, kind.clone()));
        let running = Running::start(&env, &[&CREATE[..], &["--timeout", "1h"]].concat());
        register(&env);
        running.finish(&env).success();
    }
}

#[test]
fn a_registration_that_was_refused_is_seen_on_the_model_too() {
    let env = endless();
    env.emulator().add_fault(Fault::new(Route::Poll, FaultKind::status(403)));
    let running = Running::start(&env, &CREATE);
    eventually("a registration", || asked_for(env.emulator(), None).is_some());
    let mut model = asked_for(env.emulator(), Some("Failed")).expect("a registration");
    model["error"] = json!({"code": "UnsupportedWeightFormat", "message": "No."});
    env.emulator().seed(&model).expect("seeded");
    let output = running.finish(&env).fails_with(8);
    assert!(output.stderr.contains("the registration failed: No. (UnsupportedWeightFormat)"), "{output}");
}

/// The last look before the time ends is at the model.
#[test]
fn a_model_that_is_there_at_the_end_of_the_time_is_success() {
    let env = endless();
    let running = Running::start(&env, &[&CREATE[..], &["--timeout", "2m"]].concat());
    register(&env);
    running.finish(&env).success();
}

#[test]
fn the_next_run_asks_the_model_and_not_the_operation() {
    let env = endless();
    drop(env.run(&[&CREATE[..], &["--timeout", "10s"]].concat()).fails_with(8));
    register(&env);
    let polls = || env.emulator().requests().iter().filter(|request| request.path.contains("/operations/")).count();
    let before = polls();
    env.run(&CREATE).success();
    assert!(polls() - before <= 1, "the operation was asked {} times", polls() - before);
}

#[test]
fn wait_polls_the_model_if_the_operation_is_unreadable() {
    let env = endless();
    drop(env.run(&[&CREATE[..], &["--timeout", "10s"]].concat()).fails_with(8));
    env.emulator().add_fault(Fault::new(Route::Poll, FaultKind::status(403)));
    register(&env);
    env.run(&WAIT).success();
}

#[test]
fn wait_ends_well_where_the_operation_never_does() {
    let env = endless();
    drop(env.run(&[&CREATE[..], &["--timeout", "10s"]].concat()).fails_with(8));
    register(&env);
    env.run(&[&WAIT[..], &["--timeout", "2m"]].concat()).success();
}

/// A GET may lag behind, with any code.
#[test]
fn wait_is_patient_with_any_404() {
    let env = env(Config::default());
    env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("seeded");
    env.emulator().add_fault(Fault::new(Route::Get, FaultKind::status(404)).times(3));
    env.run(&WAIT).success();
}

/// A timeout of the wait suggests how to wait longer.
#[test]
fn a_timeout_names_the_command_that_waits() {
    let env = endless();
    let output = env.run(&[&CREATE[..], &["--timeout", "10s"]].concat()).fails_with(8);
    assert!(output.stderr.contains("azure-ai-models custom wait --name my-model --version 1"), "{output}");
}

/// Services differ in whether a model has a state; the operation always has one.
#[test]
fn the_page_of_create_shows_the_state_of_the_operation() {
    let env = env(Config { registers_as: Some(json!({ "provisioningState": null })), ..Config::default() });
    let output = env.run(&CREATE).success();
    assert!(output.stdout.contains("  State:        Succeeded\n"), "{output}");
}
