//! Faults of the network and of the store during an upload.

use std::fs;

use foundry_emulator::Config;

use super::{CREATE, assert_uploaded, create, env, env_with, killed_after, local, steady};
use crate::support::{Behaviour, BlockStore, Lists, TestEnv};

fn retries(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.contains("retrying ")).collect()
}

#[test]
fn busy_store_is_retried_and_reported() {
    let (env, store) = env();
    store.behaves(Behaviour { busy_every: Some(3), ..Behaviour::default() });
    let output = create(&env, &["--parallel", "1"]).success();
    assert_uploaded(&env, &store);
    let retries = retries(&output.stderr);
    let words: Vec<&str> = retries.iter().map(|line| line.split(": ").nth(1).unwrap_or(line)).collect();
    assert!(!words.is_empty(), "{output}");
    insta::assert_snapshot!(retries[0].replace(char::is_numeric, "9"), @"retrying block 9 of 9 of model.safetensors in 9.9 s: ServerBusy. (ServerBusy)");
    // Each rejected block was sent once more, and no other block was.
    assert_eq!(store.take_received("model.safetensors").blocks, [0, 1, 2, 3]);
}

#[test]
fn retry_after_of_the_store_is_respected() {
    let (env, store) = env();
    store.behaves(Behaviour { busy_every: Some(4), retry_after: Some(7), ..Behaviour::default() });
    let output = create(&env, &["--parallel", "1"]).success();
    assert_uploaded(&env, &store);
    // A tenth of the header's value, as for all times in these tests.
    let retries = retries(&output.stderr);
    assert!(!retries.is_empty() && retries.iter().all(|line| line.contains(" in 0.7 s: ServerBusy.")), "{output}");
}

#[test]
fn reset_connections_cost_only_their_blocks() {
    let (env, store) = env();
    store.behaves(Behaviour { reset_every: Some(3), ..Behaviour::default() });
    let output = create(&env, &["--parallel", "2"]).success();
    assert_uploaded(&env, &store);
    assert_eq!(store.take_received("model.safetensors").blocks.len(), 4);
    assert!(output.stderr.contains(": could not reach [BLOBS]: the connection was reset\n"), "{output}");
}

#[test]
fn damaged_content_is_rejected_and_sent_again() {
    let (env, store) = env();
    store.behaves(Behaviour { flip_every: Some(2), ..Behaviour::default() });
    let output = create(&env, &["--parallel", "1"]).success();
    assert_uploaded(&env, &store);
    assert_eq!(store.take_received("model.safetensors").blocks, [0, 1, 2, 3]);
    assert!(output.stderr.contains("Crc64Mismatch"), "{output}");
}

#[test]
fn store_without_checksums_is_accepted() {
    let (env, store) = env();
    store.behaves(Behaviour { no_checksums: true, ..Behaviour::default() });
    let output = create(&env, &[]).success();
    assert_uploaded(&env, &store);
    assert_eq!(store.take_received("model.safetensors").with_checksum, 0);
    assert_eq!(output.stderr.matches(NO_CHECKSUMS).count(), 1, "{output}");
    assert!(retries(&output.stderr).is_empty(), "{output}");
}

const NO_CHECKSUMS: &str = "WARNING: The blob store does not support checksums (x-ms-content-crc64): damage in transit is \
                            not noticed.\n";

#[test]
fn store_that_names_the_rejected_header_is_trusted() {
    let (env, store) = env();
    store.behaves(Behaviour { refuses_header: true, ..Behaviour::default() });
    let output = create(&env, &["--parallel", "1"]).success();
    assert_uploaded(&env, &store);
    assert_eq!(store.take_received("model.safetensors").with_checksum, 0);
    assert_eq!(output.stderr.matches(NO_CHECKSUMS).count(), 1, "{output}");
}

/// A transient fault does not mean that the store rejects checksums.
#[test]
fn transient_fault_does_not_disable_checksums() {
    for fails_first in 1..=4 {
        let (env, store) = env();
        store.behaves(Behaviour { fails_first, ..Behaviour::default() });
        let output = create(&env, &[]).success();
        assert_uploaded(&env, &store);
        assert_eq!(store.take_received("model.safetensors").with_checksum, 4, "{fails_first}: {output}");
        assert_eq!(store.take_received("config.json").with_checksum, 1, "{fails_first}: {output}");
        assert!(!output.stderr.contains("checksums"), "{output}");
    }
}

