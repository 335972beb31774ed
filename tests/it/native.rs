//! The native engine: the real program against a block store with faults.

mod concurrency;
mod concurrent_upload;
mod faults;
mod intermediary;
#[cfg(target_os = "linux")]
mod memory;
mod proxy;
mod resume;

use std::fs;

use foundry_emulator::Config;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{
    Behaviour, BlockStore, CANARY, FileServer, Output, Received, Running, Serve, TestEnv, eventually, sha256,
    varied_content,
};

const MIB: usize = 1 << 20;
/// Three blocks and a part of a fourth.
const LARGE: usize = 16 * MIB;
const CREATE: [&str; 8] = ["custom", "create", "--name", "my-model", "--source", "model", "--engine", "native"];

/// A model of one large file and one small one.
fn env_with(config: Config) -> (TestEnv, BlockStore) {
    let store = BlockStore::start();
    let mut env = TestEnv::with_store(config, &store);
    env.set("AZURE_AI_MODELS_TEST_TIME", "0.1/1");
    env.write_model();
    let header = format!(r#"{{"w":{{"dtype":"U8","shape":[{0}],"data_offsets":[0,{0}]}}}}"#, LARGE - 108);
    let mut weights = 100_u64.to_le_bytes().to_vec();
    weights.extend_from_slice(format!("{header:<100}").as_bytes());
    weights.extend_from_slice(&varied_content(LARGE - 108));
    env.write("model/model.safetensors", weights);
    (env, store)
}

fn env() -> (TestEnv, BlockStore) {
    env_with(Config::default())
}

fn create(env: &TestEnv, more: &[&str]) -> Output {
    env.run(&[&CREATE, more].concat())
}

fn local(env: &TestEnv, name: &str) -> Vec<u8> {
    fs::read(env.work().join("model").join(name)).expect("a file")
}

/// Checks the files in the JSON of a created model.
fn assert_files(env: &TestEnv, output: &Output) {
    let files = ["config.json", "model.safetensors"].map(|name| {
        let content = local(env, name);
        json!({ "path": name, "bytes": content.len(), "sha256": sha256(&content) })
    });
    assert_eq!(output.json()["files"], json!(files));
}

/// Waits until the store received this number of content requests, the program recorded them, and one more is
/// unanswered.
fn wait_until_stuck(env: &TestEnv, store: &BlockStore, taken: u32) {
    store.wait_until_silent(taken);
    let lines = |name: &str| {
        let files = walkdir::WalkDir::new(env.home()).into_iter().filter_map(Result::ok);
        let files = files.filter(|file| file.file_name() == name);
        files.map(|file| fs::read_to_string(file.path()).unwrap_or_default().lines().count()).sum::<usize>()
    };
    eventually("what was taken in the record", || lines("blocks") + lines("manifest.ndjson") == taken as usize);
}

/// Runs `create`, and kills it at this point.
fn killed_after(env: &TestEnv, store: &BlockStore, taken: u32, write_only: bool) {
    store.behaves(Behaviour { silent_after: Some(taken), write_only, ..Behaviour::default() });
    let running = Running::start(env, &CREATE);
    wait_until_stuck(env, store, taken);
    running.signal(Signal::KILL);
    assert_eq!(running.finish(env).code, None);
    store.behaves(Behaviour { write_only, ..Behaviour::default() });
}

/// Output without progress and durations, which differ on a slow machine.
fn steady(output: &Output) -> String {
    let moving = |line: &&str| !line.contains("% (") && !line.contains("Still ");
    let lines = output.stderr.lines().filter(moving);
    lines.map(|line| line.split(" in ").next().unwrap_or(line)).map(|line| format!("{line}\n")).collect()
}

fn assert_uploaded(env: &TestEnv, store: &BlockStore) {
    assert_eq!(store.names(), ["config.json", "model.safetensors"]);
    for name in store.names() {
        assert!(store.blob(&name).expect("a blob").content == local(env, &name), "{name} differs");
    }
}

#[test]
fn files_are_uploaded_unchanged_without_azcopy() {
    let (env, store) = env();
    fs::remove_file(env.bin().join("azcopy")).expect("removed");
    insta::assert_snapshot!(steady(&create(&env, &[]).success()), @"
    WARNING: tokenizer not found; the tokenizer of the base model may not match (missing-tokenizer). Add the model's tokenizer.json or tokenizer.model.
    WARNING: No --base-model is given: the service may refuse to register or deploy these weights.

    Creating custom model: my-model (version 1)

    Step 1/3: Requesting upload location...
    ✓ Upload location ready
      Blob URI: http://[BLOBS]/devstoreaccount1/upload-1

    Step 2/3: Uploading model files...
      Source: model (2 files, 16.0 MB)
      Uploading 2 files, 16.0 MB...
      Completed
    ✓ Upload complete

    Step 3/3: Registering model...
    ✓ Model registered successfully!
    ");
    assert_uploaded(&env, &store);
    assert_eq!(store.take_received("config.json"), Received { puts: 1, with_checksum: 1, ..Received::default() });
    let large = store.take_received("model.safetensors");
    // A first upload has no blocks, so their list is not requested.
    assert_eq!((large.puts, large.asked, large.with_checksum), (0, 0, 4));
    let mut blocks = large.blocks;
    blocks.sort_unstable();
    assert_eq!(blocks, [0, 1, 2, 3]);
    let types = ["config.json", "model.safetensors"].map(|name| store.blob(name).expect("a blob").content_type);
    assert_eq!(types, ["application/json", "application/octet-stream"]);
    assert!(env.azcopy_starts().is_empty());
}

#[test]
fn names_sizes_and_types_of_all_kinds_are_uploaded() {
    let store = BlockStore::start();
    let env = TestEnv::with_store(Config::default(), &store);
    env.write_model();
    env.write("model/empty.txt", "");
    env.write("model/sub dir/a+b %20 ü#?.json", "{}");
    env.write("model/just.bin", varied_content(8 * MIB));
    env.write("model/over.bin", varied_content(8 * MIB + 1));
    create(&env, &[]).success();
    for name in store.names() {
        assert!(store.blob(&name).expect("a blob").content == local(&env, &name), "{name} differs");
    }
    let names = ["config.json", "empty.txt", "just.bin", "model.safetensors", "over.bin", "sub dir/a+b %20 ü#?.json"];
    assert_eq!(store.names(), names);
    assert_eq!((store.take_received("just.bin").puts, store.take_received("over.bin").blocks.len()), (1, 2));
}

#[test]
fn json_and_events_have_the_checksum_of_each_file() {
    let (env, _store) = env();
    let output = create(&env, &["-o", "json", "--progress", "json"]).success();
    assert_files(&env, &output);
    let events: Vec<Value> = output.stderr.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let mut done: Vec<(&str, &str)> = events
        .iter()
        .filter(|event| event["event"] == "upload.file")
        .map(|event| (event["path"].as_str().expect("a path"), event["sha256"].as_str().expect("a sum")))
        .collect();
    done.sort_unstable();
    let sums = ["config.json", "model.safetensors"].map(|name| (name, sha256(&local(&env, name))));
    assert_eq!(done, sums.each_ref().map(|(name, sum)| (*name, sum.as_str())));
}

#[test]
fn no_hash_omits_the_checksums() {
    let (env, store) = env();
    let output = create(&env, &["-o", "json", "--no-hash", "--parallel", "1"]).success();
    assert_uploaded(&env, &store);
    assert!(output.json().get("files").is_none(), "{output}");
    assert_eq!(store.take_received("model.safetensors").blocks, [0, 1, 2, 3]);
}

#[test]
fn engine_option_takes_precedence_over_the_variable() {
    let (mut env, store) = env();
    env.set("AZURE_AI_MODELS_ENGINE", "native");
    env.run(&CREATE[..6]).success();
    assert_uploaded(&env, &store);
    assert!(env.azcopy_starts().is_empty());
    // The fake AzCopy sends no content, which a list of blobs would reveal.
    store.behaves(Behaviour { write_only: true, ..Behaviour::default() });
    env.run(&[&CREATE[..6], &["--version", "2", "--engine", "azcopy"]].concat()).success();
    assert_eq!(env.azcopy_starts().len(), 1);
    env.set("AZURE_AI_MODELS_ENGINE", "rsync");
    let refused = env.run(&CREATE[..6]).fails_with(2);
    assert!(refused.stderr.contains("AZURE_AI_MODELS_ENGINE: 'rsync' is not azcopy or native"), "{refused}");
}

#[test]
fn missing_azcopy_suggests_the_native_engine() {
    let (mut env, _store) = env();
    fs::remove_file(env.bin().join("azcopy")).expect("removed");
    let mirror = FileServer::start(vec![Serve::Status(404)]);
    env.set("AZURE_AI_MODELS_AZCOPY_URL", &mirror.url());
    let output = env.run(&CREATE[..6]).fails_with(9);
    assert!(output.stderr.ends_with("\nTo upload without AzCopy: --engine native\n"), "{output}");
    // Only AzCopy can copy from a URL.
    let remote = ["custom", "create", "--name", "my-model", "--source", "https://a.blob.core.windows.net/c?sv=1&sig=x"];
    let output = env.run(&remote).fails_with(9);
    assert!(!output.stderr.contains("--engine native"), "{output}");
}

#[test]
fn unsupported_engine_options_are_rejected_first() {
    let (mut env, store) = env();
    env.set("AZURE_AI_MODELS_ENGINE", "native");
    let remote = ["custom", "create", "--name", "my-model", "--source", "https://a.blob.core.windows.net/c?sv=1&sig=x"];
    insta::assert_snapshot!(env.run(&remote).fails_with(2).stderr, @"
    ERROR: the native engine uploads local files only; a URL is copied by AzCopy

    Suggestion: Use --engine azcopy.
    ");
    let refused = ["--parallel=8", "--no-hash"]
        .map(|option| env.run(&[&CREATE[..6], &["--engine", "azcopy", option]].concat()).fails_with(2).stderr);
    insta::assert_snapshot!(refused[0], @"
    ERROR: --parallel and --no-hash require the native engine

    Suggestion: Use --engine native, or remove them.
    ");
    assert_eq!(refused[0], refused[1]);
    assert!(env.emulator().requests().is_empty() && store.names().is_empty());
}

/// Neither during the run nor afterwards, wherever other users could look.
#[test]
fn sas_is_visible_nowhere() {
    let (env, store) = env();
    store.behaves(Behaviour { silent_after: Some(2), ..Behaviour::default() });
    let running = Running::start(&env, &[&CREATE[..], &["--debug"]].concat());
    wait_until_stuck(&env, &store, 2);
    for what in ["cmdline", "environ"] {
        let seen = fs::read(format!("/proc/{}/{what}", running.pid())).expect("read");
        let seen = String::from_utf8_lossy(&seen);
        assert!(!seen.is_empty() && !seen.contains(CANARY) && !seen.contains("sig="), "{what}: {seen}");
    }
    running.signal(Signal::KILL);
    let output = running.finish(&env);
    assert!(output.stderr.contains("> PUT ") && !output.stderr.contains(CANARY), "{output}");
    let files = walkdir::WalkDir::new(env.home()).into_iter().filter_map(Result::ok);
    let files: Vec<_> = files.filter(|entry| entry.file_type().is_file()).collect();
    assert!(files.iter().any(|file| file.file_name() == "blocks"), "no record: {files:?}");
    for file in files {
        let text = fs::read(file.path()).expect("read");
        let text = String::from_utf8_lossy(&text);
        assert!(!text.contains(CANARY) && !text.contains("sig="), "{}: {text}", file.path().display());
    }
}
