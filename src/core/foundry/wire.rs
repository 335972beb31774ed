//! Bodies of a registration, in both of its dialects, and of a change. Pure.

use serde_json::{Map, Value, json};

use crate::model::{ModelChange, ModelDetails, Registration};

/// Dialect of a registration (design/contracts/foundry.md#registration).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `2025-11-15-preview` and related versions: the base model in `derivedModelInformation`.
    Preview,
    /// `v1`: the base model as a top-level field.
    V1,
}

impl Dialect {
    /// Dialect of this api-version.
    pub(super) fn of(api_version: &str) -> Self {
        if api_version.eq_ignore_ascii_case("v1") { Self::V1 } else { Self::Preview }
    }
}

/// Body of `createAsync` and of the PUT that replaces it.
pub(super) fn registration(dialect: Dialect, registration: &Registration) -> Value {
    let ModelDetails { weight_type, base_model, description, tags, lora, publisher } = &registration.details;
    let mut body = Map::new();
    body.insert("blobUri".into(), json!(registration.blob_uri));
    body.insert("weightType".into(), json!(weight_type.as_str()));
    let mut tags = tags.clone();
    if let Some(base) = base_model {
        match dialect {
            Dialect::Preview => body.insert("derivedModelInformation".into(), json!({ "baseModel": base.uri() })),
            Dialect::V1 => body.insert("baseModel".into(), json!(base.uri())),
        };
        tags.insert("baseArchitecture".into(), base.short_name().into());
    }
    if !lora.is_empty() {
        body.insert("loraConfig".into(), json!(lora));
    }
    if let (Some(publisher), Dialect::Preview) = (publisher, dialect) {
        body.insert("catalogInfo".into(), json!({ "publisherId": publisher }));
    }
    if let Some(description) = description {
        body.insert("description".into(), json!(description));
    }
    // Sent even if empty, as the Go client does.
    body.insert("tags".into(), json!(tags));
    Value::Object(body)
}

/// Merge patch of an update: `null` removes a tag.
pub(super) fn change(change: &ModelChange) -> Value {
    let mut body = Map::new();
    if let Some(description) = &change.description {
        // Empty and not null: the Go client sends this to clear it.
        body.insert("description".into(), json!(description));
    }
    if !change.tags.is_empty() {
        body.insert("tags".into(), json!(change.tags));
    }
    Value::Object(body)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{BlobUri, LoraShape, WeightType};

    #[test]
    fn each_dialect_has_its_own_body() {
        let blob_uri: BlobUri = "https://s.blob.core.windows.net/c".parse().expect("a location");
        let details = ModelDetails {
            base_model: Some("FW-X".parse().expect("base")),
            description: Some("d".into()),
            tags: BTreeMap::from([("team".into(), "t".into())]),
            publisher: Some("p".into()),
            ..ModelDetails::default()
        };
        let full = Registration { blob_uri: blob_uri.clone(), details };
        let base = "azureml://registries/azureml-fireworks/models/FW-X/versions/1";
        assert_eq!(
            registration(Dialect::of("2025-11-15-preview"), &full).to_string(),
            format!(
                r#"{{"blobUri":"https://s.blob.core.windows.net/c","weightType":"FullWeight","derivedModelInformation":{{"baseModel":"{base}"}},"catalogInfo":{{"publisherId":"p"}},"description":"d","tags":{{"baseArchitecture":"FW-X","team":"t"}}}}"#
            )
        );
        assert_eq!(
            registration(Dialect::of("v1"), &full).to_string(),
            format!(
                r#"{{"blobUri":"https://s.blob.core.windows.net/c","weightType":"FullWeight","baseModel":"{base}","description":"d","tags":{{"baseArchitecture":"FW-X","team":"t"}}}}"#
            )
        );
        let draft = ModelDetails { weight_type: WeightType::DraftModel, ..ModelDetails::default() };
        let lora = LoraShape {
            rank: Some(16),
            alpha: Some(32),
            target_modules: Some(vec!["q_proj".into(), "v_proj".into()]),
            dropout: Some(0.05),
        };
        let adapter = ModelDetails { weight_type: WeightType::LoRA, lora, ..ModelDetails::default() };
        for version in ["v1", "2026-01-15-preview"] {
            let body = |details: &ModelDetails| {
                let registered = Registration { blob_uri: blob_uri.clone(), details: details.clone() };
                registration(Dialect::of(version), &registered).to_string()
            };
            assert_eq!(
                body(&draft),
                r#"{"blobUri":"https://s.blob.core.windows.net/c","weightType":"DraftModel","tags":{}}"#
            );
            assert_eq!(
                body(&adapter),
                r#"{"blobUri":"https://s.blob.core.windows.net/c","weightType":"LoRA","loraConfig":{"rank":16,"alpha":32,"targetModules":["q_proj","v_proj"],"dropout":0.05},"tags":{}}"#
            );
        }
    }
}
