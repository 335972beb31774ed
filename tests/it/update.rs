//! `update`: changed and unchanged properties, and the requests.

use foundry_emulator::{Config, Fault, FaultKind, Route};
use serde_json::{Value, json};

use crate::support::{API_VERSIONS, TestEnv, for_each_api_version};

for_each_api_version!(
    description_and_tags_change_and_other_properties_stay,
    json_is_the_updated_model,
    request_has_only_the_changes,
    empty_description_clears_it,
    nothing_is_changed_if_several_versions_exist_and_none_is_given,
    missing_version_is_not_created,
    concurrent_change_is_a_conflict,
    response_without_the_model_is_not_a_failure,
    change_that_the_model_does_not_show_is_reported,
);

fn env(api: &str, versions: &[&str]) -> TestEnv {
    let env = TestEnv::with_api(api, Config::default());
    for version in versions {
        let model = json!({
            "name": "my-model", "version": version, "description": "First words",
            "tags": {"draft": "yes", "team": "a"},
        });
        env.emulator().seed(&model).expect("seeded");
    }
    env
}

/// Bodies of the PATCH requests, with their content types.
fn patches(env: &TestEnv) -> Vec<(String, Value)> {
    let patches = env.emulator().requests().into_iter().filter(|request| request.method == "PATCH");
    patches.map(|request| (request.headers["content-type"].clone(), request.body)).collect()
}

fn description_and_tags_change_and_other_properties_stay(api: &str) {
    let env = env(api, &["1"]);
    let args = [
        ["update", "--name", "my-model"].as_slice(),
        &["--description", "Second words", "--set-tag", "stage=prod", "--set-tag", "team=b=c"],
        &["--remove-tag", "draft", "--remove-tag", "never-there"],
    ]
    .concat();
    insta::assert_snapshot!("update_page", env.run(&args));
    assert_eq!(env.run(&[["custom"].as_slice(), &args].concat()).success().stderr.lines().count(), 1);
}

fn json_is_the_updated_model(api: &str) {
    let env = env(api, &["1"]);
    let args = ["update", "-n", "my-model", "--version", "1", "--set-tag", "a=1", "--remove-tag", "team", "-o", "json"];
    let model = env.run(&args).success().json();
    assert_eq!((&model["description"], &model["tags"]), (&json!("First words"), &json!({"draft": "yes", "a": "1"})));
    assert_eq!(model, env.run(&["show", "-n", "my-model", "-o", "json"]).success().json());
}

fn request_has_only_the_changes(api: &str) {
    for (args, body) in [
        (&["--description", "d"][..], json!({"description": "d"})),
        (&["--set-tag", "b=2", "--set-tag", "a="], json!({"tags": {"a": "", "b": "2"}})),
        (&["--remove-tag", "gone"], json!({"tags": {"gone": null}})),
    ] {
        let env = env(api, &["1", "2"]);
        drop(env.run(&[&["update", "-n", "my-model", "--version", "2"], args].concat()).success());
        assert_eq!(patches(&env), [("application/merge-patch+json".to_owned(), body)]);
        let sent: Vec<_> =
            env.emulator().requests().iter().map(|request| request.query["api-version"].clone()).collect();
        assert_eq!(sent, [api, api]);
    }
}

fn empty_description_clears_it(api: &str) {
    let env = env(api, &["1"]);
    drop(env.run(&["update", "-n", "my-model", "--description", ""]).success());
    assert_eq!(patches(&env)[0].1, json!({"description": ""}));
    assert!(!env.run(&["show", "-n", "my-model"]).success().stdout.contains("Description"));
}

