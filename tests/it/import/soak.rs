//! Kills an import at random moments. Takes minutes; `ci/hub_soak.sh` runs it.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use super::{CREATE, Fixture, MIB, fixture, sha256, weights};
use crate::support::{Behaviour, Running};

const SHARDS: usize = 3;
const SHARD: usize = 36 * MIB;
/// Blocks of a file that an interruption may cost, including the partial block of each request in flight.
const WINDOW: u64 = 8;
const BLOCK: u64 = 8 << 20;

fn name(shard: usize) -> String {
    format!("model-{:05}-of-{SHARDS:05}.safetensors", shard + 1)
}

fn sharded(revoke_every: Option<u64>) -> Fixture {
    fixture(|config| {
        let directory = &config.repos[0].directory;
        fs::remove_file(directory.join("model.safetensors")).expect("removed");
        let mut map = serde_json::Map::new();
        for shard in 0..SHARDS {
            let seed = shard as u64 + 1;
            fs::write(directory.join(name(shard)), weights(SHARD, seed)).expect("written");
            map.insert(format!("w{seed}"), json!(name(shard)));
        }
        let index = json!({ "metadata": { "total_size": SHARDS * (SHARD - 108) }, "weight_map": map });
        fs::write(directory.join("model.safetensors.index.json"), index.to_string()).expect("written");
        config.revoke_every = revoke_every;
    })
}

/// Runs an import, and kills it repeatedly until a run succeeds. Returns the number of kills.
fn killed_until_done(round: u32, revoke_every: Option<u64>) -> u32 {
    let fixture = sharded(revoke_every);
    fixture.store.behaves(Behaviour::default());
    let args = [&CREATE[..], &["--copy", "client", "--limit-rate", "120M", "-o", "json"]].concat();
    let mut kills = 0;
    let output = loop {
        let running = Running::start(&fixture.env, &args);
        std::thread::sleep(Duration::from_millis(fastrand::u64(200..1500)));
        running.signal(Signal::KILL);
        let output = running.finish(&fixture.env);
        match output.code {
            None => kills += 1,
            Some(_) => break output.success(),
        }
        assert!(kills < 200, "no progress");
    };
    let mut expected: HashMap<String, String> = HashMap::new();
    for shard in 0..SHARDS {
        let (name, content) = (name(shard), fixture.source(&name(shard)));
        assert!(fixture.store.blob(&name).expect("a blob").content == content, "{name} differs");
        let received = fixture.store.take_received(&name);
        let mut blocks = received.blocks.clone();
        blocks.sort_unstable();
        blocks.dedup();
        // A kill between the store's response and the record may cost the blocks in flight, but no more.
        let twice = received.blocks.len() - blocks.len();
        assert!(twice == 0, "{name}: {twice} blocks were sent twice in {kills} kills");
        let fetched = fixture.hub.file(&name).bytes;
        let maximum = SHARD as u64 + u64::from(kills + 1) * (WINDOW * BLOCK + (1 << 17));
        assert!(fetched <= maximum, "{name}: {fetched} of at most {maximum} bytes in {kills} kills");
        expected.insert(name, sha256(&content));
    }
    for file in output.json()["files"].as_array().expect("files") {
        let path = file["path"].as_str().expect("a path");
        if let Some(sum) = expected.get(path) {
            assert_eq!(file["sha256"], json!(sum), "{path} is not verified");
        }
    }
    assert!(!fixture.hub.has_leaked_token());
    report(&format!("import {round}: {kills} kills, equal, every block sent once, all sums proved"));
    kills
}

#[expect(clippy::print_stderr, reason = "what a soak of minutes is run for")]
fn report(text: &str) {
    eprintln!("{text}");
}

fn soak(wanted: u32, revoke_every: Option<u64>) {
    let (mut kills, mut round) = (0, 0);
    while kills < wanted {
        round += 1;
        kills += killed_until_done(round, revoke_every);
    }
    report(&format!("{kills} kills over {round} imports"));
}

#[test]
#[ignore = "takes minutes"]
fn hundred_kills_at_random_points_lose_nothing() {
    soak(100, None);
}

#[test]
#[ignore = "takes minutes"]
fn fifty_kills_with_expiring_urls_lose_nothing() {
    soak(50, Some(25));
}
