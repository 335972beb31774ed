//! An interrupted import resumes: blocks that are stored and included in the checksum are neither fetched nor sent
//! again.

use std::collections::BTreeSet;
use std::fs;

use fake_hub::{Fault, FaultKind, Route};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{CREATE, Fixture, MIB, fixture, sha256, weights};
use crate::support::{Behaviour, Running, eventually};

/// Size of a file of many blocks, in bytes.
const LONG: usize = 100 * MIB;

fn large_fixture() -> Fixture {
    let fixture = fixture(|config| {
        fs::write(config.repos[0].directory.join("model.safetensors"), weights(LONG, 2)).expect("written");
    });
    fixture.store.behaves(Behaviour::default());
    fixture
}

/// Runs `create`, and kills it once the store received this number of blocks and they are recorded.
fn killed_after(fixture: &Fixture, taken: u32) {
    // With many requests in flight, the first block may be the last to arrive, and then no block is included in the
    // checksum.
    let options = [&CREATE[..], &["--skip-check", "--parallel", "2"]].concat();
    fixture.store.behaves(Behaviour { silent_after: Some(taken), ..Behaviour::default() });
    let running = Running::start(&fixture.env, &options);
    fixture.store.wait_until_silent(taken);
    eventually("what was taken in the record", || {
        lines(fixture, "blocks") + lines(fixture, "manifest.ndjson") == taken as usize
    });
    running.signal(Signal::KILL);
    assert_eq!(running.finish(&fixture.env).code, None);
    fixture.store.behaves(Behaviour::default());
}

fn lines(fixture: &Fixture, name: &str) -> usize {
    let files = walkdir::WalkDir::new(fixture.env.home()).into_iter().filter_map(Result::ok);
    let files = files.filter(|file| file.file_name() == name);
    files.map(|file| fs::read_to_string(file.path()).unwrap_or_default().lines().count()).sum()
}

/// Number of blocks, from the first one on, that are stored and included in the saved checksum.
fn summed_blocks(fixture: &Fixture) -> usize {
    let files = walkdir::WalkDir::new(fixture.env.home()).into_iter().filter_map(Result::ok);
    let sums = files.filter(|file| file.file_name() == "sums.ndjson");
    let text: String = sums.map(|file| fs::read_to_string(file.path()).expect("sums")).collect();
    let saved = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a sum"));
    saved.filter_map(|sum| usize::try_from(sum["blocks"].as_u64()?).ok()).max().unwrap_or(0)
}

#[test]
fn summed_blocks_are_not_sent_again_after_a_kill_and_few_are_fetched_again() {
    let fixture = large_fixture();
    killed_after(&fixture, 9);
    let before = fixture.large().blocks;
    let summed_blocks = summed_blocks(&fixture);
    assert!(
        summed_blocks > 0 && summed_blocks <= before.len() && before.len() - summed_blocks <= 8,
        "{summed_blocks} of {before:?}"
    );
    fixture.hub.forget();
    let output = fixture.create(&["-o", "json"]).success();
    fixture.assert_uploaded();
    // A set, as data in the sockets of the killed run may still arrive, so that a block can be received twice.
    let after: BTreeSet<u64> = fixture.large().blocks.into_iter().collect();
    assert_eq!(after, (summed_blocks as u64..13).collect(), "{summed_blocks} of {before:?}");
    // The missing blocks, those beyond the saved checksum, and the header for the check.
    let missing = LONG - before.len() * 8 * MIB;
    let fetched = fixture.hub.file("model.safetensors").bytes as usize;
    assert!(fetched <= missing + 8 * 8 * MIB + (1 << 17), "{fetched} of {missing}");
    assert!(fetched < LONG, "{fetched}");
    let sum = sha256(&fixture.source("model.safetensors"));
    assert_eq!(output.json()["files"][1]["sha256"], json!(sum));
}

#[test]
fn uploads_resume_finishes_an_import_without_its_source() {
    let fixture = large_fixture();
    killed_after(&fixture, 5);
    let list = fixture.env.run(&["custom", "uploads", "list", "-o", "json"]).success();
    let id = list.json()[0]["id"].as_str().expect("an id").to_owned();
    fixture.env.run(&["custom", "uploads", "resume", &id]).success();
    fixture.assert_uploaded();
}

#[test]
fn checksum_is_not_reported_without_its_record() {
    for verify in ["auto", "full"] {
        let fixture = large_fixture();
        killed_after(&fixture, 13);
        for file in walkdir::WalkDir::new(fixture.env.home()).into_iter().filter_map(Result::ok) {
            if file.file_name() == "sums.ndjson" {
                fs::remove_file(file.path()).expect("removed");
            }
        }
        let output = fixture.create(&["-o", "json", "--verify", verify]).success();
        fixture.assert_uploaded();
        let has_checksum = output.json()["files"][1]["sha256"].is_string();
        let has_warning = output.stderr.contains("the whole-file checksum is not proved");
        assert_eq!((has_checksum, has_warning), (verify == "full", verify != "full"), "{output}");
    }
}

#[test]
fn bit_flip_before_a_kill_is_detected_after_it() {
    let fixture = large_fixture();
    fixture.hub.add_fault(Fault::new(Route::Cdn, FaultKind::Flip).of("model.safetensors").after(2).times(1));
    killed_after(&fixture, 9);
    let output = fixture.create(&["--skip-check"]).success();
    fixture.assert_uploaded();
    assert!(output.stderr.contains("Downloading it again."), "{output}");
}

/// The content that is fetched for the checksum of such a block differs from the content in the store.
#[test]
fn bit_flip_in_an_unsummed_block_does_not_survive_a_kill() {
    let fixture = large_fixture();
    let weights = |kind| Fault::new(Route::Cdn, kind).of("model.safetensors").times(1);
    // Longer than a loaded machine needs for the other blocks.
    fixture.hub.add_fault(weights(FaultKind::Delay(60_000)).from(0));
    fixture.hub.add_fault(weights(FaultKind::Flip).after(2));
    killed_after(&fixture, 9);
    assert_eq!(summed_blocks(&fixture), 0, "the first block came in time");
    fixture.create(&["--skip-check"]).success();
    fixture.assert_uploaded();
}

#[test]
fn ctrl_c_keeps_stored_blocks() {
    let fixture = large_fixture();
    fixture.store.behaves(Behaviour { silent_after: Some(5), ..Behaviour::default() });
    let running = Running::start(&fixture.env, &CREATE);
    fixture.store.wait_until_silent(5);
    running.signal(Signal::INT);
    let output = running.finish(&fixture.env).fails_with(130);
    assert!(output.stderr.contains("run the same command again"), "{output}");
    fixture.store.behaves(Behaviour::default());
    fixture.create(&[]).success();
    fixture.assert_uploaded();
}