/// Simulates a restarted store that lost its content.
#[test]
fn blocks_that_are_lost_before_the_commit_are_all_sent_again() {
    let (env, store) = env();
    store.behaves(Behaviour { loses_blocks: true, ..Behaviour::default() });
    let output = create(&env, &["--parallel", "1"]).success();
    assert_uploaded(&env, &store);
    assert_eq!(store.take_received("model.safetensors").blocks, [0, 1, 2, 3, 0, 1, 2, 3]);
    let words = "the blob store lost blocks of model.safetensors: it starts over\n";
    assert_eq!(output.stderr.matches(words).count(), 1, "{output}");
}

fn expiring_sas() -> Config {
    Config { first_sas_seconds: vec![3600, 3700, 3800], ..Config::default() }
}

#[test]
fn sas_that_expires_during_the_upload_is_renewed_once() {
    let (env, store) = env_with(expiring_sas());
    store.behaves(Behaviour { sas_ends_after: Some(2), ..Behaviour::default() });
    let output = create(&env, &[]).success();
    assert_uploaded(&env, &store);
    assert_eq!(store.take_received("model.safetensors").blocks.len(), 4);
    assert_eq!(output.stderr.matches("SAS was rejected. Requesting a new one...\n").count(), 1, "{output}");
    let asked = env.emulator().requests().iter().filter(|one| one.path.ends_with("/startPendingUpload")).count();
    assert_eq!(asked, 2, "{output}");
}

