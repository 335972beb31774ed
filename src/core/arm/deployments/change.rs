//! Changes to an existing deployment, and the requests that make them. Pure.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

use super::body::{tags_of, without_read_only};
use crate::model::Tag;
use crate::units::grouped;

/// Change of a deployment. `None` leaves a field unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeploymentChange {
    /// Capacity of the same SKU.
    pub capacity: Option<u64>,
    /// Tags by key: the new value, or `None` to remove the tag.
    pub tags: BTreeMap<String, Option<String>>,
    /// Content filter.
    pub rai_policy: Option<String>,
    /// Policy by which the service upgrades the model version.
    pub version_upgrade: Option<String>,
    /// Deployment that handles requests beyond the capacity.
    pub spillover: Option<String>,
    /// New version of the same model.
    pub model_version: Option<String>,
}

/// A field that a change alters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Name for users: `capacity`, `tag 'team'`.
    pub field: String,
    /// Value before; `None` if there was none.
    pub before: Option<String>,
    /// Value after; `None` if it is removed.
    pub after: Option<String>,
}

/// Writes `capacity: 80 -> 160`, `tag 'team': added (a)`, `tag 'team': removed (was a)`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, before, after } = self;
        // An empty value would leave a gap in the line.
        let shown = |value: &str| if value.is_empty() { "empty".to_owned() } else { value.to_owned() };
        match (before, after) {
            (Some(before), Some(after)) => write!(f, "{field}: {} -> {}", shown(before), shown(after)),
            (None, Some(after)) => write!(f, "{field}: added ({})", shown(after)),
            (Some(before), None) => write!(f, "{field}: removed (was {})", shown(before)),
            (None, None) => write!(f, "{field}: none"),
        }
    }
}

impl DeploymentChange {
    /// Adds tags to set and tags to remove.
    ///
    /// # Errors
    /// A sentence, if a tag is both set and removed, or set to two values.
    pub fn with_tags(mut self, set: Vec<Tag>, remove: Vec<String>) -> Result<Self, String> {
        for Tag { key, value } in set {
            if self.tags.insert(key.clone(), Some(value)).is_some() {
                return Err(format!("the tag '{key}' is set twice"));
            }
        }
        for key in remove {
            if let Some(Some(_)) = self.tags.insert(key.clone(), None) {
                return Err(format!("the tag '{key}' is both set and removed"));
            }
        }
        Ok(self)
    }

    /// True if nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// True if PATCH cannot make the change: it supports only capacity and tags.
    #[must_use]
    pub fn needs_put(&self) -> bool {
        let Self { rai_policy, version_upgrade, spillover, model_version, .. } = self;
        [rai_policy, version_upgrade, spillover, model_version].into_iter().any(Option::is_some)
    }

    /// True if a deployment, as received, includes this change.
    #[must_use]
    pub fn is_shown_by(&self, deployment: &Value) -> bool {
        self.differences(deployment).is_empty()
    }

    /// True if a deployment includes this change, except for tags that still exist.
    pub(super) fn is_applied_except_tags(&self, deployment: &Value) -> bool {
        let mut rest = self.clone();
        rest.tags.retain(|_, value| value.is_some());
        rest.is_shown_by(deployment) && !self.is_shown_by(deployment)
    }

    /// Fields that the change alters.
    #[must_use]
    pub fn differences(&self, deployment: &Value) -> Vec<Difference> {
        let properties = &deployment["properties"];
        let text = |value: &Value| value.as_str().map(str::to_owned).or_else(|| whole(value));
        let number = |value: &Value| text(value).map(|text| text.parse().map_or(text, grouped));
        let fields = [
            ("capacity", number(&deployment["sku"]["capacity"]), self.capacity.map(grouped)),
            ("model version", text(&properties["model"]["version"]), self.model_version.clone()),
            ("content filter", text(&properties["raiPolicyName"]), self.rai_policy.clone()),
            ("version upgrade", text(&properties["versionUpgradeOption"]), self.version_upgrade.clone()),
            ("spillover", text(&properties["spilloverDeploymentName"]), self.spillover.clone()),
        ];
        let fields = fields
            .into_iter()
            .filter(|(_, _, after)| after.is_some())
            .map(|(field, before, after)| Difference { field: field.to_owned(), before, after });
        let tags = self.tags.iter().map(|(key, after)| {
            let before = text(&deployment["tags"][key]);
            Difference { field: format!("tag '{key}'"), before, after: after.clone() }
        });
        fields.chain(tags).filter(|one| one.before != one.after).collect()
    }

