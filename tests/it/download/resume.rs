//! Downloads that were interrupted, and what the next run does with what they left.

use std::collections::BTreeSet;
use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use super::{
    DOWNLOAD, LARGE, LENGTH, PRIVATE, assert_whole, behaves, content, download, files, out, ranges, steady, uploaded,
};
use crate::support::{Behaviour, BlockStore, CANARY, ReadBehaviour, Running, TestEnv, eventually};

/// Starts a download that is stuck after two of its four reads, with the ranges of these written.
fn stuck(env: &TestEnv, store: &BlockStore) -> Running {
    behaves(store, ReadBehaviour { silent_after: Some(2), ..ReadBehaviour::default() });
    let running = Running::start(env, &[&DOWNLOAD[..], &["--include", LARGE]].concat());
    store.wait_until_all_silent(0, 1);
    let record = out(env).join(PRIVATE).join("record.ndjson");
    eventually("two ranges in the record", || whole_ranges(&fs::read_to_string(&record).unwrap_or_default()) == 2);
    running
}

/// Number of ranges whose chunks of 1 MB are all in the record.
fn whole_ranges(record: &str) -> usize {
    let entries = record.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let chunks: BTreeSet<u64> = entries.filter_map(|entry| entry["chunk"][1].as_u64()).collect();
    [0..8, 8..16, 16..20].into_iter().filter(|range| range.clone().all(|chunk| chunks.contains(&chunk))).count()
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

/// A slow line may take a minute for a range.
#[test]
fn an_interrupted_range_goes_on_where_it_was() {
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
fn a_part_that_is_gone_is_fetched_again() {
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

/// Records of an interrupted download hold for the file as it was left.
#[test]
fn a_file_that_was_changed_since_it_was_downloaded_is_another_one() {
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
    assert_whole(&env);
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
