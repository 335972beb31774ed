//! A SKU under which a model can be deployed.

use serde::Deserialize;
use time::OffsetDateTime;

use super::CapacityRange;
use super::model::is_over;
use crate::model::RateLimit;
use crate::model::document::{lenient, text};

/// A SKU under which a model can be deployed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ModelSku {
    /// Code such as `GlobalStandard`.
    pub name: String,
    /// Name of the usage under which its quota is counted.
    #[serde(deserialize_with = "text")]
    pub usage_name: Option<String>,
    /// RFC 3339; from this date it can no longer be deployed.
    #[serde(deserialize_with = "text")]
    pub deprecation_date: Option<String>,
    /// Accepted capacities.
    #[serde(deserialize_with = "lenient", rename = "capacity")]
    range: Option<CapacityRange>,
    /// Limits of one unit of capacity.
    #[serde(deserialize_with = "lenient")]
    rate_limits: Option<Vec<RateLimit>>,
    #[serde(deserialize_with = "lenient", alias = "cost")]
    costs: Option<Vec<Cost>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Cost {
    #[serde(deserialize_with = "text")]
    name: Option<String>,
    #[serde(deserialize_with = "text")]
    unit: Option<String>,
}

impl ModelSku {
    /// True if it can no longer be deployed.
    #[must_use]
    pub fn has_ended(&self, now: OffsetDateTime) -> bool {
        self.deprecation_date.as_deref().is_some_and(|day| is_over(day, now))
    }

    /// True if only fine-tuned models run on it.
    #[must_use]
    pub fn is_for_fine_tuned(&self) -> bool {
        let counts_apart = self.usage_name.as_deref().is_some_and(|usage| usage.ends_with("-finetune"));
        self.name.eq_ignore_ascii_case("DeveloperTier") || counts_apart
    }

    /// Accepted capacities; empty if the service does not report them.
    #[must_use]
    pub fn range(&self) -> &CapacityRange {
        const NONE: &CapacityRange = &CapacityRange::UNKNOWN;
        self.range.as_ref().unwrap_or(NONE)
    }

    /// Limits of one unit of capacity.
    #[must_use]
    pub fn rate_limits(&self) -> &[RateLimit] {
        self.rate_limits.as_deref().unwrap_or_default()
    }

    /// Meters by which it is billed and their units, such as `Hosting` and `1 Unit/Hour`.
    pub fn meters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.costs.iter().flatten().filter_map(|cost| Some((cost.name.as_deref()?, cost.unit.as_deref()?)))
    }
}
