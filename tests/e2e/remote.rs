//! `custom create` of blob URLs, through a store in front of Azurite that supports copies from URLs.

use foundry_emulator::Config;

use crate::copy_store::CopyStore;
use url::Url;

use crate::stage::{Stage, azurite, store};

/// Source with files in a folder and beside it; its container is registered as a separate model.
fn stage() -> (Stage, CopyStore, Url) {
    let copies = CopyStore::start(&azurite());
    let stage = Stage::with(Config { blobs: store(&copies.url), ..Config::default() });
    stage.write("m/weights/model.safetensors", &[7; 100_000]);
    stage.write("m/weights/config.json", b"{}");
    stage.write("m/beside.txt", b"beside");
    let model = stage.json(&["create", "-n", "source", "--source", "m", "--skip-check", "-o", "json"]);
    let sas = stage.read_sas(&model);
    (stage, copies, sas)
}

fn create(stage: &Stage, name: &str, url: &Url) -> Vec<String> {
    std::fs::write(stage.work().join("url.txt"), url.as_str()).expect("a file");
    let model = stage.json(&["create", "-n", name, "--source-file", "url.txt", "-o", "json"]);
    stage.blobs(&model).into_keys().collect()
}

fn below(sas: &Url, path: &str) -> Url {
    let mut url = sas.clone();
    url.path_segments_mut().expect("a path").extend(path.split('/'));
    url
}

#[test]
fn a_container_a_folder_and_a_blob_are_copied_from_store_to_store() {
    let (stage, store, sas) = stage();
    assert_eq!(create(&stage, "container", &sas), ["beside.txt", "weights/config.json", "weights/model.safetensors"]);
    assert_eq!(create(&stage, "folder", &below(&sas, "weights")), ["config.json", "model.safetensors"]);
    assert_eq!(create(&stage, "blob", &below(&sas, "weights/model.safetensors")), ["model.safetensors"]);
    assert_eq!(store.copies().len(), 6);
}

#[test]
fn a_missing_source_uploads_nothing() {
    let (stage, _store, sas) = stage();
    std::fs::write(stage.work().join("url.txt"), below(&sas, "nowhere").as_str()).expect("a file");
    let output = stage.command(&["create", "-n", "none", "--source-file", "url.txt"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("sig="));
}
