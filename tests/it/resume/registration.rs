//! The next run after a complete upload: only the registration is missing.

use foundry_emulator::{Config, Fault, FaultKind, Route};
use serde_json::json;

use super::uploads;
use crate::support::{CREATE, create, env_with, env_with_model as env};

/// The upload is complete, and the service now returns another location: the existing blobs are registered, unless that
/// is rejected.
#[test]
fn complete_upload_is_registered_in_its_location() {
    let expired = ["UploadExpired", "UploadIncomplete", "InvalidBlobUri"].map(|code| (Some(code), 2));
    for (refusal, uploads) in [(None, 1)].into_iter().chain(expired) {
        let env = env_with(Config { new_container_each_time: true, ..Config::default() });
        env.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::status(400)).times(1));
        create(&env, &[]).fails_with(8);
        if let Some(code) = refusal {
            let refusal = FaultKind::refusal(400, code, "The upload is too old.");
            env.emulator().add_fault(Fault::new(Route::CreateAsync, refusal).times(1));
        }
        let output = create(&env, &[]).success();
        let words = format!("Starting fresh upload... ({})", refusal.unwrap_or_default());
        let starts_over = output.stderr.contains(&words);
        assert_eq!((env.azcopy_starts().len(), starts_over), (uploads, refusal.is_some()), "{output}");
    }
}

/// Services write a location in several forms; all of them identify this upload's model, for `create` and for `wait`.
#[test]
fn model_is_recognised_in_any_form_of_its_location() {
    for form in ["", "/", "?sv=1", "/?sv=1#part"] {
        for command in [&CREATE[..], &["custom", "wait", "--name", "my-model", "--version", "1"]] {
            let env = env_with(Config::default());
            drop(env.run(&[&CREATE[..], &["--no-wait"]].concat()).success());
            assert_eq!(uploads(&env), 1);
            let blob_uri = format!("{}/upload-1{form}", env.blobs().base);
            let model = json!({ "name": "my-model", "version": "1", "blobUri": blob_uri });
            env.emulator().seed(&model).expect("seeded");
            drop(env.run(command).success());
            assert_eq!(uploads(&env), 0, "nothing is left to resume: {form:?}");
            assert_eq!(env.azcopy_starts().len(), 1, "{form:?}");
        }
    }
}

/// Weights in another location are another model, which is not touched.
#[test]
fn model_in_another_location_is_not_this_upload() {
    let env = env_with(Config::default());
    drop(env.run(&[&CREATE[..], &["--no-wait"]].concat()).success());
    let model = json!({ "name": "my-model", "version": "1", "blobUri": format!("{}/upload-2", env.blobs().base) });
    env.emulator().seed(&model).expect("seeded");
    let error = env.run(&[&CREATE[..], &["-o", "json"]].concat()).fails_with(8).json_error();
    assert_eq!(error["code"], "version_taken");
    assert_eq!(uploads(&env), 1);
    assert!(env.emulator().requests().iter().all(|sent| sent.method != "DELETE"));
}

/// The second registration conflicts with that of an earlier attempt; the model shows which upload it belongs to.
#[test]
fn conflict_with_another_clients_registration_is_not_a_success() {
    for options in [&[][..], &["--no-wait"]] {
        let registers_as = Some(json!({ "blobUri": "https://elsewhere.example/c" }));
        let env = env_with(Config { polls_until_done: 3, registers_as, ..Config::default() });
        env.emulator().add_fault(Fault::new(Route::Poll, FaultKind::status(400)).times(1));
        create(&env, &[]).fails_with(8);
        let error = env.run(&[&CREATE[..], options, &["-o", "json"]].concat()).fails_with(8).json_error();
        assert_eq!(error["code"], "version_taken", "{error}");
        assert_eq!(uploads(&env), 1);
    }
}

/// The model of an earlier attempt exists, but its registration failed: that is not a success.
#[test]
fn no_wait_reports_a_failed_registration() {
    let env = env();
    env.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::status(400)).times(1));
    create(&env, &[]).fails_with(8);
    let error = json!({ "code": "UnsupportedWeightFormat", "message": "No." });
    let model = json!({ "name": "my-model", "version": "1", "blobUri": format!("{}/upload-1", env.blobs().base),
        "provisioningState": "Failed", "error": error });
    env.emulator().seed(&model).expect("seeded");
    let output = env.run(&[&CREATE[..], &["--no-wait", "-o", "json"]].concat()).fails_with(8);
    assert_eq!((output.json_error()["code"].as_str(), &*output.stdout), (Some("UnsupportedWeightFormat"), ""));
}

