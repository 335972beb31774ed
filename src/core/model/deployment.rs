//! Deployments as listed by the control plane and by the project.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::document::{Document, lenient, tags, text, whole};

/// Format of a model that was registered in a project.
pub const CUSTOM_FORMAT: &str = "FireworksCustom";
/// Format of a catalog model of Fireworks, the only one that can have a custom model as its draft.
pub const FIREWORKS_FORMAT: &str = "Fireworks";

/// True for the formats of Fireworks, whose deployments require a separate feature and quota.
#[must_use]
pub fn is_fireworks(format: &str) -> bool {
    [CUSTOM_FORMAT, FIREWORKS_FORMAT].iter().any(|known| known.eq_ignore_ascii_case(format))
}

/// A deployment as received from Azure Resource Manager.
pub type Deployment = Document<DeploymentView>;

/// A deployment as listed by the project itself: without its state, and without the format of its model.
pub type ProjectDeployment = Document<ProjectDeploymentView>;

/// Fields of a deployment that this program reads. A field of an unexpected type counts as absent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DeploymentView {
    /// Name.
    pub name: String,
    /// SKU with its capacity.
    #[serde(deserialize_with = "lenient")]
    pub sku: Option<Sku>,
    /// Tags, sorted by key.
    #[serde(deserialize_with = "tags")]
    pub tags: Vec<(String, String)>,
    /// Properties.
    #[serde(deserialize_with = "lenient", rename = "properties")]
    own: Option<DeploymentProperties>,
}

/// SKU of a deployment.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct Sku {
    /// Code such as `GlobalStandard`.
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    /// Provisioned throughput units, or multiples of the model's rate limits.
    #[serde(deserialize_with = "whole")]
    pub capacity: Option<u64>,
}

/// `properties` of a deployment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DeploymentProperties {
    /// Deployed model.
    #[serde(deserialize_with = "lenient")]
    pub model: Option<ModelReference>,
    /// State, as reported by the service.
    #[serde(deserialize_with = "text")]
    pub provisioning_state: Option<String>,
    /// `Running` or `Paused`: whether it serves requests.
    #[serde(deserialize_with = "text")]
    pub deployment_state: Option<String>,
    /// Content filter.
    #[serde(deserialize_with = "text")]
    pub rai_policy_name: Option<String>,
    /// Policy by which the service upgrades the model's version.
    #[serde(deserialize_with = "text")]
    pub version_upgrade_option: Option<String>,
    /// Deployment that handles requests beyond the capacity.
    #[serde(deserialize_with = "text")]
    pub spillover_deployment_name: Option<String>,
    /// Capabilities of the model, as reported by the service: `"chatCompletion": "true"`.
    #[serde(deserialize_with = "lenient")]
    pub capabilities: Option<BTreeMap<String, String>>,
    /// Limits of this capacity.
    #[serde(deserialize_with = "lenient")]
    pub rate_limits: Option<Vec<RateLimit>>,
    /// Draft model.
    #[serde(deserialize_with = "lenient")]
    speculative_decoding: Option<SpeculativeDecoding>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SpeculativeDecoding {
    #[serde(deserialize_with = "lenient")]
    draft_model: Option<ModelReference>,
}

/// Model of a deployment.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct ModelReference {
    /// Format, which is case-sensitive for the service: `OpenAI`, `FireworksCustom`.
    #[serde(deserialize_with = "text")]
    pub format: Option<String>,
    /// Name.
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    /// Version.
    #[serde(deserialize_with = "text")]
    pub version: Option<String>,
    /// ARM id of the project that holds a custom model.
    #[serde(deserialize_with = "text")]
    pub source: Option<String>,
}

/// A limit of a deployment.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, rename_all = "camelCase")]
pub struct RateLimit {
    /// Counted unit: `request` or `token`.
    pub key: String,
    /// Seconds after which the count restarts.
    pub renewal_period: f64,
    /// Maximum count per period.
    pub count: f64,
}

/// Progress of a deployment, according to its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeploymentState<'a> {
    /// Ready.
    Succeeded,
    /// Failed: `Failed`, `Canceled`, `Disabled`.
    Failed(&'a str),
    /// Being removed.
    Deleting,
    /// Any other state: in progress.
    Running(&'a str),
}

impl<'a> DeploymentState<'a> {
    /// Classifies a state, case-insensitively. The final states are a closed list.
    #[must_use]
    pub fn of(word: &'a str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "succeeded" => Self::Succeeded,
            "failed" | "canceled" | "cancelled" | "disabled" => Self::Failed(word),
            "deleting" => Self::Deleting,
            _ => Self::Running(word),
        }
    }
}

/// The two kinds of deployments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeploymentKind {
    /// A model that was registered in a project.
    Custom,
    /// A model of the catalog.
    Base,
}

impl DeploymentKind {
    /// Kind of a model of this format.
    #[must_use]
    pub fn of_format(format: Option<&str>) -> Self {
        match format {
            Some(format) if format.eq_ignore_ascii_case(CUSTOM_FORMAT) => Self::Custom,
            _ => Self::Base,
        }
    }

