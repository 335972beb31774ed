//! Runs by coding agents: no prompts, no progress bar, one line with the next step; and the skill page.

use fake_azd_host::{FakeHost, HostState};
use foundry_emulator::{Arm, Config};
use serde_json::json;

#[cfg(unix)]
use crate::support::Terminal;
use crate::support::{CREATE, TestEnv, env_with_model};

fn agent(name: &str, word: &str) -> TestEnv {
    let mut env = env_with_model();
    env.set(name, word);
    env
}

#[test]
fn error_has_one_hint_line() {
    let env = agent("AI_AGENT", "1");
    insta::assert_snapshot!("hint", env.run(&["show", "-n", "no-such-model"]));
    insta::assert_snapshot!("hint_of_usage", env.run(&["show", "--nam", "x"]));
    // With JSON output, the error is also JSON.
    let error = env.run(&["show", "-n", "no-such-model", "-o", "json"]).fails_with(3).json_error();
    assert!(error["suggestion"].is_string(), "{error}");
}

#[test]
fn false_values_do_not_mark_an_agent() {
    for word in ["0", "false", "no", "off", "F"] {
        let output = agent("AGENT", word).run(&["show", "-n", "no-such-model"]).fails_with(3);
        assert!(output.stderr.contains("Suggestion:") && !output.stderr.contains("hint:"), "{word}: {output}");
    }
}

/// Outside an agent, this run would show a bar, colours and a prompt.
#[cfg(unix)]
#[test]
fn terminal_gets_no_drawing_and_no_prompt() {
    let mut env = agent("AGENT", "some-agent");
    env.set("FORCE_COLOR", "1");
    let ended = Terminal::start(&env, 100, &CREATE).finish();
    assert_eq!(ended.code, 0, "{}", ended.screen);
    assert!(ended.styles().is_empty(), "{:?}", ended.styles());
    assert_eq!(ended.bars, 0, "{}", ended.screen);
    let ended = Terminal::start(&env, 100, &["delete", "-n", "my-model"]).finish();
    assert_eq!(ended.code, 2, "{}", ended.screen);
    assert!(ended.screen.contains("AGENT is set"), "{}", ended.screen);
    assert!(ended.screen.contains("hint: Use --force to delete without a prompt."), "{}", ended.screen);
}

#[test]
fn progress_bar_is_rejected_for_agents() {
    let env = agent("AI_AGENT", "true");
    let output = env.run(&[&CREATE[..], &["--progress", "bar"]].concat());
    insta::assert_snapshot!("no_bar", output);
    assert!(env.emulator().requests().is_empty());
}

/// azd would show the error in its own format.
#[test]
fn errors_are_not_reported_to_azd() {
    let mut env = agent("AI_AGENT", "1");
    let host = FakeHost::start(HostState::default());
    env.run_by(&host);
    let output = env.run(&["show", "-n", "no-such-model"]).fails_with(3);
    assert!(output.stderr.contains("\nhint: "), "{output}");
}

/// Keys of the first object in the result of a command, as listed on the skill page.
fn documented_keys(page: &str, command: &str, from: &str) -> Vec<String> {
    let section = page.split(&format!("### `azd ai models {command}`")).nth(1).expect("a section");
    let section = section.split("\n### ").next().unwrap_or_default();
    let text = &section[section.find(from).unwrap_or_else(|| panic!("{command} has no {from}")) + from.len()..];
    let object = text.split('{').nth(1).and_then(|text| text.split('}').next()).expect("an object");
    let mut keys: Vec<String> = object.split(',').map(|key| key.trim().trim_matches('"').to_owned()).collect();
    keys.sort();
    keys
}

fn keys(value: &serde_json::Value) -> Vec<String> {
    let mut keys: Vec<String> = value.as_object().expect("an object").keys().cloned().collect();
    keys.sort();
    keys
}

/// Compares the JSON keys that the page lists with those that the program writes.
#[test]
fn skill_page_lists_the_written_keys() {
    let mut env = TestEnv::with(Config { arm: Arm::default(), ..Config::default() });
    let origin = env.emulator().origin();
    env.set("AZURE_AI_MODELS_ARM_ENDPOINT", &origin);
    env.write_model();
    let page = env.run(&["skill"]).success().stdout;
    let json = |args: &[&str]| env.run(&[args, &["-o", "json"]].concat()).success().json();
    let dry_run = json(&[&CREATE[..], &["--dry-run"]].concat());
    assert_eq!(keys(&dry_run), documented_keys(&page, "custom create", "the plan: "));
    assert_eq!(
        keys(&json(&[&CREATE[..], &["--no-wait"]].concat())),
        documented_keys(&page, "custom create", "With `--no-wait`: ")
    );
    json(&[&CREATE[..], &["--version", "2", "--if-changed"]].concat());
    let same = json(&[&CREATE[..], &["--version", "3", "--if-changed"]].concat());
    assert_eq!(keys(&same), documented_keys(&page, "custom create", "the same content: "));
    assert_eq!(keys(&json(&["check", "model"])[0]), documented_keys(&page, "custom check", "Result: "));
    let web = json(&["show", "-n", "my-model", "--web"]);
    assert_eq!(keys(&web), documented_keys(&page, "custom show", "With `--web`: "));
    let none = json(&["delete", "-n", "no-such", "--force", "--if-exists"]);
    assert_eq!(keys(&none), documented_keys(&page, "custom delete", "Result: "));
    assert_eq!(none, json!({"name": "no-such", "version": null, "deleted": false}));
    assert_eq!(keys(&json(&["version"])), documented_keys(&page, "version", "Result: "));
    let deployed = ["custom", "deployments", "create", "-n", "mine", "--model", "my-model", "--yes"];
    json(&deployed);
    let asked = json(&["deployments", "test", "mine"]);
    assert_eq!(keys(&asked), documented_keys(&page, "deployments test", "Result: "));
    let gone = json(&["custom", "deployments", "delete", "-n", "mine", "--force"]);
    assert_eq!(keys(&gone), documented_keys(&page, "custom deployments delete", "Result: "));
    assert_eq!(
        keys(&json(&["delete", "-n", "my-model", "--version", "2", "--force"])),
        documented_keys(&page, "custom delete", "Result: ")
    );
    let error = env.run(&["show", "-n", "no-such-model", "-o", "json"]).json_error();
    assert!(keys(&error).iter().all(|key| page.contains(&format!("\"{key}\""))), "{error}");
}

#[test]
fn skill_page_starts_with_the_essentials() {
    let env = TestEnv::new();
    let page = env.run(&["skill"]).success().stdout;
    let (head, _) = page.split_once("\n## Global options").expect("the options");
    insta::assert_snapshot!("skill_head", head);
    assert!(env.emulator().requests().is_empty());
}
