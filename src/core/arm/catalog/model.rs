//! A model that can be deployed, as listed by Azure Resource Manager.

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::ModelSku;
use crate::model::document::{lenient, tags, text};
use crate::model::{CUSTOM_FORMAT, Document};

/// One version of a model that can be deployed: the service's JSON, and the fields that this program reads.
pub type AccountModel = Document<AccountModelView>;

/// Year of a retirement date that means that none is planned; the service sends 2099-12-31.
const NO_RETIREMENT: i32 = 2099;

/// Fields of a model that this program reads. A field of an unexpected type counts as absent.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountModelView {
    /// Name; a row without it is not a model.
    pub name: String,
    /// Format, which is case-sensitive for the service: `OpenAI`, `Microsoft`, `Fireworks`.
    #[serde(default, deserialize_with = "text")]
    pub format: Option<String>,
    /// Version: a date, a number, or any other text.
    #[serde(default, deserialize_with = "text")]
    pub version: Option<String>,
    /// Publisher; absent for models of OpenAI.
    #[serde(default, deserialize_with = "text")]
    pub publisher: Option<String>,
    /// Kind of account that the row is for, if the list has rows for several kinds.
    #[serde(default, deserialize_with = "text")]
    pub kind: Option<String>,
    /// True for the version that is deployed by default.
    #[serde(default, deserialize_with = "lenient")]
    is_default_version: Option<bool>,
    /// SKUs, in the service's order.
    #[serde(default, deserialize_with = "lenient")]
    skus: Option<Vec<ModelSku>>,
    /// Capabilities as reported by the service, sorted: `"chatCompletion": "true"`.
    #[serde(default, deserialize_with = "tags")]
    pub capabilities: Vec<(String, String)>,
    #[serde(default, deserialize_with = "lenient")]
    deprecation: Option<Deprecation>,
    /// `GenerallyAvailable`, `Stable`, `Preview`, `Deprecating`, `Deprecated`, or a newer value.
    #[serde(default, deserialize_with = "text")]
    pub lifecycle_status: Option<String>,
    /// Model that replaces it.
    #[serde(default, deserialize_with = "lenient", rename = "replacementConfig")]
    pub replacement: Option<Replacement>,
    /// Address in the model catalog: `azureml://registries/...`.
    #[serde(default, deserialize_with = "text")]
    pub model_catalog_asset_id: Option<String>,
    /// ARM id of the project that holds a custom model.
    #[serde(default, deserialize_with = "text")]
    pub source: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Deprecation {
    #[serde(deserialize_with = "text")]
    inference: Option<String>,
    #[serde(deserialize_with = "text")]
    fine_tune: Option<String>,
}

/// Model that replaces another one.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, rename_all = "camelCase")]
pub struct Replacement {
    /// Name.
    #[serde(deserialize_with = "text")]
    pub target_model_name: Option<String>,
    /// Version.
    #[serde(deserialize_with = "text")]
    pub target_model_version: Option<String>,
    /// RFC 3339; from then on deployments are upgraded.
    #[serde(deserialize_with = "text")]
    pub auto_upgrade_start_date: Option<String>,
}

impl AccountModelView {
    /// Format; empty if the service sends none.
    #[must_use]
    pub fn format(&self) -> &str {
        self.format.as_deref().unwrap_or_default()
    }

    /// Version; empty if the service sends none.
    #[must_use]
    pub fn version(&self) -> &str {
        self.version.as_deref().unwrap_or_default()
    }

    /// Publisher; the format if the service reports none.
    #[must_use]
    pub fn publisher(&self) -> &str {
        self.publisher.as_deref().filter(|publisher| !publisher.is_empty()).unwrap_or_else(|| self.format())
    }

    /// True for the version that is deployed by default.
    #[must_use]
    pub fn is_default_version(&self) -> bool {
        self.is_default_version.unwrap_or_default()
    }

    /// True for a model that was registered in a project.
    #[must_use]
    pub fn is_custom(&self) -> bool {
        self.format().eq_ignore_ascii_case(CUSTOM_FORMAT)
    }

    /// SKUs, in the service's order.
    #[must_use]
    pub fn skus(&self) -> &[ModelSku] {
        self.skus.as_deref().unwrap_or_default()
    }

    /// SKU with this name, case-insensitively.
    #[must_use]
    pub fn sku(&self, name: &str) -> Option<&ModelSku> {
        self.skus().iter().find(|sku| sku.name.eq_ignore_ascii_case(name))
    }

    /// SKUs that are still available.
    pub fn open_skus(&self, now: OffsetDateTime) -> impl Iterator<Item = &ModelSku> {
        self.skus().iter().filter(move |sku| !sku.has_ended(now))
    }

    /// SKUs with which a catalog model can be deployed: still available, and not only for fine-tuned models.
    pub fn base_skus(&self, now: OffsetDateTime) -> impl Iterator<Item = &ModelSku> {
        self.open_skus(now).filter(|sku| !sku.is_for_fine_tuned())
    }

    /// Date from which it no longer responds, as sent by the service; `None` if none is planned.
    #[must_use]
    pub fn retires(&self) -> Option<&str> {
        let text = self.deprecation.as_ref()?.inference.as_deref()?;
        planned(text).then_some(text)
    }

    /// Date from which it can no longer be fine-tuned; `None` if none is planned.
    #[must_use]
    pub fn fine_tuning_ends(&self) -> Option<&str> {
        let text = self.deprecation.as_ref()?.fine_tune.as_deref()?;
        planned(text).then_some(text)
    }

