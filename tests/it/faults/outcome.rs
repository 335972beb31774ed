//! Effects that a successful command must have had.

use serde_json::{Value, json};

use super::fixture::Fixture;
use crate::support::{ResponseFault, Rule};

fn document(stdout: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(stdout).map_err(|error| format!("{error}: {}", String::from_utf8_lossy(stdout)))
}

fn equal(what: &str, found: &Value, expected: &Value) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found}, not {expected}")) }
}

pub(super) fn listed(_: &Fixture, stdout: &[u8]) -> Result<(), String> {
    let found = document(stdout)?;
    let rows = found.as_array().ok_or_else(|| format!("no list: {found}"))?;
    let names: Vec<_> = rows.iter().map(|row| json!([row["name"], row["version"]])).collect();
    equal("models", &json!(names), &json!([["my-model", "1"]]))
}

pub(super) fn shown(_: &Fixture, stdout: &[u8]) -> Result<(), String> {
    let found = document(stdout)?;
    equal("model", &json!([found["name"], found["version"]]), &json!(["my-model", "1"]))
}

pub(super) fn updated(fixture: &Fixture, stdout: &[u8]) -> Result<(), String> {
    shown(fixture, stdout)?;
    equal("tag", &fixture.model("1").ok_or("no model")?["tags"]["key"], &json!("new"))
}

pub(super) fn deleted(fixture: &Fixture, _: &[u8]) -> Result<(), String> {
    fixture.model("1").map_or(Ok(()), |model| Err(format!("it still exists: {model}")))
}

/// The model exists, and its location is the one that received the bytes.
pub(super) fn registered(fixture: &Fixture, stdout: &[u8]) -> Result<(), String> {
    let found = document(stdout)?;
    let model = fixture.model(found["version"].as_str().unwrap_or_default()).ok_or("no such model")?;
    let location = model["blobUri"].as_str().unwrap_or_default();
    if location.contains(&fixture.blobs.authority()) { Ok(()) } else { Err(format!("another location: {model}")) }
}

pub(super) fn created(fixture: &Fixture, stdout: &[u8]) -> Result<(), String> {
    registered(fixture, stdout)?;
    content_stored(fixture)
}

/// The registration was requested, and every byte is stored.
pub(super) fn accepted(fixture: &Fixture, stdout: &[u8]) -> Result<(), String> {
    equal("version", &document(stdout)?["version"], &json!("1"))?;
    let is_registration =
        |request: &foundry_emulator::RequestRecord| request.path.ends_with("/createAsync") || request.method == "PUT";
    // An injected 202 replaces the response of the service, which then receives no request.
    let is_injected = matches!(&fixture.rule, Some(Rule { fault: ResponseFault::Instead(response), .. }) if response.starts_with(b"HTTP/1.1 202"));
    if !is_injected && !fixture.env.emulator().requests().iter().any(is_registration) {
        return Err("no registration was requested".into());
    }
    content_stored(fixture)
}

fn content_stored(fixture: &Fixture) -> Result<(), String> {
    let store = fixture.store.as_ref().expect("a store");
    for entry in std::fs::read_dir(fixture.env.work().join("model")).expect("the model") {
        let entry = entry.expect("a file");
        let name = entry.file_name().to_string_lossy().into_owned();
        let content = std::fs::read(entry.path()).expect("the content");
        let blob = store.blob(&name).map(|blob| blob.content);
        if !name.starts_with('.') && blob.as_ref() != Some(&content) {
            return Err(format!("{name} is not what was sent: {:?} bytes", blob.map(|blob| blob.len())));
        }
    }
    Ok(())
}

pub(super) fn connected(fixture: &Fixture, _: &[u8]) -> Result<(), String> {
    let values = std::fs::read_to_string(fixture.env.work().join(".azure/dev/.env")).unwrap_or_default();
    let expected = [
        "AZURE_TENANT_ID=",
        "AZURE_SUBSCRIPTION_ID=00000000-0000-0000-0000-000000000001",
        "AZURE_RESOURCE_GROUP_NAME=rg-emulator",
        "AZURE_ACCOUNT_NAME=emulator",
        "AZURE_PROJECT_NAME=demo",
        "AZURE_LOCATION=",
        "AZURE_PROJECT_ENDPOINT=",
    ];
    match expected.iter().find(|line| !values.contains(*line)) {
        Some(missing) => Err(format!("{missing} is missing: {values}")),
        None => Ok(()),
    }
}

/// Every file is present, and verified by its content.
pub(super) fn verified(_: &Fixture, stdout: &[u8]) -> Result<(), String> {
    let found = document(stdout)?;
    let files = found["files"].as_array().ok_or_else(|| format!("no files: {found}"))?;
    let proofs: Vec<_> = files.iter().map(|file| json!([file["path"], file["status"], file["proof"]])).collect();
    let expected = ["config.json", "model.safetensors", "more.bin"].map(|path| json!([path, "ok", "hashed"]));
    equal("files", &json!(proofs), &json!(expected))
}

pub(super) fn downloaded(fixture: &Fixture, _: &[u8]) -> Result<(), String> {
    for name in ["config.json", "model.safetensors", "more.bin"] {
        let read = |directory: &str| std::fs::read(fixture.env.work().join(directory).join(name));
        let expected = read("model").map_err(|error| error.to_string())?;
        if read("out").map_err(|error| format!("{name}: {error}"))? != expected {
            return Err(format!("{name} differs"));
        }
    }
    Ok(())
}

pub(super) fn deployments_listed(_: &Fixture, stdout: &[u8]) -> Result<(), String> {
    let found = document(stdout)?;
    let rows = found.as_array().ok_or_else(|| format!("no list: {found}"))?;
    equal("deployments", &rows.iter().map(|row| row["name"].clone()).collect(), &json!(["chat"]))
}

pub(super) fn deployment_shown(_: &Fixture, stdout: &[u8]) -> Result<(), String> {
    let found = document(stdout)?;
    // Without access to Azure Resource Manager, the project's own document is shown, which has no state.
    if found.get("properties").is_none() {
        return equal("project's deployment", &json!([found["name"], found["modelName"]]), &json!(["chat", "gpt-4.1"]));
    }
    let shown = json!([found["name"], found["properties"]["model"]["name"], found["properties"]["provisioningState"]]);
    equal("deployment", &shown, &json!(["chat", "gpt-4.1", "Succeeded"]))
}

/// State of a deployment on the service.
fn deployment(fixture: &Fixture, name: &str) -> Option<Value> {
    fixture.env.emulator().deployments().into_iter().find(|one| one["name"] == name)
}

pub(super) fn deployed(fixture: &Fixture, stdout: &[u8]) -> Result<(), String> {
    equal("name", &document(stdout)?["name"], &json!("dep"))?;
    let stored = deployment(fixture, "dep").ok_or("no such deployment")?;
    let state = json!([stored["properties"]["model"]["name"], stored["properties"]["provisioningState"]]);
    equal("deployment", &state, &json!(["my-model", "Succeeded"]))
}

pub(super) fn scaled(fixture: &Fixture, stdout: &[u8]) -> Result<(), String> {
    equal("capacity shown", &document(stdout)?["sku"]["capacity"], &json!(20))?;
    let stored = deployment(fixture, "chat").ok_or("no such deployment")?;
    equal("capacity", &stored["sku"]["capacity"], &json!(20))
}

pub(super) fn undeployed(fixture: &Fixture, _: &[u8]) -> Result<(), String> {
    deployment(fixture, "chat").map_or(Ok(()), |stored| Err(format!("it still exists: {stored}")))
}
