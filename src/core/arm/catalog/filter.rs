//! Filters for catalog lists. Pure.

use time::OffsetDateTime;

use super::{AccountModel, AccountModelView};
use crate::model::NamePattern;

/// Lifecycle states that the service is known to send; a catalog may have more.
const LIFECYCLES: [&str; 5] = ["Deprecated", "Deprecating", "GenerallyAvailable", "Preview", "Stable"];

/// Conditions that a model has to meet, all of them. Case-insensitive.
#[derive(Clone, Debug, Default)]
pub struct CatalogFilter {
    /// Publisher; the format if the service reports none.
    pub publisher: Option<String>,
    /// Format.
    pub format: Option<String>,
    /// Name.
    pub name: Option<NamePattern>,
    /// SKU that is still available.
    pub sku: Option<String>,
    /// Capability, such as `chatCompletion`.
    pub capability: Option<String>,
    /// Lifecycle state, as reported by the service. Models in this state are shown even if they are hidden by default.
    pub lifecycle: Option<String>,
    /// Include deprecated and retired models.
    pub all: bool,
}

impl CatalogFilter {
    /// True for a model that meets all conditions, regardless of deprecation and retirement.
    #[must_use]
    pub fn fits(&self, model: &AccountModelView, now: OffsetDateTime) -> bool {
        let is = |wanted: &Option<String>, value: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(value))
        };
        !model.is_custom()
            && is(&self.publisher, model.publisher())
            && is(&self.format, model.format())
            && is(&self.lifecycle, model.lifecycle_status.as_deref().unwrap_or_default())
            && self.name.as_ref().is_none_or(|pattern| pattern.matches_any_case(&model.name))
            && self.sku.as_ref().is_none_or(|sku| model.open_skus(now).any(|one| one.name.eq_ignore_ascii_case(sku)))
            && self.capability.as_ref().is_none_or(|capability| model.can(capability))
    }

    /// Lifecycle states that the catalog contains, if the requested one is not among them; `None` if it is, or if
    /// none is requested.
    #[must_use]
    pub fn unknown_lifecycle<'a>(&self, models: &'a [AccountModel]) -> Option<Vec<&'a str>> {
        let wanted = self.lifecycle.as_deref()?;
        let listed = models.iter().filter_map(|model| model.view().lifecycle_status.as_deref());
        let mut states: Vec<&str> = LIFECYCLES.into_iter().chain(listed.filter(|state| !state.is_empty())).collect();
        states.sort_unstable();
        states.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
        let is_known = states.iter().any(|state| state.eq_ignore_ascii_case(wanted));
        (!is_known).then_some(states)
    }

    /// True for a model that is not listed because it is deprecated or retired.
    #[must_use]
    pub fn hides(&self, model: &AccountModelView, now: OffsetDateTime) -> bool {
        let is_asked_for = self.lifecycle.is_some() && model.is_ending();
        !self.all && !is_asked_for && model.has_ended(now)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-06-01 0:00 UTC);

    fn model() -> AccountModel {
        serde_json::from_value(json!({
            "name": "GPT-4.1", "version": "1", "format": "OpenAI", "lifecycleStatus": "Deprecating",
            "skus": [{"name": "GlobalStandard"}, {"name": "Standard", "deprecationDate": "2026-01-01T00:00:00Z"}],
            "capabilities": {"chatCompletion": "true", "responses": "false"},
        }))
        .expect("a model")
    }

    #[test]
    fn every_condition_is_applied_ignoring_case() {
        let text = |text: &str| Some(text.to_owned());
        let none = CatalogFilter::default;
        for (filter, fits) in [
            (none(), true),
            (CatalogFilter { publisher: text("openai"), ..none() }, true),
            (CatalogFilter { publisher: text("Meta"), ..none() }, false),
            (CatalogFilter { format: text("OPENAI"), ..none() }, true),
            (CatalogFilter { format: text("Open"), ..none() }, false),
            (CatalogFilter { name: "gpt-*".parse().ok(), ..none() }, true),
            (CatalogFilter { name: "gpt".parse().ok(), ..none() }, false),
            (CatalogFilter { sku: text("globalstandard"), ..none() }, true),
            (CatalogFilter { sku: text("Standard"), ..none() }, false),
            (CatalogFilter { capability: text("chatcompletion"), ..none() }, true),
            (CatalogFilter { capability: text("responses"), ..none() }, false),
            (CatalogFilter { lifecycle: text("deprecating"), ..none() }, true),
            (CatalogFilter { lifecycle: text("Stable"), ..none() }, false),
        ] {
            assert_eq!(filter.fits(model().view(), NOW), fits, "{filter:?}");
        }
        let custom: AccountModel =
            serde_json::from_value(json!({"name": "m", "format": "FireworksCustom"})).expect("a model");
        assert!(!none().fits(custom.view(), NOW));
    }

    #[test]
    fn an_unknown_lifecycle_state_lists_the_known_ones() {
        let new = json!({"name": "n", "lifecycleStatus": "Retiring"});
        let models = [model(), serde_json::from_value(new).expect("a model")];
        let unknown = |state: &str| {
            let filter = CatalogFilter { lifecycle: Some(state.to_owned()), ..CatalogFilter::default() };
            filter.unknown_lifecycle(&models)
        };
        let all = ["Deprecated", "Deprecating", "GenerallyAvailable", "Preview", "Retiring", "Stable"];
        assert_eq!(unknown("bogus"), Some(all.to_vec()));
        for known in ["preview", "RETIRING", "Deprecating"] {
            assert_eq!(unknown(known), None, "{known}");
        }
        assert_eq!(CatalogFilter::default().unknown_lifecycle(&models), None);
    }

    #[test]
    fn retired_models_are_hidden_unless_requested() {
        let none = CatalogFilter::default;
        assert!(none().hides(model().view(), NOW));
        assert!(!CatalogFilter { all: true, ..none() }.hides(model().view(), NOW));
        assert!(!CatalogFilter { lifecycle: Some("Deprecating".into()), ..none() }.hides(model().view(), NOW));
        let retired =
            json!({"name": "m", "lifecycleStatus": "Stable", "deprecation": {"inference": "2026-05-01T00:00:00Z"}});
        let retired: AccountModel = serde_json::from_value(retired).expect("a model");
        assert!(CatalogFilter { lifecycle: Some("Stable".into()), ..none() }.hides(retired.view(), NOW));
    }
}
