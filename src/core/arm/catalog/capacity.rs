//! Capacities that a SKU accepts. Pure.

use serde::Deserialize;
use thiserror::Error;

use crate::model::document::{lenient, whole};
use crate::units::grouped;

/// Capacities that a SKU accepts. A missing value means no limit.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, rename_all = "camelCase")]
pub struct CapacityRange {
    /// Minimum.
    #[serde(deserialize_with = "whole")]
    pub minimum: Option<u64>,
    /// Maximum.
    #[serde(deserialize_with = "whole")]
    pub maximum: Option<u64>,
    /// Step between accepted capacities.
    #[serde(deserialize_with = "whole")]
    pub step: Option<u64>,
    /// Default capacity.
    #[serde(deserialize_with = "whole")]
    pub default: Option<u64>,
    /// Complete list of accepted capacities, if there is one.
    #[serde(deserialize_with = "lenient")]
    pub allowed_values: Option<Vec<u64>>,
}

/// A capacity that a SKU does not accept, and the accepted ones.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CapacityFault {
    /// The capacity is outside the range.
    #[error("must be {range}")]
    OutOfRange {
        /// The range as text.
        range: String,
    },
    /// The capacity is not in the list.
    #[error("must be one of {values}")]
    NotAllowed {
        /// Accepted capacities as text.
        values: String,
    },
    /// The capacity is between two steps.
    #[error("the step is {}, and {}", grouped(*step), neighbours(*below, *above))]
    OffStep {
        /// Step between accepted capacities.
        step: u64,
        /// Largest accepted capacity below.
        below: Option<u64>,
        /// Smallest accepted capacity above.
        above: Option<u64>,
    },
}

impl CapacityFault {
    /// Accepted capacities next to one that is off the step: `80 or 120`.
    #[must_use]
    pub fn neighbours(&self) -> Option<String> {
        let Self::OffStep { below, above, .. } = self else { return None };
        let all: Vec<String> = below.iter().chain(above).map(|one| grouped(*one)).collect();
        (!all.is_empty()).then(|| all.join(" or "))
    }
}

impl CapacityRange {
    /// Range without known limits.
    pub const UNKNOWN: Self = Self { minimum: None, maximum: None, step: None, default: None, allowed_values: None };

    fn values(&self) -> Option<&[u64]> {
        self.allowed_values.as_deref().filter(|values| !values.is_empty())
    }

    fn minimum(&self) -> u64 {
        self.minimum.unwrap_or(1).max(1)
    }

    /// The range as text: `15 to 30,000 in steps of 5`; empty if nothing is known.
    #[must_use]
    pub fn description(&self) -> String {
        if let Some(values) = self.values() {
            return values.iter().map(|value| grouped(*value)).collect::<Vec<_>>().join(", ");
        }
        let step = self.step.filter(|step| *step > 1).map(|step| format!(" in steps of {}", grouped(step)));
        let step = step.unwrap_or_default();
        match (self.minimum, self.maximum) {
            (None, None) => step.trim_start().to_owned(),
            (Some(minimum), None) => format!("{} or more{step}", grouped(minimum)),
            (minimum, Some(maximum)) => format!("{} to {}{step}", grouped(minimum.unwrap_or(1)), grouped(maximum)),
        }
    }

    /// Checks a capacity.
    ///
    /// # Errors
    /// When the SKU does not accept it.
    pub fn check(&self, capacity: u64) -> Result<(), CapacityFault> {
        if let Some(values) = self.values() {
            let is_allowed = values.contains(&capacity);
            return if is_allowed { Ok(()) } else { Err(CapacityFault::NotAllowed { values: self.description() }) };
        }
        let minimum = self.minimum();
        if capacity < minimum || self.maximum.is_some_and(|maximum| capacity > maximum) {
            return Err(CapacityFault::OutOfRange { range: self.description() });
        }
        match self.step {
            Some(step) if step > 1 && !capacity.is_multiple_of(step) && !(capacity - minimum).is_multiple_of(step) => {
                let (below, above) = (self.largest_up_to(capacity), self.smallest_from(capacity));
                Err(CapacityFault::OffStep { step, below, above })
            }
            _ => Ok(()),
        }
    }

    /// Smallest accepted capacity that is at least `limit`, which is not below the minimum.
    fn smallest_from(&self, limit: u64) -> Option<u64> {
        let step = self.step.filter(|step| *step > 1).unwrap_or(1);
        let multiple = limit.checked_next_multiple_of(step)?;
        let from_minimum = self.minimum() + (limit - self.minimum()).checked_next_multiple_of(step)?;
        Some(multiple.min(from_minimum)).filter(|above| self.maximum.is_none_or(|maximum| *above <= maximum))
    }

