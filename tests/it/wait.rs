//! `wait`: waits for the registration of a version, including one started elsewhere.

use std::fs;
use std::path::PathBuf;

use foundry_emulator::{Config, Fault, FaultKind, Route};
use serde_json::{Value, json};

use crate::support::{TestEnv, env_with_model, for_each_api_version};

for_each_api_version!(
    running_registration_is_awaited,
    json_is_the_model,
    registered_model_needs_one_request,
    failed_registration_is_reported_with_its_reason,
    unregistered_version_is_not_found,
    deleted_model_is_not_a_success,
    timeout_is_reported,
    missing_project_is_named,
    operation_of_create_is_polled,
    registration_of_another_upload_keeps_this_upload,
);

const WAIT: [&str; 5] = ["wait", "--name", "my-model", "--version", "1"];
/// Scales of a run that gives up on a missing model: 1.5 seconds.
const GIVES_UP_SOON: &str = "0.01/0.05";

fn env_with_running_registration(api: &str, polls_until_done: u32) -> TestEnv {
    let env = TestEnv::with_api(api, Config { visible_while_creating: true, polls_until_done, ..Config::default() });
    env.emulator().begin(&json!({"name": "my-model", "version": "1"})).expect("started");
    env
}

fn paths(env: &TestEnv) -> Vec<String> {
    env.emulator().requests().into_iter().map(|request| request.path).collect()
}

fn running_registration_is_awaited(api: &str) {
    let env = env_with_running_registration(api, 3);
    insta::assert_snapshot!("wait_page", env.run(&WAIT));
    assert_eq!(paths(&env), ["/api/projects/demo/models/my-model/versions/1"; 4]);
}

fn json_is_the_model(api: &str) {
    let env = env_with_running_registration(api, 1);
    let model = env.run(&[&WAIT[..], &["-o", "json"]].concat()).success().json();
    assert_eq!((&model["name"], &model["provisioningState"]), (&json!("my-model"), &json!("Succeeded")));
}

fn registered_model_needs_one_request(api: &str) {
    let env = TestEnv::with_api(api, Config::default());
    env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("seeded");
    drop(env.run(&WAIT).success());
    assert_eq!(paths(&env).len(), 1);
}

fn failed_registration_is_reported_with_its_reason(api: &str) {
    let env = TestEnv::with_api(api, Config::default());
    let error = json!({"code": "UnsupportedWeightFormat", "message": "The weights are not safetensors."});
    let failed = json!({"name": "my-model", "version": "1", "provisioningState": "Failed", "error": error});
    env.emulator().seed(&failed).expect("seeded");
    let output = env.run(&[&WAIT[..], &["-o", "json"]].concat()).fails_with(8);
    let error = output.json_error();
    assert_eq!(
        (&error["kind"], &error["code"]),
        (&json!("registration_failed"), &json!("UnsupportedWeightFormat")),
        "{error}"
    );
    assert_eq!(output.stdout, "");
}

