//! Failure to find the project.

use thiserror::Error;

use super::{EndpointError, EndpointSource};
use crate::azd::{HostError, INSTALL, ProgramError};
use crate::env::var;

/// Reason why no project is available.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FindError {
    /// No source specifies one.
    #[error("no Foundry project endpoint is configured")]
    NotConfigured,
    /// The first source that has an endpoint violates the rules. Later sources are not read: the user meant this one.
    #[error("the project endpoint in {source_name} cannot be used")]
    Invalid {
        /// Source of the endpoint.
        source_name: EndpointSource,
        /// Violated rule.
        #[source]
        error: EndpointError,
    },
    /// A reference to Key Vault that was not resolved.
    #[error("{source_name} is a Key Vault reference that azd did not resolve")]
    Unresolved {
        /// Source of the reference.
        source_name: EndpointSource,
    },
    /// The azd project has no such environment.
    #[error("azd environment '{name}' not found")]
    NoSuchEnvironment {
        /// Name of the environment.
        name: String,
    },
    /// An environment was named, but there is no azd project.
    #[error("azd environment '{name}' not found: no azd project in this directory")]
    NoAzdProject {
        /// The environment.
        name: String,
    },
    /// An environment was named, but azd is not installed.
    #[error("azd is required to read the azd environment '{name}', but was not found")]
    AzdMissing {
        /// The environment.
        name: String,
    },
    /// azd's gRPC server did not report the environment.
    #[error("the azd environment cannot be read: {0}")]
    Host(HostError),
    /// The `azd` program did not report the environment.
    #[error("the azd environment cannot be read: {0}")]
    Program(ProgramError),
}

impl FindError {
    /// Suggestion for the user.
    #[must_use]
    pub fn suggestion(&self) -> Option<String> {
        match self {
            Self::NotConfigured => Some(format!(
                "Use --project-endpoint https://ACCOUNT.services.ai.azure.com/api/projects/PROJECT, or set {}.\nTo store the project in an azd environment: azd ai models init",
                var::AZURE_PROJECT_ENDPOINT
            )),
            Self::Invalid { error, .. } => Some(error.suggestion()),
            Self::Unresolved { .. } => {
                Some("Check the reference and your access to the vault, or use --project-endpoint URL.".into())
            }
            Self::NoSuchEnvironment { .. } => Some("To list the environments: azd env list".into()),
            Self::NoAzdProject { .. } => Some("Change to the directory of the azd project, or use --cwd DIR.".into()),
            Self::AzdMissing { .. } => Some(format!("Install azd: {INSTALL}\nOr use --project-endpoint URL.")),
            Self::Host(error) => error.suggestion(),
            Self::Program(error) => Some(error.suggestion()),
        }
    }
}
