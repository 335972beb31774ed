//! Which Foundry project a command works with, and what an endpoint must look like (cli.md 4).

mod endpoint;

pub use endpoint::{Cloud, EndpointError, ProjectEndpoint};

use std::fmt;

use thiserror::Error;

use crate::env::{Env, var};

/// A project, and where its name came from.
#[derive(Clone, Debug)]
pub struct Found {
    /// The project.
    pub endpoint: ProjectEndpoint,
    /// Where it was named.
    pub source: EndpointSource,
}

/// Where a project was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointSource {
    /// `--project-endpoint` or `-e URL`.
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

/// Why there is no project.
#[derive(Debug, Error)]
pub enum FindError {
    /// Nobody named one.
    #[error("no Foundry project is named")]
    NotConfigured,
    /// What was named breaks a rule.
    #[error("{error} (from {source})", source = .at)]
    Bad {
        /// Where it was named.
        at: EndpointSource,
        /// The rule.
        error: EndpointError,
    },
}

/// Finds the project: the option, else `AZURE_PROJECT_ENDPOINT`, else `FOUNDRY_PROJECT_ENDPOINT`.
///
/// # Errors
/// See [`FindError`].
pub fn find(env: &Env, option: Option<&str>) -> Result<Found, FindError> {
    let variables = [var::AZURE_PROJECT_ENDPOINT, var::FOUNDRY_PROJECT_ENDPOINT];
    let named = option
        .map(|text| (text, EndpointSource::Option))
        .or_else(|| variables.into_iter().find_map(|name| Some((env.get(name)?, EndpointSource::Variable(name)))));
    let (text, source) = named.ok_or(FindError::NotConfigured)?;
    match ProjectEndpoint::parse(text, env.get(var::ALLOW_HOST)) {
        Ok(endpoint) => Ok(Found { endpoint, source }),
        Err(error) => Err(FindError::Bad { at: source, error }),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const ONE: &str = "https://one.services.ai.azure.com/api/projects/p";
    const TWO: &str = "https://two.services.ai.azure.com/api/projects/p";

    #[test]
    fn the_first_that_names_a_project_wins() {
        for (vars, option, source) in [
            (vec![], Some(ONE), "--project-endpoint"),
            (vec![(var::AZURE_PROJECT_ENDPOINT, TWO)], Some(ONE), "--project-endpoint"),
            (
                vec![(var::AZURE_PROJECT_ENDPOINT, ONE), (var::FOUNDRY_PROJECT_ENDPOINT, TWO)],
                None,
                "environment variable AZURE_PROJECT_ENDPOINT",
            ),
            (
                vec![(var::AZURE_PROJECT_ENDPOINT, ""), (var::FOUNDRY_PROJECT_ENDPOINT, ONE)],
                None,
                "environment variable FOUNDRY_PROJECT_ENDPOINT",
            ),
        ] {
            let found = find(&Env::from_vars(vars, Path::new("/")), option).expect("a project");
            assert_eq!((found.endpoint.as_str(), found.source.to_string().as_str()), (ONE, source));
        }
    }

    #[test]
    fn a_bad_one_says_where_it_stands_and_hides_no_other() {
        let env = Env::from_vars(
            [(var::AZURE_PROJECT_ENDPOINT, "http://x"), (var::FOUNDRY_PROJECT_ENDPOINT, ONE)],
            Path::new("/"),
        );
        let error = find(&env, None).expect_err("refused");
        assert!(error.to_string().ends_with("(from environment variable AZURE_PROJECT_ENDPOINT)"), "{error}");
        assert!(matches!(find(&Env::from_vars([], Path::new("/")), None), Err(FindError::NotConfigured)));
    }
}
