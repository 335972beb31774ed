//! `custom download`: registered files arrive complete and verified, despite faults and interruptions, and never
//! outside its directory.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use foundry_emulator::Config;
use rustix::process::Signal;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Behaviour, BlockStore, CANARY, Lists, Output, Read, ReadBehaviour, Running, TestEnv};

const CREATE: [&str; 9] =
    ["custom", "create", "--name", "my-model", "--source", "model", "--engine", "native", "--skip-check"];
const DOWNLOAD: [&str; 6] = ["custom", "download", "--name", "my-model", "--to", "out"];
const LARGE: &str = "model.safetensors";
const PRIVATE: &str = ".azure-ai-models-download";
/// Two ranges and a half.
const LENGTH: usize = 20 << 20;

fn content() -> Vec<u8> {
    (0..LENGTH).map(|at| ((at / 4096 * 31 + at) % 251) as u8).collect()
}

fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A world with a registered model of a large file and a small one in a directory.
fn uploaded(more: &[&str]) -> (TestEnv, BlockStore) {
    let store = BlockStore::start();
    let env = TestEnv::storing(Config::default(), &store);
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

/// All files below the target, the download's own ones too.
fn files(env: &TestEnv) -> Vec<String> {
    let root = out(env);
    let entries = walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().filter_map(Result::ok);
    let files = entries.filter(|entry| !entry.file_type().is_dir());
    files.map(|entry| entry.path().strip_prefix(&root).expect("below").to_string_lossy().into_owned()).collect()
}

fn assert_whole(env: &TestEnv) {
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

/// Without what a slow machine shows otherwise.
fn steady(output: &Output) -> String {
    let moving = |line: &&str| !line.contains("% (") && !line.contains("Still ");
    let lines = output.stderr.lines().filter(moving);
    lines.map(|line| line.split(" in ").next().unwrap_or(line)).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_model_comes_back_by_ranges_of_the_write_that_was_listed() {
    let (env, store) = uploaded(&[]);
    let output = download(&env, &[]).success();
    insta::assert_snapshot!("downloaded_lines", steady(&output));
    insta::assert_snapshot!("downloaded_page", output.stdout);
    assert_whole(&env);
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
fn the_result_names_each_file_and_its_proof() {
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
fn a_file_that_is_another_is_overwritten_by_force_alone() {
    let (env, store) = uploaded(&[]);
    download(&env, &[]).success();
    store.take_reads();
    fs::write(out(&env).join("sub/config.json"), "[]").expect("written");
    insta::assert_snapshot!(download(&env, &[]).fails_with(5));
    assert_eq!(files(&env), [LARGE, "sub/config.json"], "nothing else was made");
    assert_eq!(fs::read(out(&env).join("sub/config.json")).expect("a file"), b"[]");
    assert_eq!(store.take_reads(), []);
    download(&env, &["--force"]).success();
    assert_whole(&env);
    assert_eq!(ranges(&store.take_reads()).len(), 1, "the other one is what it should be");
}

#[test]
fn faults_that_pass_cost_only_what_was_under_way() {
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
        assert_whole(&env);
        assert!(!output.to_string().contains(CANARY), "{words}: {output}");
        assert!(store.take_reads().len() >= 4, "{words}");
        fs::remove_dir_all(out(&env)).expect("removed");
    }
    let credentials = env.emulator().requests().into_iter().filter(|one| one.path.ends_with("/credentials")).count();
    assert_eq!(credentials, 5, "one for each run, and one where the SAS ended");
}

#[test]
fn a_sas_that_is_never_accepted_ends_the_download_and_the_next_run_goes_on() {
    let (env, store) = uploaded(&[]);
    behaves(&store, ReadBehaviour { refuses_all_after: Some(2), ..ReadBehaviour::default() });
    let output = download(&env, &["-o", "json"]).fails_with(4);
    assert_eq!(output.json_error()["code"], "AuthenticationFailed", "{output}");
    behaves(&store, ReadBehaviour::default());
    download(&env, &[]).success();
    assert_whole(&env);
}

#[test]
fn a_blob_that_is_written_meanwhile_starts_over_in_the_next_run() {
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
fn content_with_another_sum_never_gets_its_name() {
    let (env, store) = uploaded(&[]);
    store.behaves(Behaviour { reads_wrong: true, ..Behaviour::default() });
    let output = download(&env, &["--include", LARGE, "-o", "json"]).fails_with(9);
    let error = output.json_error();
    assert_eq!((&error["kind"], &error["code"]), (&json!("service"), &json!("content-mismatch")));
    assert!(!out(&env).join(LARGE).exists());
    store.behaves(Behaviour::default());
    store.take_reads();
    download(&env, &[]).success();
    assert_whole(&env);
    assert_eq!(ranges(&store.take_reads()).len(), 4, "what was wrong is fetched again as a whole");
}

/// Starts a download that is stuck after two of its four reads, with the ranges of these written.
fn stuck(env: &TestEnv, store: &BlockStore) -> Running {
    behaves(store, ReadBehaviour { silent_after: Some(2), ..ReadBehaviour::default() });
    let running = Running::start(env, &[&DOWNLOAD[..], &["--include", LARGE]].concat());
    store.wait_until_all_silent(0, 1);
    let record = out(env).join(PRIVATE).join("record.ndjson");
    crate::support::eventually("two ranges in the record", || {
        fs::read_to_string(&record).unwrap_or_default().matches("\"range\"").count() == 2
    });
    running
}

/// The next run fetches the third range alone.
fn assert_goes_on(env: &TestEnv, store: &BlockStore) {
    let record = fs::read_to_string(out(env).join(PRIVATE).join("record.ndjson")).expect("a record");
    assert!(!record.contains(CANARY) && !record.contains("sig="), "{record}");
    assert_eq!(files(env).iter().filter(|name| !name.starts_with(PRIVATE)).count(), 0, "no half file has a name");
    behaves(store, ReadBehaviour::default());
    store.take_reads();
    let output = download(env, &["--include", LARGE]).success();
    assert!(output.stderr.contains("Resuming download: 1"), "{output}");
    assert_eq!(ranges(&store.take_reads()).len(), 1, "{output}");
    assert!(fs::read(out(env).join(LARGE)).expect("a file") == content());
    assert!(!out(env).join(PRIVATE).exists());
}

#[test]
fn ctrl_c_keeps_what_was_fetched_and_says_how_to_go_on() {
    let (env, store) = uploaded(&[]);
    let running = stuck(&env, &store);
    running.signal(Signal::INT);
    let output = running.finish(&env);
    assert_eq!(output.code, Some(130), "{output}");
    let end = output.stderr.split("Download interrupted").nth(1).expect("the last words").to_owned();
    insta::assert_snapshot!("interrupted", end.split_once("downloaded)").map_or(&*end, |(_, rest)| rest));
    assert_goes_on(&env, &store);
}

#[test]
fn a_killed_download_goes_on_at_the_range() {
    let (env, store) = uploaded(&[]);
    let running = stuck(&env, &store);
    running.signal(Signal::KILL);
    assert_eq!(running.finish(&env).code, None);
    assert_goes_on(&env, &store);
}

#[test]
fn a_download_that_was_begun_is_another_one_once_the_blob_is_another() {
    let (env, store) = uploaded(&[]);
    let running = stuck(&env, &store);
    running.signal(Signal::KILL);
    assert_eq!(running.finish(&env).code, None);
    behaves(&store, ReadBehaviour::default());
    store.write(LARGE, vec![7; LENGTH]);
    store.take_reads();
    download(&env, &["--include", LARGE]).success();
    assert_eq!(ranges(&store.take_reads()).len(), 3);
    assert_eq!(fs::read(out(&env).join(LARGE)).expect("a file"), vec![7; LENGTH]);
}

#[test]
fn two_at_once_into_one_directory_are_one() {
    let (env, store) = uploaded(&[]);
    let running = stuck(&env, &store);
    let output = download(&env, &[]).fails_with(5);
    insta::assert_snapshot!("in_use", steady(&output));
    running.signal(Signal::KILL);
    assert_eq!(running.finish(&env).code, None);
    assert_goes_on(&env, &store);
}

#[test]
fn a_full_disk_is_told_and_the_next_run_goes_on() {
    let (env, store) = uploaded(&[]);
    store.behaves(Behaviour { lists: Lists::Huge, ..Behaviour::default() });
    let output = download(&env, &["-o", "json"]).fails_with(1);
    assert_eq!(output.json_error()["code"], "no-room", "{output}");
    assert!(!out(&env).exists(), "before the first byte");
    store.behaves(Behaviour::default());
    store.take_reads();
    // A limit on the size of files stands for a disk that fills up meanwhile.
    let args = [&DOWNLOAD[..], &["-o", "json"]].concat();
    let output = env.run_after("trap '' XFSZ; ulimit -f 2048", &args).fails_with(1);
    let error = output.json_error();
    assert_eq!(error["code"], "write_failed", "{output}");
    assert!(error["suggestion"].as_str().is_some_and(|words| words.contains("custom download")), "{output}");
    download(&env, &[]).success();
    assert_whole(&env);
}

/// Makes the calls that write a file's content to the disk fail: as those of a disk that breaks.
#[cfg(target_os = "linux")]
const BREAKING_DISK: &str = r#"PATH=$PATH:/usr/local/bin:/usr/bin; exec python3 -c '
import ctypes, errno, os, platform, struct, sys
fsync = {"x86_64": 74, "aarch64": 82}[platform.machine()]
filter = struct.pack("HBBI" * 4, 0x20, 0, 0, 0, 0x15, 0, 1, fsync, 6, 0, 0, 0x50000 | errno.EIO, 6, 0, 0, 0x7fff0000)
program = ctypes.create_string_buffer(struct.pack("HP", 4, ctypes.addressof(kept := ctypes.create_string_buffer(filter))))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0, os.strerror(ctypes.get_errno())
os.execv(sys.argv[1], sys.argv[1:])
' "$0" "$@""#;

/// A name that is on the disk before its content would be an empty file after a power loss.
#[cfg(target_os = "linux")]
#[test]
fn content_that_is_not_on_the_disk_gets_no_name() {
    let (env, store) = uploaded(&[]);
    let args = [&DOWNLOAD[..], &["--include", LARGE, "-o", "json"]].concat();
    let output = env.run_after(BREAKING_DISK, &args).fails_with(1);
    assert_eq!(output.json_error()["code"], "write_failed", "{output}");
    assert!(!out(&env).join(LARGE).exists());
    store.take_reads();
    download(&env, &[]).success();
    assert_whole(&env);
    assert_eq!(ranges(&store.take_reads()).len(), 4, "what may not be on the disk is fetched again");
}

#[test]
fn no_more_requests_than_asked_are_in_flight() {
    let (mut env, store) = uploaded(&[]);
    env.set("AZURE_AI_MODELS_TEST_TIME", "0.01/1").set("AZURE_AI_MODELS_STALL_TIMEOUT", "200s");
    for (options, in_flight) in [(&[][..], 4), (&["--parallel", "3"], 3), (&["--parallel", "1"], 1)] {
        behaves(&store, ReadBehaviour { silent_after: Some(0), ..ReadBehaviour::default() });
        store.take_reads();
        let output = download(&env, &[options, &["-o", "json"]].concat()).fails_with(9);
        let error = output.json_error();
        assert_eq!(error["code"], "download_stalled", "{output}");
        assert!(error["suggestion"].as_str().is_some_and(|words| words.contains(&options.join(" "))), "{output}");
        assert_eq!(store.take_reads().len(), in_flight, "{options:?}");
    }
    for number in ["0", "257"] {
        download(&env, &["--parallel", number]).fails_with(2);
    }
}

#[test]
fn a_low_limit_of_open_files_reduces_the_requests_of_a_download() {
    let (env, _store) = uploaded(&[]);
    let output = env.run_after("ulimit -n 40", &DOWNLOAD).success();
    assert!(output.stderr.contains("using 4 connections instead of 32"), "{output}");
    assert_whole(&env);
}

#[test]
fn no_name_leads_out_of_the_directory() {
    let (env, store) = uploaded(&[]);
    for name in ["../evil", "/etc/evil", "a/../../evil", "C:/evil", "..\\evil", ".azure-ai-models-download/lock"] {
        store.write(name, b"x".to_vec());
        let output = download(&env, &["-o", "json"]).fails_with(1);
        let error = output.json_error();
        assert_eq!(error["code"], "bad-file-name", "{name}: {output}");
        assert!(!out(&env).exists(), "{name}");
        // Selected away it does no harm.
        store.delete(name);
    }
    assert!(!env.work().join("evil").exists());
    store.write("../evil", b"x".to_vec());
    insta::assert_snapshot!("bad_name", download(&env, &[]).fails_with(1));
    download(&env, &["--exclude", "evil"]).success();
}

#[test]
fn links_below_the_directory_are_not_followed() {
    let (env, _store) = uploaded(&[]);
    let elsewhere = env.work().join("elsewhere");
    fs::create_dir_all(&elsewhere).expect("a directory");
    fs::create_dir_all(out(&env)).expect("a directory");
    std::os::unix::fs::symlink(&elsewhere, out(&env).join("sub")).expect("a link");
    for options in [&[][..], &["--force"]] {
        insta::assert_snapshot!("link_in_the_way", download(&env, options).fails_with(5));
    }
    fs::remove_file(out(&env).join("sub")).expect("removed");
    std::os::unix::fs::symlink(&elsewhere, out(&env).join(PRIVATE)).expect("a link");
    download(&env, &[]).fails_with(1);
    assert_eq!(fs::read_dir(&elsewhere).expect("a directory").count(), 0);
    fs::remove_file(out(&env).join(PRIVATE)).expect("removed");
    // A link in the place of the file itself is replaced, and what it leads to stays.
    env.write("kept", "kept");
    std::os::unix::fs::symlink(env.work().join("kept"), out(&env).join(LARGE)).expect("a link");
    download(&env, &[]).fails_with(5);
    download(&env, &["--force"]).success();
    assert_whole(&env);
    assert_eq!(fs::read(env.work().join("kept")).expect("a file"), b"kept");
}

/// Without sums of their own the files are proved by the digest of all, and have no names before that.
#[test]
fn the_digest_proves_files_without_sums() {
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
    assert_whole(&env);
    assert_eq!(json["totals"]["hashed"], 2);
    store.take_reads();
    assert_eq!(download(&env, &["-o", "json"]).success().json()["totals"]["downloadedFiles"], 0);
    assert_eq!(store.take_reads(), []);
}

#[test]
fn files_without_any_sum_are_told() {
    let (env, _store) = uploaded(&["--no-hash"]);
    let output = download(&env, &[]).success();
    assert!(
        output.stderr.contains("WARNING: 2 files have no recorded SHA-256: only the size was compared."),
        "{output}"
    );
    assert_whole(&env);
    // What they are cannot be known any more.
    download(&env, &[]).fails_with(5);
}

#[test]
fn a_selection_is_downloaded() {
    let (env, store) = uploaded(&[]);
    download(&env, &["--include", "*.json"]).success();
    assert_eq!(files(&env), ["sub/config.json"]);
    assert_eq!(ranges(&store.take_reads()).len(), 1);
    let output = download(&env, &["--include", "*.gguf", "-o", "json"]).fails_with(3);
    assert_eq!(output.json_error()["code"], "nothing-selected", "{output}");
    download(&env, &["--exclude", "sub/"]).success();
    assert_whole(&env);
}

#[test]
fn progress_is_told_as_of_uploads() {
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
