//! What goes over the wire, in both dialects and in every shape seen (contracts/foundry-rest.md 1.4, 1.5).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::model::{CustomModel, Registration};
use crate::redact::SecretUrl;

/// The api-version in use; `v1` takes other bodies than the older ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ApiVersion(String);

impl ApiVersion {
    pub(super) fn new(named: Option<&str>) -> Self {
        Self(named.unwrap_or("2025-11-15-preview").to_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    fn is_v1(&self) -> bool {
        self.0 == "v1"
    }
}

/// One page of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    pub(super) value: Vec<CustomModel>,
    pub(super) next_link: Option<String>,
}

/// Body of startPendingUpload; the only type that the service takes for models.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartPendingUpload {
    pending_upload_type: &'static str,
}

impl StartPendingUpload {
    pub(super) const MODEL: Self = Self { pending_upload_type: "TemporaryBlobReference" };
}

/// A place to write, and the right to write there.
#[derive(Clone, Debug)]
pub struct PendingUpload {
    /// SAS URL of the container, or of a prefix in it.
    pub sas: SecretUrl,
    /// The same place without the SAS, for the registration.
    pub blob_uri: Url,
    /// The service's id of the upload.
    pub id: Option<String>,
}

impl PendingUpload {
    /// Reads the answer in any of its shapes; `None` when there is no place to write in it.
    pub(super) fn read(answer: &Value) -> Option<Self> {
        let reference = ["blobReferenceForConsumption", "blobReference"]
            .iter()
            .map(|name| &answer[name])
            .find(|found| found.is_object())?;
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let sas = text(&reference["credential"]["sasUri"]).or_else(|| text(&reference["sasUri"]))?;
        let sas = SecretUrl::new(Url::parse(&sas).ok()?);
        let blob_uri = match text(&reference["blobUri"]).and_then(|uri| Url::parse(&uri).ok()) {
            Some(uri) => SecretUrl::new(uri).without_query(),
            None => sas.without_query(),
        };
        let id = text(&answer["pendingUploadId"]).or_else(|| text(&answer["temporaryDataReferenceId"]));
        Some(Self { sas, blob_uri, id })
    }
}

/// Body of createAsync and of PUT.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateModel<'a> {
    blob_uri: &'a str,
    weight_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    derived_model_information: Option<DerivedModelInformation<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    tags: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DerivedModelInformation<'a> {
    base_model: &'a str,
}

impl<'a> CreateModel<'a> {
    pub(super) fn new(registration: &'a Registration, version: &ApiVersion) -> Self {
        let base = registration.base_model.as_ref();
        let mut tags: BTreeMap<&str, &str> =
            registration.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        if let Some(base) = base {
            tags.insert("baseArchitecture", base.short_name());
        }
        let uri = base.map(crate::model::BaseModel::uri);
        let (flat, derived) = if version.is_v1() { (uri, None) } else { (None, uri) };
        Self {
            blob_uri: registration.blob_uri.as_str(),
            weight_type: registration.weight_type.as_str(),
            base_model: flat,
            derived_model_information: derived.map(|base_model| DerivedModelInformation { base_model }),
            description: registration.description.as_deref(),
            tags,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::WeightType;

    #[test]
    fn every_shape_of_a_pending_upload_is_read() {
        const SAS: &str = "https://s.blob.core.windows.net/c?sig=x";
        for answer in [
            json!({"blobReferenceForConsumption": {"blobUri": "https://s.blob.core.windows.net/c", "credential": {"sasUri": SAS}},
                   "temporaryDataReferenceId": "i"}),
            json!({"blobReference": {"blobUri": "https://s.blob.core.windows.net/c", "credential": {"type": "SAS", "sasUri": SAS}},
                   "pendingUploadId": "i"}),
            json!({"blobReference": {"sasUri": SAS}, "pendingUploadId": "i"}),
            json!({"blobReferenceForConsumption": null, "blobReference": {"blobUri": SAS, "sasUri": SAS}, "pendingUploadId": "i"}),
        ] {
            let pending = PendingUpload::read(&answer).expect("a place");
            assert_eq!(pending.sas.expose().as_str(), SAS);
            assert_eq!(pending.blob_uri.as_str(), "https://s.blob.core.windows.net/c");
            assert_eq!(pending.id.as_deref(), Some("i"));
        }
        for nothing in [
            json!({}),
            json!([]),
            json!({"blobReference": {"blobUri": "https://h/c"}}),
            json!({"blobReference": {"sasUri": "?"}}),
        ] {
            assert!(PendingUpload::read(&nothing).is_none(), "{nothing}");
        }
    }

    #[test]
    fn both_dialects_say_the_same_in_their_own_words() {
        let registration = Registration {
            blob_uri: Url::parse("https://s.blob.core.windows.net/c").expect("a URL"),
            weight_type: WeightType::FullWeight,
            base_model: Some("FW-GLM-4.7".parse().expect("a base model")),
            description: Some("text".into()),
            tags: BTreeMap::new(),
        };
        let body =
            |version| serde_json::to_string(&CreateModel::new(&registration, &ApiVersion::new(version))).expect("JSON");
        assert_eq!(
            body(None),
            r#"{"blobUri":"https://s.blob.core.windows.net/c","weightType":"FullWeight","derivedModelInformation":{"baseModel":"azureml://registries/azureml-fireworks/models/FW-GLM-4.7/versions/1"},"description":"text","tags":{"baseArchitecture":"FW-GLM-4.7"}}"#
        );
        assert_eq!(
            body(Some("v1")),
            r#"{"blobUri":"https://s.blob.core.windows.net/c","weightType":"FullWeight","baseModel":"azureml://registries/azureml-fireworks/models/FW-GLM-4.7/versions/1","description":"text","tags":{"baseArchitecture":"FW-GLM-4.7"}}"#
        );
    }
}
