//! Effects that a successful command must have had.

use serde_json::{Value, json};

use super::world::World;
use crate::support::{ResponseFault, Rule};

fn document(stdout: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(stdout).map_err(|error| format!("{error}: {}", String::from_utf8_lossy(stdout)))
}

fn equal(what: &str, found: &Value, expected: &Value) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found}, not {expected}")) }
}

pub(super) fn listed(_: &World, stdout: &[u8]) -> Result<(), String> {
    let found = document(stdout)?;
    let rows = found.as_array().ok_or_else(|| format!("no list: {found}"))?;
    let names: Vec<_> = rows.iter().map(|row| json!([row["name"], row["version"]])).collect();
    equal("models", &json!(names), &json!([["my-model", "1"]]))
}

pub(super) fn shown(_: &World, stdout: &[u8]) -> Result<(), String> {
    let found = document(stdout)?;
    equal("model", &json!([found["name"], found["version"]]), &json!(["my-model", "1"]))
}

pub(super) fn updated(world: &World, stdout: &[u8]) -> Result<(), String> {
    shown(world, stdout)?;
    equal("tag", &world.model("1").ok_or("no model")?["tags"]["key"], &json!("new"))
}

pub(super) fn deleted(world: &World, _: &[u8]) -> Result<(), String> {
    world.model("1").map_or(Ok(()), |model| Err(format!("it is still there: {model}")))
}

/// There, with the place that the bytes went to.
pub(super) fn registered(world: &World, stdout: &[u8]) -> Result<(), String> {
    let found = document(stdout)?;
    let model = world.model(found["version"].as_str().unwrap_or_default()).ok_or("no such model")?;
    let place = model["blobUri"].as_str().unwrap_or_default();
    if place.contains(&world.blobs.authority()) { Ok(()) } else { Err(format!("another place: {model}")) }
}

pub(super) fn created(world: &World, stdout: &[u8]) -> Result<(), String> {
    registered(world, stdout)?;
    arrived(world)
}

/// The registration was asked for, and every byte is there.
pub(super) fn accepted(world: &World, stdout: &[u8]) -> Result<(), String> {
    equal("version", &document(stdout)?["version"], &json!("1"))?;
    let asked =
        |request: &foundry_emulator::RequestRecord| request.path.ends_with("/createAsync") || request.method == "PUT";
    // Only the service itself answers 202.
    let is_said = matches!(&world.rule, Some(Rule { spoil: ResponseFault::Instead(answer), .. }) if answer.starts_with(b"HTTP/1.1 202"));
    if !is_said && !world.env.emulator().requests().iter().any(asked) {
        return Err("no registration was asked for".into());
    }
    arrived(world)
}

fn arrived(world: &World) -> Result<(), String> {
    let store = world.store.as_ref().expect("a store");
    for entry in std::fs::read_dir(world.env.work().join("model")).expect("the model") {
        let entry = entry.expect("a file");
        let name = entry.file_name().to_string_lossy().into_owned();
        let content = std::fs::read(entry.path()).expect("its content");
        let blob = store.blob(&name).map(|blob| blob.content);
        if !name.starts_with('.') && blob.as_ref() != Some(&content) {
            return Err(format!("{name} is not what was sent: {:?} bytes", blob.map(|blob| blob.len())));
        }
    }
    Ok(())
}

pub(super) fn connected(world: &World, _: &[u8]) -> Result<(), String> {
    let values = std::fs::read_to_string(world.env.work().join(".azure/dev/.env")).unwrap_or_default();
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

/// Every file is there, and proved by its content.
pub(super) fn verified(_: &World, stdout: &[u8]) -> Result<(), String> {
    let found = document(stdout)?;
    let files = found["files"].as_array().ok_or_else(|| format!("no files: {found}"))?;
    let proofs: Vec<_> = files.iter().map(|file| json!([file["path"], file["status"], file["proof"]])).collect();
    let expected = ["config.json", "model.safetensors", "more.bin"].map(|path| json!([path, "ok", "hashed"]));
    equal("files", &json!(proofs), &json!(expected))
}

pub(super) fn downloaded(world: &World, _: &[u8]) -> Result<(), String> {
    for name in ["config.json", "model.safetensors", "more.bin"] {
        let read = |directory: &str| std::fs::read(world.env.work().join(directory).join(name));
        let expected = read("model").map_err(|error| error.to_string())?;
        if read("out").map_err(|error| format!("{name}: {error}"))? != expected {
            return Err(format!("{name} differs"));
        }
    }
    Ok(())
}

pub(super) fn deployments_listed(_: &World, stdout: &[u8]) -> Result<(), String> {
    let found = document(stdout)?;
    let rows = found.as_array().ok_or_else(|| format!("no list: {found}"))?;
    equal("deployments", &rows.iter().map(|row| row["name"].clone()).collect(), &json!(["chat"]))
}

pub(super) fn deployment_shown(_: &World, stdout: &[u8]) -> Result<(), String> {
    let found = document(stdout)?;
    let shown = json!([found["name"], found["properties"]["model"]["name"], found["properties"]["provisioningState"]]);
    equal("deployment", &shown, &json!(["chat", "gpt-4.1", "Succeeded"]))
}

/// A deployment as the service has it.
fn deployment(world: &World, name: &str) -> Option<Value> {
    world.env.emulator().deployments().into_iter().find(|one| one["name"] == name)
}

pub(super) fn deployed(world: &World, stdout: &[u8]) -> Result<(), String> {
    equal("name", &document(stdout)?["name"], &json!("dep"))?;
    let there = deployment(world, "dep").ok_or("no such deployment")?;
    let state = json!([there["properties"]["model"]["name"], there["properties"]["provisioningState"]]);
    equal("deployment", &state, &json!(["my-model", "Succeeded"]))
}

pub(super) fn grown(world: &World, stdout: &[u8]) -> Result<(), String> {
    equal("capacity shown", &document(stdout)?["sku"]["capacity"], &json!(20))?;
    let there = deployment(world, "chat").ok_or("no such deployment")?;
    equal("capacity", &there["sku"]["capacity"], &json!(20))
}

pub(super) fn undeployed(world: &World, _: &[u8]) -> Result<(), String> {
    deployment(world, "chat").map_or(Ok(()), |there| Err(format!("it is still there: {there}")))
}
