//! `custom verify` and `custom download` against the real Azurite, of models uploaded by AzCopy and by the native
//! engine.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::stage::{Stage, files, required_var};

/// Status and proof of each file.
fn statuses(verified: &Value) -> Vec<String> {
    let files = verified["files"].as_array().expect("files");
    files.iter().map(|file| format!("{} {}", file["status"], file["proof"])).collect()
}

#[test]
fn a_real_model_is_verified_and_downloaded_unchanged() {
    let stage = Stage::new();
    let model = required_var("E2E_MODEL_DIR");
    let mut local = files(Path::new(&model));
    local.remove(".gitattributes");
    stage.run(&["create", "-n", "there", "--source", &model, "--engine", "native"]);
    let verified = stage.json(&["verify", "-n", "there", "--source", &model, "--full", "-o", "json"]);
    assert_eq!(statuses(&verified), vec!["\"ok\" \"hashed\""; local.len()]);
    assert_eq!(verified["contentDigestStatus"], "ok");
    let downloaded = stage.json(&["download", "-n", "there", "--to", "back", "-o", "json"]);
    assert_eq!(downloaded["totals"]["hashed"], local.len());
    assert!(files(&stage.work().join("back")) == local);
    let again = stage.json(&["download", "-n", "there", "--to", "back", "-o", "json"]);
    assert_eq!(again["totals"]["downloadedFiles"], 0);
}

/// Files of several ranges, an empty one, and names that are escaped in URLs and in XML.
#[test]
fn an_upload_by_azcopy_is_downloaded_and_verified_by_its_digest() {
    let stage = Stage::new();
    let content: Vec<u8> = (0..20 << 20).map(|at: usize| (at / 251 % 256) as u8).collect();
    stage.write("m/model.safetensors", &content);
    stage.write("m/empty.txt", b"");
    stage.write("m/sub dir/a & b #1 %41 ü.json", b"{}");
    let create = ["create", "-n", "sent", "--source", "m", "--skip-check", "--engine", "azcopy"];
    stage.run(&create);
    let plain = stage.json(&["verify", "-n", "sent", "--source", "m", "-o", "json"]);
    assert_eq!(statuses(&plain), vec!["\"unproved\" \"sized\""; 3]);
    let full = stage.json(&["verify", "-n", "sent", "--source", "m", "--full", "-o", "json"]);
    assert_eq!(statuses(&full), vec!["\"ok\" \"hashed\""; 3]);
    stage.run(&[&create[..], &["--version", "2", "--if-changed"]].concat());
    let by_digest = stage.json(&["verify", "-n", "sent", "--source", "m", "-o", "json"]);
    assert_eq!(statuses(&by_digest), vec!["\"ok\" \"hashed\""; 3]);
    let downloaded = stage.json(&["download", "-n", "sent", "--to", "back", "-o", "json"]);
    assert_eq!(downloaded["totals"]["hashed"], 3);
    assert!(files(&stage.work().join("back")) == files(&stage.work().join("m")));
    fs::write(stage.work().join("m/empty.txt"), "x").expect("written");
    let output = stage.command(&["verify", "-n", "sent", "--source", "m"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(6));
}