#[test]
fn invalid_options_are_rejected_before_any_request() {
    let env = env("v1", &["1"]);
    insta::assert_snapshot!(env.run(&["update", "--name", "my-model"]), @"
    ------- stderr -------
    ERROR: nothing to change

    Suggestion: Use --description, --set-tag KEY=VALUE or --remove-tag KEY, each tag once.
    [exit code: 2]
    ");
    insta::assert_snapshot!(env.run(&["update", "-n", "my-model", "--set-tag", "a=1", "--remove-tag", "a"]), @"
    ------- stderr -------
    ERROR: the tag 'a' is both set and removed

    Suggestion: Use --description, --set-tag KEY=VALUE or --remove-tag KEY, each tag once.
    [exit code: 2]
    ");
    insta::assert_snapshot!(env.run(&["update", "-n", "my-model", "--set-tag", "a=1", "--set-tag", "a=2"]), @"
    ------- stderr -------
    ERROR: the tag 'a' is set twice

    Suggestion: Use --description, --set-tag KEY=VALUE or --remove-tag KEY, each tag once.
    [exit code: 2]
    ");
    insta::assert_snapshot!(env.run(&["update", "-n", "my-model", "--set-tag", "a"]), @"
    ------- stderr -------
    ERROR: invalid value 'a' for '--set-tag <KEY=VALUE>': must have the form KEY=VALUE

    Suggestion: See 'azure-ai-models update --help'.
    [exit code: 2]
    ");
    insta::assert_snapshot!(env.run(&["update", "-n", "my-model", "--remove-tag", "", "-o", "json"]), @r#"
    ------- stderr -------
    {"error":{"kind":"usage","code":"usage","message":"a value is required for '--remove-tag <KEY>' but none was supplied","status":null,"requestId":null,"suggestion":"See 'azure-ai-models update --help'."}}
    [exit code: 2]
    "#);
    assert!(env.emulator().requests().is_empty());
}

fn nothing_is_changed_if_several_versions_exist_and_none_is_given(api: &str) {
    let env = env(api, &["1", "2", "10"]);
    insta::assert_snapshot!(env.run(&["update", "--name", "my-model", "--description", "d"]), @"
    ------- stderr -------
    ERROR: model 'my-model' has 3 versions: 10, 2, 1

    Suggestion: Use --version with the one to update, for example --version 10.
    [exit code: 2]
    ");
    assert_eq!(patches(&env), []);
}

/// An older service creates a version from a merge patch.
fn missing_version_is_not_created(api: &str) {
    let env = env(api, &["1"]);
    insta::assert_snapshot!(env.run(&["update", "-n", "my-model", "--version", "3", "--description", "d"]), @"
    ------- stderr -------
    ERROR: model 'my-model' has no version 3 in this project

    Suggestion: To see what exists: azure-ai-models custom versions --name my-model

    Request id: [UUID], [TIME]
    [exit code: 3]
    ");
    env.run(&["update", "-n", "other", "--description", "d"]).fails_with(3);
    assert_eq!(patches(&env), []);
}

fn concurrent_change_is_a_conflict(api: &str) {
    for (status, code) in [(409, "Conflict"), (412, "PreconditionFailed")] {
        let env = env(api, &["1"]);
        let fault = FaultKind::refusal(status, code, "The model was changed by another request.");
        env.emulator().add_fault(Fault::new(Route::Patch, fault));
        let output = env.run(&["update", "-n", "my-model", "--description", "d", "-o", "json"]).fails_with(5);
        let error = output.json_error();
        assert_eq!(
            (&error["kind"], &error["code"], &error["status"]),
            (&json!("conflict"), &json!(code), &json!(status))
        );
        assert_eq!(output.stdout, "");
    }
}

/// The change is applied, whether or not the response shows it.
fn response_without_the_model_is_not_a_failure(api: &str) {
    for fault in [FaultKind::EmptyBody, FaultKind::JunkJson] {
        let env = env(api, &["1"]);
        env.emulator().add_fault(Fault::new(Route::Patch, fault).processed());
        let args = ["update", "-n", "my-model", "--description", "d", "--remove-tag", "team", "-o", "json"];
        assert_eq!(env.run(&args).success().json()["description"], "d");
    }
}

/// The service accepts the change, but does not apply it.
fn change_that_the_model_does_not_show_is_reported(api: &str) {
    for change in [["--description", "d"], ["--set-tag", "team=b"], ["--remove-tag", "draft"], ["--description", ""]] {
        let env = env(api, &["1"]);
        env.emulator().add_fault(Fault::new(Route::Patch, FaultKind::EmptyBody));
        let output = env.run(&[&["update", "-n", "my-model"][..], &change].concat());
        insta::assert_snapshot!(output, @"
        ------- stderr -------
        ERROR: the service accepted the change, but the model does not show it

        Suggestion: Check the model later. If it has not changed, run the same command again.
        [exit code: 9]
        ");
    }
}

/// Texts of the model are compared with their secrets masked, as they are shown.
#[test]
fn text_with_a_secret_is_changed() {
    let env = env(API_VERSIONS[0], &["1"]);
    let text = "see https://h.example/c?sv=1&sig=CANARY";
    let output = env.run(&["update", "-n", "my-model", "--description", text, "--set-tag", "from=https://h/c?sig=x"]);
    assert!(!output.success().stdout.contains("CANARY"));
    assert_eq!(patches(&env)[0].1["description"], text);
}
