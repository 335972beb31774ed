//! Detached uploads with both engines: hangup, kill in the middle, resume, and attach to the end.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;

use crate::stage::{Stage, files};

const LIMIT: Duration = Duration::from_secs(60);

fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LIMIT, "timed out waiting for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn process(started: &Value) -> Pid {
    let pid = started["pid"].as_u64().and_then(|pid| i32::try_from(pid).ok()).expect("a process");
    Pid::from_raw(pid).expect("a process")
}

fn assert_survives_hangup_and_kill(name: &str, engine: &str, options: &[&str]) {
    let stage = Stage::new();
    for number in 0..6_u8 {
        let content: Vec<u8> = (0..4_000_000_usize).map(|at| (at / 97 % 251) as u8 ^ number).collect();
        stage.write(&format!("m/model-{number}.safetensors"), &content);
    }
    stage.write("m/config.json", b"{}");
    let create = ["create", "-n", name, "--source", "m", "--skip-check", "--engine", engine, "--limit-rate", "4M"];
    let detach = ["--detach", "--no-inhibit", "-o", "json"];
    let started = stage.json(&[&create[..], options, &detach].concat());
    let id = started["id"].as_str().expect("an id").to_owned();
    let listed = || stage.json(&["uploads", "list", "-o", "json"])[0].clone();
    eventually("half of the upload", || listed()["percent"].as_f64().is_some_and(|percent| percent > 50.0));
    kill_process(process(&started), Signal::HUP).expect("sent");
    kill_process(process(&started), Signal::STOP).expect("sent");
    assert_eq!(listed()["state"], "uploading", "a stopped process has not ended");
    kill_process(process(&started), Signal::KILL).expect("sent");
    eventually("the end of the process", || listed()["state"] == "interrupted");

    let resume = ["uploads", "resume", &id, "--engine", engine];
    let resumed = stage.json(&[&resume[..], &detach].concat());
    assert_eq!(resumed["id"], started["id"]);
    let attach = ["uploads", "attach", &id, "-o", "json"];
    let second = stage.command(&attach).output().expect("runs");
    let model = stage.json(&attach);
    assert_eq!(serde_json::from_slice::<Value>(&second.stdout).expect("JSON"), model);
    let stderr = String::from_utf8_lossy(&second.stderr);
    assert!(stderr.contains("Resuming upload: "), "{stderr}");
    assert!(stage.blobs(&model) == files(&stage.work().join("m")), "the contents differ");
    eventually("no process", || test_kill_process(process(&resumed)).is_err());
    assert_eq!(listed()["state"], "done");
}

#[test]
fn azcopy_survives_a_hangup_and_a_kill() {
    assert_survives_hangup_and_kill("azcopy", "azcopy", &[]);
}

#[test]
fn the_native_engine_survives_a_hangup_and_a_kill() {
    // Two concurrent requests, so that the first files are complete by then.
    assert_survives_hangup_and_kill("native", "native", &["--parallel", "2"]);
}
