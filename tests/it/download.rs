//! `custom download`: registered files are downloaded completely and verified, despite faults and interruptions, and
//! never written outside the target directory.

mod paths;
mod resume;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use foundry_emulator::Config;
use serde_json::{Value, json};

use crate::support::{Behaviour, BlockStore, CANARY, Output, Read, ReadBehaviour, TestEnv, sha256, varied_content};

const CREATE: [&str; 9] =
    ["custom", "create", "--name", "my-model", "--source", "model", "--engine", "native", "--skip-check"];
const DOWNLOAD: [&str; 6] = ["custom", "download", "--name", "my-model", "--to", "out"];

const LARGE: &str = "model.safetensors";

const PRIVATE: &str = ".azure-ai-models-download";

/// Two and a half ranges.
const LENGTH: usize = 20 << 20;

fn content() -> Vec<u8> {
    varied_content(LENGTH)
}

/// Environment with a registered model of a large file, and a small one in a directory.
fn uploaded(more: &[&str]) -> (TestEnv, BlockStore) {
    let store = BlockStore::start();
    let env = TestEnv::with_store(Config::default(), &store);
    env.write(&format!("model/{LARGE}"), content());
    env.write("model/sub/config.json", "{}");
    env.run(&[&CREATE[..], more].concat()).success();
    (env, store)
}

fn download(env: &TestEnv, more: &[&str]) -> Output {
    env.run(&[&DOWNLOAD[..], more].concat())
}

fn out(env: &TestEnv) -> PathBuf {
    env.work().join("out")
}

/// All files below the target directory, including those of the download itself.
fn files(env: &TestEnv) -> Vec<String> {
    let root = out(env);
    let entries = walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().filter_map(Result::ok);
    let files = entries.filter(|entry| !entry.file_type().is_dir());
    files
        .map(|entry| {
            entry.path().strip_prefix(&root).expect("a path below the directory").to_string_lossy().into_owned()
        })
        .collect()
}

fn assert_complete(env: &TestEnv) {
    assert_eq!(files(env), [LARGE, "sub/config.json"]);
    assert!(fs::read(out(env).join(LARGE)).expect("a file") == content(), "{LARGE} differs");
    assert_eq!(fs::read(out(env).join("sub/config.json")).expect("a file"), b"{}");
    assert!(!out(env).join(PRIVATE).exists());
}

fn ranges(reads: &[Read]) -> BTreeSet<String> {
    reads.iter().map(|read| format!("{} {}", read.name, read.range)).collect()
}

fn behaves(store: &BlockStore, reading: ReadBehaviour) {
    store.behaves(Behaviour { reading, ..Behaviour::default() });
}

/// Standard error without the lines that appear only on a slow machine.
fn steady(output: &Output) -> String {
    let moving = |line: &&str| !line.contains("% (") && !line.contains("Still ");
    let lines = output.stderr.lines().filter(moving);
    lines.map(|line| line.split(" in ").next().unwrap_or(line)).map(|line| format!("{line}\n")).collect()
}

#[test]
fn model_is_downloaded_in_ranges_with_the_listed_etag() {
    let (env, store) = uploaded(&[]);
    let output = download(&env, &[]).success();
    insta::assert_snapshot!("downloaded_lines", steady(&output));
    insta::assert_snapshot!("downloaded_page", output.stdout);
    assert_complete(&env);
    let reads = store.take_reads();
    let expected = [
        format!("{LARGE} bytes=0-8388607"),
        format!("{LARGE} bytes=16777216-20971519"),
        format!("{LARGE} bytes=8388608-16777215"),
        "sub/config.json bytes=0-1".to_owned(),
    ];
    assert_eq!(ranges(&reads).into_iter().collect::<Vec<_>>(), expected);
    assert!(reads.iter().all(|read| read.status == 206 && read.if_match.starts_with("\"0x")), "{reads:?}");
}

