//! Which Foundry project the program talks to, and who said so (cli.md 4).
//!
//! Owns the endpoint's rules and the order of the places it may stand in. Asks nobody: where nothing is found, the
//! caller decides whether a person can be asked.

mod endpoint;

use std::fmt;

use thiserror::Error;

pub use endpoint::{Cloud, EndpointError, ProjectEndpoint};

use crate::env::{Env, var};

/// The variables of the process environment, in the order in which they count.
const VARIABLES: [&str; 2] = [var::AZURE_PROJECT_ENDPOINT, var::FOUNDRY_PROJECT_ENDPOINT];

/// Where an endpoint stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointSource {
    /// The command line.
    Option,
    /// A variable of the process environment.
    Variable(&'static str),
}

impl fmt::Display for EndpointSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option => f.write_str("--project-endpoint"),
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// The project, and what its source says besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The project.
    pub endpoint: ProjectEndpoint,
    /// Where the endpoint stood.
    pub source: EndpointSource,
    /// Tenant for tokens (cli.md 13, "Tenant").
    pub tenant: Option<String>,
}

/// Why there is no project to talk to.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FindError {
    /// No place names one.
    #[error("no Foundry project endpoint is configured")]
    NotConfigured,
    /// The first place that names one breaks the rules. Later places are not asked: the person meant this one.
    #[error("the project endpoint in {source_name} cannot be used")]
    Invalid {
        /// Where it stands.
        source_name: EndpointSource,
        /// Which rule it breaks.
        #[source]
        error: EndpointError,
    },
}

impl FindError {
    /// What the person can do about it.
    #[must_use]
    pub fn suggestion(&self) -> String {
        match self {
            Self::NotConfigured => format!(
                "Give --project-endpoint https://ACCOUNT.services.ai.azure.com/api/projects/PROJECT, or set {}.",
                var::AZURE_PROJECT_ENDPOINT
            ),
            Self::Invalid { error, .. } => error.suggestion(),
        }
    }
}

/// Finds the project: the option, then the variables of the process environment.
///
/// # Errors
/// See [`FindError`].
pub fn find(env: &Env, option: Option<&str>) -> Result<Found, FindError> {
    let of_variable = |name: &'static str| env.get(name).map(|text| (text, EndpointSource::Variable(name)));
    let (text, source) = option
        .map(|text| (text, EndpointSource::Option))
        .or_else(|| VARIABLES.into_iter().find_map(of_variable))
        .ok_or(FindError::NotConfigured)?;
    let endpoint = ProjectEndpoint::parse(text, env.get(var::ALLOW_HOST))
        .map_err(|error| FindError::Invalid { source_name: source, error })?;
    Ok(Found { endpoint, source, tenant: env.get(var::AZURE_TENANT_ID).map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const A: &str = "https://a.services.ai.azure.com/api/projects/p";
    const B: &str = "https://b.services.ai.azure.com/api/projects/p";

    fn env(vars: &[(&'static str, &'static str)]) -> Env {
        Env::from_vars(vars.iter().copied(), Path::new("/"))
    }

    #[test]
    fn the_first_place_that_names_a_project_wins() {
        let both = env(&[(var::AZURE_PROJECT_ENDPOINT, A), (var::FOUNDRY_PROJECT_ENDPOINT, B)]);
        for (env, option, account, source) in [
            (&both, Some(B), "b", "--project-endpoint"),
            (&both, None, "a", "environment variable AZURE_PROJECT_ENDPOINT"),
            (
                &env(&[(var::AZURE_PROJECT_ENDPOINT, ""), (var::FOUNDRY_PROJECT_ENDPOINT, B)]),
                None,
                "b",
                "environment variable FOUNDRY_PROJECT_ENDPOINT",
            ),
        ] {
            let found = find(env, option).expect("a project");
            assert_eq!((found.endpoint.account(), found.source.to_string().as_str()), (account, source));
        }
    }

    #[test]
    fn nothing_found_names_the_option_and_the_variable() {
        let error = find(&env(&[]), None).expect_err("nothing is set");
        assert_eq!(error, FindError::NotConfigured);
        let suggestion = error.suggestion();
        assert!(suggestion.contains("--project-endpoint") && suggestion.contains("AZURE_PROJECT_ENDPOINT"));
    }

    #[test]
    fn a_stored_endpoint_that_breaks_the_rules_names_its_place_and_stops_the_search() {
        let env = env(&[
            (var::AZURE_PROJECT_ENDPOINT, "https://a.example/api/projects/p"),
            (var::FOUNDRY_PROJECT_ENDPOINT, B),
        ]);
        let error = find(&env, None).expect_err("a foreign host");
        assert_eq!(
            error.to_string(),
            "the project endpoint in environment variable AZURE_PROJECT_ENDPOINT cannot be used"
        );
    }
}
