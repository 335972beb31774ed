//! Registered models in memory, as the objects that the service returns.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::call::Target;
use crate::config::Config;
use crate::wire::{Patch, merge_patch};

/// Address of the weights of a seeded model.
const SEEDED: &str = "https://emulator.blob.core.windows.net/seeded";

/// Models by name, each with its versions in order of insertion.
#[derive(Debug, Default)]
pub(crate) struct Catalog(BTreeMap<String, Vec<Value>>);

/// Reason why a value cannot be seeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeedError;

impl fmt::Display for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a model needs the strings 'name' and 'version', a deployment 'name'")
    }
}

impl std::error::Error for SeedError {}

impl Catalog {
    /// Latest version of each model.
    pub(crate) fn latest(&self) -> Vec<&Value> {
        self.0.values().filter_map(|versions| versions.iter().max_by(|a, b| by_age(a, b))).collect()
    }

    pub(crate) fn versions(&self, name: &str) -> Option<Vec<&Value>> {
        self.0.get(name).map(|versions| versions.iter().collect())
    }

    pub(crate) fn get(&self, target: &Target) -> Option<&Value> {
        self.0.get(&target.name)?.iter().find(|model| model["version"] == target.version)
    }

    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Adds a version, or replaces the existing one.
    pub(crate) fn put(&mut self, target: &Target, model: Value) {
        let versions = self.0.entry(target.name.clone()).or_default();
        match versions.iter_mut().find(|present| present["version"] == target.version) {
            Some(present) => *present = model,
            None => versions.push(model),
        }
    }

    pub(crate) fn remove(&mut self, target: &Target) {
        if let Some(versions) = self.0.get_mut(&target.name) {
            versions.retain(|model| model["version"] != target.version);
            if versions.is_empty() {
                self.0.remove(&target.name);
            }
        }
    }

    pub(crate) fn patch(&mut self, target: &Target, patch: &Patch, config: &Config) -> Option<&Value> {
        let versions = self.0.get_mut(&target.name)?;
        let model = versions.iter_mut().find(|model| model["version"] == target.version)?;
        merge_patch(model, &patch.0);
        merge_patch(model, &json!({ "systemData": { "lastModifiedAt": now(config) } }));
        Some(model)
    }

    /// Adds a model for a test: defaults, patched with `seed`, so that `null` removes a default.
    pub(crate) fn seed(&mut self, seed: &Value, config: &Config) -> Result<(), SeedError> {
        let (target, fields) = seeded(seed)?;
        let mut model = object(&target, fields, config, "Succeeded");
        merge_patch(&mut model, seed);
        self.put(&target, model);
        Ok(())
    }
}

/// Version of a seed, and the registration fields that every seed has.
pub(crate) fn seeded(seed: &Value) -> Result<(Target, Map<String, Value>), SeedError> {
    let text = |field: &str| seed[field].as_str().map(str::to_owned).ok_or(SeedError);
    let target = Target { name: text("name")?, version: text("version")? };
    let fields = [("blobUri", SEEDED), ("weightType", "FullWeight")];
    Ok((target, fields.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()))
}

/// Model object with the fields of its registration.
pub(crate) fn object(target: &Target, fields: Map<String, Value>, config: &Config, state: &str) -> Value {
    let Target { name, version } = target;
    let (account, project, now) = (&config.account, &config.project, now(config));
    let mut model = Map::new();
    model.insert(
        "id".to_owned(),
        format!("azureai://accounts/{account}/projects/{project}/models/{name}/versions/{version}").into(),
    );
    model.insert("name".to_owned(), name.clone().into());
    model.insert("version".to_owned(), version.clone().into());
    model.extend(fields);
    model.entry("source").or_insert_with(|| json!({ "sourceType": "LocalUpload" }));
    model.insert("artifactProfile".to_owned(), json!({ "category": "DataOnly", "signals": [] }));
    model.insert("provisioningState".to_owned(), state.into());
    model.insert(
        "systemData".to_owned(),
        json!({ "createdAt": now, "createdBy": "emulator", "createdByType": "User", "lastModifiedAt": now }),
    );
    model.insert("xEmulator".to_owned(), json!({ "note": "a field that no client knows" }));
    Value::Object(model)
}

fn now(config: &Config) -> String {
    config.clock.unwrap_or_else(OffsetDateTime::now_utc).format(&Rfc3339).unwrap_or_default()
}

/// Compares numeric versions by value, and others by their time of creation.
fn by_age(a: &Value, b: &Value) -> Ordering {
    let number = |model: &Value| model["version"].as_str().and_then(|version| version.parse::<u64>().ok());
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => {
            let created = |model: &Value| model["systemData"]["createdAt"].as_str().unwrap_or_default().to_owned();
            created(a).cmp(&created(b))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_version_has_the_highest_number() {
        let mut catalog = Catalog::default();
        for version in ["9", "10", "2"] {
            catalog.seed(&json!({ "name": "m", "version": version }), &Config::default()).unwrap();
        }
        assert_eq!(catalog.latest().len(), 1);
        assert_eq!(catalog.latest()[0]["version"], "10");
    }

    #[test]
    fn a_seed_keeps_unknown_fields_and_null_removes_a_default() {
        let mut catalog = Catalog::default();
        let seed = json!({ "name": "m", "version": "1", "systemData": null, "color": "red" });
        catalog.seed(&seed, &Config::default()).unwrap();
        let model = catalog.latest()[0];
        assert!(model.get("systemData").is_none());
        assert_eq!(model["color"], "red");
        assert_eq!(model["weightType"], "FullWeight");
        assert_eq!(catalog.seed(&json!({ "name": "m" }), &Config::default()), Err(SeedError));
    }
}
