//! Default version, SKU and capacity for a deployment of a catalog model. Pure.
//!
//! The rules are azd's, with one exception: quota never changes the choice of a SKU, since another SKU processes data
//! in other regions and has another price.

use std::cmp::Ordering;

use thiserror::Error;
use time::OffsetDateTime;

use super::{AccountModel, AccountModelView, ModelSku};

/// SKUs in order of preference; all others follow them, in the service's order.
const PRIORITY: [&str; 3] = ["GlobalStandard", "DataZoneStandard", "Standard"];

/// True if a deployment with this SKU is billed as long as it exists, used or not. SKUs of the Standard and Batch
/// families are billed by use.
#[must_use]
pub fn is_billed_by_time(sku: &str) -> bool {
    let sku = sku.to_ascii_lowercase();
    !sku.ends_with("standard") && !sku.ends_with("batch")
}

/// Failure to choose a SKU.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SkuFault {
    /// The model does not offer the requested SKU.
    #[error("SKU '{name}' is not offered for this model")]
    NotOffered {
        /// The SKU.
        name: String,
    },
    /// No SKU can be deployed any longer.
    #[error("this model has no SKU that can be deployed")]
    None,
    /// The default SKU is billed while it exists, so the user must choose it explicitly.
    #[error("SKU '{name}' is billed while the deployment exists, so --sku-name is required")]
    MustBeNamed {
        /// The SKU.
        name: String,
    },
    /// The SKU lists neither a default nor a minimum.
    #[error("no capacity is listed for SKU '{name}'")]
    NoCapacity {
        /// The SKU.
        name: String,
    },
}

/// Chooses the version to deploy if none is given: the default one, otherwise the newest. Retired ones are ignored.
#[must_use]
pub fn default_version<'a>(
    versions: impl IntoIterator<Item = &'a AccountModel>,
    now: OffsetDateTime,
) -> Option<&'a AccountModel> {
    let mut open: Vec<&AccountModel> = versions.into_iter().filter(|model| !model.view().has_ended(now)).collect();
    open.sort_by(|left, right| newest_first(left.view(), right.view()));
    open.iter().find(|model| model.view().is_default_version()).or(open.first()).copied()
}

/// Compares versions, the newest first: by number if both are numbers, otherwise part by part.
#[must_use]
pub fn newest_first(left: &AccountModelView, right: &AccountModelView) -> Ordering {
    parts(right.version()).cmp(&parts(left.version()))
}

/// Splits a version into comparable parts. Numbers are compared by value and are older than names, so that `10` is
/// newer than `9` and `2025-04-14` than `0613`.
fn parts(version: &str) -> Vec<(u64, String)> {
    let part = |part: &str| part.parse().map_or_else(|_| (u64::MAX, part.to_owned()), |number| (number, String::new()));
    version.split(['-', '.', '_']).map(part).collect()
}

/// Chooses the SKU of a catalog model: the requested one, otherwise the first by preference, which must be billed by
/// use.
///
/// # Errors
/// See [`SkuFault`].
pub fn choose_sku<'a>(
    model: &'a AccountModelView,
    named: Option<&str>,
    now: OffsetDateTime,
) -> Result<&'a ModelSku, SkuFault> {
    if let Some(name) = named {
        let found = model.base_skus(now).find(|sku| sku.name.eq_ignore_ascii_case(name));
        return found.ok_or_else(|| SkuFault::NotOffered { name: name.to_owned() });
    }
    let priority = |sku: &ModelSku| {
        PRIORITY.iter().position(|known| known.eq_ignore_ascii_case(&sku.name)).unwrap_or(PRIORITY.len())
    };
    let chosen = model.base_skus(now).min_by_key(|sku| priority(sku)).ok_or(SkuFault::None)?;
    if is_billed_by_time(&chosen.name) {
        return Err(SkuFault::MustBeNamed { name: chosen.name.clone() });
    }
    Ok(chosen)
}

