//! Sources of an endpoint, in order of precedence.

use super::values::NamedEndpoint;
use super::{EndpointSource, EnvironmentValues, FindError, ProjectEndpoint, ResolvedProject, trusted};
use crate::azd::{self, Host, HostError, ProgramError};
use crate::env::{Env, Timings, var};
use crate::model::{Report, Reporter};

/// Variables of the process environment, in order of precedence.
const VARIABLES: [&str; 2] = [var::AZURE_PROJECT_ENDPOINT, var::FOUNDRY_PROJECT_ENDPOINT];

/// One search.
#[derive(Clone, Copy)]
pub struct ProjectSearch<'a> {
    /// Process environment.
    pub env: &'a Env,
    /// Time limits for azd.
    pub timings: &'a Timings,
    /// Endpoint from the command line.
    pub option: Option<&'a str>,
    /// azd environment from the command line.
    pub environment: Option<&'a str>,
    /// Receives notices and warnings.
    pub report: &'a Reporter,
}

/// Result of a search.
#[derive(Debug)]
pub struct SearchOutcome {
    /// The project.
    pub answer: ProjectLookup,
    /// Process environment without the trust variables that an azd environment set.
    pub env: Env,
}

/// Project, or the need to choose one.
#[derive(Debug)]
pub enum ProjectLookup {
    /// Found in a source.
    Found(Box<ResolvedProject>),
    /// No source has an endpoint: the user has to choose.
    NeedsChoice {
        /// Subscription in the azd environment.
        subscription: Option<String>,
        /// Tenant in the azd environment.
        tenant: Option<String>,
    },
}

impl ProjectSearch<'_> {
    /// Reads the sources in order. May be dropped at any time.
    ///
    /// # Errors
    /// See [`FindError`].
    pub async fn run(self) -> Result<SearchOutcome, FindError> {
        // An endpoint from the command line does not need azd.
        let values = match self.option {
            Some(_) => None,
            None => self.values().await?,
        };
        let env = trusted(self.env, self.environment, values.as_ref(), self.report);
        let Some(named) = self.named(values.as_ref()) else {
            let value = |name| values.as_ref().and_then(|values| values.get(name)).or_else(|| env.get(name));
            let (subscription, tenant) = (value(var::AZURE_SUBSCRIPTION_ID), value(var::AZURE_TENANT_ID));
            let (subscription, tenant) = (subscription.map(str::to_owned), tenant.map(str::to_owned));
            return Ok(SearchOutcome { answer: ProjectLookup::NeedsChoice { subscription, tenant }, env });
        };
        let NamedEndpoint { source, text } = named;
        let Some(text) = text else { return Err(FindError::Unresolved { source_name: source }) };
        let endpoint = ProjectEndpoint::parse(&text, env.get(var::ALLOW_HOST))
            .map_err(|error| FindError::Invalid { source_name: source.clone(), error })?;
        let values = values.filter(|_| matches!(source, EndpointSource::Environment { .. }));
        let tenant = values.as_ref().and_then(|values| values.get(var::AZURE_TENANT_ID));
        let tenant = tenant.or_else(|| env.get(var::AZURE_TENANT_ID)).map(str::to_owned);
        Ok(SearchOutcome {
            answer: ProjectLookup::Found(Box::new(ResolvedProject { endpoint, source, tenant, values })),
            env,
        })
    }

    /// Endpoint of the first source that has one, not yet validated.
    fn named(&self, values: Option<&EnvironmentValues>) -> Option<NamedEndpoint> {
        let option = self.option.map(|text| (text.to_owned(), EndpointSource::Option));
        let stored = || self.stored().map(|text| (text, EndpointSource::UserConfig));
        let of_variable = |name| self.env.get(name).map(|text| (text.to_owned(), EndpointSource::Variable(name)));
        let named = |(text, source)| NamedEndpoint { source, text: Some(text) };
        option
            .map(named)
            .or_else(|| values.and_then(EnvironmentValues::endpoint))
            .or_else(|| stored().map(named))
            .or_else(|| VARIABLES.into_iter().find_map(of_variable).map(named))
    }

    fn stored(&self) -> Option<String> {
        azd::stored_endpoint(&self.env.azd_config_dir()?).unwrap_or_else(|error| {
            (self.report)(Report::Warning(error.to_string()));
            None
        })
    }

    /// Values of the applicable azd environment: the named one, otherwise the default one.
    async fn values(&self) -> Result<Option<EnvironmentValues>, FindError> {
        match Host::from_env(self.env, self.timings) {
            Some(host) => self.values_of_host(&host).await,
            None => self.values_of_program().await,
        }
    }

    /// Environment that the user named, on the command line or for azd.
    fn environment(&self) -> Option<&str> {
        self.environment.or_else(|| self.env.get(var::AZD_ENVIRONMENT))
    }

    async fn values_of_host(&self, host: &Host) -> Result<Option<EnvironmentValues>, FindError> {
        if host.project().await?.is_none() {
            self.debug("azd knows no azd project here".to_owned());
            return self.without_azd_project();
        }
        let environments = host.environments().await?;
        let name = match self.environment() {
            Some(name) => {
                let there = environments.iter().any(|one| one.name == name);
                if !there {
                    return Err(FindError::NoSuchEnvironment { name: name.to_owned() });
                }
                name
            }
            None => match environments.iter().find(|one| one.is_default) {
                Some(default) => default.name.as_str(),
                None => {
                    self.debug("the azd project has no default environment".to_owned());
                    return Ok(None);
                }
            },
        };
        let stored = host.values(name).await?;
        Ok(Some(EnvironmentValues::new(name, stored, self.env)))
    }

    async fn values_of_program(&self) -> Result<Option<EnvironmentValues>, FindError> {
        let Some(root) = azd::project_root(self.env.cwd()) else { return self.without_azd_project() };
        // Always passed to azd: otherwise AZURE_ENV_NAME would select another one.
        let Some(name) =
            self.environment().map(str::to_owned).or_else(|| azd::default_environment(&root).ok().flatten())
        else {
            return Ok(None);
        };
        self.debug(format!("starting azd env get-values -e {name}"));
        match azd::environment_values(self.env, self.timings, &name).await {
            Ok(stored) => Ok(Some(EnvironmentValues::new(&name, stored, self.env))),
            Err(ProgramError::Missing) if self.environment.is_some() => Err(FindError::AzdMissing { name }),
            Err(ProgramError::Missing) => {
                (self.report)(Report::Warning(format!(
                    "azd was not found, so the azd environment '{name}' was not read. Install azd: {}",
                    azd::INSTALL
                )));
                Ok(None)
            }
            Err(ProgramError::Failed { message })
                if !azd::has_environment(&root, &name) && message.message.contains("does not exist") =>
            {
                Err(FindError::NoSuchEnvironment { name })
            }
            Err(error) => Err(FindError::Program(error)),
        }
    }

    fn debug(&self, text: String) {
        (self.report)(Report::Debug(text));
    }

    /// Result without an azd project: an error if the user named an environment.
    fn without_azd_project(&self) -> Result<Option<EnvironmentValues>, FindError> {
        match self.environment {
            Some(name) => Err(FindError::NoAzdProject { name: name.to_owned() }),
            None => Ok(None),
        }
    }
}

impl From<HostError> for FindError {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}
