//! Content of a registration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{BaseModel, BlobUri, CustomModel, WeightType};

/// Content of a registration, independent of the service's dialect. The journal stores it in this form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
    /// Container, or container and prefix, that holds the weights.
    pub blob_uri: BlobUri,
    /// Details from the user.
    #[serde(flatten)]
    pub details: ModelDetails,
}

impl Registration {
    /// Difference between a registered model and this registration, as a sentence; `None` if they agree. The address is
    /// required; weight type and base model count if the service reports them.
    #[must_use]
    pub fn difference(&self, model: &CustomModel) -> Option<String> {
        let (view, details) = (model.view(), &self.details);
        if !model.is_at(&self.blob_uri) {
            let place = view.blob_uri.as_deref().unwrap_or("an unknown place");
            return Some(format!("Its weights are in {place}, not in {}.", self.blob_uri));
        }
        let weight_type = details.weight_type.as_str();
        if let Some(other) = view.weight_type.as_deref().filter(|shown| !shown.eq_ignore_ascii_case(weight_type)) {
            return Some(format!("Its weight type is {other}, not {weight_type}."));
        }
        let (base, shown) = (details.base_model.as_ref()?, view.base_model()?);
        let is_same = shown.parse::<BaseModel>().is_ok_and(|shown| shown.uri().eq_ignore_ascii_case(base.uri()));
        (!is_same).then(|| format!("Its base model is {shown}, not {base}."))
    }
}

/// Details of a model from the user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ModelDetails {
    /// Kind of weights.
    pub weight_type: WeightType,
    /// Base model, if given.
    pub base_model: Option<BaseModel>,
    /// Description.
    pub description: Option<String>,
    /// Tags, without `baseArchitecture`, which follows from the base model.
    pub tags: BTreeMap<String, String>,
    /// Shape of the adapter, as far as the user specified it; the service reads the rest from the files.
    pub lora: LoraShape,
    /// Publisher of the model.
    pub publisher: Option<String>,
}

/// Shape of a LoRA adapter. Absent fields are not sent.
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
    /// True if no field is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_the_registered_one_if_all_shown_fields_agree() {
        let details = ModelDetails { base_model: Some("FW-X".parse().expect("a name")), ..ModelDetails::default() };
        let registration = Registration { blob_uri: "https://h/c".parse().expect("a location"), details };
        let base = "azureml://registries/azureml-fireworks/models/FW-X/versions/1";
        for (shown, difference) in [
            (r#""blobUri":"https://H:443/c/""#.to_owned(), None),
            (format!(r#""blobUri":"https://h/c","weightType":"fullweight","baseModel":"{base}""#), None),
            (r#""blobUri":"https://h/c","derivedModelInformation":{"baseModel":"FW-X"}"#.into(), None),
            (r#""blobUri":null"#.into(), Some("Its weights are in an unknown place, not in https://h/c.")),
            (r#""blobUri":"https://h/d""#.into(), Some("Its weights are in https://h/d, not in https://h/c.")),
            (r#""blobUri":"https://h/c","weightType":"LoRA""#.into(), Some("Its weight type is LoRA, not FullWeight.")),
            (r#""blobUri":"https://h/c","baseModel":"FW-Y""#.into(), Some("Its base model is FW-Y, not FW-X.")),
        ] {
            let model = serde_json::from_str(&format!(r#"{{"name":"m",{shown}}}"#)).expect("a model");
            assert_eq!(registration.difference(&model).as_deref(), difference, "{shown}");
        }
    }
}
