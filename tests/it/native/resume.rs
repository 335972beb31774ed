//! Content that was sent is not sent again: after a kill, with another SAS, with a SAS without list permission, and
//! with an incorrect record.

use std::time::{Duration, Instant};

use foundry_emulator::{Config, Fault, FaultKind, Route};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::concurrency::sparse;
use super::{
    CREATE, LARGE, assert_files, assert_uploaded, create, env, env_with, killed_after, local, wait_until_stuck,
};
use crate::support::{Behaviour, BlockStore, Received, Running, TestEnv, varied_content};

/// Far below every limit of the upload, far above what a loaded machine needs.
const QUICKLY: Duration = Duration::from_secs(1);

fn large(store: &BlockStore) -> Received {
    store.take_received("model.safetensors")
}

/// Checks that only the rest of the large file is sent.
fn assert_only_the_rest(before: &Received, now: &Received) {
    let mut all = [&before.blocks[..], &now.blocks].concat();
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2, 3], "before: {before:?}, now: {now:?}");
    assert!(!before.blocks.is_empty() && !now.blocks.is_empty(), "before: {before:?}, now: {now:?}");
}

fn fresh_sas_each_time() -> Config {
    Config { first_sas_seconds: vec![3600, 3700, 3800], ..Config::default() }
}

#[test]
fn after_a_kill_only_the_missing_blocks_are_sent() {
    let (env, store) = env_with(fresh_sas_each_time());
    killed_after(&env, &store, 3, false);
    let before = large(&store);
    let output = create(&env, &["-o", "json"]).success();
    let words = output.stderr.lines().find(|line| line.contains("Resuming upload")).expect("the resume message");
    let blocks: u32 = before.blocks.iter().map(|index| if *index == 3 { 1 } else { 5 }).sum();
    // One of the three requests may have been the small file.
    let kept = match before.blocks.len() {
        3 => format!("{blocks}.0 MB of 16.0 MB already uploaded"),
        _ => format!("1 of 2 files (50 B) already uploaded, and {blocks}.0 MB of the rest"),
    };
    assert_eq!(words, format!("  Resuming upload: {kept}."));
    let now = large(&store);
    assert_only_the_rest(&before, &now);
    assert_eq!(now.asked, 1);
    assert_uploaded(&env, &store);
    assert_files(&env, &output);
}

#[test]
fn resuming_a_single_file_reports_its_uploaded_part() {
    let (env, store) = env();
    std::fs::remove_file(env.work().join("model/config.json")).expect("removed");
    store.behaves(Behaviour { silent_after: Some(2), ..Behaviour::default() });
    let running = Running::start(&env, &[&CREATE[..], &["--skip-check", "--parallel", "1"]].concat());
    wait_until_stuck(&env, &store, 2);
    running.signal(Signal::KILL);
    assert_eq!(running.finish(&env).code, None);
    store.behaves(Behaviour::default());
    let output = create(&env, &["--skip-check"]).success();
    let words = "  Resuming upload: 10.0 MB of 16.0 MB already uploaded.\n";
    assert_eq!(output.stderr.matches(words).count(), 1, "{output}");
}

#[test]
fn own_record_is_used_with_a_sas_without_list_permission() {
    let (env, store) = env_with(fresh_sas_each_time());
    killed_after(&env, &store, 3, true);
    let before = large(&store);
    let output = create(&env, &["-o", "json"]).success();
    assert_only_the_rest(&before, &large(&store));
    assert_uploaded(&env, &store);
    assert_files(&env, &output);
}

#[test]
fn incorrect_record_starts_the_file_over_once() {
    let (env, store) = env();
    killed_after(&env, &store, 3, true);
    let before = large(&store);
    store.lose_blocks();
    let output = create(&env, &["-o", "json"]).success();
    let now = large(&store);
    assert_eq!(now.blocks.len(), 4 - before.blocks.len() + 4, "before: {before:?}, now: {now:?}");
    assert!(output.stderr.contains("the blob store lost blocks of model.safetensors: it starts over\n"), "{output}");
    assert_uploaded(&env, &store);
    assert_files(&env, &output);
}

