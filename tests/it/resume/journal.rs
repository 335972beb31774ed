//! The journal: replaced atomically, with one schema, and with the number of the run.

use std::fs;
use std::path::PathBuf;

use foundry_emulator::{Fault, FaultKind, Route};
use serde_json::Value;

use super::BROKEN;
#[cfg(unix)]
use crate::support::CREATE;
use crate::support::{TestEnv, create, env_with_model as env};

#[test]
fn unreadable_journal_starts_over() {
    let mut env = env();
    env.azcopy_script(BROKEN);
    create(&env, &[]).fails_with(7);
    for upload in fs::read_dir(env.home().join(".azd/ai-models/uploads")).expect("a directory") {
        fs::write(upload.expect("an entry").path().join("journal.json"), "{").expect("written");
    }
    create(&env, &[]).success();
    assert_eq!(env.azcopy_lists()[1], "config.json\nmodel.safetensors\n");
}

/// Path of the file with this name in the only upload.
fn in_upload(env: &TestEnv, name: &str) -> PathBuf {
    let uploads = fs::read_dir(env.home().join(".azd/ai-models/uploads")).expect("a directory");
    let [upload] = uploads.map(|upload| upload.expect("an entry").path()).collect::<Vec<_>>().try_into().expect("one");
    upload.join(name)
}

/// A hard link to the old journal shows how it is replaced: a file that is written in place would change under both
/// names.
#[cfg(unix)]
#[test]
fn journal_is_replaced_and_never_written_in_place() {
    let mut env = env();
    env.azcopy_script("init\ndelivered config.json\nend CompletedWithErrors 50 1050 1 2 1\nexit 1\n");
    create(&env, &[]).fails_with(7);
    let (journal, old) = (in_upload(&env, "journal.json"), env.root().join("old"));
    let before = fs::read(&journal).expect("a journal");
    fs::hard_link(&journal, &old).expect("a hard link");
    create(&env, &[]).fails_with(7);
    assert_ne!(fs::read(&journal).expect("a journal"), before, "it was not written again");
    assert_eq!(fs::read(&old).expect("the old journal"), before);
}

/// Simulates a kill during the write: whatever part of the new journal is on the disk, the old one is complete.
#[cfg(unix)]
#[test]
fn partially_written_journal_leaves_the_old_one() {
    let mut env = env();
    for number in 0..200 {
        env.write(&format!("model/a-rather-long-name-{number:04}"), "x");
    }
    env.azcopy_script(
        "init\ndelivered config.json\nend CompletedWithErrors 50 1250 1 202 201\nexit 1\nnext-run\ndefault\n",
    );
    create(&env, &[]).fails_with(7);
    let journal = in_upload(&env, "journal.json");
    let before = fs::read(&journal).expect("a journal");
    // `ulimit` counts blocks of 512 bytes: no file may exceed half the size of the journal.
    let limit = format!("trap '' XFSZ; ulimit -f {}", before.len() / 1024);
    let output = env.run_after(&limit, &CREATE).fails_with(1);
    assert!(output.stderr.contains("/journal.json: File too large"), "{output}");
    assert!(output.stderr.contains("Free disk space"), "{output}");
    assert_eq!(fs::read(&journal).expect("a journal"), before);
    assert_eq!(env.azcopy_starts().len(), 1, "nothing is sent that is not recorded");
    let output = create(&env, &[]).success();
    assert!(output.stderr.contains("1 of 202 files (50 B) already uploaded"), "{output}");
}

/// Another version of the program wrote the journal, so the same fields may have another meaning.
#[test]
fn journal_of_another_schema_is_not_used() {
    for schema in [0, 1, 3] {
        let mut env = env();
        env.azcopy_script(BROKEN);
        create(&env, &[]).fails_with(7);
        with_schema(&env, schema);
        assert_eq!(env.run(&["custom", "uploads", "list", "-o", "json"]).success().stdout, "[]\n", "{schema}");
        let output = create(&env, &[]).success();
        assert!(!output.stderr.contains("Resuming upload"), "{schema}: {output}");
        assert_eq!(env.azcopy_lists()[1], "config.json\nmodel.safetensors\n", "{schema}");

        // An upload that such a journal records as complete is not registered either.
        let env = self::env();
        env.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::status(400)).times(1));
        create(&env, &[]).fails_with(8);
        with_schema(&env, schema);
        create(&env, &[]).success();
        assert_eq!(env.azcopy_starts().len(), 2, "{schema}");
    }
}

fn with_schema(env: &TestEnv, schema: u32) {
    let path = in_upload(env, "journal.json");
    let mut journal: Value = serde_json::from_slice(&fs::read(&path).expect("a journal")).expect("JSON");
    assert_eq!(journal["schema"], 2, "{journal}");
    journal["schema"] = schema.into();
    fs::write(&path, journal.to_string()).expect("written");
}

/// Directories in which each AzCopy run had its log and its plan.
fn runs(env: &TestEnv) -> Vec<String> {
    let name = |start: &Value| start["values"]["AZCOPY_LOG_LOCATION"].as_str().expect("a directory").to_owned();
    env.azcopy_starts().iter().map(|start| name(start).rsplit(['/', '\\']).next().expect("a name").to_owned()).collect()
}

/// The directory of a run records which files AzCopy delivered: that applies neither to another container nor to other
/// content.
#[test]
fn each_run_has_its_own_number() {
    let broken = "init\ndelivered config.json\nend CompletedWithErrors 50 1050 1 2 1\nexit 1\n";
    let killed = "init\ndie-signal 9\n";
    let mut env = env();
    env.azcopy_script(&[broken, killed, killed, "default\n"].join("next-run\n"));
    create(&env, &[]).fails_with(7);
    // Foundry returns another location now, which is empty.
    env.emulator().configure(|config| config.new_container_each_time = true);
    create(&env, &[]).fails_with(7);
    env.emulator().configure(|config| config.new_container_each_time = false);
    create(&env, &[]).fails_with(7);
    create(&env, &[]).success();
    assert_eq!(runs(&env), ["run-1", "run-2", "run-3", "run-4"]);
    let both = "config.json\nmodel.safetensors\n";
    assert_eq!(env.azcopy_lists(), [both; 4]);
}

/// The journal with the last number is lost or has another schema; the directory of that run still exists.
#[test]
fn run_number_is_not_reused_after_the_journal_is_lost() {
    for lost in ["{", r#"{"schema":1}"#] {
        let mut env = env();
        env.azcopy_script(
            "init\ndelivered config.json\nend CompletedWithErrors 50 1050 1 2 1\nexit 1\nnext-run\ninit\ndie-signal 9\nnext-run\ndefault\n",
        );
        create(&env, &[]).fails_with(7);
        fs::write(in_upload(&env, "journal.json"), lost).expect("written");
        env.write("model/config.json", format!("{{}}{}", " ".repeat(48)));
        create(&env, &[]).fails_with(7);
        create(&env, &[]).success();
        assert_eq!(env.azcopy_lists()[2], "config.json\nmodel.safetensors\n", "{lost}: the old content is registered");
    }
}
