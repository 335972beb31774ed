//! `custom verify`: registered files are compared with a source and with recorded checksums, and read back.

use std::fs;

use foundry_emulator::{Config, Fault, FaultKind, Route};
use serde_json::{Value, json};

use crate::support::{Behaviour, BlockStore, CANARY, Output, Read, ReadBehaviour, TestEnv, sha256, varied_content};

const CREATE: [&str; 8] = ["custom", "create", "--name", "my-model", "--source", "model", "--engine", "native"];
const VERIFY: [&str; 4] = ["custom", "verify", "--name", "my-model"];
const WITH_SOURCE: [&str; 2] = ["--source", "model"];

/// Environment whose small model was uploaded by the native engine with additional options.
fn uploaded(more: &[&str]) -> (TestEnv, BlockStore) {
    let store = BlockStore::start();
    let env = TestEnv::with_store(Config::default(), &store);
    env.write_model();
    env.run(&[&CREATE[..], more].concat()).success();
    (env, store)
}

/// Output without the progress lines that appear only on a slow machine.
fn verify(env: &TestEnv, more: &[&[&str]]) -> Output {
    let mut output = env.run(&[&VERIFY[..], &more.concat()].concat());
    let is_steady = |line: &&str| !line.contains("% (") || line.contains("100% (");
    output.stderr = output.stderr.lines().filter(is_steady).map(|line| format!("{line}\n")).collect();
    output
}

/// Path, status and proof of each file.
fn file_rows(output: &Output) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let files = output.json()["files"].as_array().expect("files").clone();
    files.iter().map(|file| [&file["path"], &file["status"], &file["proof"]].map(word).join(", ")).collect()
}

fn posts_of_credentials(env: &TestEnv) -> usize {
    env.emulator().requests().iter().filter(|one| one.method == "POST" && one.path.ends_with("/credentials")).count()
}

#[test]
fn native_upload_records_checksums_that_verify_the_source() {
    let (env, store) = uploaded(&[]);
    for name in ["config.json", "model.safetensors"] {
        let content = fs::read(env.work().join("model").join(name)).expect("a file");
        assert_eq!(store.blob(name).expect("a blob").sha256, Some(sha256(&content)), "{name}");
    }
    insta::assert_snapshot!("proved_by_a_source", verify(&env, &[&WITH_SOURCE]));
    assert_eq!(posts_of_credentials(&env), 1);
    assert_eq!(store.take_reads(), [], "no content is read");
    let output = verify(&env, &[&WITH_SOURCE, &["-o", "json"]]).success();
    insta::assert_snapshot!("proved_by_a_source_json", output.stdout);
    assert!(!output.to_string().contains(CANARY), "{output}");
}

#[test]
fn every_difference_is_in_the_table_and_exits_with_6() {
    let (env, store) = uploaded(&[]);
    env.write("model/config.json", format!("{:<50}", "{ }"));
    env.write("model/late.json", "{}");
    store.write("old.bin", vec![1; 7]);
    store.write("model.safetensors", vec![1; 8]);
    insta::assert_snapshot!(verify(&env, &[&WITH_SOURCE]));
    let output = verify(&env, &[&WITH_SOURCE, &["-o", "json"]]).fails_with(6);
    let expected = [
        "config.json, other content, -",
        "late.json, missing, -",
        "model.safetensors, other size, -",
        "old.bin, extra, -",
    ];
    assert_eq!(file_rows(&output), expected);
    let error = output.json_error();
    assert_eq!((&error["kind"], &error["code"]), (&json!("check_failed"), &json!("files-differ")));
    let create = "custom create --name my-model --source model --version auto";
    assert!(error["suggestion"].as_str().is_some_and(|words| words.contains(create)), "{error}");
    let quiet = verify(&env, &[&WITH_SOURCE, &["-q"]]).fails_with(6);
    assert_eq!(quiet.stdout.lines().count(), 5, "{quiet}");
}

#[test]
fn list_is_compared_with_the_registered_digest_without_a_source() {
    let (env, store) = uploaded(&[]);
    insta::assert_snapshot!("registered_digest", verify(&env, &[]).success());
    // Other content with its own checksum, as another upload would leave it.
    store.write("config.json", vec![b' '; 50]);
    store.record_sum("config.json", Some(&sha256(&[b' '; 50])));
    let output = verify(&env, &[&["-o", "json"]]).fails_with(6);
    assert_eq!(output.json()["contentDigestStatus"], "other content", "{output}");
    store.record_sum("config.json", None);
    let output = verify(&env, &[]).success();
    assert!(output.stderr.contains("WARNING: The content of 2 files is not proved"), "{output}");
    verify(&env, &[&["--full"]]).fails_with(6);
}

