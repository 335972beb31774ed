//! `create`: upload and register.

use foundry_emulator::{Config, Fault, FaultKind, LocationForm, MissingRoute, OperationEnd, PendingUploadShape, Route};
use serde_json::json;

use crate::support::{StubAnswer, TestEnv};

const CREATE: [&str; 6] = ["custom", "create", "--name", "my-model", "--source", "model"];

fn env() -> TestEnv {
    env_with(Config::default())
}

fn env_with(config: Config) -> TestEnv {
    let env = TestEnv::with(config);
    env.write_model();
    env
}

#[must_use = "either snapshot the output or assert the exit code"]
fn create(env: &TestEnv, more: &[&str]) -> crate::support::Output {
    env.run(&[&CREATE[..], more].concat())
}

#[test]
fn the_user_sees_three_steps_and_the_result() {
    let env = env();
    insta::assert_snapshot!(create(&env, &[]), @r"
    ──────────────────────────────────────────────────
      Name:         my-model
      Version:      1
      Format:       safetensors
      Size:         1.0 KB
      Weight type:  FullWeight
      Created:      2026-02-14T10:30:00Z
      State:        Succeeded
    ──────────────────────────────────────────────────

    To deploy this model:
      azure-ai-models custom deployments create --name my-model --model my-model --model-version 1
    ------- stderr -------
    WARNING: tokenizer not found; the tokenizer of the base model may not match (missing-tokenizer). Add the model's tokenizer.json or tokenizer.model.
    WARNING: No --base-model is given: the service may refuse to register or deploy these weights.
    Using azcopy: [ROOT]/bin/azcopy (10.32.2)

    Creating custom model: my-model (version 1)

    Step 1/3: Requesting upload location...
    ✓ Upload location ready
      Blob URI: http://[BLOBS]/devstoreaccount1/upload-1

    Step 2/3: Uploading model files...
      Source: model (2 files, 1.0 KB)
      Uploading 2 files, 1.0 KB...
      99% (1.0 KB / 1.0 KB)
      100.0% (1.0 KB / 1.0 KB) | [RATE] | Elapsed: 0s | ETA: done
      Completed in 0s
    ✓ Upload complete

    Step 3/3: Registering model...
    ✓ Model registered successfully!
    ");
}

#[test]
fn a_script_gets_the_model_and_nothing_else() {
    let env = env();
    let output = create(&env, &["-o", "json", "-q", "--base-model", "FW-GLM-4.7"]);
    assert_eq!(output.stderr, "", "{output}");
    let model = output.success().json();
    assert_eq!((&model["name"], &model["version"]), (&json!("my-model"), &json!("1")));
}

#[test]
fn the_wire_carries_the_registration_in_both_dialects() {
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
fn every_request_has_user_agent_and_trace() {
    let mut env = env();
    env.set("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    env.set("AZURE_HTTP_USER_AGENT", "azd/1.2.3");
    create(&env, &[]).success();
    let requests = env.emulator().requests();
    assert!(requests.len() >= 4);
    let mut ids = std::collections::BTreeSet::new();
    for request in &requests {
        assert!(request.headers["user-agent"].starts_with("azd-ext-azure-ai-models/0.1.0-preview ("));
        assert!(request.headers["user-agent"].ends_with(" azd/1.2.3"));
        assert_eq!(request.headers["foundry-features"], "Models=V1Preview");
        assert_eq!(request.headers["traceparent"], "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        ids.insert(request.headers["x-ms-client-request-id"].clone());
    }
    assert_eq!(ids.len(), requests.len(), "each request has its own id");
}

/// Gateways answer 400 to a header that is none.
#[test]
fn an_invalid_trace_is_not_forwarded() {
    for bad in [
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0zz7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ] {
        let mut env = env();
        env.set("TRACEPARENT", bad).set("TRACESTATE", "a=b");
        env.run(&["list"]).success();
        let requests = env.emulator().requests();
        assert!(!requests.is_empty());
        for request in requests {
            assert!(
                !request.headers.contains_key("traceparent") && !request.headers.contains_key("tracestate"),
                "{bad}"
            );
        }
    }
}

#[test]
fn azcopy_gets_the_planned_files_a_silent_stdin_and_a_clean_environment() {
    let mut env = env();
    env.write("model/sub/a b.json", "{}");
    env.set("AZURE_CLIENT_SECRET", "x").set("AZD_ENVIRONMENT", "dev").set("AZCOPY_AUTO_LOGIN_TYPE", "AZCLI");
    env.set("AZCOPY_SPA_CLIENT_SECRET", "x").set("AZCOPY_BUFFER_GB", "0.5");
    create(&env, &["--limit-rate", "20M"]).success();
    let starts = env.azcopy_starts();
    let start = starts.last().expect("a start");
    let text = start.to_string();
    insta::assert_snapshot!(serde_json::to_string_pretty(&start["list"]).expect("JSON"), @r#""config.json\nmodel.safetensors\nsub/a b.json\n""#);
    assert!(text.contains("--cap-mbps") && text.contains("167.772160"), "{text}");
    assert_eq!(start["stdin"], json!({"pipe": true, "open": true}), "{text}");
    let names: Vec<&str> = start["env"].as_array().expect("names").iter().filter_map(|name| name.as_str()).collect();
    for gone in [
        "AZURE_CLIENT_SECRET",
        "AZD_ENVIRONMENT",
        "AZCOPY_AUTO_LOGIN_TYPE",
        "AZCOPY_SPA_CLIENT_SECRET",
        "AZURE_PROJECT_ENDPOINT",
    ] {
        assert!(!names.contains(&gone), "{gone} in {names:?}");
    }
    for kept in ["AZCOPY_BUFFER_GB", "AZCOPY_LOG_LOCATION", "AZCOPY_JOB_PLAN_LOCATION", "HOME"] {
        assert!(names.contains(&kept), "{kept} not in {names:?}");
    }
}

#[test]
fn success_leaves_nothing_behind() {
    let env = env();
    create(&env, &[]).success();
    let uploads = env.home().join(".azd/ai-models/uploads");
    assert_eq!(std::fs::read_dir(uploads).expect("the directory").count(), 0);
}

#[test]
fn every_shape_of_an_upload_location_is_accepted() {
    for shape in [PendingUploadShape::Datastore, PendingUploadShape::Sdk, PendingUploadShape::Flat] {
        let env = env_with(Config { pending_upload_shape: shape, ..Config::default() });
        create(&env, &[]).success();
    }
}

#[test]
fn a_version_that_exists_is_a_conflict_that_names_the_next_free_one() {
    let env = env();
    for version in ["1", "2", "7"] {
        env.emulator().seed(&json!({"name": "my-model", "version": version})).expect("seeded");
    }
    insta::assert_snapshot!(create(&env, &[]), @"
    ------- stderr -------
    WARNING: tokenizer not found; the tokenizer of the base model may not match (missing-tokenizer). Add the model's tokenizer.json or tokenizer.model.
    WARNING: No --base-model is given: the service may refuse to register or deploy these weights.
    Using azcopy: [ROOT]/bin/azcopy (10.32.2)

    Creating custom model: my-model (version 1)

    Step 1/3: Requesting upload location...
    ERROR: Model 'my-model' already exists. Use --overwrite to replace.

    Suggestion: Use the next free version: --version 8

    Request id: [UUID], [TIME]
    [exit code: 5]
    ");
    assert!(env.azcopy_starts().is_empty(), "nothing was copied");
}

#[test]
fn an_operation_is_found_wherever_the_service_names_it() {
    for location in [LocationForm::Absolute, LocationForm::Relative, LocationForm::BodyOnly, LocationForm::None] {
        let env = env_with(Config { location: location.clone(), ..Config::default() });
        let output = create(&env, &["-o", "json"]);
        assert_eq!(output.code, Some(0), "{location:?}: {output}");
    }
}

#[test]
fn an_operation_on_a_foreign_host_gets_no_token_and_the_model_is_asked_instead() {
    let thief = TestEnv::new();
    let foreign = thief.emulator().endpoint().parse().expect("a URL");
    let env = env_with(Config { location: LocationForm::Foreign(foreign), ..Config::default() });
    create(&env, &[]).success();
    assert!(thief.emulator().requests().is_empty());
}

#[test]
fn a_service_without_create_async_is_asked_by_put() {
    for (missing_route, status) in
        [(MissingRoute::NotFound, 200), (MissingRoute::MethodNotAllowed, 201), (MissingRoute::NotFound, 202)]
    {
        let config = Config { has_create_async: false, missing_route, put_status: Some(status), ..Config::default() };
        let env = env_with(config);
        create(&env, &[]).success();
    }
}

#[test]
fn an_unknown_state_is_waited_for_and_every_end_is_known() {
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

/// Another registration was faster, wherever this is detected: after the operation, after a PUT, and with `--no-wait`,
/// where the service's answer does not say whose registration it is.
#[test]
fn a_model_registered_elsewhere_is_no_success() {
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

/// With `--no-wait` the accepted registration must be this one: a model that is not visible yet is waited for.
#[test]
fn no_wait_waits_until_it_is_known_whose_registration_it_is() {
    let env = env();
    env.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::Reset).times(1).processed());
    let accepted = create(&env, &["--no-wait", "-o", "json"]).success().json();
    assert_eq!((&accepted["status"], &accepted["name"]), (&json!("Succeeded"), &json!("my-model")), "{accepted}");
}

#[test]
fn a_refused_sas_is_renewed_once() {
    let env = env();
    env.blobs().says(StubAnswer::ErrorTimes(1, 403, "AuthenticationFailed"));
    create(&env, &[]).success();
    env.emulator().reset();
    env.blobs().says(StubAnswer::Error(403, "AuthenticationFailed"));
    insta::assert_snapshot!(create(&env, &[]), @"
    ------- stderr -------
    WARNING: tokenizer not found; the tokenizer of the base model may not match (missing-tokenizer). Add the model's tokenizer.json or tokenizer.model.
    WARNING: No --base-model is given: the service may refuse to register or deploy these weights.
    Using azcopy: [ROOT]/bin/azcopy (10.32.2)

    Creating custom model: my-model (version 1)

    Step 1/3: Requesting upload location...
    ERROR: the blob store rejected the upload SAS (403 AuthenticationFailed)

    Suggestion: A new upload location was rejected too. Check this machine's clock, and the network rules of the project's storage.
    After fixing the problem, run the same command again:
      azure-ai-models custom create --name my-model --source model
    [exit code: 7]
    ");
}

#[test]
fn a_sas_that_may_not_list_is_good_enough() {
    let env = env();
    env.blobs().says(StubAnswer::Error(403, "AuthorizationPermissionMismatch"));
    create(&env, &[]).success();
}

#[test]
fn a_silent_blob_store_is_reported_before_azcopy_runs() {
    let env = env();
    env.blobs().says(StubAnswer::Nothing);
    let output = create(&env, &[]).fails_with(9);
    assert!(
        output.stderr.contains("the blob store cannot be used: could not reach [BLOBS]: no response in time"),
        "{output}"
    );
}

#[test]
fn an_unproved_upload_is_not_registered() {
    for (script, words) in [
        // Exit code 0, although nothing was copied.
        ("init\nend Completed 0 0 0 0 0\nexit 0\n", "copied nothing"),
        ("init\nend Completed 500 500 1 1 0\nexit 0\n", "copied 1 of 2 files"),
        ("init\nend Completed 1050 1050 1 2 0\nexit 0\n", "copied 1 of 2 files"),
        ("init\nend Completed 1050 1050 3 2 0\nexit 0\n", "copied 3 of 2 files"),
        ("init\nend Completed 1050 1050 2 3 0\nexit 0\n", "copied 3 of 2 files"),
        ("init\nend Completed 1050 1050 3 3 0\nexit 0\n", "copied 3 of 2 files"),
        ("init\nend Completed 1049 1049 2 2 0\nexit 0\n", "1049 bytes instead of 1050"),
        ("init\nend Completed 1049 1050 2 2 0\nexit 0\n", "1049 bytes instead of 1050"),
        ("init\nend Completed 1051 1051 2 2 0\nexit 0\n", "1051 bytes instead of 1050"),
        ("init\nend Completed 1050 1050 2 2 1\nexit 0\n", "1 of 2 files failed"),
        ("init\nend Completed 1050 1050 2 2 0\nexit 1\n", "exit code 1"),
        ("init\nexit 0\n", "without a result"),
        ("stderr panic: runtime error\nexit 2\n", "crashed"),
        ("plain not JSON at all\nexit 0\n", "without a result"),
    ] {
        let mut env = env();
        env.azcopy_script(script);
        let output = create(&env, &[]).fails_with(7);
        assert!(output.stderr.contains(words), "{words}: {output}");
        assert!(!is_registered(&env), "{words}: registered all the same");
    }
}

/// A resumed run is measured by what it had to send, a copy from a URL by what AzCopy found there.
#[test]
fn totals_are_those_of_what_was_to_be_sent() {
    let first = "init\ndelivered config.json\nend CompletedWithErrors 50 1050 1 2 1\nexit 1\nnext-run\n";
    for (end, words) in [
        ("1050 1050 2 2 0", "copied 2 of 1 file"),
        ("1050 1050 1 1 0", "1050 bytes instead of 1000"),
        ("950 950 1 1 0", "950 bytes instead of 1000"),
    ] {
        let mut env = env();
        env.azcopy_script(&format!("{first}init\nend Completed {end}\nexit 0\n"));
        create(&env, &[]).fails_with(7);
        let output = create(&env, &[]).fails_with(7);
        assert!(output.stderr.contains(words), "{words}: {output}");
        assert!(!is_registered(&env), "{words}: registered all the same");
    }
    let remote = ["custom", "create", "--name", "my-model", "--source", "https://a.blob.core.windows.net/c?sv=1&sig=x"];
    for (end, words) in [
        ("10 11 1 1 0", "10 bytes instead of 11"),
        ("11 11 1 2 0", "copied 1 of 2 files"),
        ("0 0 0 0 0", "copied nothing"),
    ] {
        let mut env = env();
        env.azcopy_script(&format!("init\nend Completed {end}\nexit 0\n"));
        let output = env.run(&remote).fails_with(7);
        assert!(output.stderr.contains(words), "{words}: {output}");
        assert!(!is_registered(&env), "{words}: registered all the same");
    }
}

fn is_registered(env: &TestEnv) -> bool {
    env.emulator().requests().iter().any(|request| request.path.ends_with("/createAsync"))
}

#[test]
fn a_broken_upload_names_the_log_and_the_command_to_run_again() {
    let mut env = env();
    env.azcopy_script("init\nlog 2026/11/25 04:00:00 ERR: [P#0-T#0] UPLOADFAILED: model.safetensors : 000 : source modified during transfer\nfailed model.safetensors 0 1000\nend CompletedWithErrors 50 1050 1 2 1\nexit 1\n");
    insta::assert_snapshot!(create(&env, &["--description", "two words"]), @"
    ------- stderr -------
    WARNING: tokenizer not found; the tokenizer of the base model may not match (missing-tokenizer). Add the model's tokenizer.json or tokenizer.model.
    WARNING: No --base-model is given: the service may refuse to register or deploy these weights.
    Using azcopy: [ROOT]/bin/azcopy (10.32.2)

    Creating custom model: my-model (version 1)

    Step 1/3: Requesting upload location...
    ✓ Upload location ready
      Blob URI: http://[BLOBS]/devstoreaccount1/upload-1

    Step 2/3: Uploading model files...
      Source: model (2 files, 1.0 KB)
      Uploading 2 files, 1.0 KB...
    ERROR: Upload interrupted. Fix the problem, then run the same command to resume.
    1 of 2 files failed: model.safetensors: source modified during transfer
    AzCopy's log: [ROOT]/home/.azd/ai-models/uploads/[UPLOAD]/run-1/[UUID].log
    No file is complete yet: the upload starts over.

    Suggestion: Check that every file exists and can be read, and that no program changes the files during the upload.
    To resume after fixing the problem, run the same command again:
      azure-ai-models custom create --name my-model --source model --description 'two words'
    [exit code: 7]
    ");
}

#[test]
fn an_invalid_stall_limit_changes_nothing() {
    let mut env = env();
    env.set("AZURE_AI_MODELS_STALL_TIMEOUT", "soon");
    let output = create(&env, &[]).fails_with(2);
    assert!(output.stderr.contains("ERROR: AZURE_AI_MODELS_STALL_TIMEOUT: 'soon' is not a duration"), "{output}");
    assert!(env.emulator().requests().is_empty(), "nothing was asked of the service");
}

/// Bad values end before any request.
#[test]
fn bad_values_change_nothing() {
    let env = env();
    env.write("empty/.gitattributes", "x");
    env.write("latin1.txt", b"caf\xE9");
    let mut table = String::new();
    let mut check = |args: &[&str]| {
        let output = env.run(args);
        let message = output.stderr.lines().find(|line| line.starts_with("ERROR")).unwrap_or_default().to_owned();
        table = format!("{table}{:>3}  {}\n     {message}\n", output.code.expect("a code"), args.join(" "));
        assert!(output.stdout.is_empty(), "{output}");
    };
    for args in [
        &["create", "--name", "1x", "--source", "model"][..],
        &["create", "--name", "ok", "--source", ""],
        &["create", "--name", "ok", "--source", "ftp://x/y"],
        &["create", "--name", "ok", "--source", "http://example.com/x"],
        &["create", "--name", "ok", "--source", "https://models.example/org/repo"],
        &["create", "--name", "ok", "--source", "https://a.blob.core.windows.net/c?sv=1"],
        &["create", "--name", "ok", "--source", "mod*"],
        &["create", "--name", "ok", "--source", "nowhere"],
        &["create", "--name", "ok", "--source", "empty"],
        &["create", "--name", "ok", "--source-file", "nowhere.txt"],
        &["create", "--name", "ok", "--source-file", "latin1.txt"],
        &["create", "--name", "ok", "--source", "model", "--source-file", "x"],
        &["create", "--name", "ok"],
        &["create", "--source", "model"],
        &["create", "--name", "ok", "--source", "model", "--version", "a/b"],
        &["create", "--name", "ok", "--source", "model", "--lora-rank", "8"],
        &["create", "--name", "ok", "--source", "model", "--weight-type", "LoRA", "--lora-rank", "0"],
        &["create", "--name", "ok", "--source", "model", "--weight-type", "LoRA", "--lora-dropout", "1"],
        &["create", "--name", "ok", "--source", "model", "--weight-type", "Full"],
        &["create", "--name", "ok", "--source", "model", "--tag", "team"],
        &["create", "--name", "ok", "--source", "model", "--tag", "=x"],
        &["create", "--name", "ok", "--source", "model", "--timeout", "30"],
        &["create", "--name", "ok", "--source", "-"],
        &["create", "--name", "ok", "--source", "model", "--base-model", "a b"],
        &["create", "--name", "ok", "--source", "model", "--azcopy-path", "nowhere"],
        &["create", "--name", "ok", "--source", "model", "--progress", "fancy"],
        &["create", "--name", "ok", "--source", "model", "--limit-rate", "fast"],
        &["create", "--name", "ok", "--source", "model", "--limit-rate", "0"],
        &["list", "--output", "yaml"],
        &["list", "-e", "https://example.com/api/projects/p"],
        &["list", "-e", "http://a.services.ai.azure.com/api/projects/p"],
        &["list", "-e", "https://a.services.ai.azure.com/p"],
        &["list", "-e", "https://x", "-e", "https://y"],
        &["list", "-e", "a/b"],
        &["list", "--environment", "https://x"],
        &["list", "-e", "dev"],
        &["list", "--debug=maybe"],
        &["list", "--no-prompt=perhaps"],
        &["list", "--quiet=x"],
        &["list", "--cwd", "nowhere"],
        &["list", "--wat"],
        &["show", "--name", "a/b"],
        &["show", "--name", "ok", "--version", ""],
        &["versions"],
        &["delete", "--name", "ok", "--version", ".."],
        &["completion", "tcsh"],
        &["custom", "lst"],
    ] {
        check(args);
    }
    insta::assert_snapshot!(table);
    assert!(env.emulator().requests().is_empty(), "no request went out");
}
