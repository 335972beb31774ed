//! The native engine against the real Azurite: content arrives, and is not sent again.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use foundry_emulator::Config;
use serde_json::Value;

use crate::gate::{Gate, Hold, Line};
use crate::stage::{Stage, azurite, files, given, store};

fn sha256(content: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Path and checksum of each file in the output of `create -o json`.
fn sums(model: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    model["files"].as_array().expect("files").iter().map(|file| (text(&file["path"]), text(&file["sha256"]))).collect()
}

#[test]
fn a_real_model_arrives_and_its_checksums_are_reported() {
    let stage = Stage::new();
    let model = given("E2E_MODEL_DIR");
    let args = ["create", "-n", "native", "--source", &model, "--engine", "native", "-o", "json"];
    let registered = stage.json(&args);
    let mut local = files(Path::new(&model));
    local.remove(".gitattributes");
    assert!(stage.blobs(&registered) == local);
    let expected: Vec<(String, String)> = local.iter().map(|(path, content)| (path.clone(), sha256(content))).collect();
    assert_eq!(sums(&registered), expected);
    stage.assert_no_upload_left();
}

/// Killed in the middle of a file: the blocks that arrived are not sent again, with a new SAS either.
#[test]
fn a_killed_upload_resumes_at_the_block() {
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
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words}");
    let model: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(stage.blobs(&model) == files(&stage.work().join("m")), "{words}");
    // Of the passed content, two blocks of 5 MiB may have been in flight, and two had been refused for their checksums,
    // as two are once more; the rest had arrived.
    let again = gate.received() - before;
    assert!(
        again <= (size - (96 << 20) + 6 * (5 << 20)) as u64 + 1000,
        "{again} of {size} bytes were sent again: {words}"
    );
    let sum = sums(&model).into_iter().find(|(path, _)| path == "model.safetensors").expect("the file").1;
    assert_eq!(sum, sha256(&content), "the sum is of all of it, also of what was not sent again");
    stage.assert_no_upload_left();
}

/// The server goes, and comes again: only what was under way is sent twice.
#[test]
fn a_line_that_is_down_for_a_while_costs_only_the_blocks_under_way() {
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
    // The gate reopens only after the program was refused.
    let is_refused = |line: &String| line.starts_with("retrying block ") && line.contains(": could not reach ");
    assert!(stderr.any(|line| is_refused(&line)), "no word of the line that is down");
    gate.line(Line::Up);
    let rest: Vec<String> = stderr.collect();
    let output = child.wait_with_output().expect("ended");
    assert!(output.status.success(), "{rest:?}");
    let model: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(stage.blobs(&model) == files(&stage.work().join("m")), "{rest:?}");
    // Two blocks at a time; and this Azurite refuses checksums only after the first block.
    let twice = gate.received() - size as u64;
    assert!(twice <= 3 * (5 << 20), "{twice} bytes came twice: {rest:?}");
    stage.assert_no_upload_left();
}
