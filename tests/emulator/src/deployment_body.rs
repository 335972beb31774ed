//! Bodies of writes to deployments, as strict as the service may be: read-only and unknown fields are rejected, unless
//! an update sends an unknown one back unchanged. Pure.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::refusal::Refusal;
use crate::wire;

/// First API version that supports draft models, service tiers and the state of a deployment.
pub(crate) const LATER: &str = "2026-09-01";
/// Fields that only [`LATER`] supports.
pub(crate) const LATER_FIELDS: [&str; 2] = ["speculativeDecoding", "serviceTier"];

const READ_ONLY: [&str; 8] = [
    "provisioningState",
    "capabilities",
    "callRateLimit",
    "rateLimits",
    "dynamicThrottlingEnabled",
    "currentCapacity",
    "deploymentState",
    "capacitySettings",
];
const UPGRADE_OPTIONS: [&str; 3] = ["OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired", "NoAutoUpgrade"];

/// SKU of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sku {
    pub(crate) name: String,
    pub(crate) capacity: Option<u64>,
    #[serde(rename = "tier")]
    _tier: Option<String>,
    #[serde(rename = "size")]
    _size: Option<String>,
    #[serde(rename = "family")]
    _family: Option<String>,
}

/// Model reference in a body.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ModelRef {
    pub(crate) format: String,
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    pub(crate) source: Option<String>,
    #[serde(rename = "publisher")]
    _publisher: Option<String>,
    #[serde(rename = "sourceAccount")]
    _source_account: Option<String>,
}

/// The body of PUT.
#[derive(Debug, Clone)]
pub(crate) struct Put {
    pub(crate) sku: Sku,
    pub(crate) tags: Option<Value>,
    pub(crate) model: ModelRef,
    pub(crate) draft: Option<ModelRef>,
    pub(crate) content_filter: Option<String>,
    pub(crate) spillover: Option<String>,
    /// Properties as sent.
    pub(crate) properties: Map<String, Value>,
}

/// The body of PATCH.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Patch {
    pub(crate) sku: Option<Sku>,
    pub(crate) tags: Option<BTreeMap<String, String>>,
}

impl ModelRef {
    /// Reference without a known model.
    pub(crate) fn unknown() -> Self {
        Self {
            format: String::new(),
            name: String::new(),
            version: None,
            source: None,
            _publisher: None,
            _source_account: None,
        }
    }

    /// True for a registered model of a project.
    pub(crate) fn is_custom(&self) -> bool {
        self.format == "FireworksCustom"
    }

    /// True for models that only a subscription with the feature may deploy.
    pub(crate) fn is_fireworks(&self) -> bool {
        self.is_custom() || self.format == "Fireworks"
    }

    /// True for the same registered model, regardless of its version.
    pub(crate) fn is_twin(&self, other: &Self) -> bool {
        let same = |a: &Option<String>, b: &Option<String>| {
            a.as_deref().unwrap_or_default().eq_ignore_ascii_case(b.as_deref().unwrap_or_default())
        };
        self.is_custom() && other.is_custom() && self.name == other.name && same(&self.source, &other.source)
    }
}

impl Put {
    /// Reads a body; `present` are the properties of the existing deployment.
    pub(crate) fn read(body: &[u8], api_version: &str, present: Option<&Value>) -> Result<Self, Refusal> {
        let body: Map<String, Value> = wire::read(body)?;
        if let Some(key) = body.keys().find(|key| !["sku", "tags", "properties"].contains(&key.as_str())) {
            return Err(unknown(key));
        }
        let sku = body.get("sku").filter(|sku| !sku.is_null()).ok_or_else(|| {
            Refusal::bad_request("InvalidResourceProperties", "The sku of model deployment is not provided.")
        })?;
        let sku: Sku = part(sku)?;
        let tags = body.get("tags").cloned();
        if let Some(tags) = &tags {
            part::<BTreeMap<String, String>>(tags)?;
        }
        let properties: Map<String, Value> = part(body.get("properties").unwrap_or(&Value::Null))?;
        let mut put = Self {
            sku,
            tags,
            model: part(properties.get("model").unwrap_or(&Value::Null))?,
            draft: None,
            content_filter: None,
            spillover: None,
            properties: properties.clone(),
        };
        for (key, value) in &properties {
            put.read_property(key, value, api_version, present)?;
        }
        Ok(put)
    }

