//! Foundry project of the run, and the source that specified it.
//!
//! Owns the endpoint's rules, the order of its sources, and the list of variables that an azd environment may not set.
//! Does not prompt: if nothing is found, the caller decides whether to ask the user.

mod endpoint;
mod error;
mod search;
mod trust;
mod values;

use std::fmt;

pub use endpoint::{EndpointError, ProjectEndpoint};
pub use error::FindError;
pub use search::{ProjectLookup, ProjectSearch, SearchOutcome};
pub use trust::{trusted, trusted_for_hub};
pub use values::EnvironmentValues;

pub use crate::model::Cloud;

use crate::azd::ENDPOINT_KEY;
use crate::env::{Env, var};

/// Source of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointSource {
    /// The command line.
    Option,
    /// The values of an azd environment.
    Environment {
        /// Name of the environment.
        name: String,
        /// Names of the values.
        keys: &'static [&'static str],
    },
    /// azd's own configuration, written by `azd ai project set`.
    UserConfig,
    /// A variable of the process environment.
    Variable(&'static str),
    /// Chosen by the user in this run.
    Choice,
}

impl fmt::Display for EndpointSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option => f.write_str("--project-endpoint"),
            Self::Environment { name, keys } => write!(f, "azd environment '{name}': {}", keys.join(" and ")),
            Self::UserConfig => write!(f, "azd configuration: {ENDPOINT_KEY}"),
            Self::Choice => f.write_str("your choice"),
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// Project, and further values from its source.
#[derive(Clone, Debug)]
pub struct ResolvedProject {
    /// The project.
    pub endpoint: ProjectEndpoint,
    /// Source of the endpoint.
    pub source: EndpointSource,
    /// Tenant for tokens.
    pub tenant: Option<String>,
    /// Values of the azd environment with the endpoint.
    values: Option<EnvironmentValues>,
}

impl ResolvedProject {
    /// Project that the user chose, with its known values under the names of an environment's values.
    #[must_use]
    pub fn chosen(endpoint: ProjectEndpoint, tenant: Option<String>, values: EnvironmentValues) -> Self {
        Self { endpoint, source: EndpointSource::Choice, tenant, values: Some(values) }
    }

    /// True unless an azd environment set the endpoint and the user did not name its host.
    #[must_use]
    pub fn is_named_by_user(&self, env: &Env) -> bool {
        let from_azd = match self.source {
            EndpointSource::Environment { .. } => true,
            EndpointSource::Variable(name) => env.is_from_azd(name),
            EndpointSource::Option | EndpointSource::UserConfig | EndpointSource::Choice => false,
        };
        !from_azd || env.get(var::ALLOW_HOST).is_some_and(|host| host.trim().eq_ignore_ascii_case(self.endpoint.host()))
    }

    /// Value that the source has for this project, under a name such as `AZURE_SUBSCRIPTION_ID`.
    #[must_use]
    pub fn value<'a>(&'a self, env: &'a Env, name: &str) -> Option<&'a str> {
        if let Some(values) = &self.values {
            return values.get(name);
        }
        let named = env.get(var::AZURE_PROJECT_ENDPOINT)?;
        if named.trim_end_matches('/') == self.endpoint.to_string() { env.get(name) } else { None }
    }
}
