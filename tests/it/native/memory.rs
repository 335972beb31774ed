//! Memory use of an upload: limited by the blocks in flight, independent of the file size.

use std::fs;
use std::io::Read;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use super::concurrency::sparse;
use super::{CREATE, env};
use crate::support::{Behaviour, Running, TestEnv};

/// Total memory limit in KiB: 256 MiB of content, and the program itself.
const LIMIT: u64 = 320 * 1024;

/// Limit for 100,000 files, with an unoptimized build.
const MANY_LIMIT: u64 = 72 * 1024;

/// Limit at the end of an upload of 10,000 files.
const END_LIMIT: u64 = 45 * 1024;

/// Peak memory of a running process so far, in KiB.
fn peak_memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().trim_end_matches(" kB").parse().ok()
}

#[test]
fn content_in_memory_is_limited() {
    let (env, store) = env();
    sparse(&env, 1 << 30);
    store.behaves(Behaviour { silent_after: Some(64), discards: true, ..Behaviour::default() });
    // Of 64 concurrent requests only 32 read content: 8 MiB each.
    let running = Running::start(&env, &[&CREATE[..], &["--skip-check", "--parallel", "64"]].concat());
    store.wait_until_all_silent(64, 32);
    let peak = peak_memory(running.pid()).expect("a running process");
    running.signal(Signal::KILL);
    assert_eq!(running.finish(&env).code, None);
    assert!(peak < LIMIT, "{peak} KiB");
}

/// Creates thousands of files of two bytes.
fn small_files(env: &TestEnv, thousands: usize) {
    for directory in 0..thousands {
        let path = env.work().join(format!("model/shard-{directory:05}"));
        fs::create_dir_all(&path).expect("a directory");
        for file in 0..1000 {
            fs::write(path.join(format!("part-{file:05}.json")), "{}").expect("a file");
        }
    }
}

/// Each file costs its name and its entry in a list, not a waiting request.
#[test]
fn hundred_thousand_waiting_files_use_little_memory() {
    let (env, store) = env();
    small_files(&env, 100);
    store.behaves(Behaviour { silent_after: Some(64), discards: true, ..Behaviour::default() });
    let running = Running::start(&env, &[&CREATE[..], &["--skip-check", "--parallel", "32"]].concat());
    store.wait_until_all_silent(64, 32);
    let peak = peak_memory(running.pid()).expect("a running process");
    running.signal(Signal::KILL);
    assert_eq!(running.finish(&env).code, None);
    assert!(peak < MANY_LIMIT, "{peak} KiB");
}

/// The data about each file is in memory only once when the lists are compared, the journal is written and the files
/// are shown.
#[test]
fn end_of_an_upload_of_many_files_uses_little_memory() {
    let (env, _store) = env();
    // No blocks of a large file are uploaded with them.
    sparse(&env, 2);
    small_files(&env, 10);
    let mut command = env.command(&[&CREATE[..], &["--skip-check", "-o", "json"]].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("runs");
    let mut shown = child.stdout.take().expect("piped");
    // The list of files exceeds the pipe's capacity, so the program waits for its reader.
    let mut text = vec![0];
    shown.read_exact(&mut text).expect("shown");
    let peak = peak_memory(child.id()).expect("a running process");
    shown.read_to_end(&mut text).expect("shown");
    assert!(child.wait().expect("ended").success());
    let created: Value = serde_json::from_slice(&text).expect("JSON");
    assert_eq!(created["files"].as_array().map(Vec::len), Some(10_002));
    assert!(peak < END_LIMIT, "{peak} KiB");
}

#[test]
#[ignore = "sends 20 GB; ci/soak.sh runs it"]
#[expect(clippy::print_stderr, reason = "a figure that ci/soak.sh shows")]
fn twenty_gigabytes_use_no_more_memory_than_one() {
    let (mut env, store) = env();
    env.set("AZURE_AI_MODELS_TEST_TIME", "1");
    sparse(&env, 20_000_000_000);
    store.behaves(Behaviour { discards: true, ..Behaviour::default() });
    let mut command = env.command(&[&CREATE[..], &["--skip-check", "--parallel", "32"]].concat());
    let mut child = command.spawn().expect("runs");
    let mut peak = 0;
    while child.try_wait().expect("looked").is_none() {
        peak = peak.max(peak_memory(child.id()).unwrap_or_default());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(child.wait().expect("ended").success());
    assert_eq!(store.take_received("model.safetensors").blocks.len(), 2385);
    eprintln!("20 GB: {peak} KiB at most");
    assert!(peak < LIMIT, "{peak} KiB");
}