#[test]
fn result_names_each_file_and_its_proof() {
    let (env, store) = uploaded(&[]);
    let json = download(&env, &["-o", "json"]).success().json();
    let file = |path: &str, content: &[u8], status: &str| json!({"path": path, "bytes": content.len(), "sha256": sha256(content), "status": status, "proof": "hashed"});
    let expected = |status: &str| json!([file(LARGE, &content(), status), file("sub/config.json", b"{}", status)]);
    assert_eq!(json["files"], expected("downloaded"));
    assert_eq!((&json["name"], &json["version"], &json["to"]), (&json!("my-model"), &json!("1"), &json!("out")));
    store.take_reads();
    let again = download(&env, &["-o", "json"]).success().json();
    assert_eq!(again["files"], expected("present"));
    assert_eq!(again["totals"]["downloadedFiles"], 0);
    assert_eq!(store.take_reads(), [], "nothing is fetched twice");
    assert_eq!(download(&env, &["-q"]).success().stdout, format!("{LARGE}\nsub/config.json\n"));
}

#[test]
fn transient_faults_cost_only_the_requests_in_flight() {
    let (env, store) = uploaded(&[]);
    for reading in [
        ReadBehaviour { busy_every: Some(3), ..ReadBehaviour::default() },
        ReadBehaviour { reset_every: Some(2), ..ReadBehaviour::default() },
        ReadBehaviour { short_every: Some(2), ..ReadBehaviour::default() },
        ReadBehaviour { sas_ends_after: Some(1), ..ReadBehaviour::default() },
    ] {
        let words = format!("{reading:?}");
        behaves(&store, reading);
        let output = download(&env, &[]).success();
        assert_complete(&env);
        assert!(!output.to_string().contains(CANARY), "{words}: {output}");
        assert!(store.take_reads().len() >= 4, "{words}");
        fs::remove_dir_all(out(&env)).expect("removed");
    }
    let credentials = env.emulator().requests().into_iter().filter(|one| one.path.ends_with("/credentials")).count();
    assert_eq!(credentials, 5, "one for each run, and one for the expired SAS");
}

#[test]
fn rejected_sas_ends_the_download_and_the_next_run_resumes() {
    let (env, store) = uploaded(&[]);
    behaves(&store, ReadBehaviour { refuses_all_after: Some(2), ..ReadBehaviour::default() });
    let output = download(&env, &["-o", "json"]).fails_with(4);
    assert_eq!(output.json_error()["code"], "AuthenticationFailed", "{output}");
    behaves(&store, ReadBehaviour::default());
    download(&env, &[]).success();
    assert_complete(&env);
}

#[test]
fn blob_overwritten_during_the_download_starts_over_in_the_next_run() {
    let (env, store) = uploaded(&[]);
    behaves(&store, ReadBehaviour { writes_before: Some((3, LARGE)), ..ReadBehaviour::default() });
    let output = download(&env, &["--include", LARGE, "-o", "json"]).fails_with(9);
    assert_eq!(output.json_error()["code"], "blob_replaced", "{output}");
    assert!(!out(&env).join(LARGE).exists());
    behaves(&store, ReadBehaviour::default());
    store.take_reads();
    download(&env, &["--include", LARGE]).success();
    assert_eq!(fs::read(out(&env).join(LARGE)).expect("a file"), vec![0; LENGTH], "none of the older write");
    assert_eq!(ranges(&store.take_reads()).len(), 3);
}

#[test]
fn content_with_a_wrong_checksum_never_gets_its_final_name() {
    let (env, store) = uploaded(&[]);
    store.behaves(Behaviour { reads_wrong: true, ..Behaviour::default() });
    let output = download(&env, &["--include", LARGE, "-o", "json"]).fails_with(9);
    let error = output.json_error();
    assert_eq!((&error["kind"], &error["code"]), (&json!("service"), &json!("content-mismatch")));
    assert!(!out(&env).join(LARGE).exists());
    store.behaves(Behaviour::default());
    store.take_reads();
    download(&env, &[]).success();
    assert_complete(&env);
    assert_eq!(ranges(&store.take_reads()).len(), 4, "the wrong content is fetched again completely");
}

