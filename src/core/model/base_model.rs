//! The base model that custom weights were trained from.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const REGISTRY: &str = "azureml://registries/azureml-fireworks/models/";

/// A base model, given as a short name or as an azureml URI.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BaseModel {
    given: String,
    short_name: String,
    uri: String,
}

impl BaseModel {
    /// Short name, for the tag `baseArchitecture`.
    #[must_use]
    pub fn short_name(&self) -> &str {
        &self.short_name
    }

    /// `azureml://` URI for the service.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }
}

/// Writes the text as the user entered it.
impl fmt::Display for BaseModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.given)
    }
}

impl TryFrom<String> for BaseModel {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<BaseModel> for String {
    fn from(base: BaseModel) -> Self {
        base.given
    }
}

impl FromStr for BaseModel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("azureml://") {
            let short_name = path.split('/').skip_while(|part| *part != "models").nth(1).unwrap_or_default();
            if short_name.is_empty() || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
                return Err("must have the form azureml://registries/REGISTRY/models/NAME/versions/V".into());
            }
            return Ok(Self { given: text.to_owned(), short_name: short_name.to_owned(), uri: text.to_owned() });
        }
        let ok = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if ok {
            let uri = format!("{REGISTRY}{text}/versions/1");
            Ok(Self { given: text.to_owned(), short_name: text.to_owned(), uri })
        } else {
            Err("must be a name such as FW-GLM-4.7, or an azureml:// URI".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_have_a_uri_and_a_short_name() {
        let short: BaseModel = "FW-DeepSeek-v3.1".parse().expect("short");
        assert_eq!(short.uri(), "azureml://registries/azureml-fireworks/models/FW-DeepSeek-v3.1/versions/1");
        let long: BaseModel = "azureml://registries/r/models/gpt-oss/versions/4".parse().expect("long");
        assert_eq!((long.short_name(), long.uri()), ("gpt-oss", "azureml://registries/r/models/gpt-oss/versions/4"));
        for bad in ["", "a b", "a/b", "azureml://registries/r", "https://x"] {
            assert!(bad.parse::<BaseModel>().is_err(), "{bad}");
        }
    }
}