fn unregistered_version_is_not_found(api: &str) {
    let mut env = TestEnv::with_api(api, Config::default());
    env.set("AZURE_AI_MODELS_TEST_TIME", GIVES_UP_SOON);
    insta::assert_snapshot!(env.run(&WAIT), @"
    ------- stderr -------
    ERROR: model 'my-model' has no version 1 in this project

    Suggestion: To see what exists: azure-ai-models custom versions --name my-model
    [exit code: 3]
    ");
    // The limit is reached before the model was missing for half a minute.
    env.run(&[&WAIT[..], &["--timeout", "5s"]].concat()).fails_with(3);
}

fn deleted_model_is_not_a_success(api: &str) {
    let mut env = env_with_running_registration(api, 1000);
    env.set("AZURE_AI_MODELS_TEST_TIME", GIVES_UP_SOON);
    env.emulator().add_fault(Fault::new(Route::Get, FaultKind::refusal(404, "ModelNotFound", "No.")).after(2));
    let output = env.run(&WAIT).fails_with(8);
    // On a busy machine a status line may come first.
    let error = output.stderr.find("ERROR: ").expect("an error");
    insta::assert_snapshot!(&output.stderr[error..], @"
    ERROR: the model no longer exists; the last state of its registration was Creating

    Suggestion: The service lost it. Run the same 'custom create' again on the machine that uploaded the files.
    ");
}

fn timeout_is_reported(api: &str) {
    let env = env_with_running_registration(api, 100_000);
    // The limit of nine seconds is scaled like a pause: enough for a first poll.
    insta::assert_snapshot!(env.run(&[&WAIT[..], &["--timeout", "15m"]].concat()), @"
    ------- stderr -------
    ERROR: the registration did not finish in time; its last state was Creating

    Suggestion: The service is still working. To wait longer:
      azure-ai-models custom wait --name my-model --version 1 --timeout 1h
    [exit code: 8]
    ");
}

fn missing_project_is_named(api: &str) {
    let mut env = TestEnv::with_api(api, Config::default());
    env.set("AZURE_AI_MODELS_TEST_TIME", GIVES_UP_SOON);
    let elsewhere = env.emulator().endpoint().replace("/demo", "/other");
    env.set("AZURE_PROJECT_ENDPOINT", &elsewhere);
    let error = env.run(&[&WAIT[..], &["-o", "json"]].concat()).fails_with(3).json_error();
    assert_eq!(error["code"], "ProjectNotFound", "{error}");
}

/// Journal of an upload, as left by a `create` that could not read the state of its registration.
fn journal(env: &TestEnv) -> PathBuf {
    env.write_model();
    env.emulator().add_fault(Fault::new(Route::Poll, FaultKind::status(400)).times(1));
    drop(env.run(&["create", "--name", "my-model", "--source", "model"]).fails_with(8));
    let uploads = env.home().join(".azd/ai-models/uploads");
    let upload = fs::read_dir(uploads).expect("uploads").next().expect("one").expect("one").path();
    upload.join("journal.json")
}

fn change_journal(path: &PathBuf, field: &str, value: &str) {
    let mut journal: Value = serde_json::from_slice(&fs::read(path).expect("a journal")).expect("JSON");
    *journal.pointer_mut(field).expect("a field") = value.into();
    fs::write(path, journal.to_string()).expect("written");
}

fn operation(env: &TestEnv) -> String {
    format!(
        "{}/models/my-model/versions/1/createAsync/operations/operation-1?api-version=v1",
        env.emulator().endpoint()
    )
}

fn operation_of_create_is_polled(api: &str) {
    let env = TestEnv::with_api(api, Config { polls_until_done: 4, ..Config::default() });
    let path = journal(&env);
    change_journal(&path, "/operation", &operation(&env));
    let before = paths(&env).len();
    drop(env.run(&WAIT).success());
    let sent = paths(&env).split_off(before);
    let polls = sent.iter().filter(|path| path.contains("/operations/")).count();
    assert_eq!((polls, sent.len()), (5, 6), "{sent:?}");
    assert!(!path.parent().expect("a directory").exists(), "nothing is left to resume");
}

/// Another program may have written the journal.
#[test]
fn operation_at_another_host_is_not_polled() {
    let other_host = TestEnv::new();
    let env = TestEnv::with(Config { visible_while_creating: true, ..Config::default() });
    let path = journal(&env);
    change_journal(&path, "/operation", &operation(&other_host));
    drop(env.run(&WAIT).success());
    assert!(other_host.emulator().requests().is_empty());
}

fn registration_of_another_upload_keeps_this_upload(api: &str) {
    let env = TestEnv::with_api(api, Config { visible_while_creating: true, ..Config::default() });
    let path = journal(&env);
    change_journal(&path, "/registration/blobUri", "https://elsewhere.example/container");
    drop(env.run(&WAIT).success());
    assert!(path.exists());
}

#[test]
fn upload_that_was_never_registered_is_named() {
    let mut env = env_with_model();
    env.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::status(403)));
    drop(env.run(&["create", "--name", "my-model", "--source", "model"]).fails_with(8));
    env.set("AZURE_AI_MODELS_TEST_TIME", GIVES_UP_SOON);
    let output = env.run(&WAIT).fails_with(3);
    assert!(output.stderr.contains("The upload is kept."), "{output}");
    assert!(env.home().join(".azd/ai-models/uploads").read_dir().expect("uploads").next().is_some());
}

#[test]
fn waiting_leaves_no_directory() {
    let env = TestEnv::new();
    env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("seeded");
    drop(env.run(&WAIT).success());
    assert!(!env.home().join(".azd").exists());
}

#[test]
fn invalid_wait_is_rejected_before_any_request() {
    let env = TestEnv::new();
    for (args, expected) in [
        (&["wait", "--name", "my-model"][..], "--version"),
        (&["wait", "--version", "1"], "--name"),
        (&["wait", "-n", "m", "--version", "1", "--timeout", "30"], "not a duration such as 90s, 30m or 1h30m"),
        (&["wait", "-n", "m", "--version", "1", "--timeout", "0s"], "not a duration such as 90s, 30m or 1h30m"),
    ] {
        let output = env.run(args).fails_with(2);
        assert!(output.stderr.contains(expected), "{output}");
    }
    // Longer than any wait.
    env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("seeded");
    drop(env.run(&[&WAIT[..], &["--timeout", "5124095576030431h"]].concat()).success());
}
