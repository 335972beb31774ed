//! Quota of a subscription in a region, and the capacity that is available in regions.

use serde::Deserialize;

use crate::model::document::{lenient, text};

/// Quota of one kind in a region, and its used part. Counts are floats on the wire.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Usage {
    #[serde(deserialize_with = "lenient", rename = "name")]
    label: Option<UsageName>,
    /// Used.
    #[serde(deserialize_with = "lenient", rename = "currentValue")]
    pub used: Option<f64>,
    /// Limit.
    #[serde(deserialize_with = "lenient")]
    pub limit: Option<f64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct UsageName {
    #[serde(deserialize_with = "text")]
    value: Option<String>,
    #[serde(deserialize_with = "text")]
    localized_value: Option<String>,
}

impl Usage {
    /// Name by which SKUs refer to it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.label.as_ref().and_then(|label| label.value.as_deref()).unwrap_or_default()
    }

    /// Display name.
    #[must_use]
    pub fn title(&self) -> &str {
        self.label.as_ref().and_then(|label| label.localized_value.as_deref()).unwrap_or_else(|| self.name())
    }

    /// Remaining capacity, rounded down; `None` if the service sends no limit.
    #[must_use]
    pub fn left(&self) -> Option<u64> {
        let left = (self.limit? - self.used.unwrap_or_default()).floor().max(0.0);
        // Saturates, which has no practical effect.
        format!("{left:.0}").parse().ok()
    }
}

/// Remaining capacity for a SKU's usage. `None`: not listed. An empty list means unknown too, not zero: free accounts
/// get one.
#[must_use]
pub fn usage_left(usages: &[Usage], usage_name: Option<&str>) -> Option<u64> {
    let name = usage_name?;
    usages.iter().find(|usage| usage.name().eq_ignore_ascii_case(name))?.left()
}

/// Available capacity for a model in a region, for one SKU.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ModelCapacity {
    /// Azure region.
    #[serde(deserialize_with = "text")]
    pub location: Option<String>,
    #[serde(deserialize_with = "text")]
    name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    properties: Option<CapacityProperties>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct CapacityProperties {
    #[serde(deserialize_with = "text")]
    sku_name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    available_capacity: Option<f64>,
}

impl ModelCapacity {
    /// SKU code.
    #[must_use]
    pub fn sku(&self) -> &str {
        let own = self.properties.as_ref().and_then(|properties| properties.sku_name.as_deref());
        own.or(self.name.as_deref()).unwrap_or_default()
    }

    /// Deployable capacity; 0 if the service does not report it.
    #[must_use]
    pub fn available(&self) -> u64 {
        let available = self.properties.as_ref().and_then(|properties| properties.available_capacity);
        available.map_or(0, |available| format!("{:.0}", available.floor().max(0.0)).parse().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn usage(value: serde_json::Value) -> Usage {
        serde_json::from_value(value).expect("a usage")
    }

    #[test]
    fn remaining_quota_is_limit_minus_usage() {
        let name = json!({"value": "OpenAI.GlobalStandard.m", "localizedValue": "Tokens"});
        let one = usage(json!({"name": name, "currentValue": 150.0, "limit": 200}));
        assert_eq!((one.name(), one.title(), one.left()), ("OpenAI.GlobalStandard.m", "Tokens", Some(50)));
        let over = usage(json!({"name": name, "currentValue": 250, "limit": 200.0}));
        assert_eq!((over.left(), usage(json!({"name": 7})).left()), (Some(0), None));
        let usages = [one];
        assert_eq!(usage_left(&usages, Some("openai.globalstandard.M")), Some(50));
        assert_eq!((usage_left(&usages, Some("other")), usage_left(&[], None)), (None, None));
    }

    #[test]
    fn available_capacity_is_read_from_the_properties() {
        let row = json!({"name": "S", "location": "eastus2", "properties": {"skuName": "GlobalStandard", "availableCapacity": 7.9}});
        let room: ModelCapacity = serde_json::from_value(row).expect("a row");
        assert_eq!((room.sku(), room.location.as_deref(), room.available()), ("GlobalStandard", Some("eastus2"), 7));
        let bare: ModelCapacity = serde_json::from_value(json!({"name": "S"})).expect("a row");
        assert_eq!((bare.sku(), bare.available()), ("S", 0));
    }
}
