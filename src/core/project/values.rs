//! The values of an azd environment, and the endpoint that they specify. Pure.

use std::collections::BTreeMap;

use super::EndpointSource;
use crate::env::{Env, var};

/// Values that contain a complete endpoint, or both halves of one, in order of precedence.
const PLACES: [&[&str]; 3] = [
    &[var::AZURE_PROJECT_ENDPOINT],
    &[var::AZURE_ACCOUNT_NAME, var::AZURE_PROJECT_NAME],
    &[var::FOUNDRY_PROJECT_ENDPOINT],
];

/// The values of one azd environment.
#[derive(Clone, PartialEq, Eq)]
pub struct EnvironmentValues {
    /// Name of the environment.
    pub environment: String,
    values: BTreeMap<String, EnvironmentValue>,
}

/// Writes only the names: values may be secrets.
impl std::fmt::Debug for EnvironmentValues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Values of '{}': {:?}", self.environment, self.values.keys())
    }
}

#[derive(Clone, PartialEq, Eq)]
enum EnvironmentValue {
    Text(String),
    /// A reference to Key Vault that azd did not resolve.
    Unresolved,
}

/// An endpoint in the values.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NamedEndpoint {
    pub(super) source: EndpointSource,
    /// `None` for a reference to Key Vault that was not resolved.
    pub(super) text: Option<String>,
}

impl EnvironmentValues {
    /// Wraps the values that azd stores. A reference to Key Vault is replaced by the variable with the same name in the
    /// process environment, into which azd resolved it.
    #[must_use]
    pub fn new(environment: &str, stored: BTreeMap<String, String>, env: &Env) -> Self {
        let value = |(name, text): (String, String)| {
            if !is_reference(&text) {
                return (name, EnvironmentValue::Text(text));
            }
            let resolved = env.get(&name).filter(|text| !is_reference(text)).map(str::to_owned);
            (name, resolved.map_or(EnvironmentValue::Unresolved, EnvironmentValue::Text))
        };
        Self { environment: environment.to_owned(), values: stored.into_iter().map(value).collect() }
    }

    /// A value; an empty one counts as unset.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        match self.values.get(name) {
            Some(EnvironmentValue::Text(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// True if there is a value with this name, even an empty one. Ignores case on Windows.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values.keys().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Endpoint in the values, not yet validated.
    pub(super) fn endpoint(&self) -> Option<NamedEndpoint> {
        let is_set =
            |key: &&str| self.get(key).is_some() || matches!(self.values.get(*key), Some(EnvironmentValue::Unresolved));
        let keys = PLACES.into_iter().find(|keys| keys.iter().all(is_set))?;
        let parts: Option<Vec<&str>> = keys.iter().map(|key| self.get(key)).collect();
        let text = parts.map(|parts| match parts.as_slice() {
            [account, project] => format!("https://{account}.services.ai.azure.com/api/projects/{project}"),
            whole => whole.concat(),
        });
        Some(NamedEndpoint { source: EndpointSource::Environment { name: self.environment.clone(), keys }, text })
    }
}

/// True for a reference in either of azd's two notations.
fn is_reference(text: &str) -> bool {
    let text = text.trim_start().to_ascii_lowercase();
    text.starts_with("akvs://") || text.contains("@microsoft.keyvault(")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const A: &str = "https://a.services.ai.azure.com/api/projects/p";
    const B: &str = "https://b.services.ai.azure.com/api/projects/p";

    fn endpoint(stored: &[(&str, &str)], process: &[(&'static str, &'static str)]) -> Option<(String, Option<String>)> {
        let stored = stored.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let env = Env::from_vars(process.iter().copied(), Path::new("/"));
        EnvironmentValues::new("dev", stored, &env).endpoint().map(|named| (named.source.to_string(), named.text))
    }

    #[test]
    fn a_complete_endpoint_precedes_its_halves_and_both_precede_the_alternative_name() {
        let whole = (var::AZURE_PROJECT_ENDPOINT, A);
        let halves = [(var::AZURE_ACCOUNT_NAME, "acc"), (var::AZURE_PROJECT_NAME, "proj")];
        let sibling = (var::FOUNDRY_PROJECT_ENDPOINT, B);
        let built = "https://acc.services.ai.azure.com/api/projects/proj";
        for (stored, keys, text) in [
            (vec![sibling, halves[0], halves[1], whole], "AZURE_PROJECT_ENDPOINT", A),
            (vec![sibling, halves[0], halves[1]], "AZURE_ACCOUNT_NAME and AZURE_PROJECT_NAME", built),
            (vec![sibling, halves[0]], "FOUNDRY_PROJECT_ENDPOINT", B),
            (vec![sibling, (var::AZURE_PROJECT_ENDPOINT, "")], "FOUNDRY_PROJECT_ENDPOINT", B),
        ] {
            let expected = Some((format!("azd environment 'dev': {keys}"), Some(text.to_owned())));
            assert_eq!(endpoint(&stored, &[]), expected, "{stored:?}");
        }
        assert_eq!(endpoint(&halves[1..], &[]), None);
    }

    #[test]
    fn a_key_vault_reference_is_replaced_by_the_value_that_azd_resolved() {
        let place = "azd environment 'dev': AZURE_PROJECT_ENDPOINT".to_owned();
        for reference in ["akvs://s/v/n", "@Microsoft.KeyVault(SecretUri=https://v/secrets/n)", "AKVS://s/v/n"] {
            let stored = [(var::AZURE_PROJECT_ENDPOINT, reference), (var::FOUNDRY_PROJECT_ENDPOINT, B)];
            let given = [(var::AZURE_PROJECT_ENDPOINT, A)];
            assert_eq!(endpoint(&stored, &given), Some((place.clone(), Some(A.to_owned()))), "{reference}");
            // Another source would be a different project than the intended one.
            assert_eq!(endpoint(&stored, &[]), Some((place.clone(), None)), "{reference}");
        }
        let unresolved = [(var::AZURE_PROJECT_ENDPOINT, "akvs://s/v/n")];
        assert_eq!(endpoint(&unresolved, &[(var::AZURE_PROJECT_ENDPOINT, "akvs://s/v/n")]), Some((place, None)));
    }
}
