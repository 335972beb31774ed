//! Requests for the catalog, quota and capacities. Lists are complete or an error.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::super::{AccountId, ArmClient, ArmError, PROVIDER};
use super::{AccountModel, ModelCapacity, Usage};

/// Api-version that is known to return models and usages in the recorded formats.
const VERSION: &str = "2025-06-01";
/// Kind of the accounts that Foundry projects belong to.
const KIND: &str = "AIServices";

/// Row of a region's list, which has one row per model and kind of account; `None` for other kinds.
struct RegionRow(Option<AccountModel>);

impl<'de> Deserialize<'de> for RegionRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wrapper {
            #[serde(default)]
            kind: Option<String>,
            // Kept as text: only matching rows are parsed.
            model: Box<RawValue>,
        }
        let Wrapper { kind, model } = Wrapper::deserialize(deserializer)?;
        if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case(KIND)) {
            return Ok(Self(None));
        }
        serde_json::from_str(model.get()).map(|model| Self(Some(model))).map_err(serde::de::Error::custom)
    }
}

impl ArmClient {
    /// Models that can be deployed in an account, each version once.
    ///
    /// # Errors
    /// See [`ArmError`].
    pub async fn account_models(&self, account: &AccountId) -> Result<Vec<AccountModel>, ArmError> {
        let mut models: Vec<AccountModel> =
            self.all(&account.path(&["models"]), self.provider_version(VERSION)).await?;
        models.retain(|model| model.view().kind.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case(KIND)));
        Ok(models)
    }

    /// Models that can be deployed in a region, each version once, without their wrappers.
    ///
    /// # Errors
    /// See [`ArmError`].
    pub async fn region_models(&self, subscription: &str, location: &str) -> Result<Vec<AccountModel>, ArmError> {
        let path = region(subscription, location, "models");
        let rows: Vec<RegionRow> = self.all(&path, self.provider_version(VERSION)).await?;
        Ok(rows.into_iter().filter_map(|row| row.0).collect())
    }

    /// Quota of a subscription in a region. An empty list means unknown.
    ///
    /// # Errors
    /// See [`ArmError`].
    pub async fn usages(&self, subscription: &str, location: &str) -> Result<Vec<Usage>, ArmError> {
        self.all(&region(subscription, location, "usages"), self.provider_version(VERSION)).await
    }

    /// Available capacity for a version of a model, for each SKU and region.
    ///
    /// # Errors
    /// See [`ArmError`].
    pub async fn model_capacities(
        &self,
        subscription: &str,
        (format, name, version): (&str, &str, &str),
    ) -> Result<Vec<ModelCapacity>, ArmError> {
        let path = ["subscriptions", subscription, "providers", PROVIDER, "modelCapacities"];
        let mut url = self.endpoint().url(&path, self.provider_version(VERSION));
        url.query_pairs_mut()
            .append_pair("modelFormat", format)
            .append_pair("modelName", name)
            .append_pair("modelVersion", version);
        self.all_at(url).await
    }
}

fn region<'a>(subscription: &'a str, location: &'a str, list: &'a str) -> [&'a str; 7] {
    ["subscriptions", subscription, "providers", PROVIDER, "locations", location, list]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_other_account_kinds_are_ignored() {
        let rows: Vec<RegionRow> = serde_json::from_str(
            r#"[{"kind":"AIServices","model":{"name":"a"}},{"kind":"MaaS","model":{"name":"a"}},{"kind":"OpenAI","model":7},
                {"model":{"name":"b"}}]"#,
        )
        .expect("rows");
        let names: Vec<Option<String>> =
            rows.into_iter().map(|row| row.0.map(|model| model.view().name.clone())).collect();
        assert_eq!(names, [Some("a".into()), None, None, Some("b".into())]);
        assert!(serde_json::from_str::<Vec<RegionRow>>(r#"[{"kind":"AIServices","model":{}}]"#).is_err());
    }
}
