//! `custom create` of blob URLs: a store that copies from URLs stands before Azurite, which cannot.

use foundry_emulator::{BlobStore, Config};

use crate::copy_store::CopyStore;
use crate::stage::{Stage, azurite};

/// A source with files in a folder and beside it, its container registered as a model of its own.
fn stage() -> (Stage, CopyStore, String) {
    let store = CopyStore::start(&azurite());
    let stage = Stage::with(Config { blob_store: BlobStore::Azurite { url: store.url.clone() }, ..Config::default() });
    stage.write("m/weights/model.safetensors", &[7; 100_000]);
    stage.write("m/weights/config.json", b"{}");
    stage.write("m/beside.txt", b"beside");
    stage.json(&["create", "-n", "source", "--source", "m", "-o", "json"]);
    let sas = stage.emulator.read_sas("source", "1").expect("a SAS");
    (stage, store, sas)
}

fn create(stage: &Stage, name: &str, url: &str) -> Vec<String> {
    std::fs::write(stage.work().join("url.txt"), url).expect("a file");
    let model = stage.json(&["create", "-n", name, "--source-file", "url.txt", "-o", "json"]);
    stage.blobs(model["blobUri"].as_str().expect("a URI")).into_keys().collect()
}

fn below(sas: &str, path: &str) -> String {
    let (base, query) = sas.split_once('?').expect("a query");
    format!("{base}/{path}?{query}")
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
fn a_source_that_is_not_there_uploads_nothing() {
    let (stage, _store, sas) = stage();
    std::fs::write(stage.work().join("url.txt"), below(&sas, "nowhere")).expect("a file");
    let output = stage.command(&["create", "-n", "none", "--source-file", "url.txt"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("sig="));
}
