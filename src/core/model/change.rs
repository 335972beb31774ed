//! Changes to a registered model.

use std::collections::BTreeMap;

use serde_json::json;

use super::{CustomModel, Tag};
use crate::redact;

/// Change to a version: only description and tags can be changed. Tags that are not listed stay unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelChange {
    /// New description; empty clears it.
    pub description: Option<String>,
    /// Tags by key: the new value, or `None` to remove the tag.
    pub tags: BTreeMap<String, Option<String>>,
}

impl ModelChange {
    /// Builds a change.
    ///
    /// # Errors
    /// A sentence, if nothing changes, or a tag is both set and removed, or set to two values.
    pub fn new(description: Option<String>, set: Vec<Tag>, remove: Vec<String>) -> Result<Self, String> {
        let mut tags = BTreeMap::new();
        for Tag { key, value } in set {
            if tags.insert(key.clone(), Some(value)).is_some() {
                return Err(format!("the tag '{key}' is set twice"));
            }
        }
        for key in remove {
            if let Some(Some(_)) = tags.insert(key.clone(), None) {
                return Err(format!("the tag '{key}' is both set and removed"));
            }
        }
        if description.is_none() && tags.is_empty() {
            return Err("nothing to change".into());
        }
        Ok(Self { description, tags })
    }

    /// True if a model includes this change. Texts of a model are stored without their secrets.
    #[must_use]
    pub fn is_shown_by(&self, model: &CustomModel) -> bool {
        let view = model.view();
        let mut wanted = json!({ "description": self.description, "tags": self.tags });
        redact::clean_json(&mut wanted);
        let tag = |key: &str| view.tags.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str());
        wanted["description"].as_str().is_none_or(|text| text == view.description.as_deref().unwrap_or_default())
            && self.tags.keys().all(|key| wanted["tags"][key].as_str() == tag(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(description: Option<&str>, set: &[&str], remove: &[&str]) -> Result<ModelChange, String> {
        ModelChange::new(
            description.map(str::to_owned),
            set.iter().map(|text| text.parse().expect("a tag")).collect(),
            remove.iter().map(ToString::to_string).collect(),
        )
    }

    #[test]
    fn a_tag_cannot_be_set_twice_or_set_and_removed() {
        assert_eq!(change(None, &["a=1"], &["a"]), Err("the tag 'a' is both set and removed".into()));
        assert_eq!(change(None, &["a=1", "a=1"], &[]), Err("the tag 'a' is set twice".into()));
        let changed = change(None, &["b=2", "a="], &["c", "c"]).expect("a change");
        let tags: Vec<_> = changed.tags.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
        assert_eq!(tags, [("a", Some("")), ("b", Some("2")), ("c", None)]);
    }

    #[test]
    fn an_empty_description_is_a_change_and_a_missing_one_is_not() {
        assert!(change(Some(""), &[], &[]).is_ok());
        assert_eq!(change(None, &[], &[]), Err("nothing to change".into()));
    }
}
