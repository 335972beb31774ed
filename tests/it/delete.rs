//! `delete`: one version, after the user confirms.

use foundry_emulator::{Config, Fault, FaultKind, OperationEnd, Route};
use serde_json::json;

#[cfg(unix)]
use crate::support::Terminal;
use crate::support::{API_VERSIONS, TestEnv, for_each_api_version};

for_each_api_version!(
    nothing_is_deleted_without_terminal_and_force,
    force_deletes_the_only_version,
    json_names_the_deleted_version,
    nothing_is_deleted_if_several_versions_exist_and_none_is_given,
    missing_version_is_not_deleted,
    model_in_use_is_a_conflict,
    accepted_deletion_is_awaited,
);

fn env_with(versions: &[&str]) -> TestEnv {
    env_with_api(API_VERSIONS[0], versions)
}

fn env_with_api(api: &str, versions: &[&str]) -> TestEnv {
    env_with_api_and_config(api, versions, Config::default())
}

fn env_with_api_and_config(api: &str, versions: &[&str], config: Config) -> TestEnv {
    let env = TestEnv::with_api(api, config);
    for version in versions {
        env.emulator().seed(&json!({"name": "my-model", "version": version})).expect("seeded");
    }
    env
}

fn deletions(env: &TestEnv) -> usize {
    env.emulator().requests().iter().filter(|request| request.method == "DELETE").count()
}

