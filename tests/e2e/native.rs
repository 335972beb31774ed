//! The native engine against the real Azurite: content is uploaded, and not sent again.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use foundry_emulator::Config;
use serde_json::Value;

use crate::gate::{Gate, Hold, Line};
use crate::stage::{Stage, azurite, files, required_var, store};

fn sha256(content: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Path and checksum of each file in the output of `create -o json`.
fn checksums(model: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    model["files"].as_array().expect("files").iter().map(|file| (text(&file["path"]), text(&file["sha256"]))).collect()
}

#[test]
fn a_real_model_is_uploaded_and_its_checksums_are_reported() {
    let stage = Stage::new();
    let model = required_var("E2E_MODEL_DIR");
    let args = ["create", "-n", "native", "--source", &model, "--engine", "native", "-o", "json"];
    let registered = stage.json(&args);
    let mut local = files(Path::new(&model));
    local.remove(".gitattributes");
    assert!(stage.blobs(&registered) == local);
    let expected: Vec<(String, String)> = local.iter().map(|(path, content)| (path.clone(), sha256(content))).collect();
    assert_eq!(checksums(&registered), expected);
    stage.assert_no_upload_left();
}

/// Killed in the middle of a file: blocks that were stored are not sent again, even with a new SAS.
#[test]
fn a_killed_upload_resumes_within_a_file() {
    let gate = Gate::before(&azurite());
    let stage = Stage::with(Config { blobs: store(&gate.url), ..Config::default() });
    let size = 128 << 20;
    let content: Vec<u8> = (0..size).map(|at: usize| (at / 251 % 256) as u8).collect();
    stage.write("m/model.safetensors", &content);
    stage.write("m/config.json", b"{}");
    let args = [
        "create",
        "-n",
        "killed",
        "--source",
        "m",
        "--skip-check",
        "--engine",
        "native",
        "--parallel",
        "2",
        "-o",
        "json",
    ];
    gate.hold(Hold::Bytes(96 << 20));
    let mut first = stage.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("runs");
    gate.wait_until_held();
    first.kill().expect("killed");
    first.wait().expect("ended");
    gate.hold(Hold::Nowhere);
    let before = gate.received();
    let output = stage.command(&args).output().expect("runs");
    let stderr_text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr_text}");
    let model: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(stage.blobs(&model) == files(&stage.work().join("m")), "{stderr_text}");
    // Of the passed content, two blocks of 5 MiB may have been in flight, and two had been rejected for their
    // checksums, as two are again; the rest was stored.
    let sent_again = gate.received() - before;
    assert!(
        sent_again <= (size - (96 << 20) + 6 * (5 << 20)) as u64 + 1000,
        "{sent_again} of {size} bytes were sent again: {stderr_text}"
    );
    let sum = checksums(&model).into_iter().find(|(path, _)| path == "model.safetensors").expect("the file").1;
    assert_eq!(sum, sha256(&content), "the checksum covers the whole file, including content that was not sent again");
    stage.assert_no_upload_left();
}

/// The server becomes unavailable and returns: only blocks in flight are sent twice.
#[test]
fn an_outage_repeats_only_blocks_in_flight() {
    let gate = Gate::before(&azurite());
    let stage = Stage::with(Config { blobs: store(&gate.url), ..Config::default() });
    let size = 48 << 20;
    let content: Vec<u8> = (0..size).map(|at: usize| (at / 251 % 256) as u8).collect();
    stage.write("m/model.safetensors", &content);
    let mut command = stage.command(&["create", "-n", "down", "--source", "m", "--skip-check", "--engine", "native"]);
    command.args(["--parallel", "2", "-o", "json"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    gate.hold(Hold::Bytes(30 << 20));
    let mut child = command.spawn().expect("runs");
    gate.wait_until_held();
    gate.line(Line::Cut);
    gate.hold(Hold::Nowhere);
    let mut stderr = BufReader::new(child.stderr.take().expect("a pipe")).lines().map(|line| line.expect("read"));
    // The line returns only after a connection of the program failed.
    let is_refused = |line: &String| line.starts_with("retrying block ") && line.contains(": could not reach ");
    assert!(stderr.any(|line| is_refused(&line)), "the outage was not reported");
    gate.line(Line::Up);
    let rest: Vec<String> = stderr.collect();
    let output = child.wait_with_output().expect("ended");
    assert!(output.status.success(), "{rest:?}");
    let model: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(stage.blobs(&model) == files(&stage.work().join("m")), "{rest:?}");
    // Two blocks in flight; and this Azurite rejects checksums only after the first block.
    let repeated = gate.received() - size as u64;
    assert!(repeated <= 3 * (5 << 20), "{repeated} bytes were sent twice: {rest:?}");
    stage.assert_no_upload_left();
}
