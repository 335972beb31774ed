//! The azd project of the working directory, its environments and their values.

use std::collections::BTreeMap;

use tonic::transport::Channel;

use super::host::with_limit;
use super::proto::environment_service_client::EnvironmentServiceClient;
use super::proto::project_service_client::ProjectServiceClient;
use super::proto::{EmptyRequest, GetEnvironmentRequest, SelectEnvironmentRequest, SetEnvRequest};
use super::{Host, HostError, RefusalKind};

/// An azd project: a directory with an `azure.yaml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AzdProject {
    /// Project name in `azure.yaml`.
    pub name: String,
    /// Directory of the project.
    pub path: String,
}

/// An environment of an azd project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AzdEnvironment {
    /// Environment name.
    pub name: String,
    /// True for the default environment.
    pub is_default: bool,
}

impl Host {
    /// Finds the project upward from the working directory. azd reports a missing project by a plain error.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn project(&self) -> Result<Option<AzdProject>, HostError> {
        let mut client = ProjectServiceClient::new(self.channel()?);
        match with_limit(self.timings().host_call, client.get(self.request(EmptyRequest {}))).await {
            Ok(answer) => Ok(answer.project.map(|project| AzdProject { name: project.name, path: project.path })),
            Err(HostError::Refused { refusal: RefusalKind::Plain, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists all environments of the project.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn environments(&self) -> Result<Vec<AzdEnvironment>, HostError> {
        let mut client = self.environment_service()?;
        let answer = with_limit(self.timings().host_call, client.list(self.request(EmptyRequest {}))).await?;
        let environments = answer.environments.into_iter();
        Ok(environments.map(|one| AzdEnvironment { name: one.name, is_default: one.default }).collect())
    }

    /// Reads the values of an environment as stored: references to Key Vault are not resolved.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn values(&self, environment: &str) -> Result<BTreeMap<String, String>, HostError> {
        let mut client = self.environment_service()?;
        let message = GetEnvironmentRequest { name: environment.to_owned() };
        let answer = with_limit(self.timings().host_call, client.get_values(self.request(message))).await?;
        Ok(answer.key_values.into_iter().map(|pair| (pair.key, pair.value)).collect())
    }

    /// Stores one value in an environment.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn set_value(&self, environment: &str, key: &str, value: &str) -> Result<(), HostError> {
        let mut client = self.environment_service()?;
        let message = SetEnvRequest { env_name: environment.to_owned(), key: key.to_owned(), value: value.to_owned() };
        with_limit(self.timings().host_call, client.set_value(self.request(message))).await?;
        Ok(())
    }

    /// Makes an environment the default one.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn select_environment(&self, name: &str) -> Result<(), HostError> {
        let mut client = self.environment_service()?;
        let message = SelectEnvironmentRequest { name: name.to_owned() };
        with_limit(self.timings().host_call, client.select(self.request(message))).await?;
        Ok(())
    }

    fn environment_service(&self) -> Result<EnvironmentServiceClient<Channel>, HostError> {
        Ok(EnvironmentServiceClient::new(self.channel()?))
    }
}
