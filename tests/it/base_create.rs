//! `base deployments create`: choices, checks, prompts and requests.

#[cfg(unix)]
use fake_azd_host::{FakeHost, HostState};
use foundry_emulator::{Arm, Config, Deploying, Fault, FaultKind, Route};
use serde_json::{Value, json};

use crate::base_models::with;
#[cfg(unix)]
use crate::support::Terminal;
use crate::support::{Output, TestEnv};

fn env() -> TestEnv {
    with(Config::default())
}

fn create(env: &TestEnv, more: &[&str]) -> Output {
    env.run(&[&["base", "deployments", "create"], more].concat())
}

/// Bodies of the write requests.
fn sent(env: &TestEnv) -> Vec<(String, Value)> {
    let requests = env.emulator().requests().into_iter().filter(|one| one.method != "GET");
    requests.map(|one| (one.path.rsplit('/').next().unwrap_or_default().to_owned(), one.body)).collect()
}

#[test]
fn version_sku_and_capacity_come_from_the_catalogue() {
    let env = env();
    insta::assert_snapshot!(create(&env, &["--model", "GPT-4.1"]).success());
    let body = json!({
        "sku": {"name": "GlobalStandard", "capacity": 10},
        "properties": {"model": {"format": "OpenAI", "name": "gpt-4.1", "version": "2025-04-14"}},
    });
    assert_eq!(sent(&env), [("gpt-4.1".to_owned(), body)]);
    let put = env.emulator().requests().into_iter().find(|one| one.method == "PUT").expect("a PUT");
    assert_eq!(put.query.get("api-version").map(String::as_str), Some("2025-06-01"));
}

#[test]
fn given_options_are_sent() {
    let env = env();
    let given = [
        "--name",
        "chat",
        "--model",
        "gpt-4.1",
        "--model-version",
        "2025-01-01",
        "--sku-name",
        "standard",
        "--sku-capacity",
        "7",
        "--rai-policy",
        "Microsoft.Default",
        "--version-upgrade",
        "NoAutoUpgrade",
        "--tag",
        "a=b",
        "-o",
        "json",
    ];
    let output = create(&env, &given).success();
    let shown: Value = serde_json::from_str(&output.stdout).expect("JSON");
    assert_eq!(shown["properties"]["provisioningState"], "Succeeded");
    assert_eq!(shown["properties"]["xEmulator"]["note"], "a field that no client knows");
    let body = json!({
        "sku": {"name": "Standard", "capacity": 7},
        "tags": {"a": "b"},
        "properties": {
            "model": {"format": "OpenAI", "name": "gpt-4.1", "version": "2025-01-01"},
            "raiPolicyName": "Microsoft.Default", "versionUpgradeOption": "NoAutoUpgrade",
        },
    });
    assert_eq!(sent(&env), [("chat".to_owned(), body)]);
}

#[test]
fn dry_run_shows_checks_and_the_request_and_sends_nothing() {
    let env = env();
    let output = create(&env, &["--model", "FW-Qwen3-14B", "--sku-name", "GlobalProvisionedManaged", "--dry-run"]);
    insta::assert_snapshot!(output.success());
    let output = create(&env, &["--model", "Phi-4", "--dry-run", "-o", "json"]).success();
    let plan: Value = serde_json::from_str(&output.stdout).expect("JSON");
    assert_eq!((&plan["schemaVersion"], &plan["requests"][0]["method"]), (&json!(1), &json!("PUT")));
    assert!(plan["checks"].as_array().is_some_and(|checks| checks.iter().all(|check| check["status"] == "passed")));
    assert!(sent(&env).is_empty());
}

#[test]
fn capacity_without_a_default_is_the_remaining_quota() {
    let env = env();
    env.emulator()
        .seed_deployment(&json!({
            "name": "other", "sku": {"name": "Standard", "capacity": 40},
            "properties": {"model": {"name": "gpt-4.1", "version": "2025-04-14"}},
        }))
        .expect("a deployment");
    create(&env, &["--model", "gpt-4.1", "--sku-name", "Standard"]).success();
    assert_eq!(sent(&env)[0].1["sku"], json!({"name": "Standard", "capacity": 60}));
}

