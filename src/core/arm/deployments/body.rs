//! Body of a new deployment, and the api-version that a body needs. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::model::DeploymentView;

/// Api-version that is widely used, and the one in the published example of a custom deployment.
pub(super) const USUAL_VERSION: &str = "2025-06-01";
/// First stable api-version with draft models.
pub(super) const DRAFT_VERSION: &str = "2026-09-01";
/// Properties that older versions may ignore silently.
const NEW_PROPERTIES: [&str; 4] = ["speculativeDecoding", "serviceTier", "deploymentState", "routing"];

/// Api-version that a body needs.
pub(super) fn version_for(body: &Value) -> &'static str {
    let needs_new = NEW_PROPERTIES.iter().any(|name| !body["properties"][name].is_null());
    if needs_new { DRAFT_VERSION } else { USUAL_VERSION }
}

/// A deployment to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDeployment {
    /// SKU code in the catalog's spelling.
    pub sku: String,
    /// Capacity, 1 or more.
    pub capacity: u64,
    /// Model.
    pub model: NewModel,
    /// Draft model of speculative decoding.
    pub draft: Option<DraftModel>,
    /// Content filter.
    pub rai_policy: Option<String>,
    /// Policy by which the service upgrades the model version.
    pub version_upgrade: Option<String>,
    /// Deployment that handles requests beyond the capacity.
    pub spillover: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// Model of a deployment to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewModel {
    /// Format in the service's spelling.
    pub format: String,
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// ARM id of the project that holds a custom model; `None` for a catalog model.
    pub source: Option<String>,
}

/// Draft model of speculative decoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftModel {
    /// Model.
    pub model: NewModel,
    /// Number of tokens that the draft model proposes at a time.
    pub tokens: u32,
}

impl NewModel {
    fn body(&self) -> Value {
        let Self { format, name, version, source } = self;
        let mut body = json!({ "format": format, "name": name, "version": version });
        insert(&mut body, "source", source.as_deref());
        body
    }
}

impl NewDeployment {
    /// Body of the request that creates the deployment; options that the user did not set are omitted.
    #[must_use]
    pub fn body(&self) -> Value {
        let mut properties = json!({ "model": self.model.body() });
        let draft = self.draft.as_ref();
        let draft = draft.map(|draft| json!({ "draftModel": draft.model.body(), "draftTokenCount": draft.tokens }));
        insert(&mut properties, "speculativeDecoding", draft);
        insert(&mut properties, "raiPolicyName", self.rai_policy.as_deref());
        insert(&mut properties, "versionUpgradeOption", self.version_upgrade.as_deref());
        insert(&mut properties, "spilloverDeploymentName", self.spillover.as_deref());
        let mut body = json!({ "sku": { "name": self.sku, "capacity": self.capacity } });
        if !self.tags.is_empty() {
            body["tags"] = json!(self.tags);
        }
        body["properties"] = properties;
        body
    }

    /// Api-version of the request that creates it.
    #[must_use]
    pub fn api_version(&self) -> &'static str {
        version_for(&self.body())
    }

    /// True if a deployment has this model and this version.
    #[must_use]
    pub fn is_model_of(&self, deployment: &DeploymentView) -> bool {
        let NewModel { format, name, version, source } = &self.model;
        let same = |field: &Option<String>, wanted: &str| {
            field.as_deref().is_some_and(|field| field.eq_ignore_ascii_case(wanted))
        };
        deployment.model().is_some_and(|model| {
            same(&model.format, format)
                && same(&model.name, name)
                && same(&model.version, version)
                && source.as_ref().is_none_or(|source| same(&model.source, source))
        })
    }
}

fn insert(object: &mut Value, key: &str, value: Option<impl Into<Value>>) {
    if let (Some(object), Some(value)) = (object.as_object_mut(), value) {
        object.insert(key.to_owned(), value.into());
    }
}

/// Removes the fields that only the service writes from a deployment, and those that it never accepts.
pub(super) fn without_read_only(deployment: &Value) -> Value {
    const ROOT: [&str; 6] = ["id", "name", "type", "etag", "eTag", "systemData"];
    const PROPERTIES: [&str; 10] = [
        "provisioningState",
        "capabilities",
        "callRateLimit",
        "rateLimits",
        "dynamicThrottlingEnabled",
        "currentCapacity",
        // Changed only by separate requests that pause and resume.
        "deploymentState",
        // Deprecated, and rejected by the service.
        "scaleSettings",
        // Internal to the service.
        "capacitySettings",
        "error",
    ];
    let mut body = deployment.clone();
    remove(&mut body, &ROOT);
    remove(&mut body["properties"], &PROPERTIES);
    remove(&mut body["properties"]["model"], &["callRateLimit"]);
    without_nulls(&mut body);
    body
}