    /// Body of the PATCH: the complete new map of tags, and the current SKU with its new capacity.
    #[must_use]
    pub fn patch(&self, deployment: &Value) -> Value {
        let mut body = json!({});
        if !self.tags.is_empty() {
            body["tags"] = self.new_tags(deployment);
        }
        if let Some(capacity) = self.capacity {
            body["sku"] = json!({ "name": deployment["sku"]["name"], "capacity": capacity });
        }
        body
    }

    /// Body of the PUT: the deployment as received, without fields that only the service writes, and with the change.
    #[must_use]
    pub fn put(&self, deployment: &Value) -> Value {
        let mut body = without_read_only(deployment);
        if let Some(capacity) = self.capacity {
            body["sku"]["capacity"] = json!(capacity);
        }
        if !self.tags.is_empty() {
            body["tags"] = self.new_tags(deployment);
        }
        let properties = &mut body["properties"];
        let fields = [
            ("raiPolicyName", &self.rai_policy),
            ("versionUpgradeOption", &self.version_upgrade),
            ("spilloverDeploymentName", &self.spillover),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                properties[name] = json!(value);
            }
        }
        if let Some(version) = &self.model_version {
            properties["model"]["version"] = json!(version);
        }
        body
    }

    fn new_tags(&self, deployment: &Value) -> Value {
        let mut tags = tags_of(deployment);
        for (key, value) in &self.tags {
            match value {
                Some(value) => drop(tags.insert(key.clone(), json!(value))),
                None => drop(tags.shift_remove(key)),
            }
        }
        Value::Object(tags)
    }
}

fn whole(value: &Value) -> Option<String> {
    value.as_number().map(|number| number.to_string().trim_end_matches(".0").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment() -> Value {
        json!({
            "name": "d", "etag": "e", "sku": {"name": "GlobalProvisionedManaged", "capacity": 80.0},
            "tags": {"a": "1", "b": "2"},
            "properties": {
                "provisioningState": "Succeeded",
                "model": {"format": "FireworksCustom", "name": "m", "version": "1", "source": "s"},
                "speculativeDecoding": {"draftTokenCount": 4}, "raiPolicyName": "R",
            },
        })
    }

    fn change(set: &[&str], remove: &[&str]) -> Result<DeploymentChange, String> {
        DeploymentChange { capacity: Some(160), ..DeploymentChange::default() }.with_tags(
            set.iter().map(|text| text.parse().expect("a tag")).collect(),
            remove.iter().map(ToString::to_string).collect(),
        )
    }

    #[test]
    fn a_patch_has_the_current_sku_and_all_tags() {
        let change = change(&["c=3", "a="], &["b"]).expect("a change");
        assert!(!change.needs_put());
        assert_eq!(
            change.patch(&deployment()).to_string(),
            r#"{"tags":{"a":"","c":"3"},"sku":{"name":"GlobalProvisionedManaged","capacity":160}}"#
        );
        let capacity = DeploymentChange { capacity: Some(1), ..DeploymentChange::default() };
        assert_eq!(
            capacity.patch(&deployment()).to_string(),
            r#"{"sku":{"name":"GlobalProvisionedManaged","capacity":1}}"#
        );
    }

    #[test]
    fn a_put_keeps_unchanged_fields() {
        let change = DeploymentChange {
            rai_policy: Some("Strict".into()),
            model_version: Some("2".into()),
            ..DeploymentChange::default()
        };
        assert!(change.needs_put());
        assert_eq!(
            change.put(&deployment()).to_string(),
            r#"{"sku":{"name":"GlobalProvisionedManaged","capacity":80.0},"tags":{"a":"1","b":"2"},"properties":{"model":{"format":"FireworksCustom","name":"m","version":"2","source":"s"},"speculativeDecoding":{"draftTokenCount":4},"raiPolicyName":"Strict"}}"#
        );
    }

    #[test]
    fn a_change_lists_before_and_after_of_changed_fields_only() {
        let change = DeploymentChange {
            capacity: Some(80),
            spillover: Some("x".into()),
            tags: BTreeMap::from([("a".into(), None), ("b".into(), Some("2".into()))]),
            ..DeploymentChange::default()
        };
        let said: Vec<String> = change.differences(&deployment()).iter().map(ToString::to_string).collect();
        assert_eq!(said, ["spillover: added (x)", "tag 'a': removed (was 1)"]);
        assert!(!change.is_shown_by(&deployment()));
        assert!(DeploymentChange { capacity: Some(80), ..DeploymentChange::default() }.is_shown_by(&deployment()));
    }

    #[test]
    fn a_tag_cannot_be_set_twice_or_set_and_removed() {
        assert_eq!(change(&["a=1"], &["a"]), Err("the tag 'a' is both set and removed".into()));
        assert_eq!(change(&["a=1", "a=1"], &[]), Err("the tag 'a' is set twice".into()));
        assert!(DeploymentChange::default().is_empty());
    }
}
