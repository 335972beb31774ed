//! Confirmation: data is deleted only after the user confirms or with `--yes`.

use std::io::Write;
use std::process::Stdio;

use foundry_emulator::{Fault, FaultKind, Route};
use serde_json::json;

use crate::support::{Output, TestEnv, env_with_model as env};

const PIPED: [&str; 6] = ["custom", "create", "-n", "my-model", "--source", "-"];

/// Runs `create` with its source on standard input.
fn piped(env: &TestEnv, more: &[&str]) -> Output {
    let mut command = env.command(&[&PIPED[..], more].concat());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(b"model\n").expect("written");
    env.output(&crate::support::wait(child))
}

fn deletions(env: &TestEnv) -> usize {
    env.emulator().requests().iter().filter(|request| request.method == "DELETE").count()
}

#[test]
fn piped_source_is_not_consent_to_overwrite() {
    let env = env();
    env.emulator().seed(&json!({"name": "my-model", "version": "1", "description": "old"})).expect("seeded");
    let output = piped(&env, &["--overwrite"]).fails_with(2);
    assert!(output.stderr.contains("Use --yes to replace it without a prompt."), "{output}");
    assert_eq!(deletions(&env), 0);
    piped(&env, &["--overwrite", "--yes"]).success();
    assert_eq!(deletions(&env), 1);
}

/// The files are complete, and another upload registered the version in the meantime.
#[test]
fn complete_upload_needs_consent_to_replace_another_model() {
    let env = env();
    env.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::status(400)).times(1));
    piped(&env, &[]).fails_with(8);
    let other = json!({"name": "my-model", "version": "1", "blobUri": "https://elsewhere.example/c"});
    env.emulator().seed(&other).expect("seeded");
    let output = piped(&env, &["--overwrite"]).fails_with(2);
    assert!(output.stderr.contains("Use --yes to replace it without a prompt."), "{output}");
    assert_eq!(deletions(&env), 0);
    piped(&env, &["--overwrite", "--yes"]).success();
    assert_eq!(deletions(&env), 1);
}
