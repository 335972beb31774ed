//! Models of the catalogue: output and requests of `base list` and `base show`.

use foundry_emulator::{Arm, Config, Fault, FaultKind, Route, recorded_size};
use serde_json::{Value, json};

use crate::support::{Output, TestEnv};

const ACCOUNT_MODELS: &str = "/accounts/emulator/models";

fn env() -> TestEnv {
    with(Config::default())
}

/// Environment that uses the emulator as Azure Resource Manager.
pub(crate) fn with(config: Config) -> TestEnv {
    let mut env = TestEnv::with(config);
    let origin = env.emulator().origin();
    env.set("AZURE_AI_MODELS_ARM_ENDPOINT", &origin);
    env
}

fn list(env: &TestEnv, more: &[&str]) -> Output {
    env.run(&[&["base", "list"], more].concat())
}

/// Name and version of each row.
fn rows(env: &TestEnv, more: &[&str]) -> Vec<String> {
    let output = list(env, &[more, &["-o", "json"]].concat()).success();
    let models: Vec<Value> = serde_json::from_str(&output.stdout).expect("a list");
    let of = |model: &Value| {
        format!("{} {}", model["name"].as_str().unwrap_or_default(), model["version"].as_str().unwrap_or_default())
    };
    models.iter().map(of).collect()
}

fn paths(env: &TestEnv) -> Vec<String> {
    env.emulator().requests().into_iter().map(|request| request.path).collect()
}

#[test]
fn table_has_a_row_for_each_version_that_can_be_deployed() {
    let env = env();
    env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("a model");
    insta::assert_snapshot!(list(&env, &[]).success());
}

#[test]
fn quiet_names_each_model_once() {
    let output = list(&env(), &["-q", "--all"]).success();
    assert_eq!(output.stdout, "gpt-4.1\ngpt-4.1-mini\ngpt-35-turbo\nPhi-4\ntext-embedding-3-large\nFW-Qwen3-14B\n");
    assert_eq!(output.stderr, "");
}

