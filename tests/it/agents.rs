//! Runs by coding agents: no prompts, no drawing, one line with the next step; and the page for agents.

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
fn an_error_has_one_hint_line() {
    let env = agent("AI_AGENT", "1");
    insta::assert_snapshot!("hint", env.run(&["show", "-n", "no-such-model"]));
    insta::assert_snapshot!("hint_of_usage", env.run(&["show", "--nam", "x"]));
    // With JSON output, the error is JSON too.
    let error = env.run(&["show", "-n", "no-such-model", "-o", "json"]).fails_with(3).json_error();
    assert!(error["suggestion"].is_string(), "{error}");
}

#[test]
fn a_word_for_no_does_not_set_an_agent() {
    for word in ["0", "false", "no", "off", "F"] {
        let output = agent("AGENT", word).run(&["show", "-n", "no-such-model"]).fails_with(3);
        assert!(output.stderr.contains("Suggestion:") && !output.stderr.contains("hint:"), "{word}: {output}");
    }
}

/// On a terminal that would show a bar, colours and a question.
#[cfg(unix)]
#[test]
fn nothing_is_drawn_or_asked_on_a_terminal() {
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
fn a_bar_is_not_for_agents() {
    let env = agent("AI_AGENT", "true");
    let output = env.run(&[&CREATE[..], &["--progress", "bar"]].concat());
    insta::assert_snapshot!("no_bar", output);
    assert!(env.emulator().requests().is_empty());
}

/// azd would show the error in words of its own.
#[test]
fn an_error_is_not_handed_to_azd() {
    let mut env = agent("AI_AGENT", "1");
    let host = FakeHost::start(HostState::default());
    env.run_by(&host);
    let output = env.run(&["show", "-n", "no-such-model"]).fails_with(3);
    assert!(output.stderr.contains("\nhint: "), "{output}");
}

/// Keys of the first object in the result of a command, as the page lists them.
fn told(page: &str, command: &str, from: &str) -> Vec<String> {
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

/// The page lists the JSON keys that the program writes.
#[test]
fn the_page_lists_the_keys_that_are_written() {
    let mut env = TestEnv::with(Config { arm: Arm::default(), ..Config::default() });
    let origin = env.emulator().origin();
    env.set("AZURE_AI_MODELS_ARM_ENDPOINT", &origin);
    env.write_model();
    let page = env.run(&["skill"]).success().stdout;
    let json = |args: &[&str]| env.run(&[args, &["-o", "json"]].concat()).success().json();
    let dry_run = json(&[&CREATE[..], &["--dry-run"]].concat());
    assert_eq!(keys(&dry_run), told(&page, "custom create", "the plan: "));
    assert_eq!(
        keys(&json(&[&CREATE[..], &["--no-wait"]].concat())),
        told(&page, "custom create", "With `--no-wait`: ")
    );
    json(&[&CREATE[..], &["--version", "2", "--if-changed"]].concat());
    let same = json(&[&CREATE[..], &["--version", "3", "--if-changed"]].concat());
    assert_eq!(keys(&same), told(&page, "custom create", "the same content: "));
    assert_eq!(keys(&json(&["check", "model"])[0]), told(&page, "custom check", "Result: "));
    let web = json(&["show", "-n", "my-model", "--web"]);
    assert_eq!(keys(&web), told(&page, "custom show", "With `--web`: "));
    let none = json(&["delete", "-n", "no-such", "--force", "--if-exists"]);
    assert_eq!(keys(&none), told(&page, "custom delete", "Result: "));
    assert_eq!(none, json!({"name": "no-such", "version": null, "deleted": false}));
    assert_eq!(keys(&json(&["version"])), told(&page, "version", "Result: "));
    let deployed = ["custom", "deployments", "create", "-n", "mine", "--model", "my-model", "--yes"];
    json(&deployed);
    let asked = json(&["deployments", "test", "mine"]);
    assert_eq!(keys(&asked), told(&page, "deployments test", "Result: "));
    let gone = json(&["custom", "deployments", "delete", "-n", "mine", "--force"]);
    assert_eq!(keys(&gone), told(&page, "custom deployments delete", "Result: "));
    assert_eq!(
        keys(&json(&["delete", "-n", "my-model", "--version", "2", "--force"])),
        told(&page, "custom delete", "Result: ")
    );
    let error = env.run(&["show", "-n", "no-such-model", "-o", "json"]).json_error();
    assert!(keys(&error).iter().all(|key| page.contains(&format!("\"{key}\""))), "{error}");
}

#[test]
fn the_page_begins_with_what_an_agent_has_to_know() {
    let env = TestEnv::new();
    let page = env.run(&["skill"]).success().stdout;
    let (head, _) = page.split_once("\n## Global options").expect("the options");
    insta::assert_snapshot!("skill_head", head);
    assert!(env.emulator().requests().is_empty());
}
