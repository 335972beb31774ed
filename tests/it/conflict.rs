//! Conflicts: which of them mean that the version exists, and the messages for the others.

use foundry_emulator::{Fault, FaultKind, Route};
use serde_json::json;

use crate::support::{Output, TestEnv, create, env_with_model as env};

fn requests_for(env: &TestEnv, action: &str) -> usize {
    env.emulator().requests().iter().filter(|request| request.path.ends_with(action)).count()
}

fn error(output: &Output) -> &str {
    output.stderr.split_once("ERROR: ").expect("an error").1
}

#[test]
fn unrelated_conflict_shows_the_services_message() {
    for options in [&[][..], &["--version", "auto"]] {
        let env = env();
        let refusal = FaultKind::refusal(409, "ProjectIsBeingDeleted", "The project is being deleted.");
        env.emulator().add_fault(Fault::new(Route::StartPendingUpload, refusal));
        let output = create(&env, options).fails_with(5);
        let message = error(&output);
        assert!(message.starts_with("The project is being deleted. (ProjectIsBeingDeleted)\n"), "{output}");
        assert!(
            message.contains("Suggestion: Fix the problem named in the message, then run the same command again."),
            "{output}"
        );
        assert!(!message.contains("already exists") && !message.contains("--overwrite"), "{output}");
        assert_eq!(requests_for(&env, "/startPendingUpload"), 1, "{output}");
    }
}

#[test]
fn registration_rejected_for_another_reason_shows_the_services_message() {
    let env = env();
    let refusal = FaultKind::refusal(409, "ModelBaseNotFound", "The base model is not there.");
    env.emulator().add_fault(Fault::new(Route::CreateAsync, refusal));
    let output = create(&env, &[]).fails_with(8);
    let message = error(&output);
    assert!(message.contains("The base model is not there. (ModelBaseNotFound)"), "{output}");
    assert!(!message.contains("already exists") && !message.contains("--overwrite"), "{output}");
}

/// The version exists because GET returns it, whatever the error code is.
#[test]
fn conflict_with_an_existing_version_is_reported() {
    let env = env();
    env.emulator().seed(&json!({"name": "my-model", "version": "1"})).expect("seeded");
    let refusal = FaultKind::refusal(409, "Conflict", "No.");
    env.emulator().add_fault(Fault::new(Route::StartPendingUpload, refusal));
    let output = create(&env, &[]).fails_with(5);
    insta::assert_snapshot!(error(&output).trim_end(), @"
    Model 'my-model' already exists. Use --overwrite to replace.

    Suggestion: Use the next free version: --version 2

    Request id: [UUID], [TIME]
    ");
}

/// A service that reports every version as taken receives two requests, and the first conflict is not reported.
#[test]
fn auto_version_is_retried_once_without_a_message() {
    let env = env();
    let taken = FaultKind::refusal(409, "ModelVersionConflict", "taken");
    env.emulator().add_fault(Fault::new(Route::StartPendingUpload, taken));
    let output = create(&env, &["--version", "auto"]).fails_with(5);
    assert_eq!(requests_for(&env, "/startPendingUpload"), 2, "{output}");
    assert_eq!(output.stderr.matches("ERROR").count(), 1, "{output}");
}

/// A retry would always be rejected, so the message also explains how to discard the upload.
#[test]
fn rejection_with_an_unknown_code_suggests_discarding_the_upload() {
    let env = env();
    let refusal = FaultKind::refusal(400, "SomethingNew", "No.");
    env.emulator().add_fault(Fault::new(Route::CreateAsync, refusal));
    let output = create(&env, &[]).fails_with(8);
    assert!(output.stderr.contains("  azure-ai-models custom uploads discard [UPLOAD]\n"), "{output}");
    let uploads = env.run(&["custom", "uploads", "list", "-o", "json"]).success().json();
    let id = uploads[0]["id"].as_str().expect("an id").to_owned();
    env.run(&["custom", "uploads", "discard", &id, "--yes"]).success();
    // A known code has a specific suggestion.
    let env = self::env();
    let refusal = FaultKind::refusal(400, "UnsupportedWeightFormat", "No.");
    env.emulator().add_fault(Fault::new(Route::CreateAsync, refusal));
    let output = create(&env, &[]).fails_with(8);
    assert!(!output.stderr.contains("uploads discard"), "{output}");
}