    /// True for a lifecycle state in which new users cannot deploy it.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        let is_ending = |word: &str| ["Deprecating", "Deprecated"].iter().any(|end| end.eq_ignore_ascii_case(word));
        self.lifecycle_status.as_deref().is_some_and(is_ending)
    }

    /// True if new users cannot deploy it, or if it no longer responds.
    #[must_use]
    pub fn has_ended(&self, now: OffsetDateTime) -> bool {
        self.is_ending() || self.retires().is_some_and(|day| is_over(day, now))
    }

    /// True if it has this capability.
    #[must_use]
    pub fn can(&self, capability: &str) -> bool {
        let has = |(key, value): &(String, String)| {
            key.eq_ignore_ascii_case(capability) && !value.eq_ignore_ascii_case("false")
        };
        self.capabilities.iter().any(has)
    }
}

/// True for a date that has been reached. False for text that is not a date.
pub(super) fn is_over(day: &str, now: OffsetDateTime) -> bool {
    OffsetDateTime::parse(day, &Rfc3339).is_ok_and(|day| day <= now)
}

/// True for a date at which something is planned to end; text that is not a date is shown unchanged.
fn planned(day: &str) -> bool {
    OffsetDateTime::parse(day, &Rfc3339).map_or(!day.is_empty(), |day| day.year() < NO_RETIREMENT)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-06-01 0:00 UTC);

    /// Recorded row of the service, shortened.
    const RECORDED: &str = r#"{"format":"OpenAI","name":"gpt-4.1","version":"2025-04-14","description":"","isDefaultVersion":true,
        "skus":[
        {"name":"GlobalStandard","usageName":"OpenAI.GlobalStandard.gpt4.1","capacity":{"maximum":1000000,"default":10},
        "deprecationDate":"2026-10-14T00:00:00Z",
        "rateLimits":[{"key":"request","renewalPeriod":60,"count":1},{"key":"token","renewalPeriod":60,"count":1000}],
        "costs":[{"name":"CachedContextToken","meterId":"","unit":"1K Tokens"}]},
        {"name":"GlobalProvisionedManaged","usageName":"OpenAI.GlobalProvisionedManaged",
        "capacity":{"minimum":15,"maximum":30000,"step":5},"cost":[{"name":"Hosting","meterId":"m","unit":"1 Unit/Hour"}]}],
        "capabilities":{"chatCompletion":"true","agentsV2":"true","area":"US","responses":"false"},
        "deprecation":{"fineTune":"2099-12-31T00:00:00Z","inference":"2026-10-14T00:00:00Z"},
        "lifecycleStatus":"GenerallyAvailable"}"#;

    fn model(json: &str) -> AccountModel {
        serde_json::from_str(json).expect("a model")
    }

    #[test]
    fn the_recorded_row_is_parsed_and_preserved() {
        let model = model(RECORDED);
        let view = model.view();
        assert_eq!((view.format(), view.name.as_str(), view.version()), ("OpenAI", "gpt-4.1", "2025-04-14"));
        assert_eq!(view.publisher(), "OpenAI", "the format stands for a publisher that is not sent");
        assert!(view.is_default_version() && view.can("CHATCOMPLETION") && !view.can("responses") && !view.can("none"));
        assert_eq!((view.retires(), view.fine_tuning_ends()), (Some("2026-10-14T00:00:00Z"), None));
        let [standard, provisioned] = view.skus() else { panic!("two SKUs") };
        assert_eq!(standard.rate_limits()[1].count, 1000.0);
        let meters = |sku: &ModelSku| sku.meters().map(|(name, unit)| format!("{name} {unit}")).collect::<Vec<_>>();
        assert_eq!(
            (meters(standard), meters(provisioned)),
            (vec!["CachedContextToken 1K Tokens".to_owned()], vec!["Hosting 1 Unit/Hour".to_owned()])
        );
        let sent: serde_json::Value = serde_json::from_str(RECORDED).expect("json");
        assert_eq!(serde_json::to_value(&model).expect("json"), sent);
    }

    #[test]
    fn retirement_is_detected_by_state_and_date() {
        let of = |status: &str, day: &str| {
            let json = json!({"name": "m", "lifecycleStatus": status, "deprecation": {"inference": day}});
            model(&json.to_string()).view().has_ended(NOW)
        };
        for (status, day, ended) in [
            ("Stable", "2099-12-31T00:00:00Z", false),
            ("Stable", "2026-06-02T00:00:00Z", false),
            ("Stable", "2026-06-01T00:00:00Z", true),
            ("Deprecating", "2099-12-31T00:00:00Z", true),
            ("deprecated", "", true),
            ("NewWord", "soon", false),
        ] {
            assert_eq!(of(status, day), ended, "{status} {day}");
        }
    }

    #[test]
    fn retired_and_fine_tuning_skus_are_not_offered_for_base_models() {
        let json = json!({"name": "m", "skus": [
            {"name": "Standard"}, {"name": "GlobalStandard", "deprecationDate": "2026-01-01T00:00:00Z"},
            {"name": "DeveloperTier"}, {"name": "DataZoneStandard", "usageName": "x-finetune"},
        ]});
        let model = model(&json.to_string());
        let names = |skus: Vec<&ModelSku>| skus.into_iter().map(|sku| sku.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(model.view().open_skus(NOW).collect()), ["Standard", "DeveloperTier", "DataZoneStandard"]);
        assert_eq!(names(model.view().base_skus(NOW).collect()), ["Standard"]);
    }

    #[test]
    fn fields_of_a_wrong_type_are_treated_as_absent() {
        let model = model(r#"{"name":"m","skus":"?","isDefaultVersion":"x","capabilities":[],"deprecation":7}"#);
        let view = model.view();
        assert!(view.skus().is_empty() && !view.is_default_version() && view.retires().is_none());
        assert!(serde_json::from_str::<AccountModel>(r#"{"format":"OpenAI"}"#).is_err());
    }
}