/// Files without their own checksums are verified by the digest of all files, and get their final names only then.
#[test]
fn content_digest_verifies_files_without_checksums() {
    let (env, store) = uploaded(&[]);
    for name in [LARGE, "sub/config.json"] {
        store.record_sum(name, None);
    }
    store.behaves(Behaviour { reads_wrong: true, ..Behaviour::default() });
    let output = download(&env, &["-o", "json"]).fails_with(9);
    assert_eq!(output.json_error()["code"], "content-mismatch", "{output}");
    assert_eq!(files(&env).iter().filter(|name| !name.starts_with(PRIVATE)).count(), 0);
    store.behaves(Behaviour::default());
    let json = download(&env, &["-o", "json"]).success().json();
    assert_complete(&env);
    assert_eq!(json["totals"]["hashed"], 2);
    store.take_reads();
    assert_eq!(download(&env, &["-o", "json"]).success().json()["totals"]["downloadedFiles"], 0);
    assert_eq!(store.take_reads(), []);
}

#[test]
fn files_without_any_checksum_are_reported() {
    let (env, _store) = uploaded(&["--no-hash"]);
    let output = download(&env, &[]).success();
    assert!(
        output.stderr.contains("WARNING: 2 files have no recorded SHA-256: only the size was compared."),
        "{output}"
    );
    assert_complete(&env);
    // Without a checksum, the program cannot know whether the existing files are the same.
    download(&env, &[]).fails_with(5);
}

#[test]
fn selection_is_downloaded() {
    let (env, store) = uploaded(&[]);
    download(&env, &["--include", "*.json"]).success();
    assert_eq!(files(&env), ["sub/config.json"]);
    assert_eq!(ranges(&store.take_reads()).len(), 1);
    let output = download(&env, &["--include", "*.gguf", "-o", "json"]).fails_with(3);
    assert_eq!(output.json_error()["code"], "nothing-selected", "{output}");
    download(&env, &["--exclude", "sub/"]).success();
    assert_complete(&env);
}

#[test]
fn progress_is_reported_as_for_uploads() {
    let (env, _store) = uploaded(&[]);
    let output = download(&env, &["--progress", "json"]).success();
    let events: Vec<Value> = output.stderr.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let named = |name: &str| events.iter().filter(|event| event["event"] == name).cloned().collect::<Vec<_>>();
    let last = named("download.progress").pop().expect("progress");
    for key in ["bytes", "totalBytes", "files", "totalFiles", "bytesPerSecond", "etaSeconds"] {
        assert!(last.get(key).is_some(), "{key}: {last}");
    }
    let done = named("download.done").pop().expect("an end");
    assert_eq!((&done["bytes"], &done["files"]), (&json!(LENGTH + 2), &json!(2)));
    let mut paths: Vec<String> = named("download.file").iter().map(|event| event["path"].to_string()).collect();
    paths.sort();
    assert_eq!(paths, ["\"model.safetensors\"", "\"sub/config.json\""]);
}

#[test]
fn response_with_another_range_is_rejected() {
    let (env, store) = uploaded(&[]);
    behaves(&store, ReadBehaviour { other_range: Some(LARGE), ..ReadBehaviour::default() });
    let error = download(&env, &["-o", "json"]).fails_with(9).json_error();
    assert_eq!(error["code"], "bad_answer", "{error}");
    let message = error["message"].as_str().expect("a string");
    assert!(message.contains("another range than the requested one"), "{message}");
    assert!(!out(&env).join(LARGE).exists());
}

#[test]
fn content_digest_does_not_verify_a_selection() {
    let (env, store) = uploaded(&[]);
    for name in [LARGE, "sub/config.json"] {
        store.record_sum(name, None);
    }
    let json = download(&env, &["--include", "*.json", "-o", "json"]).success().json();
    assert_eq!((&json["files"][0]["status"], &json["files"][0]["sha256"]), (&json!("downloaded"), &Value::Null));
}