#[test]
fn unknown_lifecycle_state_lists_the_known_ones() {
    insta::assert_snapshot!(list(&env(), &["--lifecycle", "bogus"]), @r"
    ------- stderr -------
    ERROR: no model has the lifecycle state 'bogus'

    Suggestion: Use one of: Deprecated, Deprecating, GenerallyAvailable, Preview, Stable.
    [exit code: 2]
    ");
}

#[test]
fn json_is_the_service_response_without_custom_models() {
    let env = env();
    env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("a model");
    let output = list(&env, &["--all", "-o", "json"]).success();
    let listed: Value = serde_json::from_str(&output.stdout).expect("a list");
    let sent = Value::from(Arm::default().models).to_string().replace("10000000-0000-0000-0000-000000000001", "[UUID]");
    assert_eq!(listed.to_string(), sent);
}

#[test]
fn filters_ignore_case_and_the_name_is_a_glob() {
    let env = env();
    for (filter, found) in [
        (&["--publisher", "microsoft"][..], &["Phi-4 7"][..]),
        (&["--publisher", "OpenAI", "--name", "*MINI"], &["gpt-4.1-mini 2025-04-14"]),
        (&["--format", "fireworks"], &["FW-Qwen3-14B 1"]),
        (&["--sku", "standard"], &["gpt-4.1 2025-04-14"]),
        (&["--capability", "embeddings"], &["text-embedding-3-large 1"]),
        (&["--lifecycle", "preview"], &["text-embedding-3-large 1"]),
        (&["--lifecycle", "Deprecating"], &["gpt-4.1 2025-01-01"]),
        (&["--name", "none"], &[]),
    ] {
        assert_eq!(rows(&env, filter), found, "{filter:?}");
    }
}

#[test]
fn region_list_has_each_model_once_without_wrappers() {
    let env = env();
    let listed = rows(&env, &["--location", "swedencentral"]);
    assert_eq!(listed.iter().filter(|row| *row == "Phi-4 7").count(), 1, "{listed:?}");
    let last = paths(&env).pop().expect("a request");
    assert!(last.ends_with("/locations/swedencentral/models"), "{last}");
    list(&env, &["--location", "atlantis"]).fails_with(1);
}

#[test]
fn region_list_is_used_without_access_to_the_account_list() {
    let env = env();
    let denied = || Fault::new(Route::ArmModels, FaultKind::refusal(403, "AuthorizationFailed", "no role"));
    env.emulator().add_fault(denied().times(1));
    let output = list(&env, &["--name", "Phi-4"]).success();
    assert!(output.stdout.starts_with("NAME") && output.stderr.contains("using those of its region"), "{output}");
    let asked = paths(&env);
    let asked: Vec<&str> = asked.iter().filter_map(|path| path.split("CognitiveServices").nth(1)).collect();
    assert_eq!(asked[asked.len() - 2..], [ACCOUNT_MODELS, "/locations/eastus2/models"]);
    env.emulator().add_fault(denied());
    list(&env, &[]).fails_with(4);
}

#[test]
fn list_fails_without_an_account() {
    let env = with(Config { arm: Arm { hides_account: true, ..Arm::default() }, ..Config::default() });
    let output = list(&env, &["-o", "json"]).fails_with(3);
    assert_eq!(output.stdout, "");
}

#[test]
fn region_of_the_recorded_size_is_listed_completely() {
    let env = with(Config { arm: Arm { models: recorded_size(), ..Arm::default() }, ..Config::default() });
    assert_eq!(rows(&env, &["--location", "eastus2"]).len(), 218);
}

#[test]
fn all_pages_are_read_and_another_host_gets_no_token() {
    let arm = Arm { in_pages: true, ..Arm::default() };
    let env = with(Config { arm, page_size: 2, ..Config::default() });
    assert_eq!(rows(&env, &["--all"]).len(), 7);
    let away = foundry_emulator::NextLinkForm::Foreign("https://evil.example".parse().expect("a URL"));
    env.emulator().configure(|config| config.next_link = away);
    let output = list(&env, &[]).fails_with(9);
    assert_eq!(output.stdout, "");
}

#[test]
fn page_has_versions_skus_and_quota() {
    let env = env();
    env.emulator()
        .seed_deployment(&json!({
            "name": "d", "sku": {"capacity": 30}, "properties": {"model": {"name": "gpt-4.1", "version": "2025-04-14"}},
        }))
        .expect("a deployment");
    insta::assert_snapshot!(env.run(&["base", "show", "--name", "GPT-4.1"]).success());
}

#[test]
fn json_has_unchanged_versions_and_the_quota_of_their_skus() {
    let env = env();
    let output = env.run(&["base", "show", "-n", "gpt-4.1-mini", "-o", "json"]).success();
    let shown: Value = serde_json::from_str(&output.stdout).expect("JSON");
    let models = Arm::default().models;
    let mini = models.iter().find(|model| model["name"] == "gpt-4.1-mini").expect("a model");
    let usage = json!({
        "usageName": "OpenAI.GlobalStandard.gpt4.1-mini", "limit": 200.0, "currentValue": 0.0, "available": 200,
    });
    assert_eq!(shown, json!({"name": "gpt-4.1-mini", "versions": [mini], "usages": [usage]}));
    env.emulator().add_fault(Fault::new(Route::ArmUsages, FaultKind::status(403)));
    let output = env.run(&["base", "show", "-n", "gpt-4.1-mini", "-o", "json"]).success();
    let shown: Value = serde_json::from_str(&output.stdout).expect("JSON");
    assert_eq!(shown["usages"], json!([]));
}

#[test]
fn unlisted_model_suggests_similar_names() {
    let env = env();
    insta::assert_snapshot!(env.run(&["base", "show", "--name", "gpt4.1"]).fails_with(3));
    // A registered custom model is not a base model.
    env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("a model");
    env.run(&["base", "show", "--name", "my-model"]).fails_with(3);
}