    /// Word on the command line and in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Custom => "custom",
            Self::Base => "base",
        }
    }
}

impl DeploymentView {
    /// Properties; empty if the service sends none.
    #[must_use]
    pub fn properties(&self) -> &DeploymentProperties {
        static NONE: std::sync::LazyLock<DeploymentProperties> = std::sync::LazyLock::new(Default::default);
        self.own.as_ref().unwrap_or(&NONE)
    }

    /// Deployed model.
    #[must_use]
    pub fn model(&self) -> Option<&ModelReference> {
        self.properties().model.as_ref()
    }

    /// Draft model of speculative decoding.
    #[must_use]
    pub fn draft_model(&self) -> Option<&ModelReference> {
        self.properties().speculative_decoding.as_ref().and_then(|one| one.draft_model.as_ref())
    }

    /// Format of the deployed model.
    #[must_use]
    pub fn format(&self) -> Option<&str> {
        self.model().and_then(|model| model.format.as_deref())
    }

    /// Kind, by the format of the model.
    #[must_use]
    pub fn kind(&self) -> DeploymentKind {
        DeploymentKind::of_format(self.format())
    }

    /// State. A deployment without one counts as in progress, since only a state proves that it ended.
    #[must_use]
    pub fn state(&self) -> DeploymentState<'_> {
        DeploymentState::of(self.properties().provisioning_state.as_deref().unwrap_or_default())
    }

    /// True if it uses this version of a custom model, as its model or as its draft model.
    #[must_use]
    pub fn uses(&self, name: &str, version: &str, source: &str) -> bool {
        let is_it = |model: &ModelReference| {
            let same = |field: &Option<String>, wanted: &str| {
                field.as_deref().is_some_and(|field| field.eq_ignore_ascii_case(wanted))
            };
            DeploymentKind::of_format(model.format.as_deref()) == DeploymentKind::Custom
                && same(&model.name, name)
                && same(&model.version, version)
                && same(&model.source, source)
        };
        self.model().is_some_and(is_it) || self.draft_model().is_some_and(is_it)
    }
}

/// Fields of a deployment as listed by the project.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ProjectDeploymentView {
    /// Name.
    pub name: String,
    /// Name of the model.
    #[serde(deserialize_with = "text")]
    pub model_name: Option<String>,
    /// Version of the model.
    #[serde(deserialize_with = "text")]
    pub model_version: Option<String>,
    /// Publisher of the model.
    #[serde(deserialize_with = "text")]
    pub model_publisher: Option<String>,
    /// SKU with its capacity.
    #[serde(deserialize_with = "lenient")]
    pub sku: Option<Sku>,
    /// Capabilities of the model.
    #[serde(deserialize_with = "lenient")]
    pub capabilities: Option<BTreeMap<String, String>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(json: &str) -> Deployment {
        serde_json::from_str(json).expect("a deployment")
    }

    #[test]
    fn a_deployment_needs_only_a_name() {
        let empty = deployment(r#"{"name":"d","sku":"x","properties":7,"tags":"x"}"#);
        assert_eq!((empty.view().sku.clone(), empty.view().state()), (None, DeploymentState::Running("")));
        assert_eq!(empty.view().kind(), DeploymentKind::Base);
        for other in ["[]", "{}", r#"{"name":7}"#, r#"{"name":""}"#] {
            assert!(serde_json::from_str::<Deployment>(other).is_err(), "{other}");
        }
    }

    #[test]
    fn end_states_are_a_closed_list() {
        for (word, state) in [
            ("Succeeded", DeploymentState::Succeeded),
            ("succeeded", DeploymentState::Succeeded),
            ("Failed", DeploymentState::Failed("Failed")),
            ("Canceled", DeploymentState::Failed("Canceled")),
            ("Disabled", DeploymentState::Failed("Disabled")),
            ("Deleting", DeploymentState::Deleting),
            ("Accepted", DeploymentState::Running("Accepted")),
            ("ResolvingDNS", DeploymentState::Running("ResolvingDNS")),
        ] {
            assert_eq!(DeploymentState::of(word), state);
        }
    }

    #[test]
    fn a_version_is_used_as_model_and_as_draft() {
        let model = |format: &str| {
            format!(r#"{{"format":"{format}","name":"M","version":"1","source":"/SUBSCRIPTIONS/s/projects/p"}}"#)
        };
        let (name, version, source) = ("m", "1", "/subscriptions/s/projects/p");
        let plain = |format: &str| deployment(&format!(r#"{{"name":"d","properties":{{"model":{}}}}}"#, model(format)));
        assert!(plain("FireworksCustom").view().uses(name, version, source));
        assert!(!plain("FireworksCustom").view().uses(name, "2", source));
        assert!(!plain("OpenAI").view().uses(name, version, source));
        let draft = deployment(&format!(
            r#"{{"name":"d","properties":{{"model":{{"format":"Fireworks"}},"speculativeDecoding":{{"draftModel":{}}}}}}}"#,
            model("FireworksCustom")
        ));
        assert!(draft.view().uses(name, version, source));
        assert_eq!(draft.view().kind(), DeploymentKind::Base);
    }
}