/// AzCopy records no checksums, nor does an upload with --no-hash.
#[test]
fn files_without_a_recorded_checksum_are_unproved_until_read_back() {
    let (env, store) = uploaded(&["--no-hash"]);
    assert_eq!(store.blob("config.json").expect("a blob").sha256, None);
    insta::assert_snapshot!("without_sums", verify(&env, &[&WITH_SOURCE]).success());
    let strict = verify(&env, &[&WITH_SOURCE, &["--strict", "-o", "json"]]).fails_with(6);
    assert_eq!(file_rows(&strict), ["config.json, unproved, sized", "model.safetensors, unproved, sized"]);
    assert_eq!(strict.json_error()["code"], "files-unproved");
    let listed = verify(&env, &[&["-o", "json"]]).success();
    assert_eq!(file_rows(&listed), ["config.json, unproved, listed", "model.safetensors, unproved, listed"]);
    assert_eq!(store.take_reads(), []);
    insta::assert_snapshot!("read_back", verify(&env, &[&WITH_SOURCE, &["--full", "--strict"]]).success());
    let mut reads = store.take_reads();
    reads.sort_by(|left, right| left.name.cmp(&right.name));
    let read = |name: &str, range: &str, if_match: &str| Read {
        name: name.into(),
        range: range.into(),
        if_match: if_match.into(),
        status: 206,
    };
    let written = |name: &str| if name == "config.json" { ["\"0x1\"", "\"0x2\""] } else { ["\"0x2\"", "\"0x1\""] };
    let is_first = reads[0].if_match == written("config.json")[0];
    let tag = |name: &str| written(name)[usize::from(!is_first)];
    assert_eq!(
        reads,
        [
            read("config.json", "bytes=0-49", tag("config.json")),
            read("model.safetensors", "bytes=0-999", tag("model.safetensors"))
        ]
    );
}

#[test]
fn content_of_the_store_is_compared() {
    let (env, store) = uploaded(&[]);
    store.behaves(Behaviour { reads_wrong: true, ..Behaviour::default() });
    for source in [&[][..], &WITH_SOURCE] {
        let output = verify(&env, &[source, &["--full", "-o", "json"]]).fails_with(6);
        assert_eq!(file_rows(&output), ["config.json, other content, -", "model.safetensors, other content, -"]);
        assert_eq!(output.json_error()["suggestion"], Value::Null, "the source may be unchanged: {output}");
    }
    store.behaves(Behaviour::default());
    let output = verify(&env, &[&["--full", "-o", "json"]]).success();
    assert_eq!(file_rows(&output), ["config.json, ok, hashed", "model.safetensors, ok, hashed"]);
    assert_eq!(output.json()["full"], true);
}

/// Transient network faults, a SAS that expires during the transfer, and ranges: 9 MiB need three.
#[test]
fn model_is_read_back_despite_transient_faults() {
    let store = BlockStore::start();
    let env = TestEnv::with_store(Config::default(), &store);
    env.write("model/model.safetensors", varied_content(9 << 20));
    env.run(&[&CREATE[..], &["--skip-check"]].concat()).success();
    for reading in [
        ReadBehaviour { busy_every: Some(3), ..ReadBehaviour::default() },
        ReadBehaviour { reset_every: Some(2), ..ReadBehaviour::default() },
        ReadBehaviour { short_every: Some(2), ..ReadBehaviour::default() },
        ReadBehaviour { sas_ends_after: Some(2), ..ReadBehaviour::default() },
    ] {
        let words = format!("{reading:?}");
        store.behaves(Behaviour { reading, ..Behaviour::default() });
        let output = verify(&env, &[&WITH_SOURCE, &["--full", "-o", "json"]]);
        assert_eq!(file_rows(&output.success()), ["model.safetensors, ok, hashed"], "{words}");
        let reads = store.take_reads();
        assert!(reads.len() >= 3, "{words}: {reads:?}");
    }
    assert_eq!(posts_of_credentials(&env), 5, "one for each run, and one for the expired SAS");
}

