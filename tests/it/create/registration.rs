//! Registration: the request, its operation, and the check that the model is the registered one.

use foundry_emulator::{Config, Fault, FaultKind, LocationForm, MissingRoute, OperationEnd, Route};
use serde_json::json;

use crate::support::{TestEnv, create, env_with, env_with_model as env};

#[test]
fn registration_is_sent_in_both_api_versions() {
    for (version, base) in [
        (
            "2025-11-15-preview",
            json!({"derivedModelInformation": {"baseModel": "azureml://registries/azureml-fireworks/models/FW-GLM-4.7/versions/1"}}),
        ),
        ("v1", json!({"baseModel": "azureml://registries/azureml-fireworks/models/FW-GLM-4.7/versions/1"})),
    ] {
        let mut env = env();
        env.set("AZURE_AI_MODELS_API_VERSION", version);
        create(&env, &["--version", "3", "--description", "-dashed", "--base-model", "FW-GLM-4.7"]).success();
        let requests = env.emulator().requests();
        let registered =
            requests.iter().find(|request| request.path.ends_with("/createAsync")).expect("a registration");
        let mut expected = json!({
            "weightType": "FullWeight", "description": "-dashed", "tags": {"baseArchitecture": "FW-GLM-4.7"},
            "blobUri": registered.body["blobUri"],
        });
        expected.as_object_mut().expect("an object").extend(base.as_object().expect("an object").clone());
        assert_eq!(registered.body, expected);
        let uri = registered.body["blobUri"].as_str().expect("a URI");
        assert!(!uri.contains('?'), "{uri}");
        assert!(registered.path.ends_with("/models/my-model/versions/3/createAsync"));
    }
}

#[test]
fn existing_version_is_a_conflict_that_names_the_next_free_version() {
    let env = env();
    for version in ["1", "2", "7"] {
        env.emulator().seed(&json!({"name": "my-model", "version": version})).expect("seeded");
    }
    insta::assert_snapshot!(create(&env, &[]).abridged(), @"
    ------- stderr -------
    [WARNINGS]
    [STEP 1]
    ERROR: Model 'my-model' already exists. Use --overwrite to replace.

    Suggestion: Use the next free version: --version 8

    Request id: [UUID], [TIME]
    [exit code: 5]
    ");
    assert!(env.azcopy_starts().is_empty(), "nothing was copied");
}

#[test]
fn operation_is_found_in_every_form_of_its_location() {
    for location in [LocationForm::Absolute, LocationForm::Relative, LocationForm::BodyOnly, LocationForm::None] {
        let env = env_with(Config { location: location.clone(), ..Config::default() });
        let output = create(&env, &["-o", "json"]);
        assert_eq!(output.code, Some(0), "{location:?}: {output}");
    }
}

#[test]
fn operation_on_another_host_gets_no_token_and_the_model_is_polled() {
    let other_host = TestEnv::new();
    let foreign = other_host.emulator().endpoint().parse().expect("a URL");
    let env = env_with(Config { location: LocationForm::Foreign(foreign), ..Config::default() });
    create(&env, &[]).success();
    assert!(other_host.emulator().requests().is_empty());
}

#[test]
fn service_without_create_async_is_called_with_put() {
    for (missing_route, status) in
        [(MissingRoute::NotFound, 200), (MissingRoute::MethodNotAllowed, 201), (MissingRoute::NotFound, 202)]
    {
        let config = Config { has_create_async: false, missing_route, put_status: Some(status), ..Config::default() };
        let env = env_with(config);
        create(&env, &[]).success();
    }
}

#[test]
fn unknown_states_are_polled_and_every_final_state_is_recognised() {
    let running = vec!["Validating".to_owned(), "SomethingNew".into(), "Running".into()];
    let env = env_with(Config { running_states: running, polls_until_done: 3, ..Config::default() });
    create(&env, &[]).success();
    for status in ["Failed", "Canceled", "cancelled"] {
        let operation_end = OperationEnd::Failed {
            status: status.into(),
            code: "UnsupportedWeightFormat".into(),
            message: "Only safetensors weights are supported.".into(),
        };
        let env = env_with(Config { operation_end, ..Config::default() });
        let output = create(&env, &["-o", "json"]).fails_with(8);
        assert_eq!(output.stdout, "");
        assert_eq!(output.json_error()["code"], "UnsupportedWeightFormat", "{output}");
    }
}

/// Another registration came first, wherever this is detected: after the operation, after a PUT, and with `--no-wait`,
/// where the response does not identify the registration.
#[test]
fn model_registered_by_another_client_is_not_a_success() {
    let elsewhere = || Some(json!({ "blobUri": "https://elsewhere.example/c" }));
    let put = Config { has_create_async: false, registers_as: elsewhere(), ..Config::default() };
    let lost = Fault::new(Route::CreateAsync, FaultKind::Reset).processed();
    for (config, fault, options) in [
        (Config { registers_as: elsewhere(), ..Config::default() }, None, &[][..]),
        (Config { registers_as: elsewhere(), polls_until_done: 0, ..Config::default() }, Some(lost), &["--no-wait"]),
        (put.clone(), None, &[]),
        (put, None, &["--no-wait"]),
        (Config { registers_as: Some(json!({ "weightType": "LoRA" })), ..Config::default() }, None, &[]),
        (
            Config {
                registers_as: Some(json!({ "derivedModelInformation": { "baseModel": "FW-Y" } })),
                ..Config::default()
            },
            None,
            &["--base-model", "FW-X"],
        ),
    ] {
        let env = env_with(config);
        if let Some(fault) = fault {
            env.emulator().add_fault(fault.times(1));
        }
        let output = create(&env, &[options, &["-o", "json"]].concat()).fails_with(8);
        let error = output.json_error();
        assert_eq!(
            (&error["kind"], &error["code"]),
            (&json!("registration_failed"), &json!("version_taken")),
            "{output}"
        );
        assert_eq!(output.stdout, "");
    }
    let env = env_with(Config { registers_as: elsewhere(), ..Config::default() });
    let output = create(&env, &[]).fails_with(8);
    let (_, error) = output.stderr.split_once("ERROR: ").expect("an error");
    insta::assert_snapshot!(error, @"
    Model 'my-model' already exists. Use --overwrite to replace.
    Its weights are in https://elsewhere.example/c, not in http://[BLOBS]/devstoreaccount1/upload-1.
    The upload is complete and kept. When the version is free, run the same command again to register it:
      azure-ai-models custom create --name my-model --source model

    Suggestion: Use the next free version: --version 2
    ");
}

/// With `--no-wait` the accepted registration must be this one: the command waits for a model that is not visible yet.
#[test]
fn no_wait_waits_until_the_registration_is_identified() {
    let env = env();
    env.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::Reset).times(1).processed());
    let accepted = create(&env, &["--no-wait", "-o", "json"]).success().json();
    assert_eq!((&accepted["status"], &accepted["name"]), (&json!("Succeeded"), &json!("my-model")), "{accepted}");
}
