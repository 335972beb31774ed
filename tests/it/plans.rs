//! `create --plan`: creates exactly the planned model, and rejects a plan whose files have changed.

use std::fs;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::support::{BlobStub, CANARY, CREATE, Output, StubResponse, TestEnv, env_with_model};

const PLAN: [&str; 4] = ["custom", "create", "--plan", "plan.json"];

/// Writes the plan of a dry run to `plan.json`, and returns its content.
fn plan(env: &TestEnv, more: &[&str]) -> Value {
    let output = env.run(&[&CREATE[..], &["--dry-run", "-o", "json"], more].concat()).success();
    let plan = output.json();
    // The raw output of the program, before the tests normalise it.
    let mut command = env.command(&[&CREATE[..], &["--dry-run", "-o", "json"], more].concat());
    let raw = command.output().expect("a run");
    env.write("plan.json", raw.stdout);
    plan
}

fn run(env: &TestEnv, more: &[&str]) -> Output {
    env.run(&[&PLAN[..], more].concat())
}

/// Requests that make a change.
fn changes(env: &TestEnv) -> usize {
    env.emulator().requests().iter().filter(|one| one.method != "GET").count()
}

#[test]
fn plan_has_all_options_and_no_secret() {
    let env = env_with_model();
    let options = [
        "--with-hashes",
        "--description",
        "Tuned",
        "--tag",
        "stage=prod",
        "--base-model",
        "FW-GLM-4.7",
        "--exclude",
        "*.txt",
        "--limit-rate",
        "10M",
        "--engine",
        "native",
        "--timeout",
        "90s",
    ];
    let mut plan = plan(&env, &options);
    for file in plan["files"].as_array_mut().expect("files") {
        assert!(file["mtimeNs"].as_u64().is_some_and(|time| time > 1_600_000_000_000_000_000), "{file}");
        file["mtimeNs"] = json!("[TIME]");
    }
    insta::assert_snapshot!("a_plan", serde_json::to_string_pretty(&plan).expect("JSON"));
}

#[test]
fn exactly_the_plan_is_created() {
    let env = env_with_model();
    plan(&env, &["--version", "7", "--description", "Tuned", "--tag", "stage=prod", "--with-hashes"]);
    env.write("model/late.txt", "it came since");
    let output = run(&env, &[]).success();
    insta::assert_snapshot!("exactly_the_plan", output.stderr);
    let model = env.run(&["show", "-n", "my-model", "--version", "7", "-o", "json"]).success().json();
    assert_eq!((&model["description"], &model["tags"]["stage"]), (&json!("Tuned"), &json!("prod")));
    let start = &env.azcopy_starts()[0];
    assert!(start["list"].as_str().is_some_and(|list| list.contains("config.json")), "{start}");
    let listed = start["list"].to_string();
    assert!(!listed.contains("late.txt"), "{start}");
}

#[test]
fn every_file_that_changed_is_named_and_nothing_is_sent() {
    let env = env_with_model();
    env.write("model/LICENSE", "free");
    env.write("model/README.md", "# A model");
    plan(&env, &[]);
    env.write("model/config.json", "{}");
    fs::remove_file(env.work().join("model/LICENSE")).expect("removed");
    let later = SystemTime::now() + Duration::from_secs(5);
    let readme = fs::File::options().write(true).open(env.work().join("model/README.md")).expect("opened");
    readme.set_modified(later).expect("a time");
    insta::assert_snapshot!("what_changed", run(&env, &[]));
    let error = run(&env, &["-o", "json"]).fails_with(5).json_error();
    assert_eq!((&error["kind"], &error["code"]), (&json!("conflict"), &json!("plan-changed")));
    assert_eq!(changes(&env), 0);
    assert!(env.azcopy_starts().is_empty());
}

/// Size and modification time are the same: only the hash differs.
#[test]
fn hash_finds_changes_that_size_and_time_do_not() {
    let env = env_with_model();
    plan(&env, &["--with-hashes"]);
    let path = env.work().join("model/model.safetensors");
    let time = fs::metadata(&path).expect("a file").modified().expect("a time");
    let mut content = fs::read(&path).expect("a file");
    content[999] ^= 1;
    fs::write(&path, content).expect("written");
    fs::File::options().write(true).open(&path).expect("opened").set_modified(time).expect("a time");
    insta::assert_snapshot!("another_content", run(&env, &[]));
    assert_eq!(changes(&env), 0);
}