#[test]
fn rejected_new_sas_ends_the_upload() {
    let (env, store) = env_with(expiring_sas());
    fs::remove_file(env.work().join("model/config.json")).expect("removed");
    store.behaves(Behaviour { refuses_all_after: Some(2), ..Behaviour::default() });
    let output = create(&env, &["--parallel", "1", "--skip-check"]).fails_with(7);
    insta::assert_snapshot!(steady(&output), @"
    WARNING: No --base-model is given: the service may refuse to register or deploy these weights.

    Creating custom model: my-model (version 1)

    Step 1/3: Requesting upload location...
    ✓ Upload location ready
      Blob URI: http://[BLOBS]/devstoreaccount1/upload-1

    Step 2/3: Uploading model files...
      Source: model (1 file, 16.0 MB)
      Uploading 1 file, 16.0 MB...
    The upload SAS was rejected. Requesting a new one...
    ERROR: Upload interrupted. Fix the problem, then run the same command to resume.
    the blob store refused the upload, also with a new SAS (AuthenticationFailed. (AuthenticationFailed))
    10.0 MB are uploaded and will not be sent again; the blob store keeps them for 7 days.

    Suggestion: Check this machine's clock, and the network rules of the project's storage.
    To resume after fixing the problem, run the same command again:
      azure-ai-models custom create --name my-model --source model --engine native --parallel 1 --skip-check
    ");
    store.behaves(Behaviour::default());
    create(&env, &["--skip-check"]).success();
    assert!(store.blob("model.safetensors").expect("a blob").content == local(&env, "model.safetensors"));
}

/// The blocks sent so far are in the old container; the new one is registered.
#[test]
fn new_sas_for_another_location_starts_over() {
    let (env, store) = env_with(Config { new_container_each_time: true, ..expiring_sas() });
    store.behaves(Behaviour { sas_ends_after: Some(2), ..Behaviour::default() });
    let output = create(&env, &["--parallel", "1"]).success();
    assert_uploaded(&env, &store);
    let requests = env.emulator().requests();
    let asked = requests.iter().filter(|one| one.path.ends_with("/startPendingUpload")).count();
    let registered = requests.iter().find(|one| one.path.ends_with("/createAsync")).expect("a registration");
    let blob_uri = registered.body["blobUri"].as_str().expect("a URI");
    assert!(blob_uri.ends_with(&format!("/upload-{asked}")), "{blob_uri}, {asked} requests: {output}");
    assert!(output.stderr.contains("Starting fresh upload..."), "{output}");
}

/// Environment in which an upload that stalls for two seconds is abandoned.
fn env_with_short_stall_timeout() -> (TestEnv, BlockStore) {
    let (mut env, store) = env();
    env.set("AZURE_AI_MODELS_TEST_TIME", "0.01").set("AZURE_AI_MODELS_STALL_TIMEOUT", "200s");
    (env, store)
}

#[test]
fn unresponsive_store_is_reported_and_then_abandoned() {
    let (env, store) = env_with_short_stall_timeout();
    store.behaves(Behaviour { silent_after: Some(3), ..Behaviour::default() });
    let output = create(&env, &["-o", "json"]).fails_with(7);
    assert!(output.stderr.contains("  No progress for "), "{output}");
    assert_eq!(output.json_error()["code"], "upload_stalled");
}

/// Bytes are sent all the time, but none are accepted.
#[test]
fn always_busy_store_is_abandoned() {
    let (env, store) = env_with_short_stall_timeout();
    store.behaves(Behaviour { busy_every: Some(1), ..Behaviour::default() });
    let output = create(&env, &["-o", "json"]).fails_with(7);
    assert_eq!(output.json_error()["code"], "upload_stalled", "{output}");
}

/// The list of blobs is the final proof: an upload with a blob that is not listed as sent is not registered.
#[test]
fn blobs_listed_differently_are_not_registered() {
    for lists in [Lists::Shorter, Lists::WithoutFirst] {
        let (env, store) = env();
        store.behaves(Behaviour { lists, ..Behaviour::default() });
        let output = create(&env, &["-o", "json"]).fails_with(7);
        let error = output.json_error();
        assert_eq!((&error["kind"], &error["code"]), (&"upload_failed".into(), &"incomplete_upload".into()), "{error}");
        let message = error["message"].as_str().expect("a string");
        assert!(message.contains("config.json in the blob store differs from the uploaded file"), "{message}");
        assert_eq!(env.registrations(), 0, "{lists:?}: registered anyway");
        // The files are sent again while the list still differs, and registered once the list is correct.
        store.behaves(Behaviour::default());
        create(&env, &[]).success();
        assert_uploaded(&env, &store);
    }
}

/// An incomplete list proves nothing, and the command ends.
#[test]
fn endless_blob_list_proves_nothing() {
    for (lists, words) in [(Lists::Circle, "repeats"), (Lists::Endless, "does not end")] {
        let (env, store) = env();
        store.behaves(Behaviour { lists, ..Behaviour::default() });
        let output = create(&env, &["-o", "json"]);
        assert_ne!(output.code, Some(0), "{lists:?}: {output}");
        let error = output.json_error();
        assert!(error["message"].as_str().is_some_and(|text| text.contains(words)), "{error}");
        assert_eq!(env.registrations(), 0, "{lists:?}: registered anyway");
    }
}

/// The next run would not know of blocks that are not recorded.
#[test]
fn record_that_cannot_be_written_ends_the_upload() {
    const FULL: usize = 1 << 20;
    for name in ["blocks", "manifest.ndjson"] {
        for is_full in [false, true] {
            let (env, store) = env();
            killed_after(&env, &store, 2, false);
            let record = walkdir::WalkDir::new(env.home()).into_iter().filter_map(Result::ok);
            let record = record.map(walkdir::DirEntry::into_path).find(|path| path.ends_with(name)).expect("a record");
            let before = fs::read(&record).expect("read");
            let args = [&CREATE[..], &["-o", "json"]].concat();
            let output = if is_full {
                // The file is as large as the limit allows; `ulimit` counts blocks of 512 bytes.
                let mut full = before.clone();
                full.resize(FULL - 1, b'x');
                full.push(b'\n');
                fs::write(&record, full).expect("written");
                env.run_after(&format!("trap '' XFSZ; ulimit -f {}", FULL / 512), &args)
            } else {
                // A plain directory in its place would be treated as that of an older run.
                fs::remove_file(&record).expect("removed");
                std::os::unix::fs::symlink(env.root(), &record).expect("a link to a directory");
                env.run(&args)
            };
            assert_eq!(output.code, Some(1), "{name}, full: {is_full}: {output}");
            let error = output.json_error();
            assert_eq!((&error["kind"], &error["code"]), (&"failure".into(), &"no_upload_directory".into()), "{error}");
            let message = error["message"].as_str().expect("a string");
            assert!(message.starts_with("cannot save the upload progress: "), "{name}: {message}");
            assert!(error["suggestion"].as_str().is_some_and(|text| text.contains("AZD_CONFIG_DIR")), "{error}");
            assert_eq!(env.registrations(), 0, "{name}: registered anyway");
            fs::remove_file(&record).expect("removed");
            fs::write(&record, before).expect("written");
            create(&env, &[]).success();
            assert_uploaded(&env, &store);
        }
    }
}

/// A process may have few open files; each request needs a connection and the file that it reads.
#[test]
fn low_limit_of_open_files_reduces_connections() {
    let (env, store) = env();
    for number in 0..200 {
        env.write(&format!("model/small-{number:03}.json"), "{}");
    }
    let args = ["create", "--name", "my-model", "--source", "model", "--engine", "native", "--skip-check"];
    let output = env.run_after("ulimit -n 40", &args).success();
    assert!(output.stderr.contains("connections instead of"), "{output}");
    assert_eq!(store.names().len(), 202);
}
