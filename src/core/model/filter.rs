//! Filter for models of `list`. The service supports at most one of these conditions, so all of them are applied here.

use std::str::FromStr;

use super::{ModelView, Tag, WeightType};

/// Conditions that a model has to meet, all of them.
#[derive(Clone, Debug, Default)]
pub struct ModelFilter {
    /// Name of the model.
    pub name: Option<NamePattern>,
    /// Kind of weights.
    pub weight_type: Option<WeightType>,
    /// Tags with values that it must have.
    pub tags: Vec<Tag>,
    /// Training job that created it.
    pub source_job: Option<String>,
}

impl ModelFilter {
    /// True if it has no condition.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { name, weight_type, tags, source_job } = self;
        name.is_none() && weight_type.is_none() && tags.is_empty() && source_job.is_none()
    }

    /// True for a model that meets all conditions. A missing field meets no condition.
    #[must_use]
    pub fn matches(&self, model: &ModelView) -> bool {
        let job = model.source.as_ref().and_then(|source| source.job_id.as_deref());
        let weight_type = model.weight_type.as_deref().and_then(|text| text.parse().ok());
        self.name.as_ref().is_none_or(|pattern| fast_glob::glob_match(&pattern.0, &model.name))
            && (self.weight_type.is_none() || self.weight_type == weight_type)
            && self.tags.iter().all(|tag| model.tags.iter().any(|(key, value)| *key == tag.key && *value == tag.value))
            && (self.source_job.is_none() || self.source_job.as_deref() == job)
    }
}

/// Glob over names: `*`, `?`, `[ab]`, `{a,b}`.
#[derive(Clone, Debug)]
pub struct NamePattern(String);

impl NamePattern {
    /// True for a matching name, case-insensitively.
    #[must_use]
    pub(crate) fn matches_any_case(&self, name: &str) -> bool {
        fast_glob::glob_match(self.0.to_lowercase(), name.to_lowercase())
    }
}

impl FromStr for NamePattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("the pattern cannot be empty".into());
        }
        fast_glob::validate(text).map_err(|error| error.to_string())?;
        // A leading `!` would negate the pattern.
        Ok(Self(if text.starts_with('!') { format!("\\{text}") } else { text.to_owned() }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::CustomModel;

    fn matches(filter: &ModelFilter) -> bool {
        let model: CustomModel = serde_json::from_value(json!({
            "name": "my-model.v2", "version": "1", "weightType": "lora", "tags": {"team": "a", "empty": ""},
            "source": {"sourceType": "TrainingJob", "jobId": "job-1"},
        }))
        .expect("a model");
        filter.matches(model.view())
    }

    #[test]
    fn every_condition_is_applied() {
        let tag = |text: &str| text.parse().expect("a tag");
        let named = |text: &str| ModelFilter { name: text.parse().ok(), ..ModelFilter::default() };
        let typed = |weight_type| ModelFilter { weight_type: Some(weight_type), ..ModelFilter::default() };
        let of_job = |job: &str| ModelFilter { source_job: Some(job.into()), ..ModelFilter::default() };
        let tagged = |tags: &[&str]| ModelFilter { tags: tags.iter().map(|text| tag(text)).collect(), ..named("*") };
        assert!(matches(&ModelFilter::default()));
        for (text, taken) in [
            ("my-*", true),
            ("my-model.v2", true),
            ("my", false),
            ("MY-*", false),
            ("*.v[12]", true),
            ("{a,my-*}", true),
        ] {
            assert_eq!(matches(&named(text)), taken, "{text}");
        }
        assert!(matches(&typed(WeightType::LoRA)) && !matches(&typed(WeightType::FullWeight)));
        assert!(matches(&of_job("job-1")) && !matches(&of_job("job")));
        for (tags, taken) in
            [(&["team=a"][..], true), (&["team=b"], false), (&["team=a", "empty="], true), (&["team=a", "x=y"], false)]
        {
            assert_eq!(matches(&tagged(tags)), taken, "{tags:?}");
        }
        let job_unknown =
            ModelFilter { source_job: Some("job-1".into()), weight_type: Some(WeightType::DraftModel), ..named("*") };
        assert!(!matches(&job_unknown));
    }

    #[test]
    fn an_invalid_pattern_is_refused() {
        for text in ["", "[a", "{a,b"] {
            assert!(text.parse::<NamePattern>().is_err(), "{text:?}");
        }
    }
}
