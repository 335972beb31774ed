//! `-q`: names only, one per line; and deletions that may find no model.

use serde_json::json;

#[cfg(unix)]
use crate::support::Terminal;
use crate::support::{TestEnv, create, env_with_model};

fn env() -> TestEnv {
    let env = env_with_model();
    for (name, version) in [("my-model", "1"), ("my-model", "10"), ("my-model", "9"), ("other", "1")] {
        env.emulator().seed(&json!({"name": name, "version": version})).expect("seeded");
    }
    env
}

#[test]
fn quiet_prints_one_name_per_line() {
    let env = env();
    let quiet = |args: &[&str]| {
        let output = env.run(&[args, &["-q"]].concat()).success();
        assert_eq!(output.stderr, "", "{args:?}");
        output.stdout
    };
    assert_eq!(quiet(&["custom", "list"]), "my-model\nother\n");
    assert_eq!(quiet(&["versions", "-n", "my-model"]), "10\n9\n1\n");
    assert_eq!(quiet(&["list", "--name", "no*"]), "");
    // The JSON output is the same.
    assert_eq!(env.run(&["list", "-q", "-o", "json"]).success().json()[0]["version"], "10");
}

#[test]
fn quiet_create_prints_the_name() {
    let env = env();
    let base = ["-q", "--base-model", "FW-GLM-4.7"];
    assert_eq!(create(&env, &[&["--version", "11"], &base[..]].concat()).success().stdout, "my-model\n");
    assert_eq!(create(&env, &[&["--version", "12", "--no-wait"], &base[..]].concat()).success().stdout, "my-model\n");
}

/// A service may return any name, but a script reads lines.
#[test]
fn names_never_span_two_lines() {
    let env = TestEnv::new();
    env.emulator().seed(&json!({"name": "a\nb\u{1b}[31m", "version": "1"})).expect("seeded");
    let output = env.run(&["list", "-q"]).success();
    assert_eq!(output.stdout.lines().count(), 1, "{output}");
    assert!(!output.stdout.contains('\u{1b}'), "{output}");
}

#[test]
fn if_exists_succeeds_without_a_version() {
    let env = env();
    insta::assert_snapshot!("nothing_to_delete", env.run(&["custom", "delete", "-n", "gone", "--if-exists"]).success());
    insta::assert_snapshot!(
        "no_version_to_delete",
        env.run(&["delete", "-n", "my-model", "--version", "7", "--if-exists", "--no-prompt"]).success()
    );
    let json = |version: &[&str]| {
        env.run(&[&["delete", "-n", "gone", "--if-exists", "-o", "json"], version].concat()).success().json()
    };
    assert_eq!(json(&[]), json!({"name": "gone", "version": null, "deleted": false}));
    assert_eq!(json(&["--version", "2"]), json!({"name": "gone", "version": "2", "deleted": false}));
    assert!(env.emulator().requests().iter().all(|one| one.method == "GET"));
}

/// `--if-exists` is not consent: an existing version still needs a confirmation.
#[cfg(unix)]
#[test]
fn if_exists_deletes_an_existing_version_only_with_consent() {
    let env = env();
    env.run(&["delete", "-n", "other", "--if-exists"]).fails_with(2);
    env.run(&["delete", "-n", "my-model", "--if-exists", "--force"]).fails_with(2);
    env.run(&["delete", "-n", "other", "--if-exists", "--force"]).success();
    let mut terminal = Terminal::start(&env, 100, &["delete", "-n", "my-model", "--version", "9", "--if-exists"]);
    terminal.wait_for("Type the model name to confirm");
    terminal.type_text("my-model\r");
    assert_eq!(terminal.finish().code, 0);
    assert_eq!(env.run(&["versions", "-n", "my-model", "-q"]).success().stdout, "10\n1\n");
}

/// A missing project must not be treated as a missing model.
#[test]
fn if_exists_does_not_hide_other_failures() {
    let mut env = env();
    let endpoint = env.emulator().endpoint().replace("/demo", "/nowhere");
    env.set("AZURE_PROJECT_ENDPOINT", &endpoint);
    let output = env.run(&["delete", "-n", "my-model", "--if-exists", "--force"]);
    assert_ne!(output.code, Some(0), "{output}");
}