#[test]
fn invalid_plan_is_rejected() {
    let env = env_with_model();
    run(&env, &[]).fails_with(3);
    for (text, word) in [
        ("", "not a JSON object"),
        ("[]", "not a JSON object"),
        ("{", "EOF"),
        ("{}", "schemaVersion"),
        (r#"{"schemaVersion":2}"#, "schemaVersion 2 is not supported"),
        (r#"{"schemaVersion":1}"#, "missing field"),
    ] {
        env.write("plan.json", text);
        let output = run(&env, &["-o", "json"]).fails_with(2);
        let error = output.json_error();
        assert_eq!(error["code"], "bad_plan", "{text}: {output}");
        assert!(error["message"].as_str().is_some_and(|message| message.contains(word)), "{text}: {output}");
    }
    assert!(env.emulator().requests().is_empty());
}

/// PowerShell writes UTF-16 with a byte order mark.
#[test]
fn plan_written_by_powershell_is_read() {
    let env = env_with_model();
    plan(&env, &[]);
    let text = fs::read_to_string(env.work().join("plan.json")).expect("a plan");
    let wide: Vec<u8> = [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    env.write("plan.json", wide);
    run(&env, &[]).success();
}

#[test]
fn options_of_the_plan_cannot_be_repeated() {
    let env = env_with_model();
    plan(&env, &["--timeout", "90s"]);
    for options in [
        &["--name", "other"][..],
        &["--version", "2"],
        &["--tag", "a=b"],
        &["--exclude", "*.txt"],
        &["--engine", "native"],
        &["--overwrite"],
        &["--dry-run"],
        &["--azcopy-path", "azcopy"],
        &["--with-hashes"],
        &["--if-changed"],
        &["--timeout", "91s"],
        &["--source", "elsewhere"],
    ] {
        run(&env, options).fails_with(2);
    }
    assert!(env.emulator().requests().is_empty());
    run(&env, &["--timeout", "90s", "--yes", "--progress", "none", "--source", "model"]).success();
}

/// A plan can run only once: its version exists afterwards.
#[test]
fn plan_that_was_run_conflicts_with_its_version() {
    let env = env_with_model();
    env.emulator().seed(&json!({"name": "my-model", "version": "4"})).expect("seeded");
    assert_eq!(plan(&env, &["--version", "auto"])["version"], "5");
    run(&env, &[]).success();
    run(&env, &[]).fails_with(5);
}

#[test]
fn blobs_are_pinned_by_size_and_etag_without_the_sas() {
    let env = TestEnv::new();
    let source = BlobStub::start();
    let blobs = [("config.json", 50, "0x1"), ("model.safetensors", 1000, "0x2")];
    source.set_blob_lists(&[&blobs]);
    let url = format!("{}/weights?sv=1&sp=rl&sig={CANARY}", source.base);
    env.write("source.txt", &url);
    let args = ["custom", "create", "--name", "my-model", "--source-file", "source.txt", "--dry-run", "-o", "json"];
    let output = env.run(&args).success();
    assert!(!output.to_string().contains(CANARY), "{output}");
    let plan = output.json();
    assert_eq!(
        plan["files"][1],
        json!({"path": "model.safetensors", "bytes": 1000, "mtimeNs": null, "sha256": null, "etag": "0x2"})
    );
    assert_eq!(plan["totals"], json!({"files": 2, "bytes": 1050}));
    env.write("plan.json", env.command(&args).output().expect("a run").stdout);
    for now in [
        &[("config.json", 50, "0x1"), ("model.safetensors", 1000, "0x3")][..],
        &[("config.json", 51, "0x1"), ("model.safetensors", 1000, "0x2")],
        &[("config.json", 50, "0x1")],
        &[("config.json", 50, "0x1"), ("late.bin", 5, "0x4"), ("model.safetensors", 1000, "0x2")],
    ] {
        source.set_blob_lists(&[now]);
        let output = run(&env, &["--source-file", "source.txt", "-o", "json"]).fails_with(5);
        assert_eq!(output.json_error()["code"], "plan-changed", "{output}");
    }
    assert_eq!(changes(&env), 0);
    source.respond_with(StubResponse::Error(403, "AuthorizationFailure"));
    let error = run(&env, &["-o", "json"]).fails_with(4).json_error();
    assert_eq!(error["code"], "remote_source", "{error}");
    assert!(error["suggestion"].as_str().is_some_and(|words| words.contains("--source-file")), "{error}");
    source.respond_with(StubResponse::Good);
    source.set_blob_lists(&[&blobs]);
    env.write("other.txt", url.replace("weights", "others"));
    run(&env, &["--source-file", "other.txt"]).fails_with(2);
    let output = run(&env, &["--source-file", "source.txt"]).success();
    assert!(!output.to_string().contains(CANARY), "{output}");
}

#[test]
fn plan_of_blobs_that_fails_names_its_source_without_the_sas() {
    let mut env = TestEnv::new();
    let source = BlobStub::start();
    source.set_blob_lists(&[&[("model.safetensors", 1000, "0x2")]]);
    let url = format!("{}/weights?sv=1&sp=rl&sig={CANARY}", source.base);
    let args = ["custom", "create", "--name", "my-model", "--source", &url, "--dry-run", "-o", "json"];
    env.write("plan.json", env.command(&args).output().expect("a run").stdout);
    env.azcopy_script("stderr panic: runtime error\nexit 2\n");
    let error = run(&env, &["--source", &url, "-o", "json"]).fails_with(7).json_error();
    let words = error["suggestion"].as_str().expect("a suggestion");
    assert!(words.contains("plan.json --source http://") && words.contains("/weights\n"), "{words}");
    assert!(words.contains("The source URL is shown without its SAS; add it.") && !words.contains(CANARY), "{words}");
}

/// A plan cannot verify blobs that were not listed.
#[test]
fn plan_of_unlisted_blobs_is_not_run() {
    let env = TestEnv::new();
    let source = BlobStub::start();
    env.write("source.txt", format!("{}/weights?sv=1&sig={CANARY}", source.base));
    let args = ["custom", "create", "--name", "my-model", "--source-file", "source.txt", "--dry-run", "-o", "json"];
    let output = env.run(&args).success();
    assert!(output.stderr.contains("The plan cannot be run"), "{output}");
    env.write("plan.json", env.command(&args).output().expect("a run").stdout);
    source.set_blobs(&[("config.json", 50)]);
    run(&env, &["--source-file", "source.txt"]).fails_with(2);
    assert_eq!(changes(&env), 0);
}