#[test]
fn changed_file_starts_over() {
    let (env, store) = env();
    killed_after(&env, &store, 3, false);
    large(&store);
    let mut other = local(&env, "model.safetensors");
    other[LARGE / 2] ^= 1;
    env.write("model/model.safetensors", other);
    let output = create(&env, &["-o", "json"]).success();
    let words = "  model.safetensors changed since the last attempt: it starts over.\n";
    assert_eq!(output.stderr.matches(words).count(), 1, "{output}");
    assert!(!output.stderr.contains("of the rest"), "{output}");
    assert_eq!(large(&store).blocks.len(), 4);
    assert_uploaded(&env, &store);
    assert_files(&env, &output);
}

#[test]
fn file_changed_during_the_upload_starts_over() {
    for shorter in [false, true] {
        let (mut env, store) = env();
        env.set("AZURE_AI_MODELS_TEST_TIME", "0.01/0.05");
        store.behaves(Behaviour { silent_after: Some(3), ..Behaviour::default() });
        let running = Running::start(&env, &CREATE);
        wait_until_stuck(&env, &store, 3);
        let other = local(&env, "model.safetensors");
        let other = if shorter { &other[..LARGE - 6 * super::MIB] } else { &[&other[..], &varied_content(9)].concat() };
        // The file is renamed into place, so the change is atomic for readers.
        let written = env.write("other", other);
        std::fs::rename(written, env.work().join("model/model.safetensors")).expect("renamed");
        store.behaves(Behaviour::default());
        let output = running.finish(&env).success();
        let words = "model.safetensors changed during the upload: it starts over\n";
        assert_eq!(output.stderr.matches(words).count(), 1, "{output}");
        assert_uploaded(&env, &store);
    }
}

/// Runs `create`, and restores the state of a kill between the commit of the large file and its line in the record.
fn killed_before_the_record(env: &TestEnv, options: &[&str]) {
    env.emulator().add_fault(Fault::new(Route::CreateAsync, FaultKind::status(400)).times(1));
    create(env, options).fails_with(8);
    let files = walkdir::WalkDir::new(env.home()).into_iter().filter_map(Result::ok).map(walkdir::DirEntry::into_path);
    let files: Vec<_> = files.collect();
    let find = |name: &str| files.iter().find(|path| path.ends_with(name)).expect("a file of the upload");
    std::fs::write(find("manifest.ndjson"), "").expect("written");
    let mut journal: Value = serde_json::from_slice(&std::fs::read(find("journal.json")).expect("read")).expect("JSON");
    (journal["stage"], journal["blobs"]) = ("uploading".into(), json!({}));
    std::fs::write(find("journal.json"), journal.to_string()).expect("written");
}

#[test]
fn finished_file_costs_one_request() {
    let (env, store) = env();
    killed_before_the_record(&env, &[]);
    large(&store);
    create(&env, &[]).success();
    assert_eq!(large(&store), Received { asked: 1, ..Received::default() });
    assert_uploaded(&env, &store);
}

/// Name, size and time of a file do not identify its content, so blocks of another upload are not reused.
#[test]
fn blocks_of_another_upload_are_not_reused() {
    let (env, store) = env();
    create(&env, &[]).success();
    large(&store);
    create(&env, &["--version", "2"]).success();
    assert_eq!(large(&store).blocks.len(), 4);
}

/// Nothing is sent for seconds or minutes.
#[test]
fn reading_a_large_file_again_is_reported() {
    let (env, store) = env();
    sparse(&env, 600 << 20);
    store.behaves(Behaviour { discards: true, ..Behaviour::default() });
    killed_before_the_record(&env, &["--skip-check", "--no-hash"]);
    let output = create(&env, &["--skip-check"]).success();
    // The store may respond only after some blocks were read.
    let words = "Reading the rest of model.safetensors for its SHA-256: ";
    assert_eq!(output.stderr.matches(words).count(), 1, "{output}");
}

