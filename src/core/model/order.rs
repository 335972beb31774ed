//! Which version is the latest, and in which order models are shown. Pure.

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{CustomModel, ModelView};

/// Newest first: by number where all versions are numbers, else by the time they were made.
pub fn newest_first(models: &mut [CustomModel]) {
    let order = order_of(models);
    models.sort_by(|left, right| order(right.view(), left.view()));
}

/// The newest of these versions: the first of [`newest_first`].
#[must_use]
pub fn latest(models: &[CustomModel]) -> Option<&CustomModel> {
    let order = order_of(models);
    models.iter().max_by(|left, right| order(left.view(), right.view()))
}

/// The latest version of each model, in the order in which the models came. The service lists no other version, as far
/// as its pages tell; and a model that moved from page to page while they were read is there twice.
#[must_use]
pub fn latest_of_each(models: Vec<CustomModel>) -> Vec<CustomModel> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut versions: Vec<Vec<CustomModel>> = Vec::new();
    for model in models {
        let place = *places.entry(model.view().name.clone()).or_insert(versions.len());
        match versions.get_mut(place) {
            Some(versions) => versions.push(model),
            None => versions.push(vec![model]),
        }
    }
    let latest = versions.into_iter().filter_map(|mut versions| {
        newest_first(&mut versions);
        versions.into_iter().next()
    });
    latest.collect()
}

/// Sorts models by their names, whatever the case.
pub fn by_name(models: &mut [CustomModel]) {
    models.sort_by_cached_key(|model| (model.view().name.to_lowercase(), model.view().name.clone()));
}

/// Sorts models by the time they were made, the newest first; those without a time come last.
pub fn by_creation(models: &mut [CustomModel]) {
    models.sort_by_cached_key(|model| Reverse(made(model.view())));
}

type Order = fn(&ModelView, &ModelView) -> Ordering;

fn order_of(models: &[CustomModel]) -> Order {
    if models.iter().all(|model| number(model.view()).is_some()) { number_order } else { age_order }
}

fn number_order(left: &ModelView, right: &ModelView) -> Ordering {
    number(left).cmp(&number(right)).then_with(|| age_order(left, right))
}

/// Where two were made at the same time, 1.10.0 is newer than 1.9.0.
fn age_order(left: &ModelView, right: &ModelView) -> Ordering {
    made(left).cmp(&made(right)).then_with(|| parts(left).cmp(&parts(right)))
}

fn number(view: &ModelView) -> Option<u64> {
    view.version.as_deref().and_then(|version| version.parse().ok())
}

fn made(view: &ModelView) -> Option<OffsetDateTime> {
    view.created_at().and_then(|at| OffsetDateTime::parse(at, &Rfc3339).ok())
}

fn parts(view: &ModelView) -> Vec<(Option<u64>, &str)> {
    let version = view.version.as_deref().unwrap_or_default();
    version.split('.').map(|part| (part.parse().ok(), part)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn model(name: &str, version: &str, made: &str) -> CustomModel {
        let model = json!({"name": name, "version": version, "systemData": {"createdAt": made}});
        serde_json::from_value(model).expect("a model")
    }

    fn sorted(versions: &[(&str, &str)]) -> Vec<String> {
        let mut models: Vec<_> = versions.iter().map(|(version, made)| model("m", version, made)).collect();
        let newest = latest(&models).and_then(|model| model.view().version.clone());
        newest_first(&mut models);
        let order: Vec<String> = models.iter().filter_map(|model| model.view().version.clone()).collect();
        assert_eq!(newest.as_ref(), order.first(), "the latest is the first of the newest");
        order
    }

    #[test]
    fn numbers_go_by_number_and_anything_else_by_time() {
        let (day, next) = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
        assert_eq!(sorted(&[("9", next), ("10", day), ("2", next)]), ["10", "9", "2"]);
        assert_eq!(sorted(&[("10", day), ("beta", next), ("alpha", "")]), ["beta", "10", "alpha"]);
        // Not by their text: the second is an hour later.
        assert_eq!(sorted(&[("a", "2026-01-01T09:00:00+02:00"), ("b", "2026-01-01T08:00:00Z")]), ["b", "a"]);
        assert_eq!(sorted(&[("1.9.0", day), ("1.10.0", day), ("1.10.0-rc", day)]), ["1.10.0", "1.10.0-rc", "1.9.0"]);
        assert!(latest(&[]).is_none());
    }

    #[test]
    fn a_model_is_listed_once_by_its_latest_version_and_keeps_its_place() {
        let models = [("b", "1"), ("A", "2"), ("b", "10"), ("a", "1"), ("c", "7"), ("c", "7")];
        let models = models.map(|(name, version)| model(name, version, "")).to_vec();
        let shown: Vec<String> = latest_of_each(models)
            .iter()
            .map(|model| format!("{} {}", model.view().name, model.view().version.as_deref().unwrap_or_default()))
            .collect();
        assert_eq!(shown, ["b 10", "A 2", "a 1", "c 7"]);
    }
}
