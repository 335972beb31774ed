//! The latest version, and the order in which models are shown. Pure.

use std::cmp::{Ordering, Reverse};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::ListedModel;

/// Version of a model, with the fields that determine its order. A missing text is empty.
pub trait Versioned {
    /// Name of the model.
    fn name(&self) -> &str;

    /// Version, as received from the service.
    fn version(&self) -> &str;

    /// Creation time, as received from the service.
    fn created_at(&self) -> &str;
}

/// Sorts the newest first: by number if all versions are numbers, otherwise by creation time.
pub fn newest_first<M: Versioned>(models: &mut [M]) {
    let order = order_of(models.iter());
    models.sort_by(|left, right| order(right, left));
}

/// Newest of these versions: the first of [`newest_first`].
#[must_use]
pub fn latest<M: Versioned>(models: &[M]) -> Option<&M> {
    let order = order_of(models.iter());
    models.iter().max_by(|left, right| order(left, right))
}

/// Keeps the latest version of each model, in the order of the list. The service lists only the latest versions, as far
/// as its pages show; a model that moved between pages while they were read is listed twice.
pub fn keep_latest(models: &mut Vec<ListedModel>) {
    let mut by_name: Vec<usize> = (0..models.len()).collect();
    by_name.sort_by(|left, right| models[*left].name().cmp(models[*right].name()));
    let mut is_kept = vec![true; models.len()];
    let mut moves = Vec::new();
    for versions in by_name.chunk_by(|left, right| models[*left].name() == models[*right].name()) {
        let [first, others @ ..] = versions else { continue };
        let order = order_of(versions.iter().map(|at| &models[*at]));
        let newer = |newest: usize, other: &usize| match order(&models[*other], &models[newest]) {
            Ordering::Greater => *other,
            Ordering::Less | Ordering::Equal => newest,
        };
        moves.push((*first, others.iter().fold(*first, newer)));
        others.iter().for_each(|other| is_kept[*other] = false);
    }
    for (first, newest) in moves {
        models.swap(first, newest);
    }
    let mut is_kept = is_kept.into_iter();
    models.retain(|_| is_kept.next().unwrap_or(true));
}

/// Sorts models by name, case-insensitively.
pub fn by_name(models: &mut [ListedModel]) {
    models.sort_by_cached_key(|model| (model.name().to_lowercase(), model.name().to_owned()));
}

/// Sorts models by creation time, the newest first; those without a time come last.
pub fn by_creation(models: &mut [ListedModel]) {
    models.sort_by_cached_key(|model| Reverse(made(model)));
}

fn order_of<'a, M: Versioned + 'a>(mut models: impl Iterator<Item = &'a M>) -> fn(&M, &M) -> Ordering {
    if models.all(|model| number(model).is_some()) { number_order } else { age_order }
}

fn number_order<M: Versioned>(left: &M, right: &M) -> Ordering {
    number(left).cmp(&number(right)).then_with(|| age_order(left, right))
}

/// Compares by creation time; of equal times 1.10.0 is newer than 1.9.0.
fn age_order<M: Versioned>(left: &M, right: &M) -> Ordering {
    made(left).cmp(&made(right)).then_with(|| parts(left).cmp(&parts(right)))
}

fn number(model: &impl Versioned) -> Option<u64> {
    model.version().parse().ok()
}

fn made(model: &impl Versioned) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(model.created_at(), &Rfc3339).ok()
}

fn parts(model: &impl Versioned) -> Vec<(Option<u64>, &str)> {
    model.version().split('.').map(|part| (part.parse().ok(), part)).collect()
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeSeed;
    use serde_json::json;

    use super::*;
    use crate::model::ModelListSeed;

    fn model(name: &str, version: &str, made: &str) -> ListedModel {
        let model = json!({"name": name, "version": version, "systemData": {"createdAt": made}});
        ModelListSeed::default().deserialize(model).expect("a model")
    }

    fn sorted(versions: &[(&str, &str)]) -> Vec<String> {
        let mut models: Vec<_> = versions.iter().map(|(version, made)| model("m", version, made)).collect();
        let newest = latest(&models).map(|model| model.version().to_owned());
        newest_first(&mut models);
        let order: Vec<String> = models.iter().map(|model| model.version().to_owned()).collect();
        assert_eq!(newest.as_ref(), order.first(), "the latest is the first of the newest");
        order
    }

    #[test]
    fn numbers_are_ordered_by_value_and_other_versions_by_time() {
        let (day, next) = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
        assert_eq!(sorted(&[("9", next), ("10", day), ("2", next)]), ["10", "9", "2"]);
        assert_eq!(sorted(&[("10", day), ("beta", next), ("alpha", "")]), ["beta", "10", "alpha"]);
        // By time, not by text: the second is an hour later.
        assert_eq!(sorted(&[("a", "2026-01-01T09:00:00+02:00"), ("b", "2026-01-01T08:00:00Z")]), ["b", "a"]);
        assert_eq!(sorted(&[("1.9.0", day), ("1.10.0", day), ("1.10.0-rc", day)]), ["1.10.0", "1.10.0-rc", "1.9.0"]);
        assert!(latest::<ListedModel>(&[]).is_none());
    }

    #[test]
    fn a_model_is_listed_once_by_its_latest_version_in_order() {
        let models = [("b", "1"), ("A", "2"), ("b", "10"), ("a", "1"), ("c", "7"), ("c", "7")];
        let mut models = models.map(|(name, version)| model(name, version, "")).to_vec();
        keep_latest(&mut models);
        let shown: Vec<String> = models.iter().map(|model| format!("{} {}", model.name(), model.version())).collect();
        assert_eq!(shown, ["b 10", "A 2", "a 1", "c 7"]);
    }
}