#[test]
fn uploads_resume_continues_a_native_upload() {
    let (env, store) = env();
    killed_after(&env, &store, 3, false);
    let before = large(&store);
    let listed = env.run(&["custom", "uploads", "list", "-o", "json"]).success().json();
    let id = listed[0]["id"].as_str().expect("an id");
    // Without --engine, the engine that sent the blocks is used.
    let output = env.run(&["custom", "uploads", "resume", id, "-o", "json"]).success();
    assert_only_the_rest(&before, &large(&store));
    assert_uploaded(&env, &store);
    assert_files(&env, &output);
    assert!(env.azcopy_starts().is_empty());
}

#[test]
fn ctrl_c_ends_immediately_and_reports_kept_blocks() {
    let (mut env, store) = env();
    // Time is not scaled: the program must end quickly without it.
    env.set("AZURE_AI_MODELS_TEST_TIME", "1");
    store.behaves(Behaviour { silent_after: Some(3), ..Behaviour::default() });
    let running = Running::start(&env, &CREATE);
    wait_until_stuck(&env, &store, 3);
    let started = Instant::now();
    running.signal(Signal::INT);
    let output = running.finish(&env).fails_with(130);
    assert!(started.elapsed() < QUICKLY, "{:?}: {output}", started.elapsed());
    assert!(!output.stderr.contains("AzCopy"), "{output}");
    let before = large(&store);
    store.behaves(Behaviour::default());
    create(&env, &[]).success();
    assert_only_the_rest(&before, &large(&store));
    assert_uploaded(&env, &store);
}

/// The message about one incomplete file, if no file is complete.
#[test]
fn message_of_an_interrupted_upload_counts_the_blocks() {
    let (env, store) = env();
    std::fs::remove_file(env.work().join("model/config.json")).expect("removed");
    store.behaves(Behaviour { silent_after: Some(2), ..Behaviour::default() });
    let args = [&CREATE[..], &["--skip-check", "--parallel", "3"]].concat();
    let running = Running::start(&env, &args);
    wait_until_stuck(&env, &store, 2);
    running.signal(Signal::INT);
    let output = running.finish(&env).fails_with(130);
    let message = output.stderr.split("ERROR: ").nth(1).expect("an error");
    // The short last block may be among them, or not.
    let (progress, kept) = message.split_once("\n").expect("two lines");
    assert!(progress.starts_with("Upload interrupted at ") && progress.ends_with(" of 16.0 MB sent)."), "{message}");
    insta::assert_snapshot!(kept.replace("10.0 MB", "[TWO]").replace("6.0 MB", "[TWO]"), @"
    [TWO] are uploaded and will not be sent again; the blob store keeps them for 7 days.

    Suggestion: To resume, run the same command again:
      azure-ai-models custom create --name my-model --source model --engine native --parallel 3 --skip-check
    ");
}

/// The file changes between its last block and the commit: blocks of different contents must not become one blob.
#[test]
fn file_that_changes_before_its_commit_is_not_committed() {
    let (env, store) = env();
    std::fs::remove_file(env.work().join("model/config.json")).expect("removed");
    // Three of the four block requests have a response; the last block is stored, and its response is held back.
    store.behaves(Behaviour { held_after: Some(3), ..Behaviour::default() });
    let running = Running::start(&env, &[&CREATE[..], &["--skip-check", "--parallel", "1", "-o", "json"]].concat());
    store.wait_until_held();
    let mut other = local(&env, "model.safetensors");
    other[LARGE - 1] ^= 1;
    let written = env.write("other", &other);
    std::fs::rename(written, env.work().join("model/model.safetensors")).expect("renamed");
    store.answer_held();
    let output = running.finish(&env).success();
    let words = "model.safetensors changed during the upload: it starts over\n";
    assert_eq!(output.stderr.matches(words).count(), 1, "{output}");
    let received = large(&store);
    assert_eq!((received.blocks, received.commits), (vec![0, 1, 2, 3, 0, 1, 2, 3], 1));
    assert!(store.blob("model.safetensors").expect("a blob").content == other, "the old content was committed");
}