#[test]
fn continuously_billed_sku_needs_its_name_and_consent() {
    let env = env();
    let output = create(&env, &["--model", "FW-Qwen3-14B"]).fails_with(2);
    assert!(output.stderr.contains("--sku-name is required"), "{output}");
    let named = ["--model", "gpt-4.1", "--sku-name", "GlobalProvisionedManaged"];
    let before = env.emulator().requests().len();
    create(&env, &named).fails_with(2);
    assert_eq!(env.emulator().requests().len(), before, "no consent, no request");
    let output = create(&env, &[&named[..], &["--yes"]].concat()).success();
    assert_eq!(output.stderr.matches("billed while it exists").count(), 1, "{output}");
    // The catalogue lists no default, so the minimum capacity is used.
    assert_eq!(sent(&env)[0].1["sku"], json!({"name": "GlobalProvisionedManaged", "capacity": 15}));
}

#[test]
fn failed_check_sends_nothing() {
    let env = env();
    env.emulator().seed_deployment(&json!({"name": "taken"})).expect("a deployment");
    let model = ["--model", "gpt-4.1"];
    let mut outputs = String::new();
    for (more, code) in [
        (&["--name", "taken"][..], 5),
        (&["--model-version", "1"], 3),
        (&["--sku-name", "DataZoneStandard"], 2),
        (&["--sku-name", "DeveloperTier", "-y"], 2),
        (&["--sku-capacity", "2000000"], 2),
        (&["--sku-name", "GlobalProvisionedManaged", "--sku-capacity", "17", "-y"], 2),
        (&["--spillover", "nothing"], 3),
    ] {
        outputs += &without_ids(&create(&env, &[&model[..], more].concat()).fails_with(code));
    }
    outputs += &without_ids(&create(&env, &["--model", "gpt5"]).fails_with(3));
    outputs += &without_ids(&create(&env, &["--model", "gpt-35-turbo"]).fails_with(3));
    insta::assert_snapshot!(outputs);
    assert!(sent(&env).is_empty());
}

fn without_ids(output: &Output) -> String {
    let lines = output.stderr.lines().filter(|line| !line.starts_with("Request id"));
    lines.collect::<Vec<_>>().join("\n") + "\n\n"
}

#[test]
fn insufficient_quota_names_remaining_quota_alternatives_and_retry_command() {
    let env = env();
    env.emulator()
        .seed_deployment(&json!({
            "name": "other", "sku": {"capacity": 800}, "properties": {"model": {"name": "gpt-4.1", "version": "2025-04-14"}},
        }))
        .expect("a deployment");
    let output = create(&env, &["--model", "gpt-4.1", "--sku-capacity", "250"]).fails_with(1);
    insta::assert_snapshot!(without_ids(&output));
    assert!(sent(&env).is_empty());
}

#[test]
fn quota_error_of_the_service_has_the_same_message() {
    let env = env();
    env.emulator().add_fault(Fault::new(Route::ArmUsages, FaultKind::status(403)).times(1));
    let refusal = "This operation require 250 new capacity in quota Tokens Per Minute (thousands) - gpt4.1, which is bigger than the current available capacity 200. The current quota usage is 800 and the quota limit is 1000 for quota Tokens Per Minute (thousands) - gpt4.1.";
    env.emulator().add_fault(Fault::new(Route::ArmPut, FaultKind::refusal(400, "InsufficientQuota ", refusal)));
    let output = create(&env, &["--name", "chat", "--model", "gpt-4.1", "--sku-capacity", "250"]).fails_with(1);
    insta::assert_snapshot!(without_ids(&output));
}

#[test]
fn ambiguous_model_name_needs_the_format() {
    let mut models = Arm::default().models;
    let mut other = models[0].clone();
    other["format"] = "Meta".into();
    models.push(other);
    let env = with(Config { arm: Arm { models, ..Arm::default() }, ..Config::default() });
    let output = create(&env, &["--model", "gpt-4.1"]).fails_with(2);
    assert!(output.stderr.contains("Meta, OpenAI") && output.stderr.contains("--model-format"), "{output}");
    create(&env, &["--model", "gpt-4.1", "--model-format", "meta"]).success();
    assert_eq!(sent(&env)[0].1["properties"]["model"]["format"], "Meta");
}

