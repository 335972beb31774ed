//! What is said of a model when it is registered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{BaseModel, BlobUri, WeightType};

/// The content of a registration, whatever the dialect of the service. The journal keeps it as it is written here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
    /// Container, or container and prefix, that holds the weights.
    pub blob_uri: BlobUri,
    /// What the person says of them.
    #[serde(flatten)]
    pub details: ModelDetails,
}

/// What a person says of a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ModelDetails {
    /// Kind of weights.
    pub weight_type: WeightType,
    /// Base model, if one was named.
    pub base_model: Option<BaseModel>,
    /// Text for people.
    pub description: Option<String>,
    /// Tags, `baseArchitecture` not among them: it follows from the base model.
    pub tags: BTreeMap<String, String>,
    /// Shape of the adapter, as far as the person gave it; the service reads the rest from the files.
    pub lora: LoraShape,
    /// Who publishes the model.
    pub publisher: Option<String>,
}

/// Shape of a LoRA adapter (contracts/foundry-rest.md 1.7). What is absent is not sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LoraShape {
    /// Rank of the update matrices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<u32>,
    /// Scaling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<u32>,
    /// Modules that the adapter changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_modules: Option<Vec<String>>,
    /// Dropout in training, from 0 up to but not including 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f64>,
}

impl LoraShape {
    /// True when nothing of it is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
