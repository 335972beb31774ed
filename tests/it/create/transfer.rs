//! The upload location, AzCopy, and the proof that the files are complete.

use foundry_emulator::{Config, PendingUploadShape};
use serde_json::json;

use crate::support::{HOME, StubResponse, create, env_with, env_with_model as env};

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
    for kept in ["AZCOPY_BUFFER_GB", "AZCOPY_LOG_LOCATION", "AZCOPY_JOB_PLAN_LOCATION", HOME] {
        assert!(names.contains(&kept), "{kept} not in {names:?}");
    }
}

#[test]
fn every_shape_of_an_upload_location_is_accepted() {
    for shape in [PendingUploadShape::Datastore, PendingUploadShape::Sdk, PendingUploadShape::Flat] {
        let env = env_with(Config { pending_upload_shape: shape, ..Config::default() });
        create(&env, &[]).success();
    }
}

#[test]
fn rejected_sas_is_renewed_once() {
    let env = env();
    env.blobs().respond_with(StubResponse::ErrorTimes(1, 403, "AuthenticationFailed"));
    create(&env, &[]).success();
    env.emulator().reset();
    env.blobs().respond_with(StubResponse::Error(403, "AuthenticationFailed"));
    insta::assert_snapshot!(create(&env, &[]).abridged(), @"
    ------- stderr -------
    [WARNINGS]
    [STEP 1]
    ERROR: the blob store rejected the upload SAS (403 AuthenticationFailed)

    Suggestion: A new upload location was rejected too. Check this machine's clock, and the network rules of the project's storage.
    After fixing the problem, run the same command again:
      azure-ai-models custom create --name my-model --source model
    [exit code: 7]
    ");
}

#[test]
fn sas_without_list_permission_is_accepted() {
    let env = env();
    env.blobs().respond_with(StubResponse::Error(403, "AuthorizationPermissionMismatch"));
    create(&env, &[]).success();
}

#[test]
fn unresponsive_blob_store_is_reported_before_azcopy_runs() {
    let env = env();
    env.blobs().respond_with(StubResponse::Nothing);
    let output = create(&env, &[]).fails_with(9);
    assert!(
        output.stderr.contains("the blob store cannot be used: could not reach [BLOBS]: no response in time"),
        "{output}"
    );
}

#[test]
fn incomplete_upload_is_not_registered() {
    for (script, words) in [
        // Exit code 0, although no file was copied.
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
        assert_eq!(env.registrations(), 0, "{words}: registered anyway");
    }
}

/// A resumed run is compared with what it had to send, a copy from a URL with what AzCopy found there.
#[test]
fn totals_must_match_the_files_to_send() {
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
        assert_eq!(env.registrations(), 0, "{words}: registered anyway");
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
        assert_eq!(env.registrations(), 0, "{words}: registered anyway");
    }
}

/// The command is quoted for a Unix shell.
#[cfg(unix)]
#[test]
fn failed_upload_names_the_log_and_the_command_to_resume() {
    let mut env = env();
    env.azcopy_script("init\nlog 2026/11/25 04:00:00 ERR: [P#0-T#0] UPLOADFAILED: model.safetensors : 000 : source modified during transfer\nfailed model.safetensors 0 1000\nend CompletedWithErrors 50 1050 1 2 1\nexit 1\n");
    insta::assert_snapshot!(create(&env, &["--description", "two words"]).abridged(), @"
    ------- stderr -------
    [WARNINGS]
    [STEP 1]
    [STEP 2]
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
