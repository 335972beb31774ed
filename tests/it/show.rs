//! `versions`, `show`: one model.

use foundry_emulator::{Config, Fault, FaultKind, Route};
use serde_json::json;

use crate::support::{TestEnv, env_with_models, for_each_api_version};

for_each_api_version!(
    versions_are_listed_newest_first,
    show_prints_all_properties_of_the_latest_version,
    json_keeps_unknown_properties,
    missing_models_are_not_found,
    closed_stdout_is_not_a_failure,
    full_disk_is_reported,
    unusual_names_of_the_service_are_accepted,
    busy_service_is_retried_and_reported_once,
);

fn versions_are_listed_newest_first(api: &str) {
    let env = env_with_models(api);
    let versions = env.run(&["versions", "--name", "my-model", "-o", "json"]).success().json();
    let order: Vec<&str> = versions.as_array().expect("a list").iter().filter_map(|v| v["version"].as_str()).collect();
    assert_eq!(order, ["10", "9", "1"]);
}

fn show_prints_all_properties_of_the_latest_version(api: &str) {
    let env = env_with_models(api);
    insta::assert_snapshot!(env.run(&["custom", "show", "--name", "my-model"]), @r"
    Custom Model: my-model
    ──────────────────────────────────────────────────

    General:
      Name:         my-model
      Version:      10
      Description:  My fine-tuned model
      Weight type:  FullWeight
      State:        Succeeded

    System Data:
      Created:        2026-02-14T10:30:00Z
      Created By:     emulator
      Last Modified:  2026-02-14T10:30:00Z

    Storage:
      Blob URI:  https://storage.blob.core.windows.net/container

    Source:
      Type:  LocalUpload

    Artifact Profile:
      Category:  DataOnly

    Tags:
      area:  a
      team:  b
    ──────────────────────────────────────────────────

    To deploy this model:
      azure-ai-models custom deployments create --name my-model --model my-model --model-version 10
    ");
}

fn json_keeps_unknown_properties(api: &str) {
    let env = env_with_models(api);
    let model = env.run(&["show", "-n", "my-model", "--version", "9", "-o", "json"]).success().json();
    assert_eq!(model["version"], "9");
    assert!(model.as_object().expect("an object").keys().any(|key| key.starts_with("xEmulator")), "{model}");
}

fn missing_models_are_not_found(api: &str) {
    let env = env_with_models(api);
    insta::assert_snapshot!(env.run(&["show", "--name", "nobody"]), @"
    ------- stderr -------
    ERROR: model 'nobody' not found in this project

    Suggestion: To see what exists: azure-ai-models custom list

    Request id: [UUID], [TIME]
    [exit code: 3]
    ");
    insta::assert_snapshot!(env.run(&["show", "--name", "my-model", "--version", "7"]), @"
    ------- stderr -------
    ERROR: model 'my-model' has no version 7 in this project

    Suggestion: To see what exists: azure-ai-models custom versions --name my-model

    Request id: [UUID], [TIME]
    [exit code: 3]
    ");
    insta::assert_snapshot!(env.run(&["versions", "--name", "nobody", "-o", "json"]), @r#"
    ------- stderr -------
    {"error":{"kind":"not_found","code":"ModelNotFound","message":"model 'nobody' not found in this project","status":404,"requestId":"[UUID]","suggestion":"To see what exists: azure-ai-models custom list"}}
    [exit code: 3]
    "#);
}

fn closed_stdout_is_not_a_failure(api: &str) {
    let env = env_with_models(api);
    let mut command = env.command(&["list"]);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    command.stdout(writer);
    let child = command.stderr(std::process::Stdio::piped()).spawn().expect("started");
    let output = env.output(&crate::support::wait(child));
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
}

fn full_disk_is_reported(api: &str) {
    let env = env_with_models(api);
    let mut command = env.command(&["list"]);
    command.stdout(std::fs::File::options().write(true).open("/dev/full").expect("the full device"));
    let child = command.stderr(std::process::Stdio::piped()).spawn().expect("started");
    let output = env.output(&crate::support::wait(child)).fails_with(1);
    assert!(output.stderr.starts_with("ERROR: cannot write the result"), "{output}");
}

/// Names that this program would reject may exist on the service.
fn unusual_names_of_the_service_are_accepted(api: &str) {
    let env = TestEnv::with_api(api, Config::default());
    env.emulator().seed(&json!({"name": "odd name.v1_x", "version": "1.0-beta"})).expect("seeded");
    let model = env.run(&["show", "-n", "odd name.v1_x", "-o", "json"]).success().json();
    assert_eq!(model["version"], "1.0-beta");
}

fn busy_service_is_retried_and_reported_once(api: &str) {
    let env = env_with_models(api);
    env.emulator().add_fault(Fault::new(Route::List, FaultKind::status(503)).times(3));
    let output = env.run(&["list"]).success();
    assert_eq!(output.stderr.matches("retrying").count(), 1, "{output}");
    assert!(output.stdout.contains("2 custom model(s) found"), "{output}");
}
