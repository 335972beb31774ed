//! `deployments test`: the response, and the messages if there is none.
#![cfg(unix)]

use foundry_emulator::{Arm, Config, Fault, FaultKind, Route};
use serde_json::{Value, json};

use crate::base_models::with;
use crate::support::{Output, TestEnv};

/// An `azd` that returns a different token for each scope.
const AZD: &str = r#"
scope=
while [ $# -gt 0 ]; do [ "$1" = --scope ] && scope=$2; shift; done
echo "{\"token\":\"for:$scope\",\"expiresOn\":\"2038-01-18T00:00:00Z\"}"
"#;

fn env() -> TestEnv {
    let env = with(Config::default());
    env.emulator().seed_deployment(&json!({"name": "chat"})).expect("a deployment");
    env
}

fn run_test(env: &TestEnv, more: &[&str]) -> Output {
    env.run(&[&["deployments", "test"], more].concat())
}

/// Output without the response time.
fn timeless(output: &Output) -> String {
    let text = output.to_string();
    let line = |line: &str| if line.contains("Latency:") { "  Latency: [TIME]".to_owned() } else { line.to_owned() };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn questions(env: &TestEnv) -> Vec<Value> {
    let requests = env.emulator().requests();
    requests.into_iter().filter(|one| one.path == "/openai/v1/chat/completions").map(|one| one.body).collect()
}

#[test]
fn response_is_shown_with_time_and_tokens() {
    let env = env();
    insta::assert_snapshot!(timeless(&run_test(&env, &["chat"]).success()));
    let question = json!({"model": "chat", "messages": [{"role": "user", "content": "Say hello"}]});
    assert_eq!(questions(&env), [question]);
}

#[test]
fn quiet_prints_only_the_response() {
    assert_eq!(run_test(&env(), &["chat", "--prompt", "one two", "-q"]).success().stdout, "You said: one two\n");
}

#[test]
fn json_has_six_keys_and_the_unchanged_usage() {
    let env = env();
    let output = run_test(&env, &["chat", "--prompt", "a 'b'", "-o", "json"]).success();
    let mut shown: Value = serde_json::from_str(&output.stdout).expect("JSON");
    assert!(shown["latencyMs"].is_u64());
    let curl = shown["curl"].take().as_str().expect("a command").to_owned();
    let words = shell_words::split(&curl).expect("valid shell words");
    assert!(words.contains(&"Authorization: Bearer emulator".to_owned()), "{curl}");
    let body: Value = serde_json::from_str(words.last().expect("a body")).expect("JSON");
    assert_eq!(body["messages"][0]["content"], "a 'b'");
    shown["latencyMs"] = 0.into();
    assert_eq!(
        shown,
        json!({
            "name": "chat", "answer": "You said: a 'b'", "latencyMs": 0,
            "usage": {"prompt_tokens": 2, "completion_tokens": 4, "total_tokens": 6},
            "endpoint": "http://[EMULATOR]/openai/v1/", "curl": null,
        })
    );
}

#[test]
fn failed_tests_report_the_reason() {
    let env = env();
    let seed = |deployment: Value| env.emulator().seed_deployment(&deployment).expect("a deployment");
    seed(json!({"name": "paused", "properties": {"deploymentState": "Paused"}}));
    seed(json!({"name": "old", "properties": {"model": {"name": "gpt-35-turbo", "version": "0613"}}}));
    seed(json!({"name": "embed", "properties": {"capabilities": {"chatCompletion": null}}}));
    let mut outputs = String::new();
    for (name, code) in [("paused", 1), ("old", 1), ("embed", 1), ("none", 3)] {
        outputs += &without_ids(&run_test(&env, &[name]).fails_with(code));
    }
    for (status, code) in [(401, 4), (403, 4), (429, 9), (500, 9), (400, 1)] {
        env.emulator().add_fault(Fault::new(Route::Chat, FaultKind::refusal(status, "TheCode", "the words")).times(2));
        let before = questions(&env).len();
        outputs += &without_ids(&run_test(&env, &["chat"]).fails_with(code));
        // A 401 is retried once with a new token; nothing else is retried.
        let sent = questions(&env).len() - before;
        assert_eq!(sent, if status == 401 { 2 } else { 1 }, "{status}");
        if sent == 1 {
            run_test(&env, &["chat"]).fails_with(code);
        }
    }
    insta::assert_snapshot!(outputs);
}

fn without_ids(output: &Output) -> String {
    let lines = output.stderr.lines().filter(|line| !line.starts_with("Request id"));
    lines.collect::<Vec<_>>().join("\n") + "\n\n"
}

#[test]
fn empty_response_is_an_error() {
    let env = env();
    env.emulator().add_fault(Fault::new(Route::Chat, FaultKind::JunkJson).times(1));
    run_test(&env, &["chat"]).fails_with(9);
    env.emulator().add_fault(Fault::new(Route::Chat, FaultKind::Reset).times(1));
    let before = questions(&env).len();
    run_test(&env, &["chat"]).fails_with(9);
    assert_eq!(questions(&env).len() - before, 1, "a request with a lost response may have been billed");
}

#[test]
fn each_service_gets_a_token_of_its_own_scope() {
    let mut env = env();
    env.unset("AZURE_AI_MODELS_CREDENTIAL");
    env.program("azd", AZD);
    // The emulator rejects a token of another scope.
    let output = run_test(&env, &["chat"]).success();
    let scope = "https://cognitiveservices.azure.com/.default";
    assert!(output.stdout.contains(&format!("$(azd auth token --scope {scope})")), "{output}");
}

#[test]
fn project_host_is_used_without_a_role_on_the_account() {
    let env = with(Config { arm: Arm { hides_account: true, ..Arm::default() }, ..Config::default() });
    env.emulator().seed_deployment(&json!({"name": "chat"})).expect("a deployment");
    run_test(&env, &["chat"]).success();
}

#[test]
fn hosts_outside_the_project_and_azure_get_no_token() {
    let elsewhere = json!({"properties": {"endpoints": {"AI Foundry API": "https://evil.example/"}}});
    let env = with(Config { arm: Arm { account: Some(elsewhere), ..Arm::default() }, ..Config::default() });
    env.emulator().seed_deployment(&json!({"name": "chat"})).expect("a deployment");
    let output = run_test(&env, &["chat"]).success();
    assert!(!output.stdout.contains("evil"), "{output}");
}
