//! Checks of AzCopy, the disk, open files, and the uploads on this machine.

use rustix::process::Signal;
use serde_json::json;

use super::{check, doctor, failures, fixture, problems};
use crate::support::Running;

#[test]
fn missing_azcopy_suggests_the_native_engine() {
    let env = fixture();
    std::fs::remove_file(env.bin().join("azcopy")).expect("removed");
    insta::assert_snapshot!(problems(&doctor(&env)), @"warning  azcopy      azcopy was not found in PATH, [ROOT]/home/.azd/bin, [ROOT]/home/.azure/bin; 'custom create' downloads it if needed  Fix: export AZURE_AI_MODELS_ENGINE=native");
}

#[test]
fn azcopy_that_does_not_run_is_a_failure() {
    let env = fixture();
    env.program("azcopy", "echo 'azcopy: error while loading shared libraries' >&2; exit 127");
    insta::assert_snapshot!(failures(&doctor(&env), "azcopy").replace(azure_ai_models_core::azcopy::download_url(), "[URL]"), @"
    failed   azcopy      [ROOT]/bin/azcopy was found but does not run (exit 127): azcopy: error while loading shared libraries  Fix: Install AzCopy v10: [URL]
    ");
}

#[test]
fn full_disk_fails() {
    let env = fixture();
    let output = env.run_after("trap '' XFSZ; ulimit -f 4", &["doctor"]);
    insta::assert_snapshot!(failures(&output, "disk"), @"
    failed   disk        [ROOT]/home cannot be written: File too large (os error 27)  Fix: export AZD_CONFIG_DIR=DIR
    ");
    let left: Vec<_> =
        std::fs::read_dir(env.home()).expect("the home").map(|entry| entry.expect("an entry").path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn small_limit_of_open_files_is_a_warning() {
    let env = fixture();
    let output = env.run_after("ulimit -n 64", &["doctor"]).success();
    let line = output.stdout.lines().find(|line| line.contains("open-files")).expect("the check");
    assert_eq!(
        line,
        "warning  open-files  the limit is 64; the native engine needs 96 for all its connections  Fix: ulimit -n 4096"
    );
}

#[test]
fn unfinished_upload_is_reported_with_the_command_to_resume() {
    let mut env = fixture();
    env.write_model();
    env.azcopy_script("init\nerror no");
    env.run(&["create", "-n", "other-model", "--source", "model"]).fails_with(7);
    env.azcopy_script("default");
    let warned = problems(&doctor(&env)).replace("resume ", "discard ");
    insta::assert_snapshot!(env.clean(&warned).replace("discard ", "resume "), @"warning  uploads     'other-model' version 1 is interrupted  Fix: azure-ai-models custom uploads resume [UPLOAD]");
}

#[test]
fn running_upload_is_not_suggested_for_resuming() {
    let mut env = fixture();
    env.write_model();
    env.azcopy_script("init\nhang\n");
    let running = Running::start(&env, &["create", "-n", "other-model", "--source", "model"]);
    running.wait_for("Uploading 2 files");
    assert_eq!(
        check(&env, "uploads"),
        json!({"id": "uploads", "status": "ok", "message": "none unfinished, 1 running", "fix": null})
    );
    running.signal(Signal::INT);
    drop(running.finish(&env).fails_with(130));
}
