//! Interrupted downloads, and how the next run uses the parts that they left.

use std::collections::BTreeSet;
use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use super::{
    DOWNLOAD, LARGE, LENGTH, PRIVATE, assert_complete, behaves, content, download, files, out, ranges, steady, uploaded,
};
use crate::support::{Behaviour, BlockStore, CANARY, ReadBehaviour, Running, TestEnv, eventually};

/// Starts a download that stalls after two of its four reads, once the ranges of these are written.
fn stuck(env: &TestEnv, store: &BlockStore) -> Running {
    behaves(store, ReadBehaviour { silent_after: Some(2), ..ReadBehaviour::default() });
    let running = Running::start(env, &[&DOWNLOAD[..], &["--include", LARGE]].concat());
    store.wait_until_all_silent(0, 1);
    let record = out(env).join(PRIVATE).join("record.ndjson");
    eventually("two ranges in the record", || whole_ranges(&fs::read_to_string(&record).unwrap_or_default()) == 2);
    running
}

/// Number of ranges whose 1 MB chunks are all in the record.
fn whole_ranges(record: &str) -> usize {
    let entries = record.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let chunks: BTreeSet<u64> = entries.filter_map(|entry| entry["chunk"][1].as_u64()).collect();
    [0..8, 8..16, 16..20].into_iter().filter(|range| range.clone().all(|chunk| chunks.contains(&chunk))).count()
}

/// Checks that the next run fetches only the third range.
fn assert_resumes(env: &TestEnv, store: &BlockStore) {
    let record = fs::read_to_string(out(env).join(PRIVATE).join("record.ndjson")).expect("a record");
    assert!(!record.contains(CANARY) && !record.contains("sig="), "{record}");
    assert_eq!(
        files(env).iter().filter(|name| !name.starts_with(PRIVATE)).count(),
        0,
        "no incomplete file has its final name"
    );
    behaves(store, ReadBehaviour::default());
    store.take_reads();
    let output = download(env, &["--include", LARGE]).success();
    assert!(output.stderr.contains("Resuming download: 1"), "{output}");
    assert_eq!(ranges(&store.take_reads()).len(), 1, "{output}");
    assert!(fs::read(out(env).join(LARGE)).expect("a file") == content());
    assert!(!out(env).join(PRIVATE).exists());
}

#[test]
fn ctrl_c_keeps_fetched_content_and_shows_how_to_resume() {
    let (env, store) = uploaded(&[]);
    let running = stuck(&env, &store);
    running.signal(Signal::INT);
    let output = running.finish(&env);
    assert_eq!(output.code, Some(130), "{output}");
    let end = output.stderr.split("Download interrupted").nth(1).expect("the final message").to_owned();
    insta::assert_snapshot!("interrupted", end.split_once("downloaded)").map_or(&*end, |(_, rest)| rest));
    assert_resumes(&env, &store);
}

#[test]
fn killed_download_resumes_at_the_range() {
    let (env, store) = uploaded(&[]);
    let running = stuck(&env, &store);
    running.signal(Signal::KILL);
    assert_eq!(running.finish(&env).code, None);
    assert_resumes(&env, &store);
}

/// A range may take a minute on a slow connection.
#[test]
fn interrupted_range_resumes_within_the_range() {
    let (env, store) = uploaded(&[]);
    behaves(&store, ReadBehaviour { short_every: Some(1), refuses_all_after: Some(1), ..ReadBehaviour::default() });
    download(&env, &["--include", LARGE, "--parallel", "1"]).fails_with(4);
    behaves(&store, ReadBehaviour::default());
    store.take_reads();
    let output = download(&env, &["--include", LARGE]).success();
    assert!(output.stderr.contains("Resuming download: 4.0 MB already downloaded"), "{output}");
    let rest = ["16777216-20971519", "4194304-8388607", "8388608-16777215"];
    assert_eq!(
        ranges(&store.take_reads()).into_iter().collect::<Vec<_>>(),
        rest.map(|range| format!("{LARGE} bytes={range}"))
    );
    assert!(fs::read(out(&env).join(LARGE)).expect("a file") == content());
}

#[test]
fn changed_blob_starts_the_download_over() {
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
fn second_download_into_the_same_directory_is_rejected() {
    let (env, store) = uploaded(&[]);
    let running = stuck(&env, &store);
    let output = download(&env, &[]).fails_with(5);
    insta::assert_snapshot!("in_use", steady(&output));
    running.signal(Signal::KILL);
    assert_eq!(running.finish(&env).code, None);
    assert_resumes(&env, &store);
}

#[test]
fn missing_part_is_fetched_again() {
    let (env, store) = uploaded(&[]);
    let running = stuck(&env, &store);
    running.signal(Signal::KILL);
    assert_eq!(running.finish(&env).code, None);
    for name in files(&env).iter().filter(|name| !name.ends_with("record.ndjson")) {
        fs::remove_file(out(&env).join(name)).expect("removed");
    }
    behaves(&store, ReadBehaviour::default());
    store.take_reads();
    download(&env, &["--include", LARGE]).success();
    assert_eq!(ranges(&store.take_reads()).len(), 3);
    assert!(fs::read(out(&env).join(LARGE)).expect("a file") == content());
}

/// The record of an interrupted download applies only to the file as the download left it.
#[test]
fn file_changed_after_its_download_is_not_accepted() {
    let (env, store) = uploaded(&[]);
    behaves(&store, ReadBehaviour { silent: Some(LARGE), ..ReadBehaviour::default() });
    let running = Running::start(&env, &DOWNLOAD);
    let record = out(&env).join(PRIVATE).join("record.ndjson");
    eventually("the small file", || fs::read_to_string(&record).is_ok_and(|text| text.contains("\"done\"")));
    running.signal(Signal::KILL);
    assert_eq!(running.finish(&env).code, None);
    behaves(&store, ReadBehaviour::default());
    fs::write(out(&env).join("sub/config.json"), "[]").expect("written");
    let output = download(&env, &["-o", "json"]).fails_with(5);
    assert_eq!(output.json_error()["code"], "file-exists", "{output}");
    download(&env, &["--force"]).success();
    assert_complete(&env);
}

#[test]
fn parts_of_other_content_are_removed() {
    let (env, store) = uploaded(&[]);
    let running = stuck(&env, &store);
    running.signal(Signal::KILL);
    assert_eq!(running.finish(&env).code, None);
    assert_eq!(files(&env).len(), 3, "a part, the lock and the record");
    store.write(LARGE, vec![7; LENGTH]);
    store.behaves(Behaviour { reads_wrong: true, ..Behaviour::default() });
    store.record_sum(LARGE, Some(&"0".repeat(64)));
    download(&env, &["--include", LARGE]).fails_with(9);
    let own = ["lock", "record.ndjson"].map(|name| format!("{PRIVATE}/{name}"));
    assert_eq!(files(&env), own);
}