fn remove(object: &mut Value, keys: &[&str]) {
    if let Some(object) = object.as_object_mut() {
        object.retain(|key, _| !keys.contains(&key.as_str()));
    }
}

/// Removes nulls: the service sends them for unset fields, and rejects them in some properties.
fn without_nulls(value: &mut Value) {
    if let Some(object) = value.as_object_mut() {
        object.retain(|_, value| !value.is_null());
        object.values_mut().for_each(without_nulls);
    }
}

/// Tags of a deployment as received.
pub(super) fn tags_of(deployment: &Value) -> Map<String, Value> {
    deployment["tags"].as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a/projects/p";

    fn custom() -> NewDeployment {
        NewDeployment {
            sku: "GlobalProvisionedManaged".into(),
            capacity: 80,
            model: NewModel {
                format: "FireworksCustom".into(),
                name: "m".into(),
                version: "1".into(),
                source: Some(SOURCE.into()),
            },
            draft: None,
            rai_policy: None,
            version_upgrade: None,
            spillover: None,
            tags: BTreeMap::new(),
        }
    }

    /// Published example of a custom deployment.
    #[test]
    fn a_plain_custom_deployment_has_the_published_body() {
        assert_eq!(
            custom().body().to_string(),
            format!(
                r#"{{"sku":{{"name":"GlobalProvisionedManaged","capacity":80}},"properties":{{"model":{{"format":"FireworksCustom","name":"m","version":"1","source":"{SOURCE}"}}}}}}"#
            )
        );
        assert_eq!(custom().api_version(), "2025-06-01");
    }

    /// Example of the specification.
    #[test]
    fn a_draft_model_has_the_body_of_the_specification_and_its_version() {
        let model =
            NewModel { format: "Fireworks".into(), name: "FW-Qwen3-14B".into(), version: "1".into(), source: None };
        let draft = DraftModel { model: custom().model, tokens: 4 };
        let new = NewDeployment { model, draft: Some(draft), ..custom() };
        assert_eq!(
            new.body()["properties"].to_string(),
            format!(
                r#"{{"model":{{"format":"Fireworks","name":"FW-Qwen3-14B","version":"1"}},"speculativeDecoding":{{"draftModel":{{"format":"FireworksCustom","name":"m","version":"1","source":"{SOURCE}"}},"draftTokenCount":4}}}}"#
            )
        );
        assert_eq!(new.api_version(), "2026-09-01");
    }

    #[test]
    fn given_options_are_sent_under_their_names() {
        let new = NewDeployment {
            rai_policy: Some("Strict".into()),
            version_upgrade: Some("NoAutoUpgrade".into()),
            spillover: Some("other".into()),
            tags: BTreeMap::from([("team".into(), "a".into())]),
            ..custom()
        };
        let body = new.body();
        assert_eq!(body["tags"], json!({"team": "a"}));
        assert_eq!(body["properties"]["raiPolicyName"], "Strict");
        assert_eq!(body["properties"]["versionUpgradeOption"], "NoAutoUpgrade");
        assert_eq!(body["properties"]["spilloverDeploymentName"], "other");
    }

    #[test]
    fn read_only_fields_are_not_sent_back() {
        let sent = json!({
            "id": "i", "name": "d", "type": "t", "etag": "e", "eTag": "e", "systemData": {"createdBy": "x"},
            "sku": {"name": "S", "capacity": 1, "tier": null}, "tags": {"a": "b"}, "newField": 1,
            "properties": {
                "model": {"format": "OpenAI", "name": "m", "version": "1", "callRateLimit": {"count": 1}},
                "provisioningState": "Succeeded", "deploymentState": "Running", "capabilities": {}, "rateLimits": [],
                "currentCapacity": 1, "dynamicThrottlingEnabled": true, "callRateLimit": {}, "scaleSettings": {},
                "capacitySettings": {}, "raiPolicyName": "R", "newProperty": {"x": 1}, "parentDeploymentName": null,
            },
        });
        assert_eq!(
            without_read_only(&sent).to_string(),
            r#"{"sku":{"name":"S","capacity":1},"tags":{"a":"b"},"newField":1,"properties":{"model":{"format":"OpenAI","name":"m","version":"1"},"raiPolicyName":"R","newProperty":{"x":1}}}"#
        );
    }
}
