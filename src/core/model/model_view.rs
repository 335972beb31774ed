//! Fields of a registered model that this program shows. Fields of an unexpected type count as absent.

use serde::Deserialize;
use serde::de::Error;
use serde_json::Value;

use super::document::{lenient, tags, text};
use super::{OperationProgress, state_error, state_word};
use crate::redact;

/// Fields that this program shows. A field of an unexpected type counts as absent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ModelView {
    /// Name; a response without it is not a model.
    #[serde(deserialize_with = "Deserialize::deserialize")]
    pub name: String,
    /// Version.
    #[serde(deserialize_with = "text")]
    pub version: Option<String>,
    /// Description.
    #[serde(deserialize_with = "lenient")]
    pub description: Option<String>,
    /// Tags, sorted by key.
    #[serde(deserialize_with = "tags")]
    pub tags: Vec<(String, String)>,
    /// Address of the weights.
    #[serde(deserialize_with = "lenient")]
    pub blob_uri: Option<String>,
    /// Kind of weights, in the service's spelling.
    #[serde(deserialize_with = "lenient")]
    pub weight_type: Option<String>,
    #[serde(deserialize_with = "lenient", rename = "baseModel")]
    flat_base_model: Option<String>,
    #[serde(deserialize_with = "lenient")]
    derived_model_information: Option<Derived>,
    /// Origin of the weights.
    #[serde(deserialize_with = "lenient")]
    pub source: Option<ModelSource>,
    /// Result of the service's analysis of the files.
    #[serde(deserialize_with = "lenient")]
    pub artifact_profile: Option<ArtifactProfile>,
    /// Warnings of the service.
    #[serde(deserialize_with = "lenient")]
    pub warnings: Option<Vec<ModelWarning>>,
    /// Shape of a LoRA adapter.
    #[serde(deserialize_with = "lenient")]
    pub lora_config: Option<LoraConfig>,
    /// State of the registration, as reported by the service, from any of its fields.
    #[serde(skip)]
    pub provisioning_state: Option<String>,
    /// Reason for the failed registration.
    #[serde(skip)]
    pub failure: Option<ModelWarning>,
    /// Publisher.
    #[serde(deserialize_with = "lenient")]
    pub catalog_info: Option<CatalogInfo>,
    /// Creator and creation time.
    #[serde(deserialize_with = "lenient")]
    pub system_data: Option<SystemData>,
}

impl ModelView {
    /// Masks the secrets of a document, and reads its shown fields.
    pub(super) fn of<E: Error>(json: &mut Value) -> Result<Self, E> {
        redact::clean_json(json);
        let mut view: Self = Deserialize::deserialize(&*json).map_err(E::custom)?;
        view.provisioning_state = state_word(json).filter(|word| !word.is_empty()).map(str::to_owned);
        view.failure = ModelWarning::deserialize(state_error(json)).ok();
        if view.name.is_empty() {
            return Err(E::missing_field("name"));
        }
        Ok(view)
    }

    /// Base model, from either of the two fields that services use.
    #[must_use]
    pub fn base_model(&self) -> Option<&str> {
        self.flat_base_model
            .as_deref()
            .or_else(|| self.derived_model_information.as_ref().and_then(|derived| derived.base_model.as_deref()))
    }

    /// Progress of the registration. Without a state, an existing model counts as registered.
    #[must_use]
    pub fn progress(&self) -> OperationProgress {
        self.provisioning_state.as_deref().map_or(OperationProgress::Done, OperationProgress::of)
    }

    /// Creation time, as received from the service.
    #[must_use]
    pub fn created_at(&self) -> Option<&str> {
        self.system_data.as_ref().and_then(|data| data.created_at.as_deref())
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Derived {
    #[serde(deserialize_with = "lenient")]
    base_model: Option<String>,
}

/// Origin of the weights.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ModelSource {
    /// `LocalUpload`, `TrainingJob`, or a newer value.
    #[serde(deserialize_with = "lenient")]
    pub source_type: Option<String>,
    /// Training job.
    #[serde(deserialize_with = "lenient")]
    pub job_id: Option<String>,
    /// Repository on the Hugging Face Hub.
    #[serde(deserialize_with = "lenient")]
    pub hugging_face_repo_id: Option<String>,
    /// Revision of the repository.
    #[serde(deserialize_with = "lenient")]
    pub revision: Option<String>,
}

/// Publisher of a model.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CatalogInfo {
    /// Publisher.
    #[serde(deserialize_with = "lenient")]
    pub publisher_id: Option<String>,
    /// License.
    #[serde(deserialize_with = "lenient")]
    pub license: Option<String>,
}

/// Result of the service's analysis of the files.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ArtifactProfile {
    /// `DataOnly`, `RuntimeDependent`, `Unknown`, or a newer value.
    #[serde(deserialize_with = "lenient")]
    pub category: Option<String>,
    /// Reasons as reported by the service.
    #[serde(deserialize_with = "lenient")]
    pub signals: Option<Vec<String>>,
}

/// A warning of the service about a model, or the reason of a failure.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ModelWarning {
    /// Stable code.
    #[serde(deserialize_with = "lenient")]
    pub code: Option<String>,
    /// Sentence.
    #[serde(deserialize_with = "lenient")]
    pub message: Option<String>,
}

/// Shape of a LoRA adapter.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LoraConfig {
    /// Rank of the update matrices.
    #[serde(deserialize_with = "lenient")]
    pub rank: Option<u64>,
    /// Scaling.
    #[serde(deserialize_with = "lenient")]
    pub alpha: Option<f64>,
    /// Modules that the adapter changes.
    #[serde(deserialize_with = "lenient")]
    pub target_modules: Option<Vec<String>>,
    /// Dropout in training.
    #[serde(deserialize_with = "lenient")]
    pub dropout: Option<f64>,
}

/// Creator and creation time of a model.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SystemData {
    /// RFC 3339.
    #[serde(deserialize_with = "lenient")]
    pub created_at: Option<String>,
    /// Account or application.
    #[serde(deserialize_with = "lenient")]
    pub created_by: Option<String>,
    /// RFC 3339.
    #[serde(deserialize_with = "lenient")]
    pub last_modified_at: Option<String>,
}

#[cfg(test)]
mod tests {
    use crate::model::CustomModel;

    fn model(json: &str) -> CustomModel {
        serde_json::from_str(json).expect("a model")
    }

    #[test]
    fn fields_of_a_wrong_type_are_treated_as_absent() {
        let model = model(r#"{"name":"m","version":3,"tags":{"b":1,"a":"x","c":null},"systemData":"?","warnings":{}}"#);
        assert_eq!(model.view().version.as_deref(), Some("3"));
        assert_eq!(model.view().tags, [("a".into(), "x".into()), ("b".into(), "1".into())]);
        assert!(model.view().system_data.is_none() && model.view().warnings.is_none());
        assert!(serde_json::from_str::<CustomModel>("[]").is_err());
        assert!(serde_json::from_str::<CustomModel>(r#"{"name":7}"#).is_err());
    }

    #[test]
    fn the_base_model_is_read_from_both_fields() {
        assert_eq!(model(r#"{"name":"m","baseModel":"a"}"#).view().base_model(), Some("a"));
        assert_eq!(model(r#"{"name":"m","derivedModelInformation":{"baseModel":"b"}}"#).view().base_model(), Some("b"));
    }
}
