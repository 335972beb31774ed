//! Request bodies, as strict as the service may be: unknown fields are rejected, and createAsync requires the dialect
//! of its api-version. Pure.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use crate::call::Target;
use crate::refusal::Refusal;

/// Field names of an api-version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `2025-11-15-preview`: `derivedModelInformation.baseModel`, `catalogInfo`.
    Preview,
    /// `v1`: `baseModel`, `source`.
    V1,
}

/// The body of startPendingUpload.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct StartBody {
    pub(crate) pending_upload_type: String,
    pub(crate) pending_upload_id: Option<String>,
    pub(crate) connection_name: Option<String>,
}

/// The body of credentials.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CredentialsBody {
    pub(crate) blob_uri: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PreviewBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    blob_uri: Url,
    weight_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    derived_model_information: Option<DerivedModel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lora_config: Option<LoraConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    catalog_info: Option<CatalogInfo>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct V1Body {
    #[serde(skip_serializing)]
    name: Option<String>,
    #[serde(skip_serializing)]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    blob_uri: Url,
    weight_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lora_config: Option<LoraConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DerivedModel {
    base_model: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LoraConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    rank: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alpha: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_modules: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dropout: Option<f64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CatalogInfo {
    publisher_id: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Source {
    source_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_id: Option<String>,
}

/// Registration that passed all checks that need no state.
#[derive(Debug, Clone)]
pub(crate) struct Registration {
    pub(crate) blob_uri: Url,
    /// Fields of the model, as its object will show them.
    pub(crate) fields: Map<String, Value>,
    /// True if a base model is named, or the weight type needs none.
    pub(crate) base_model_settled: bool,
}

/// Reads a body; unknown fields are rejected.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::bad_request("InvalidRequestBody", format!("The request body is not valid: {error}.")))
}

/// Reads the body of createAsync or PUT.
pub(crate) fn registration(dialect: Dialect, target: &Target, body: &[u8]) -> Result<Registration, Refusal> {
    let (fields, blob_uri, base_model) = match dialect {
        Dialect::Preview => {
            let body: PreviewBody = read(body)?;
            let base_model = body.derived_model_information.as_ref().map(|derived| derived.base_model.clone());
            (object(&body), body.blob_uri, base_model)
        }
        Dialect::V1 => {
            let body: V1Body = read(body)?;
            same_identity("name", body.name.as_deref(), &target.name)?;
            same_identity("version", body.version.as_deref(), &target.version)?;
            (object(&body), body.blob_uri, body.base_model)
        }
    };
    finish(fields, blob_uri, base_model.as_deref())
}

fn finish(mut fields: Map<String, Value>, blob_uri: Url, base_model: Option<&str>) -> Result<Registration, Refusal> {
    if blob_uri.query().is_some() {
        return Err(Refusal::bad_request("InvalidBlobUri", "blobUri must not carry a query; a SAS is a secret."));
    }
    if base_model.is_some_and(|base| !base.starts_with("azureml://")) {
        return Err(Refusal::bad_request("BaseModelNotFound", "The base model must be an azureml:// URI."));
    }
    let weight_type = canonical_weight_type(fields.get("weightType").and_then(Value::as_str).unwrap_or("FullWeight"))?;
    if fields.contains_key("loraConfig") && weight_type != "LoRA" {
        return Err(Refusal::bad_request("InvalidLoraConfig", "loraConfig is allowed with the weight type LoRA only."));
    }
    fields.insert("weightType".to_owned(), weight_type.into());
    let base_model_settled = base_model.is_some() || weight_type == "DraftModel";
    Ok(Registration { blob_uri, fields, base_model_settled })
}

fn object(body: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(body) {
        Ok(Value::Object(fields)) => fields,
        other => unreachable!("a request body is an object: {other:?}"),
    }
}

fn same_identity(field: &str, body: Option<&str>, path: &str) -> Result<(), Refusal> {
    match body {
        Some(value) if value != path => Err(Refusal::bad_request(
            "ValidationError",
            format!("The {field} '{value}' in the body is not the '{path}' of the path."),
        )),
        _ => Ok(()),
    }
}

fn canonical_weight_type(given: &str) -> Result<&'static str, Refusal> {
    ["FullWeight", "LoRA", "DraftModel"].into_iter().find(|known| known.eq_ignore_ascii_case(given)).ok_or_else(|| {
        Refusal::bad_request(
            "ValidationError",
            format!("The weight type '{given}' is not one of FullWeight, LoRA, DraftModel."),
        )
    })
}

/// Merge patch of the two fields that can change. `null` removes a value, so it differs from an absent field.
#[derive(Debug)]
pub(crate) struct Patch(pub(crate) Value);

impl Patch {
    pub(crate) fn read(body: &[u8]) -> Result<Self, Refusal> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Shape {
            #[serde(rename = "description")]
            _description: Option<String>,
            #[serde(rename = "tags")]
            _tags: Option<BTreeMap<String, Option<String>>>,
        }
        read::<Shape>(body)?;
        read(body).map(Self)
    }
}

/// RFC 7396.
pub(crate) fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(target) = target {
        for (key, value) in patch {
            if value.is_null() {
                target.shift_remove(key);
            } else {
                merge_patch(target.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
    }
}