#[test]
fn if_not_exists_keeps_an_existing_deployment() {
    let env = env();
    let command = ["--model", "gpt-4.1-mini", "--name", "chat", "--if-not-exists"];
    create(&env, &command).success();
    assert_eq!(sent(&env).len(), 1);
    create(&env, &command).success();
    assert_eq!(sent(&env).len(), 1, "an existing deployment is not written");
    create(&env, &["--model", "gpt-4.1", "--name", "chat", "--if-not-exists"]).fails_with(5);
}

#[test]
fn slow_deployment_is_awaited_or_left_running() {
    let deploying = Deploying { standard_at_once: false, polls_until_done: 2, ..Deploying::default() };
    let env = with(Config { arm: Arm { deploying, ..Arm::default() }, ..Config::default() });
    let output = create(&env, &["--model", "gpt-4.1", "--name", "chat", "--no-wait"]).success();
    assert!(output.stdout.contains("base deployments wait --name chat"), "{output}");
    let output = env.run(&["base", "deployments", "wait", "--name", "chat", "-o", "json"]).success();
    assert!(output.stdout.contains(r#""provisioningState": "Succeeded""#), "{output}");
}

#[test]
fn model_is_required() {
    let env = env();
    let output = create(&env, &[]).fails_with(2);
    assert!(output.stderr.contains("--model MODEL"), "{output}");
    assert!(env.emulator().requests().is_empty());
}

#[test]
fn all_options_are_required_without_catalogue_access() {
    let env = env();
    env.emulator().add_fault(Fault::new(Route::ArmModels, FaultKind::status(403)));
    let output = create(&env, &["--model", "gpt-4.1"]).fails_with(2);
    assert!(output.stderr.contains("--model-format, --model-version, --sku-name and --sku-capacity"), "{output}");
    let given = ["--model-format", "OpenAI", "--model-version", "2025-04-14", "--sku-name", "Standard"];
    let output = create(&env, &[&["--model", "gpt-4.1", "--sku-capacity", "3"], &given[..]].concat()).success();
    assert!(output.stderr.contains("model: not checked: no permission"), "{output}");
    assert_eq!(sent(&env)[0].1["sku"], json!({"name": "Standard", "capacity": 3}));
}

#[cfg(unix)]
#[test]
fn terminal_prompts_for_a_continuously_billed_sku_and_consent() {
    let env = env();
    let mut terminal = Terminal::start(&env, 100, &["base", "deployments", "create"]);
    // The list shows the models that can be deployed, in alphabetical order; typing filters it.
    terminal.wait_for("gpt-4.1-mini");
    terminal.type_text("FW-Q\r");
    terminal.wait_for("Select a SKU");
    terminal.type_text("\r");
    terminal.wait_for("Create the deployment? (y/N)");
    terminal.type_text("y\n");
    let ended = terminal.finish();
    assert_eq!(ended.code, 0, "{}", ended.screen);
    assert_eq!(sent(&env)[0].1["sku"], json!({"name": "GlobalProvisionedManaged", "capacity": 80}));
}

/// azd shows its own prompt if it has one for models; with an older azd, the program shows its list.
#[cfg(unix)]
#[test]
fn azd_prompts_for_a_model_of_the_catalogue() {
    for ai_model in [Some("gpt-4.1".to_owned()), None] {
        let is_asked = ai_model.is_some();
        let mut env = env();
        // Index of the same model in the list.
        let host_state = HostState { ai_model, selections: [1].into(), ..HostState::default() };
        let host = FakeHost::start(host_state);
        env.run_by(&host);
        let terminal = Terminal::start(&env, 100, &["base", "deployments", "create"]);
        terminal.wait_for("Deployment 'gpt-4.1' is ready");
        terminal.finish();
        let asked: Vec<String> = host.calls().into_iter().map(|call| call.message).collect();
        let question = asked.iter().find(|message| message.starts_with("PromptAiModelRequest")).expect("a question");
        assert!(question.contains("locations: [\"eastus2\"]"), "{question}");
        assert_eq!(asked.iter().any(|message| message.starts_with("SelectRequest")), !is_asked, "{asked:?}");
    }
}

#[test]
fn rejected_model_suggests_similar_names() {
    let env = env();
    env.emulator().add_fault(Fault::new(Route::ArmPut, FaultKind::refusal(400, "DeploymentModelNotSupported", "no")));
    let output = create(&env, &["--model", "gpt-4.1"]).fails_with(1);
    assert!(output.stderr.contains("Models with similar names: gpt-4.1-mini (OpenAI)"), "{output}");
}