fn nothing_is_deleted_without_terminal_and_force(api: &str) {
    let env = env_with_api(api, &["1"]);
    insta::assert_snapshot!(env.run(&["custom", "delete", "--name", "my-model"]), @"
    ------- stderr -------
    ERROR: cannot confirm the deletion without a terminal

    Suggestion: Use --force to delete without a prompt.
    [exit code: 2]
    ");
    env.run(&["delete", "-n", "my-model", "--no-prompt"]).fails_with(2);
    assert!(env.emulator().requests().is_empty(), "no request was sent to the service");
}

fn force_deletes_the_only_version(api: &str) {
    let env = env_with_api(api, &["1"]);
    insta::assert_snapshot!(env.run(&["custom", "delete", "--name", "my-model", "--force"]), @"
    ------- stderr -------
    ✓ Model 'my-model' (version 1) deleted
    ");
    assert_eq!(deletions(&env), 1);
}

fn json_names_the_deleted_version(api: &str) {
    let env = env_with_api(api, &["1"]);
    let deleted = env.run(&["delete", "-n", "my-model", "--version", "1", "-f", "-o", "json"]).success().json();
    assert_eq!(deleted, json!({"name": "my-model", "version": "1", "deleted": true}));
}

fn nothing_is_deleted_if_several_versions_exist_and_none_is_given(api: &str) {
    let env = env_with_api(api, &["1", "2", "10"]);
    insta::assert_snapshot!(env.run(&["delete", "--name", "my-model", "--force"]), @"
    ------- stderr -------
    ERROR: model 'my-model' has 3 versions: 10, 2, 1

    Suggestion: Use --version with the one to delete, for example --version 10.
    [exit code: 2]
    ");
    assert_eq!(deletions(&env), 0);
}

/// The service responds with 200 for versions that never existed.
fn missing_version_is_not_deleted(api: &str) {
    let env = env_with_api(api, &["1"]);
    env.run(&["delete", "-n", "my-model", "--version", "3", "-f"]).fails_with(3);
    env.run(&["delete", "-n", "other", "-f"]).fails_with(3);
    assert_eq!(deletions(&env), 0);
}

fn model_in_use_is_a_conflict(api: &str) {
    let env =
        env_with_api_and_config(api, &["1"], Config { models_in_use: vec!["my-model".into()], ..Config::default() });
    insta::assert_snapshot!(env.run(&["delete", "-n", "my-model", "-f"]), @"
    ------- stderr -------
    ERROR: Model 'my-model' is used by a deployment and cannot be deleted. (ModelInUse)

    Suggestion: Delete the deployments that use the model first.

    Request id: [UUID], [TIME]
    [exit code: 5]
    ");
}

fn accepted_deletion_is_awaited(api: &str) {
    let env =
        env_with_api_and_config(api, &["1"], Config { delete_status: 202, polls_until_done: 3, ..Config::default() });
    env.run(&["delete", "-n", "my-model", "-f"]).success();
    assert_eq!(env.run(&["list", "-o", "json"]).stdout, "[]\n");
}

#[cfg(unix)]
#[test]
fn typing_the_model_name_deletes() {
    let env = env_with(&["1"]);
    let mut terminal = Terminal::start(&env, 100, &["custom", "delete", "--name", "my-model"]);
    terminal.wait_for("Delete custom model 'my-model' (version 1)? This action cannot be undone.");
    terminal.wait_for("Type the model name to confirm: ");
    terminal.type_text("my-model\r");
    let ended = terminal.finish();
    assert_eq!(ended.code, 0, "{}", ended.screen);
    assert!(ended.screen.contains("✓ Model 'my-model' (version 1) deleted"), "{}", ended.screen);
    assert_eq!(deletions(&env), 1);
}

#[cfg(unix)]
#[test]
fn any_other_answer_deletes_nothing() {
    for answer in ["no\r", "\r", "my-mode\r", "\u{4}"] {
        let env = env_with(&["1"]);
        let mut terminal = Terminal::start(&env, 100, &["delete", "-n", "my-model"]);
        terminal.wait_for("confirm: ");
        terminal.type_text(answer);
        let ended = terminal.finish();
        assert_eq!(ended.code, 1, "{answer:?}: {}", ended.screen);
        assert_eq!(ended.screen.matches("Deletion cancelled.").count(), 1, "{}", ended.screen);
        assert_eq!(deletions(&env), 0);
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_at_the_prompt_deletes_nothing() {
    let env = env_with(&["1"]);
    let mut terminal = Terminal::start(&env, 100, &["delete", "-n", "my-model"]);
    terminal.wait_for("confirm: ");
    terminal.type_text("\u{3}");
    let ended = terminal.finish();
    assert_eq!(ended.code, 130, "{}", ended.screen);
    assert!(!ended.cursor_hidden);
    assert_eq!(deletions(&env), 0);
}

/// An accepted deletion may still finish, so its exit code differs from that of a refusal.
#[test]
fn deletion_that_exceeds_its_limit_is_reported() {
    let config = Config { delete_status: 202, polls_until_done: u32::MAX, ..Config::default() };
    let mut env = env_with_api_and_config(API_VERSIONS[0], &["1"], config);
    // The limit of a deletion is half an hour.
    env.set("AZURE_AI_MODELS_TEST_TIME", "0.0005");
    insta::assert_snapshot!(env.run(&["delete", "-n", "my-model", "-f"]), @"
    ------- stderr -------
    ERROR: the deletion did not finish in time

    Suggestion: The deletion was accepted. Check again later.
    [exit code: 9]
    ");
    let error = env.run(&["delete", "-n", "my-model", "-f", "-o", "json"]).fails_with(9).json_error();
    assert_eq!((&error["kind"], &error["code"]), (&json!("service"), &json!("deletion_timeout")), "{error}");
}

/// A deletion may take half an hour, so the wait is reported.
#[test]
fn long_deletion_is_reported_and_has_its_own_limit() {
    let config = Config { delete_status: 202, polls_until_done: u32::MAX, ..Config::default() };
    let mut env = env_with_api_and_config(API_VERSIONS[0], &["1"], config);
    env.set("AZURE_AI_MODELS_TEST_TIME", "1/0.2");
    insta::assert_snapshot!(env.run(&["delete", "-n", "my-model", "-f", "--timeout", "3s"]), @"
    ------- stderr -------
    Deleting the model (1s of up to 3s)...
    ERROR: the deletion did not finish in time

    Suggestion: The deletion was accepted. Check again later.
    [exit code: 9]
    ");
    env.run(&["delete", "-n", "my-model", "-f", "--timeout", "soon"]).fails_with(2);
}

/// The service accepts the deletion, which then fails.
#[test]
fn deletion_that_fails_later_reports_its_reason() {
    let deletion_end = OperationEnd::Failed {
        status: "Failed".into(),
        code: "ModelInUse".into(),
        message: "A deployment uses the model.".into(),
    };
    let env = env_with_api_and_config(
        API_VERSIONS[0],
        &["1"],
        Config { delete_status: 202, deletion_end, ..Config::default() },
    );
    insta::assert_snapshot!(env.run(&["delete", "-n", "my-model", "-f"]), @"
    ------- stderr -------
    ERROR: the deletion failed: A deployment uses the model. (ModelInUse)

    Suggestion: Delete the deployments that use the model first.
    [exit code: 5]
    ");
    env.run(&["show", "-n", "my-model", "--version", "1"]).success();
}

/// The service reports the version as deleted, in its response or in its operation, but the version can still be read.
#[test]
fn version_that_still_exists_is_not_reported_as_deleted() {
    for (delete_status, route) in [(200, Route::Delete), (202, Route::Poll)] {
        let env = env_with_api_and_config(
            API_VERSIONS[0],
            &["1"],
            Config { delete_status, polls_until_done: u32::MAX, ..Config::default() },
        );
        env.emulator().add_fault(Fault::new(route, FaultKind::EmptyBody));
        let output = env.run(&["delete", "-n", "my-model", "--version", "1", "-f"]);
        insta::allow_duplicates!(insta::assert_snapshot!(output, @"
        ------- stderr -------
        ERROR: the version still exists after its deletion

        Suggestion: Check again later. If it still exists, delete it again.
        [exit code: 9]
        "));
    }
}

/// The version was deleted by another client, or by a first request whose response was lost.
#[test]
fn version_that_the_service_no_longer_finds_is_reported_as_deleted() {
    let env = env_with(&["1"]);
    let gone = FaultKind::refusal(404, "ModelVersionNotFound", "Model 'my-model' version '1' was not found.");
    env.emulator().add_fault(Fault::new(Route::Delete, gone).processed());
    env.run(&["delete", "-n", "my-model", "-f"]).success();
}
