//! JSON documents of a service, kept completely next to a lenient view of the fields that this program reads.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::redact;

/// A JSON document of a service: an object with a name, without which a response is something else. Fields unknown to
/// this program reach `-o json`. Secrets are masked when it is parsed, so that code that displays a document does not
/// have to.
#[derive(Clone, Debug)]
pub struct Document<V> {
    // Stored as text: hundreds of documents are listed, and a tree of values takes five times the memory.
    json: Box<RawValue>,
    view: Box<V>,
}

impl<V> Document<V> {
    /// Fields that this program reads.
    #[must_use]
    pub fn view(&self) -> &V {
        &self.view
    }
}

impl<'de, V: DeserializeOwned> Deserialize<'de> for Document<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut json = Value::deserialize(deserializer)?;
        redact::clean_json(&mut json);
        if json["name"].as_str().is_none_or(str::is_empty) {
            return Err(serde::de::Error::missing_field("name"));
        }
        let view = V::deserialize(&json).map_err(serde::de::Error::custom)?;
        let json = serde_json::value::to_raw_value(&json).map_err(serde::de::Error::custom)?;
        Ok(Self { json, view: Box::new(view) })
    }
}

impl<V> Serialize for Document<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Parsed first: the text would keep its original indentation.
        let json: Value = serde_json::from_str(self.json.get()).map_err(serde::ser::Error::custom)?;
        json.serialize(serializer)
    }
}

/// Reads a field; a value of an unexpected type counts as absent.
pub(crate) fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(T::deserialize(Value::deserialize(deserializer)?).ok())
}

/// Reads text; numbers and booleans count as text too.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(as_text(Value::deserialize(deserializer)?))
}

/// Reads a whole number of 0 or more, also in the form `80.0` or as text.
pub(crate) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(as_whole(&Value::deserialize(deserializer)?))
}

/// Reads tags, sorted by key. Anything but a map of texts counts as absent.
pub(crate) fn tags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    let Value::Object(map) = Value::deserialize(deserializer)? else {
        return Ok(Vec::new());
    };
    let mut tags: Vec<_> = map.into_iter().filter_map(|(key, value)| Some((key, as_text(value)?))).collect();
    tags.sort();
    tags.shrink_to_fit();
    Ok(tags)
}

fn as_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn as_whole(value: &Value) -> Option<u64> {
    /// Largest number up to which every whole number has an exact float.
    const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;
    if let Some(text) = value.as_str() {
        return text.parse().ok();
    }
    value.as_u64().or_else(|| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..=LARGEST_EXACT).contains(number))?;
        // Exact in this range; the standard library has no lossless conversion.
        format!("{number:.0}").parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct View {
        #[serde(deserialize_with = "whole")]
        n: Option<u64>,
    }

    #[test]
    fn unknown_fields_survive_in_their_order_without_their_secrets() {
        let text = r#"{"zeta":1,"name":"d","n":80.0,"alpha":"https://h/p?sig=CANARY"}"#;
        let document: Document<View> = serde_json::from_str(text).expect("a document");
        assert_eq!(document.view().n, Some(80));
        let again = serde_json::to_string(&document).expect("json");
        assert_eq!(again, r#"{"zeta":1,"name":"d","n":80.0,"alpha":"https://h/p?***"}"#);
    }

    #[test]
    fn whole_numbers_are_read_in_every_notation() {
        for (value, number) in [
            (json!(80), Some(80)),
            (json!(80.0), Some(80)),
            (json!("80"), Some(80)),
            (json!(0.5), None),
            (json!(-1), None),
            (json!(1e300), None),
            (json!(null), None),
        ] {
            assert_eq!(as_whole(&value), number, "{value}");
        }
    }
}