    /// Largest accepted capacity that is at most `limit`.
    #[must_use]
    pub fn largest_up_to(&self, limit: u64) -> Option<u64> {
        if let Some(values) = self.values() {
            return values.iter().copied().filter(|value| *value <= limit).max();
        }
        let top = limit.min(self.maximum.unwrap_or(u64::MAX));
        let below = |capacity: u64| (capacity >= self.minimum()).then_some(capacity);
        let Some(step) = self.step.filter(|step| *step > 1) else { return below(top) };
        let multiple = below(top - top % step);
        let from_minimum = top.checked_sub(self.minimum()).map(|above| top - above % step);
        multiple.max(from_minimum)
    }
}

fn neighbours(below: Option<u64>, above: Option<u64>) -> String {
    match (below, above) {
        (Some(below), Some(above)) => {
            format!("the nearest accepted capacities are {} and {}", grouped(below), grouped(above))
        }
        (Some(one), None) | (None, Some(one)) => format!("the nearest accepted capacity is {}", grouped(one)),
        (None, None) => "no capacity is accepted".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn range(value: serde_json::Value) -> CapacityRange {
        serde_json::from_value(value).expect("a range")
    }

    #[test]
    fn a_capacity_is_checked_against_the_known_limits() {
        let stepped = json!({"minimum": 15, "maximum": 30, "step": 10});
        for (limits, capacity, is_good) in [
            (json!({}), 1, true),
            (json!({}), 0, false),
            (json!({"maximum": 1000000}), 1_000_001, false),
            (stepped.clone(), 14, false),
            (stepped.clone(), 15, true),
            (stepped.clone(), 20, true),
            (stepped.clone(), 25, true),
            (stepped.clone(), 26, false),
            (stepped, 31, false),
            (json!({"allowedValues": [1, 4], "maximum": 2}), 4, true),
            (json!({"allowedValues": [1, 4]}), 2, false),
            (json!({"allowedValues": []}), 2, true),
        ] {
            assert_eq!(range(limits.clone()).check(capacity).is_ok(), is_good, "{limits} {capacity}");
        }
    }

    #[test]
    fn a_capacity_off_the_step_reports_the_step_and_its_neighbours() {
        for (limits, capacity, description) in [
            (
                json!({"minimum": 80, "maximum": 1000, "step": 40}),
                90,
                "the step is 40, and the nearest accepted capacities are 80 and 120",
            ),
            (
                json!({"minimum": 15, "step": 10}),
                16,
                "the step is 10, and the nearest accepted capacities are 15 and 20",
            ),
            (
                json!({"minimum": 15, "maximum": 30, "step": 10}),
                29,
                "the step is 10, and the nearest accepted capacities are 25 and 30",
            ),
            (
                json!({"minimum": 1000, "maximum": 2500, "step": 1000}),
                2400,
                "the step is 1,000, and the nearest accepted capacity is 2,000",
            ),
        ] {
            let fault = range(limits.clone()).check(capacity).expect_err("off the step");
            assert_eq!(fault.to_string(), description, "{limits} {capacity}");
        }
    }

    #[test]
    fn the_largest_that_fits_is_on_a_step() {
        let stepped = json!({"minimum": 80, "maximum": 1000, "step": 40});
        for (limits, limit, largest) in [
            (stepped.clone(), 79, None),
            (stepped.clone(), 100, Some(80)),
            (stepped.clone(), 125, Some(120)),
            (stepped, 5000, Some(1000)),
            (json!({"minimum": 15, "step": 10}), 24, Some(20)),
            (json!({"minimum": 15, "step": 10}), 26, Some(25)),
            (json!({"maximum": 300}), 0, None),
            (json!({"maximum": 300}), 50, Some(50)),
            (json!({"allowedValues": [1, 4, 8]}), 5, Some(4)),
        ] {
            assert_eq!(range(limits.clone()).largest_up_to(limit), largest, "{limits} {limit}");
        }
    }

    #[test]
    fn a_range_is_described_in_words() {
        for (limits, description) in [
            (json!({"minimum": 15, "maximum": 30000, "step": 5}), "15 to 30,000 in steps of 5"),
            (json!({"maximum": 1000000, "step": 1}), "1 to 1,000,000"),
            (json!({"minimum": 80.0}), "80 or more"),
            (json!({"allowedValues": [1, 4]}), "1, 4"),
            (json!({"default": 7}), ""),
        ] {
            assert_eq!(range(limits.clone()).description(), description, "{limits}");
        }
    }
}