    fn read_property(
        &mut self,
        key: &str,
        value: &Value,
        api_version: &str,
        present: Option<&Value>,
    ) -> Result<(), Refusal> {
        match key {
            "model" => {}
            "raiPolicyName" => self.content_filter = Some(part(value)?),
            "spilloverDeploymentName" => self.spillover = Some(part(value)?),
            "parentDeploymentName" => drop(part::<String>(value)?),
            "versionUpgradeOption" => {
                let option: String = part(value)?;
                if !UPGRADE_OPTIONS.contains(&option.as_str()) {
                    let message = format!("The versionUpgradeOption '{option}' is not one of {UPGRADE_OPTIONS:?}.");
                    return Err(Refusal::bad_request("InvalidResourceProperties", message));
                }
            }
            "scaleSettings" => {
                let message = "The scale settings of account deployment is deprecated since API version 2023-05-01.";
                return Err(Refusal::bad_request("InvalidResourceProperties", message));
            }
            "speculativeDecoding" if api_version >= LATER => {
                #[derive(Deserialize)]
                #[serde(rename_all = "camelCase", deny_unknown_fields)]
                struct Drafting {
                    draft_model: ModelRef,
                    #[serde(rename = "draftTokenCount")]
                    _draft_token_count: u32,
                }
                self.draft = Some(part::<Drafting>(value)?.draft_model);
            }
            "serviceTier" if api_version >= LATER => drop(part::<String>(value)?),
            _ if READ_ONLY.contains(&key) => {
                let message = format!("The property '{key}' is read-only.");
                return Err(Refusal::bad_request("InvalidRequestContent", message));
            }
            _ if LATER_FIELDS.contains(&key) || present.is_none_or(|present| present[key] != *value) => {
                return Err(unknown(key));
            }
            _ => {}
        }
        Ok(())
    }
}

impl Patch {
    /// Reads a body.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Refusal> {
        wire::read(body)
    }
}

fn part<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T, Refusal> {
    let invalid = |error: serde_json::Error| {
        Refusal::bad_request("InvalidRequestContent", format!("The request content was invalid: {error}."))
    };
    T::deserialize(value).map_err(invalid)
}

fn unknown(key: &str) -> Refusal {
    let message = format!("Could not find member '{key}' on object of type 'Deployment'.");
    Refusal::bad_request("InvalidRequestContent", message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const EARLY: &str = "2025-06-01";

    fn good() -> Value {
        json!({
            "sku": {"name": "GlobalStandard", "capacity": 1},
            "properties": {"model": {"format": "OpenAI", "name": "gpt-4.1", "version": "2025-04-14"}},
        })
    }

    fn with(path: &str, value: Value) -> Vec<u8> {
        let mut body = good();
        *body.pointer_mut(path.rsplit_once('/').unwrap().0).unwrap() = {
            let mut parent = body.pointer(path.rsplit_once('/').unwrap().0).unwrap().clone();
            parent[path.rsplit_once('/').unwrap().1] = value;
            parent
        };
        body.to_string().into_bytes()
    }

    #[test]
    fn unknown_fields_of_a_deployment_are_rejected() {
        assert!(Put::read(good().to_string().as_bytes(), EARLY, None).is_ok());
        let draft = json!({"draftModel": {"format": "FireworksCustom", "name": "d"}, "draftTokenCount": 4});
        for (path, value, version) in [
            ("/kind", json!("x"), LATER),
            ("/sku", Value::Null, LATER),
            ("/sku/capacity", json!("1"), LATER),
            ("/properties/sku", json!({"name": "S"}), LATER),
            ("/properties/provisioningState", json!("Succeeded"), LATER),
            ("/properties/scaleSettings", json!({}), LATER),
            ("/properties/versionUpgradeOption", json!("Never"), LATER),
            ("/properties/model/callRateLimit", json!({}), LATER),
            ("/properties/speculativeDecoding", draft.clone(), EARLY),
        ] {
            assert!(Put::read(&with(path, value), version, None).is_err(), "{path}");
        }
        let read = Put::read(&with("/properties/speculativeDecoding", draft), LATER, None).unwrap();
        assert_eq!(read.draft.unwrap().name, "d");
    }

    #[test]
    fn an_update_may_send_back_unchanged_unknown_fields() {
        let present = json!({"xEmulator": {"a": 1}});
        let body = with("/properties/xEmulator", json!({"a": 1}));
        assert!(Put::read(&body, EARLY, Some(&present)).is_ok());
        assert!(Put::read(&body, EARLY, Some(&json!({}))).is_err());
    }
}
