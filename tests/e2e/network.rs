//! Failures of the network and of the blob store during a run of the real AzCopy.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use foundry_emulator::Config;
use serde_json::Value;

use crate::gate::{Gate, Hold, Kind, Line};
use crate::stage::{Stage, azurite, files, required_var, store};

const CREATE: [&str; 8] = ["create", "-n", "net", "--source", "m", "--skip-check", "-o", "json"];

/// Small files, and a large one.
fn stage(gate: &Gate) -> Stage {
    let stage = Stage::with(Config { blobs: store(&gate.url), ..Config::default() });
    for number in 0..4 {
        stage.write(&format!("m/{number}.safetensors"), &vec![number; 200_000]);
    }
    stage.write("m/large.safetensors", &vec![9; 9_500_000]);
    stage
}

/// A running `create` with timeouts scaled to a tenth: the small files are uploaded, and the gate is closed in the
/// middle of the large one.
fn start_and_hold(stage: &Stage, gate: &Gate, stall_timeout: &str) -> Child {
    gate.hold(Hold::Blob("large.safetensors"));
    let mut command = stage.command(&CREATE);
    command.env("AZURE_AI_MODELS_TEST_TIME", "0.1").env("AZURE_AI_MODELS_STALL_TIMEOUT", stall_timeout);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    gate.wait_until_verified(4);
    gate.hold(Hold::Bytes(5_000_000));
    gate.wait_until_held();
    child
}

/// Output of the program; one that hangs is killed.
fn end_of(mut child: Child) -> Output {
    let begun = Instant::now();
    while child.try_wait().expect("a status").is_none() && begun.elapsed() < Duration::from_secs(150) {
        std::thread::sleep(Duration::from_millis(20));
    }
    // No effect on an ended process.
    drop(child.kill());
    child.wait_with_output().expect("ended")
}

fn stderr_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn assert_registered(stage: &Stage, output: &Output) {
    assert!(output.status.success(), "exit {:?}: {}", output.status.code(), stderr_of(output));
    let model: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(stage.blobs(&model) == files(&stage.work().join("m")), "the contents differ: {}", stderr_of(output));
    stage.assert_no_upload_left();
}

#[test]
fn an_upload_survives_an_outage_of_three_seconds() {
    let gate = Gate::before(&azurite());
    let stage = stage(&gate);
    let child = start_and_hold(&stage, &gate, "10m");
    gate.line(Line::Cut);
    gate.hold(Hold::Nowhere);
    std::thread::sleep(Duration::from_secs(3));
    gate.line(Line::Up);
    assert_registered(&stage, &end_of(child));
}

#[test]
fn a_silent_store_is_reported_and_the_same_command_resumes() {
    let gate = Gate::before(&azurite());
    let stage = stage(&gate);
    // Six seconds when scaled, and a notice every second and a half.
    let child = start_and_hold(&stage, &gate, "60s");
    gate.line(Line::Silent);
    gate.hold(Hold::Nowhere);
    let begun = Instant::now();
    let output = end_of(child);
    let stderr = stderr_of(&output);
    assert_eq!(output.status.code(), Some(7), "{stderr}");
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}: {stderr}", begun.elapsed());
    assert!(stderr.contains("No progress for "), "{stderr}");
    let error: Value = serde_json::from_str(stderr.lines().last().expect("a line")).expect("JSON");
    assert_eq!(error["error"]["code"], "upload_stalled");
    let message = error["error"]["message"].as_str().expect("a message");
    assert!(
        message.starts_with("Upload interrupted. Run the same command to resume.\nThe upload made no progress for 6")
    );
    assert!(message.contains("4 of 5 files (781.2 KB) are complete and will not be sent again"), "{message}");

    gate.line(Line::Cut);
    gate.line(Line::Up);
    let received = gate.received();
    assert_registered(&stage, &stage.command(&CREATE).output().expect("runs"));
    assert_eq!(gate.received() - received, 9_500_000);
}

/// Without the probe AzCopy would be silent for 16 minutes.
#[test]
fn an_unreachable_store_is_reported_within_ten_seconds() {
    for (line, reason) in [(Line::Cut, "could not reach"), (Line::Silent, "no response in time")] {
        let gate = Gate::before(&azurite());
        let stage = stage(&gate);
        gate.hold(Hold::Request(Kind::List, 0));
        let begun = Instant::now();
        let child = stage.command(&CREATE[..6]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
        gate.wait_until_held();
        gate.line(line);
        gate.hold(Hold::Nowhere);
        let output = end_of(child);
        let stderr = stderr_of(&output);
        assert_eq!(output.status.code(), Some(9), "{stderr}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}: {stderr}", begun.elapsed());
        assert!(stderr.contains("ERROR: the blob store cannot be used: ") && stderr.contains(reason), "{stderr}");
        gate.line(Line::Cut);
        gate.line(Line::Up);
        assert_registered(&stage, &stage.command(&CREATE).output().expect("runs"));
    }
}

/// Separate Azurite, which can be restarted.
struct Azurite {
    child: Child,
    url: String,
}

impl Azurite {
    fn start(arguments: &[&str]) -> Self {
        let program: PathBuf = Path::new(&required_var("E2E_AZCOPY")).with_file_name("azurite");
        let mut child = Command::new(program)
            .args(["--blobHost", "127.0.0.1", "--disableTelemetry"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Azurite starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let url = loop {
            let line = lines.next().expect("Azurite reports its address").expect("a line");
            if let Some((_, url)) = line.split_once("successfully listens on ") {
                break url.trim().to_owned();
            }
        };
        // Keeps reading the later output.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }

    fn port(&self) -> String {
        self.url.rsplit(':').next().expect("a port").to_owned()
    }

    fn stop(mut self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("signalled");
        self.child.wait().expect("ended");
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        // The process may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The store keeps its content on disk, including the blocks of an unfinished file.
#[test]
fn an_upload_survives_a_restart_of_the_store() {
    let disk = tempfile::tempdir().expect("a directory");
    let location = disk.path().to_str().expect("text");
    let first = Azurite::start(&["--blobPort", "0", "--location", location]);
    let gate = Gate::before(&first.url);
    let stage = stage(&gate);
    // AzCopy's pauses double: on a loaded machine the store may return just after an attempt, a minute before the next
    // one.
    let child = start_and_hold(&stage, &gate, "15m");
    let port = first.port();
    gate.line(Line::Cut);
    gate.hold(Hold::Nowhere);
    first.stop();
    let _second = Azurite::start(&["--blobPort", &port, "--location", location]);
    gate.line(Line::Up);
    assert_registered(&stage, &end_of(child));
}

/// The container is lost: AzCopy's own record of uploaded files is no longer valid.
#[test]
fn all_files_are_sent_again_if_the_store_lost_them() {
    let first = Azurite::start(&["--blobPort", "0", "--inMemoryPersistence"]);
    let gate = Gate::before(&first.url);
    let stage = stage(&gate);
    let child = start_and_hold(&stage, &gate, "10m");
    let port = first.port();
    gate.line(Line::Cut);
    gate.hold(Hold::Nowhere);
    drop(first);
    let _second = Azurite::start(&["--blobPort", &port, "--inMemoryPersistence"]);
    gate.line(Line::Up);
    let output = end_of(child);
    assert_eq!(output.status.code(), Some(7), "{}", stderr_of(&output));
    assert_registered(&stage, &stage.command(&CREATE).output().expect("runs"));
}
