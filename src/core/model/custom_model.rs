//! A registered model: the service's own JSON, and a view of the fields that this program shows.
//!
//! The JSON is kept completely, so that fields unknown to this program reach `-o json`. Secrets are masked on input, so
//! that code that displays a model does not have to.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{BlobUri, ModelName, ModelVersion, ModelView, Versioned};

/// One version of a custom model.
#[derive(Clone, Debug)]
pub struct CustomModel {
    json: ModelDocument,
    view: Box<ModelView>,
}

/// Document of a model without its secrets.
#[derive(Clone, Debug)]
pub struct ModelDocument(
    // Stored as text: thousands of documents are listed, and a tree of values takes five times the memory.
    Box<RawValue>,
);

impl ModelDocument {
    /// Wraps a document whose secrets are masked.
    ///
    /// # Errors
    /// Errors of serde_json; a value that was parsed can always be serialized.
    pub(super) fn of(json: &Value) -> serde_json::Result<Self> {
        serde_json::value::to_raw_value(json).map(Self)
    }
}

impl Serialize for ModelDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Parsed first: the text would keep its original indentation.
        let json: Value = serde_json::from_str(self.0.get()).map_err(serde::ser::Error::custom)?;
        json.serialize(serializer)
    }
}

impl CustomModel {
    /// Fields that the program shows.
    #[must_use]
    pub fn view(&self) -> &ModelView {
        &self.view
    }

    /// True for this version of the model with this name.
    #[must_use]
    pub fn is_version(&self, name: &ModelName, version: &ModelVersion) -> bool {
        self.view.name == name.as_str() && self.view.version.as_deref() == Some(version.as_str())
    }

    /// True if the weights of the model are in this location.
    #[must_use]
    pub fn is_at(&self, location: &BlobUri) -> bool {
        self.view.blob_uri.as_deref().is_some_and(|uri| location.is_named_by(uri))
    }
}

impl Versioned for CustomModel {
    fn name(&self) -> &str {
        &self.view.name
    }

    fn version(&self) -> &str {
        self.view.version.as_deref().unwrap_or_default()
    }

    fn created_at(&self) -> &str {
        self.view.created_at().unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for CustomModel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut json = Value::deserialize(deserializer)?;
        let view = Box::new(ModelView::of(&mut json)?);
        let json = ModelDocument::of(&json).map_err(D::Error::custom)?;
        Ok(Self { json, view })
    }
}

impl Serialize for CustomModel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(json: &str) -> CustomModel {
        serde_json::from_str(json).expect("a model")
    }

    #[test]
    fn unknown_fields_survive_in_their_order() {
        let json = r#"{"zeta":1,"name":"m","alpha":{"x":[1,2.50]}}"#;
        assert_eq!(
            serde_json::to_string(&model(json)).expect("json"),
            r#"{"zeta":1,"name":"m","alpha":{"x":[1,2.5]}}"#
        );
    }
}
