//! Which Foundry project the program talks to, and who said so (cli.md 4).
//!
//! Owns the endpoint's rules and the order of the places it may stand in. Asks no person: where nothing is found, the
//! caller decides whether one can be asked.

mod endpoint;
mod search;

use std::fmt;

use thiserror::Error;

pub use endpoint::{Cloud, EndpointError, ProjectEndpoint};
pub use search::{Asked, Azd, find};

use crate::azd::{HostError, INSTALL_LINK, ProgramError};
use crate::env::var;

/// Where an endpoint stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointSource {
    /// The command line.
    Option,
    /// An azd environment.
    Environment {
        /// Its name.
        name: String,
        /// The value, or values, that it was made of.
        key: &'static str,
    },
    /// azd's user configuration.
    UserConfig,
    /// A variable of the process environment.
    Variable(&'static str),
}

impl fmt::Display for EndpointSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option => f.write_str("--project-endpoint"),
            Self::Environment { name, key } => write!(f, "azd environment '{name}': {key}"),
            Self::UserConfig => f.write_str("azd user config: extensions.ai-projects.context.endpoint"),
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
#[derive(Debug, Error)]
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
    /// An environment was named, and there is no azd project here.
    #[error("there is no azd project here that could have an environment '{name}'")]
    NoAzdProject {
        /// The environment.
        name: String,
    },
    /// The azd project has no such environment.
    #[error("the azd environment '{name}' does not exist")]
    NoSuchEnvironment {
        /// The environment.
        name: String,
    },
    /// The azd that runs this program.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The `azd` program.
    #[error(transparent)]
    Program(ProgramError),
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
            Self::NoAzdProject { .. } => {
                "Change to the directory of the azd project, or leave the environment away.".into()
            }
            Self::NoSuchEnvironment { .. } => "See what there is: azd env list".into(),
            Self::Host(HostError::NotSignedIn { suggestion: Some(suggestion), .. }) => suggestion.clone(),
            Self::Host(HostError::NotSignedIn { .. }) => "Sign in: azd auth login".into(),
            Self::Host(_) => "Run the command again, or name the project with --project-endpoint URL.".into(),
            Self::Program(ProgramError::Missing) => format!("Install azd: {INSTALL_LINK}"),
            Self::Program(_) => "Name the project with --project-endpoint URL.".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_says_where_it_is() {
        let environment = EndpointSource::Environment { name: "dev".into(), key: var::AZURE_PROJECT_ENDPOINT };
        assert_eq!(environment.to_string(), "azd environment 'dev': AZURE_PROJECT_ENDPOINT");
    }

    #[test]
    fn nothing_found_names_the_option_and_the_variable() {
        let suggestion = FindError::NotConfigured.suggestion();
        assert!(suggestion.contains("--project-endpoint") && suggestion.contains("AZURE_PROJECT_ENDPOINT"));
    }
}
