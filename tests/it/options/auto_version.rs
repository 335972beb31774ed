//! `--version auto`: how the version of an upload is chosen and kept.

use foundry_emulator::{Fault, FaultKind, Route};
use serde_json::json;

#[cfg(unix)]
use crate::support::{CREATE, Running};
use crate::support::{create, env_with_model as env};

#[test]
fn auto_uses_the_version_after_the_highest() {
    let env = env();
    create(&env, &["--version", "auto"]).success();
    for version in ["9", "10", "beta"] {
        env.emulator().seed(&json!({"name": "my-model", "version": version})).expect("seeded");
    }
    let output = create(&env, &["--version", "auto", "-o", "json"]).success();
    assert_eq!(output.json()["version"], "11");
}

/// Another client takes the version between the check and the upload: the next version is used, once.
#[test]
fn auto_uses_the_next_version_on_a_conflict() {
    let env = env();
    let taken = FaultKind::refusal(409, "ModelVersionConflict", "taken");
    env.emulator().add_fault(Fault::new(Route::StartPendingUpload, taken).times(1));
    let output = create(&env, &["--version", "auto", "-o", "json"]).success();
    assert_eq!(output.json()["version"], "2");
}

/// An unfinished upload of the same source keeps its version; a concurrent upload gets its own.
#[test]
#[cfg(unix)]
fn auto_keeps_its_version_and_concurrent_runs_get_two() {
    let mut env = env();
    env.azcopy_script("init\nhang\nnext-run\ndefault\nnext-run\ndefault\n");
    let first = Running::start(&env, &[CREATE.as_slice(), &["--version", "auto"]].concat());
    first.wait_for("Uploading 2 files");
    let second = create(&env, &["--version", "auto", "-o", "json"]).success();
    assert_eq!(second.json()["version"], "2");
    first.signal(rustix::process::Signal::INT);
    let first = first.finish(&env).fails_with(130);
    assert!(first.stderr.contains("custom create --name my-model --source model --version auto"), "{first}");
    let again = create(&env, &["--version", "auto", "-o", "json"]).success();
    assert_eq!(again.json()["version"], "1");
}