impl ModelSku {
    /// Default capacity; without one the smaller of maximum and remaining quota for SKUs that are billed by use, and
    /// the minimum for the others. A default above the quota is not lowered.
    ///
    /// # Errors
    /// When the SKU lists none of them.
    pub fn default_capacity(&self, left: Option<u64>) -> Result<u64, SkuFault> {
        let range = self.range();
        let none = || SkuFault::NoCapacity { name: self.name.clone() };
        if let Some(default) = range.default {
            return Ok(default);
        }
        if is_billed_by_time(&self.name) {
            return range.minimum.ok_or_else(none);
        }
        let top = match (range.maximum, left) {
            (Some(maximum), Some(left)) => maximum.min(left),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return Err(none()),
        };
        // Without any remaining quota, the smallest capacity leads to a clear error of the service.
        Ok(range.largest_up_to(top).unwrap_or(range.minimum.unwrap_or(1)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-06-01 0:00 UTC);

    fn model(value: Value) -> AccountModel {
        serde_json::from_value(value).expect("a model")
    }

    fn chosen(skus: Value, named: Option<&str>) -> Result<String, SkuFault> {
        let model = model(json!({"name": "m", "skus": skus}));
        choose_sku(model.view(), named, NOW).map(|sku| sku.name.clone())
    }

    #[test]
    fn the_default_version_is_chosen_otherwise_the_newest_available() {
        let version = |version: &str, default: bool, status: &str| {
            model(json!({"name": "m", "version": version, "isDefaultVersion": default, "lifecycleStatus": status}))
        };
        for (versions, wanted) in [
            (vec![version("2", false, "Stable"), version("1", true, "Stable")], Some("1")),
            (vec![version("9", false, "Stable"), version("10", false, "Stable")], Some("10")),
            (vec![version("2025-04-14", false, ""), version("0613", false, "")], Some("2025-04-14")),
            (vec![version("1", true, "Deprecated"), version("0", false, "Preview")], Some("0")),
            (vec![version("1", true, "Deprecating")], None),
        ] {
            assert_eq!(default_version(&versions, NOW).map(|model| model.view().version()), wanted);
        }
    }

    #[test]
    fn a_sku_is_chosen_by_preference_but_never_one_billed_while_it_exists() {
        let skus = json!([{"name": "DeveloperTier"}, {"name": "Standard"}, {"name": "DataZoneStandard"}]);
        assert_eq!(chosen(skus.clone(), None).as_deref(), Ok("DataZoneStandard"));
        assert_eq!(chosen(skus.clone(), Some("STANDARD")).as_deref(), Ok("Standard"));
        assert!(chosen(skus.clone(), Some("DeveloperTier")).is_err());
        assert_eq!(chosen(skus, Some("GlobalBatch")), Err(SkuFault::NotOffered { name: "GlobalBatch".into() }));
        let provisioned = json!([{"name": "GlobalProvisionedManaged"}]);
        assert_eq!(
            chosen(provisioned.clone(), None),
            Err(SkuFault::MustBeNamed { name: "GlobalProvisionedManaged".into() })
        );
        assert!(chosen(provisioned, Some("GlobalProvisionedManaged")).is_ok());
        assert_eq!(chosen(json!([{"name": "DeveloperTier"}]), None), Err(SkuFault::None));
        assert_eq!(chosen(json!([{"name": "NewStandard"}]), None).as_deref(), Ok("NewStandard"));
    }

    #[test]
    fn a_capacity_is_the_default_otherwise_the_largest_that_fits() {
        for (name, limits, left, wanted) in [
            ("GlobalStandard", json!({"default": 10, "maximum": 100}), Some(5), Some(10)),
            ("GlobalStandard", json!({"maximum": 100}), Some(30), Some(30)),
            ("GlobalStandard", json!({"maximum": 100}), None, Some(100)),
            ("GlobalBatch", json!({"maximum": 100}), Some(0), Some(1)),
            ("Standard", json!({}), None, None),
            ("GlobalProvisionedManaged", json!({"minimum": 15, "maximum": 100}), Some(5), Some(15)),
            ("GlobalProvisionedManaged", json!({"maximum": 100}), Some(5), None),
        ] {
            let model = model(json!({"name": "m", "skus": [{"name": name, "capacity": limits}]}));
            assert_eq!(model.view().skus()[0].default_capacity(left).ok(), wanted, "{name} {limits} {left:?}");
        }
    }

    #[test]
    fn standard_and_batch_are_billed_by_use() {
        for (sku, bills) in [
            ("GlobalStandard", false),
            ("dataZoneBatch", false),
            ("GlobalProvisionedManaged", true),
            ("DeveloperTier", true),
            ("", true),
        ] {
            assert_eq!(is_billed_by_time(sku), bills, "{sku}");
        }
    }
}