#[test]
fn read_failures_are_reported() {
    let (env, store) = uploaded(&[]);
    store.behaves(Behaviour {
        reading: ReadBehaviour { refuses_all_after: Some(0), ..ReadBehaviour::default() },
        ..Behaviour::default()
    });
    insta::assert_snapshot!("no_sas_is_accepted", verify(&env, &[&["--full"]]).fails_with(4));
    store.behaves(Behaviour {
        reading: ReadBehaviour { writes_before: Some((1, "config.json")), ..ReadBehaviour::default() },
        ..Behaviour::default()
    });
    insta::assert_snapshot!("blob_changed", verify(&env, &[&["--full"]]).fails_with(9));
    store.behaves(Behaviour { write_only: true, ..Behaviour::default() });
    insta::assert_snapshot!("no_list", verify(&env, &[]).fails_with(4));
    store.behaves(Behaviour::default());
    env.emulator().add_fault(Fault::new(Route::Credentials, FaultKind::refusal(403, "Forbidden", "No.")).times(1));
    insta::assert_snapshot!("no_credentials", verify(&env, &[]).fails_with(4));
    let error = env.run(&["custom", "verify", "-n", "other", "-o", "json"]).fails_with(3).json_error();
    assert_eq!(error["code"], "ModelNotFound");
    env.emulator().seed(&json!({"name": "bare", "version": "1", "blobUri": null})).expect("seeded");
    env.run(&["custom", "verify", "-n", "bare"]).fails_with(9);
}

#[test]
fn unresponsive_store_ends_the_read() {
    let (mut env, store) = uploaded(&[]);
    env.set("AZURE_AI_MODELS_TEST_TIME", "0.01").set("AZURE_AI_MODELS_STALL_TIMEOUT", "200s");
    let reading = ReadBehaviour { silent: Some("model.safetensors"), ..ReadBehaviour::default() };
    store.behaves(Behaviour { reading, ..Behaviour::default() });
    let error = verify(&env, &[&["--full", "-o", "json"]]).fails_with(9).json_error();
    let message = error["message"].as_str().expect("a string");
    assert!(message.starts_with("no data received from the blob store for"), "{message}");
}

#[test]
fn invalid_options_are_rejected_before_any_request() {
    let (env, _store) = uploaded(&[]);
    let before = env.emulator().requests().len();
    verify(&env, &[&["--include", "*.json"]]).fails_with(2);
    verify(&env, &[&["--source", "https://a.blob.core.windows.net/c"]]).fails_with(2);
    verify(&env, &[&["--source", "nowhere"]]).fails_with(3);
    assert_eq!(env.emulator().requests().len(), before);
}

/// Equal options select equal files in `create` and `verify`.
#[test]
fn selection_of_the_source_is_compared() {
    let (env, _store) = uploaded(&["--exclude", "config.json", "--skip-check"]);
    verify(&env, &[&WITH_SOURCE, &["--exclude", "config.json"]]).success();
    let output = verify(&env, &[&WITH_SOURCE, &["-o", "json"]]).fails_with(6);
    assert_eq!(file_rows(&output), ["config.json, missing, -", "model.safetensors, ok, hashed"]);
}

/// The files may be in a folder of a container, with a SAS for the container.
#[test]
fn files_in_a_folder_of_a_container_are_found() {
    let (env, store) = uploaded(&[]);
    store.write("sub dir/a.json", b"{}".to_vec());
    store.record_sum("sub dir/a.json", Some(&sha256(b"{}")));
    let uri = format!("{}/upload-1/sub%20dir", store.base);
    env.emulator().seed(&json!({"name": "folder", "version": "1", "blobUri": uri})).expect("seeded");
    env.write("one/a.json", "{}");
    let args = ["custom", "verify", "-n", "folder", "--source", "one", "--full", "-o", "json"];
    assert_eq!(file_rows(&env.run(&args).success()), ["a.json, ok, hashed"]);
}

#[test]
fn store_that_rejects_metadata_gets_files_without_it() {
    let store = BlockStore::start();
    store.behaves(Behaviour { refuses_metadata: true, ..Behaviour::default() });
    let env = TestEnv::with_store(Config::default(), &store);
    env.write_model();
    let output = env.run(&CREATE).success();
    assert_eq!(output.stderr.matches("The blob store refuses metadata").count(), 1, "{output}");
    assert_eq!(store.blob("config.json").expect("a blob").sha256, None);
    // The digest of all files proves each of them.
    let output = verify(&env, &[&WITH_SOURCE, &["-o", "json"]]).success();
    assert_eq!(file_rows(&output), ["config.json, ok, hashed", "model.safetensors, ok, hashed"]);
}
