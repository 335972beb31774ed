//! Disturbances during an upload: a changed source, a clock jump, a suspended program. In every case a model that is
//! reported as registered contains the current files.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::time::Duration;

use foundry_emulator::Config;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::gate::{Gate, Hold};
use crate::stage::{Stage, azurite, files, store};

/// Five blocks, so that most of the file is unsent when the gate closes.
const LARGE: usize = 40 << 20;
const ENGINES: [&str; 2] = ["azcopy", "native"];

/// Change of a source file during the upload, with its name.
type Change = (&'static str, fn(&Path));
const CHANGES: [Change; 8] = [
    ("rewritten", |file| fs::write(file, vec![9; LARGE]).expect("written")),
    ("longer", |file| append(file, &[9; 5000])),
    ("shorter", |file| resize(file, LARGE as u64 / 2)),
    ("empty", |file| resize(file, 0)),
    ("deleted", |file| fs::remove_file(file).expect("removed")),
    ("renamed", |file| fs::rename(file, file.with_extension("old")).expect("renamed")),
    ("replaced", |file| {
        let other = file.with_extension("new");
        fs::write(&other, vec![9; LARGE]).expect("written");
        fs::rename(other, file).expect("renamed");
    }),
    ("a directory", |file| {
        fs::remove_file(file).expect("removed");
        fs::create_dir(file).expect("a directory");
    }),
];

fn append(file: &Path, more: &[u8]) {
    use std::io::Write;
    fs::File::options().append(true).open(file).and_then(|mut file| file.write_all(more)).expect("written");
}

fn resize(file: &Path, bytes: u64) {
    fs::File::options().write(true).open(file).and_then(|file| file.set_len(bytes)).expect("resized");
}

fn stage(gate: &Gate) -> Stage {
    let stage = Stage::with(Config { blobs: store(&gate.url), ..Config::default() });
    let content: Vec<u8> = (0..LARGE).map(|at| (at / 7 % 251) as u8).collect();
    stage.write("m/large.bin", &content);
    stage.write("m/config.json", b"{}");
    stage
}

fn create(engine: &str) -> [&str; 10] {
    ["create", "-n", "changed", "--source", "m", "--skip-check", "-o", "json", "--engine", engine]
}

fn begin(stage: &Stage, engine: &str, prepare: impl FnOnce(&mut std::process::Command)) -> Child {
    let mut command = stage.command(&create(engine));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    prepare(&mut command);
    command.spawn().expect("runs")
}

/// Checks a reported success: the model's blobs must be the files of the source.
fn check_outcome(stage: &Stage, what: &str, output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("panicked"), "{what}: {stderr}");
    match output.status.code() {
        Some(0) => {
            let model: Value = serde_json::from_slice(&output.stdout).expect("JSON");
            let (uploaded, local) = (stage.blobs(&model), files(&stage.work().join("m")));
            let sizes = |files: &std::collections::BTreeMap<String, Vec<u8>>| {
                files.iter().map(|(name, content)| format!("{name} {}", content.len())).collect::<Vec<_>>().join(", ")
            };
            assert!(uploaded == local, "{what}: registered {}, local {}", sizes(&uploaded), sizes(&local));
            "registered with the current files".to_owned()
        }
        Some(code @ 1..=9) => {
            let error: Value = serde_json::from_str(stderr.lines().last().expect("a line")).expect("JSON");
            format!("exit {code}: {}", error["error"]["message"].as_str().expect("a message"))
        }
        code => panic!("{what} exited with {code:?}: {stderr}"),
    }
}

/// Runs the same command again after a failure: it must register the current files.
fn run_again(stage: &Stage, what: &str, engine: &str) {
    let output = stage.command(&create(engine)).output().expect("runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{what}, second run: {stderr}");
    check_outcome(stage, what, &output);
    stage.assert_no_upload_left();
}

#[test]
#[ignore = "takes minutes; ci/hostile.sh runs it"]
#[expect(clippy::print_stderr, reason = "figures that ci/hostile.sh shows")]
fn a_changed_source_is_registered_with_its_current_files_or_not_at_all() {
    for engine in ENGINES {
        for (change, apply) in CHANGES {
            let gate = Gate::before(&azurite());
            let stage = stage(&gate);
            gate.hold(Hold::Bytes(LARGE as u64 / 4));
            let running = begin(&stage, engine, |_| ());
            gate.wait_until_held();
            apply(&stage.work().join("m/large.bin"));
            gate.hold(Hold::Nowhere);
            let output = running.wait_with_output().expect("ends");
            let what = format!("{engine}, {change}");
            let outcome = check_outcome(&stage, &what, &output);
            eprintln!("{what}: {outcome}");
            if !output.status.success() {
                run_again(&stage, &what, engine);
            }
        }
    }
}

#[test]
#[ignore = "takes minutes; ci/hostile.sh runs it"]
#[expect(clippy::print_stderr, reason = "figures that ci/hostile.sh shows")]
fn an_upload_survives_a_suspended_program() {
    for engine in ENGINES {
        let gate = Gate::wide(&azurite());
        let stage = stage(&gate);
        gate.hold(Hold::Bytes(LARGE as u64 / 4));
        let running = begin(&stage, engine, |_| ());
        gate.wait_until_held();
        let program = Pid::from_raw(i32::try_from(running.id()).expect("an id")).expect("an id");
        kill_process(program, Signal::STOP).expect("stopped");
        gate.hold(Hold::Nowhere);
        std::thread::sleep(Duration::from_secs(20));
        kill_process(program, Signal::CONT).expect("resumed");
        let output = running.wait_with_output().expect("ends");
        let what = format!("{engine}, the program stopped for 20 s");
        assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
        eprintln!("{what}: {}", check_outcome(&stage, &what, &output));
    }
}

/// `HOSTILE_FAKETIME` names the library that ci/hostile.sh installs. It fakes the program's clock, not AzCopy's.
#[test]
#[ignore = "takes minutes; ci/hostile.sh runs it"]
#[expect(clippy::print_stderr, reason = "figures that ci/hostile.sh shows")]
fn an_upload_survives_a_clock_jump() {
    let library = crate::stage::required_var("HOSTILE_FAKETIME");
    for engine in ENGINES {
        for jump in ["+1d", "-1d", "+40m", "-40m"] {
            let gate = Gate::wide(&azurite());
            let stage = stage(&gate);
            let clock = stage.work().join("clock");
            fs::write(&clock, "+0").expect("a clock");
            gate.hold(Hold::Bytes(LARGE as u64 / 4));
            let running = begin(&stage, engine, |command| {
                command.env("LD_PRELOAD", &library).env("FAKETIME_TIMESTAMP_FILE", &clock);
                command.env("FAKETIME_NO_CACHE", "1").env("DONT_FAKE_MONOTONIC", "1");
            });
            gate.wait_until_held();
            fs::write(&clock, jump).expect("a clock");
            gate.hold(Hold::Nowhere);
            let output = running.wait_with_output().expect("ends");
            let what = format!("{engine}, the clock jumps by {jump}");
            assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
            eprintln!("{what}: {}", check_outcome(&stage, &what, &output));
        }
    }
}