#[test]
fn rejected_registration_keeps_the_upload_and_the_next_run_sends_nothing() {
    let env = env();
    let refusal = FaultKind::refusal(400, "UnsupportedWeightFormat", "Only safetensors weights are supported.");
    env.emulator().add_fault(Fault::new(Route::CreateAsync, refusal).times(1));
    insta::assert_snapshot!(create(&env, &[]).fails_with(8).abridged(), @"
    ------- stderr -------
    [WARNINGS]
    [STEP 1]
    [STEP 2]
      Uploading 2 files, 1.0 KB...
      99% (1.0 KB / 1.0 KB)
      100.0% (1.0 KB / 1.0 KB) | [RATE] | Elapsed: 0s | ETA: done
      Completed in 0s
    ✓ Upload complete

    Step 3/3: Registering model...
    ERROR: the model could not be registered: Foundry returned: Only safetensors weights are supported. (UnsupportedWeightFormat)

    Suggestion: Convert the weights to .safetensors, and check the folder with 'custom check' before the next upload.
    The upload is complete and kept. To register it after fixing the problem, run the same command again (no file is sent again):
      azure-ai-models custom create --name my-model --source model

    Request id: [UUID], [TIME]
    [exit code: 8]
    ");
    insta::assert_snapshot!(create(&env, &[]).success().abridged(), @"
    [PAGE]
    ------- stderr -------
    [WARNINGS]

    Creating custom model: my-model (version 1)

    All files are already uploaded; only the registration is missing.
    Step 3/3: Registering model...
    ✓ Model registered successfully!
    ");
    assert_eq!(env.azcopy_starts().len(), 1);
    assert_eq!(uploads(&env), 0);
}

/// The run ended while the service was still registering the model, or afterwards: the next run succeeds without a
/// conflict, and sends nothing again.
#[test]
fn registration_that_finished_after_the_run_is_a_success() {
    for visible_while_creating in [false, true] {
        let env = env_with(Config { visible_while_creating, ..Config::default() });
        env.emulator().add_fault(Fault::new(Route::Poll, FaultKind::status(400)).times(1));
        create(&env, &[]).fails_with(8);
        let output = create(&env, &[]).success();
        assert!(output.stdout.contains("State:        Succeeded"), "{output}");
        assert_eq!(env.azcopy_starts().len(), 1);
    }
}

#[test]
fn files_that_changed_after_a_complete_upload_are_sent_before_the_registration() {
    let env = env();
    env.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::status(400)).times(1));
    create(&env, &[]).fails_with(8);
    env.write("model/config.json", format!("{{}}{}", " ".repeat(58)));
    create(&env, &[]).success();
    assert_eq!(env.azcopy_lists()[1], "config.json\n");
}

/// The upload is complete, but its details were rejected: it is registered with the current ones.
#[test]
fn complete_upload_is_registered_with_the_new_details() {
    let env = env_with(Config { requires_base_model: true, ..Config::default() });
    let output = create(&env, &[]).fails_with(8);
    assert!(output.stderr.contains("BaseModelRequired"), "{output}");
    let again = [CREATE.as_slice(), &["--base-model", "FW-X", "--description", "now"]].concat();
    drop(env.run(&again).success());
    assert_eq!(env.azcopy_starts().len(), 1, "nothing is sent again");
    let requests = env.emulator().requests();
    let last = requests.iter().rfind(|sent| sent.path.ends_with("/createAsync")).expect("a registration");
    assert_eq!(last.body["description"], "now");
    assert!(last.body["derivedModelInformation"]["baseModel"].as_str().is_some_and(|uri| uri.contains("FW-X")));
}

/// An upload is registered even if its journal cannot be written.
#[test]
fn journal_that_cannot_be_written_after_the_upload_does_not_stop_the_registration() {
    let mut env = env();
    env.azcopy_script("block-journal\ndefault\n");
    let output = create(&env, &[]).success();
    let warning = "WARNING: the state of this upload cannot be saved, so a new run may repeat a step: cannot prepare";
    assert_eq!(output.to_string().matches(warning).count(), 1, "{output}");
    assert_eq!(uploads(&env), 0);
}
