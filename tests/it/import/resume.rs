//! An interrupted import resumes: blocks that are stored and summed are neither fetched nor sent again.

use std::collections::BTreeSet;
use std::fs;

use fake_hub::{Fault, FaultKind, Route};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{CREATE, MIB, World, sha256, weights, world};
use crate::support::{Behaviour, Running, eventually};

/// Bytes of an upload of many blocks.
const LONG: usize = 100 * MIB;

fn long_world() -> World {
    let world = world(|config| {
        fs::write(config.repos[0].directory.join("model.safetensors"), weights(LONG, 2)).expect("written");
    });
    world.store.behaves(Behaviour::default());
    world
}

/// `create`, killed once the store received this number of blocks, and their checksum is recorded.
fn killed_after(world: &World, taken: u32) {
    // With many in flight the first block may be the last that is taken, and then none is proved.
    let options = [&CREATE[..], &["--skip-check", "--parallel", "2"]].concat();
    world.store.behaves(Behaviour { silent_after: Some(taken), ..Behaviour::default() });
    let running = Running::start(&world.env, &options);
    world.store.wait_until_silent(taken);
    eventually("what was taken in the record", || {
        lines(world, "blocks") + lines(world, "manifest.ndjson") == taken as usize
    });
    running.signal(Signal::KILL);
    assert_eq!(running.finish(&world.env).code, None);
    world.store.behaves(Behaviour::default());
}

fn lines(world: &World, name: &str) -> usize {
    let files = walkdir::WalkDir::new(world.env.home()).into_iter().filter_map(Result::ok);
    let files = files.filter(|file| file.file_name() == name);
    files.map(|file| fs::read_to_string(file.path()).unwrap_or_default().lines().count()).sum()
}

/// Blocks from the first one on that are in the store and summed.
fn proved(world: &World) -> usize {
    let files = walkdir::WalkDir::new(world.env.home()).into_iter().filter_map(Result::ok);
    let sums = files.filter(|file| file.file_name() == "sums.ndjson");
    let text: String = sums.map(|file| fs::read_to_string(file.path()).expect("sums")).collect();
    let saved = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a sum"));
    saved.filter_map(|sum| usize::try_from(sum["blocks"].as_u64()?).ok()).max().unwrap_or(0)
}

#[test]
fn after_a_kill_nothing_proved_is_sent_twice_and_little_is_fetched_twice() {
    let world = long_world();
    killed_after(&world, 9);
    let before = world.large().blocks;
    let proved = proved(&world);
    assert!(proved > 0 && proved <= before.len() && before.len() - proved <= 8, "{proved} of {before:?}");
    world.hub.forget();
    let output = world.create(&["-o", "json"]).success();
    world.assert_arrived();
    // A set: what the killed run had given to its sockets may arrive only now, a second time.
    let after: BTreeSet<u64> = world.large().blocks.into_iter().collect();
    assert_eq!(after, (proved as u64..13).collect(), "{proved} of {before:?}");
    // The missing blocks, those beyond the saved checksum, and the header for the check.
    let missing = LONG - before.len() * 8 * MIB;
    let fetched = world.hub.file("model.safetensors").bytes as usize;
    assert!(fetched <= missing + 8 * 8 * MIB + (1 << 17), "{fetched} of {missing}");
    assert!(fetched < LONG, "{fetched}");
    let sum = sha256(&world.source("model.safetensors"));
    assert_eq!(output.json()["files"][1]["sha256"], json!(sum));
}

#[test]
fn uploads_resume_finishes_an_import_without_its_source() {
    let world = long_world();
    killed_after(&world, 5);
    let list = world.env.run(&["custom", "uploads", "list", "-o", "json"]).success();
    let id = list.json()[0]["id"].as_str().expect("an id").to_owned();
    world.env.run(&["custom", "uploads", "resume", &id]).success();
    world.assert_arrived();
}

#[test]
fn without_the_record_of_sums_the_checksum_is_not_claimed() {
    for verify in ["auto", "full"] {
        let world = long_world();
        killed_after(&world, 13);
        for file in walkdir::WalkDir::new(world.env.home()).into_iter().filter_map(Result::ok) {
            if file.file_name() == "sums.ndjson" {
                fs::remove_file(file.path()).expect("removed");
            }
        }
        let output = world.create(&["-o", "json", "--verify", verify]).success();
        world.assert_arrived();
        let is_claimed = output.json()["files"][1]["sha256"].is_string();
        let is_on_stdout = output.stderr.contains("the whole-file checksum is not proved");
        assert_eq!((is_claimed, is_on_stdout), (verify == "full", verify != "full"), "{output}");
    }
}

#[test]
fn a_flip_before_the_kill_is_found_after_it() {
    let world = long_world();
    world.hub.add_fault(Fault::new(Route::Cdn, FaultKind::Flip).of("model.safetensors").after(2).times(1));
    killed_after(&world, 9);
    let output = world.create(&["--skip-check"]).success();
    world.assert_arrived();
    assert!(output.stderr.contains("Downloading it again."), "{output}");
}

/// The content that is fetched for the sum of such a block is not the one that the store has.
#[test]
fn a_flip_in_a_block_that_was_not_yet_summed_does_not_survive_the_kill() {
    let world = long_world();
    let weights = |kind| Fault::new(Route::Cdn, kind).of("model.safetensors").times(1);
    // Longer than a loaded machine needs for the others.
    world.hub.add_fault(weights(FaultKind::Delay(60_000)).from(0));
    world.hub.add_fault(weights(FaultKind::Flip).after(2));
    killed_after(&world, 9);
    assert_eq!(proved(&world), 0, "the first block came in time");
    world.create(&["--skip-check"]).success();
    world.assert_arrived();
}

#[test]
fn ctrl_c_keeps_what_arrived() {
    let world = long_world();
    world.store.behaves(Behaviour { silent_after: Some(5), ..Behaviour::default() });
    let running = Running::start(&world.env, &CREATE);
    world.store.wait_until_silent(5);
    running.signal(Signal::INT);
    let output = running.finish(&world.env).fails_with(130);
    assert!(output.stderr.contains("run the same command again"), "{output}");
    world.store.behaves(Behaviour::default());
    world.create(&[]).success();
    world.assert_arrived();
}
