//! The services of the azd that runs this program.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

use super::error::HostError;
use super::proto::account_service_client::AccountServiceClient;
use super::proto::environment_service_client::EnvironmentServiceClient;
use super::proto::project_service_client::ProjectServiceClient;
use super::proto::workflow_service_client::WorkflowServiceClient;
use super::proto::{
    EmptyRequest, GetEnvironmentRequest, LookupTenantRequest, RunWorkflowRequest, SelectEnvironmentRequest,
    SetEnvRequest, Workflow, WorkflowCommand, WorkflowStep,
};
use crate::env::{Env, Timings, var};

/// One environment of azd's project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// It is the one that counts when none is named.
    pub is_default: bool,
}

/// What goes with each call: azd's token for this program, and the trace that it belongs to.
#[derive(Clone)]
pub(super) struct Credentials {
    token: MetadataValue<Ascii>,
    traceparent: Option<MetadataValue<Ascii>>,
}

impl Interceptor for Credentials {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        // The raw token: azd takes no scheme before it.
        request.metadata_mut().insert("authorization", self.token.clone());
        if let Some(traceparent) = &self.traceparent {
            request.metadata_mut().insert("traceparent", traceparent.clone());
        }
        Ok(request)
    }
}

pub(super) type Line = InterceptedService<Channel, Credentials>;

/// The azd that runs this program. Cheap to clone; connects at the first call.
#[derive(Clone)]
pub struct AzdHost {
    line: Line,
    limit: Duration,
    report_limit: Duration,
}

impl AzdHost {
    /// The host that the environment names; `None` outside azd. Needs a runtime.
    ///
    /// # Errors
    /// An address that is not on this machine, or a token that no header can carry: azd sets neither.
    pub fn from_env(env: &Env, timings: &Timings) -> Result<Option<Self>, HostError> {
        let Some(server) = env.get(var::AZD_SERVER) else { return Ok(None) };
        let odd = |what: &str| HostError::Gone(format!("{} {what}", var::AZD_SERVER));
        let address: SocketAddr = server.parse().map_err(|_| odd("is not an address"))?;
        if !address.ip().is_loopback() {
            return Err(odd("is not on this machine"));
        }
        let mut token: MetadataValue<Ascii> =
            env.get(var::AZD_ACCESS_TOKEN).unwrap_or_default().parse().map_err(|_| HostError::TokenEnded)?;
        token.set_sensitive(true);
        let traceparent = env.get(var::TRACEPARENT).and_then(|text| text.parse().ok());
        let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(|_| odd("is not an address"))?;
        let channel = endpoint.connect_timeout(timings.connect).connect_lazy();
        let line = InterceptedService::new(channel, Credentials { token, traceparent });
        Ok(Some(Self { line, limit: timings.host, report_limit: timings.host_report }))
    }

    /// The directory of azd's project; `None` where there is none upward from here.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn project(&self) -> Result<Option<String>, HostError> {
        let mut client = ProjectServiceClient::new(self.line.clone());
        match self.within(client.get(EmptyRequest {})).await {
            Ok(found) => Ok(found.project.map(|project| project.path)),
            // There is no code of its own for it.
            Err(HostError::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The project's environments.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn environments(&self) -> Result<Vec<Environment>, HostError> {
        let mut client = EnvironmentServiceClient::new(self.line.clone());
        let listed = self.within(client.list(EmptyRequest {})).await?.environments;
        Ok(listed.into_iter().map(|one| Environment { name: one.name, is_default: one.default }).collect())
    }

    /// The values of an environment, as they stand in its file: references to a key vault are not resolved.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn values(&self, environment: &str) -> Result<BTreeMap<String, String>, HostError> {
        let mut client = EnvironmentServiceClient::new(self.line.clone());
        let request = GetEnvironmentRequest { name: environment.to_owned() };
        let values = self.within(client.get_values(request)).await?.key_values;
        Ok(values.into_iter().map(|pair| (pair.key, pair.value)).collect())
    }

    /// Saves one value.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn set_value(&self, environment: &str, key: &str, value: &str) -> Result<(), HostError> {
        let mut client = EnvironmentServiceClient::new(self.line.clone());
        let (env_name, key, value) = (environment.to_owned(), key.to_owned(), value.to_owned());
        self.within(client.set_value(SetEnvRequest { env_name, key, value })).await.map(drop)
    }

    /// Makes an environment the default one.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn select(&self, environment: &str) -> Result<(), HostError> {
        let mut client = EnvironmentServiceClient::new(self.line.clone());
        self.within(client.select(SelectEnvironmentRequest { name: environment.to_owned() })).await.map(drop)
    }

    /// The tenant through which the person reaches a subscription.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn tenant_of(&self, subscription: &str) -> Result<String, HostError> {
        let mut client = AccountServiceClient::new(self.line.clone());
        let request = LookupTenantRequest { subscription_id: subscription.to_owned() };
        Ok(self.within(client.lookup_tenant(request)).await?.tenant_id)
    }

    /// Runs an azd command inside azd, on the same terminal; it may ask, so there is no limit.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn run(&self, name: &str, args: &[&str]) -> Result<(), HostError> {
        let mut client = WorkflowServiceClient::new(self.line.clone());
        let args = args.iter().map(ToString::to_string).collect();
        let steps = vec![WorkflowStep { command: Some(WorkflowCommand { args }) }];
        let workflow = Some(Workflow { name: name.to_owned(), steps });
        answer(client.run(RunWorkflowRequest { workflow }).await).map(drop)
    }

    pub(super) fn line(&self) -> Line {
        self.line.clone()
    }

    pub(super) fn report_limit(&self) -> Duration {
        self.report_limit
    }

    async fn within<T>(&self, call: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, HostError> {
        within(self.limit, call).await
    }
}

pub(super) async fn within<T>(
    limit: Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, HostError> {
    match tokio::time::timeout(limit, call).await {
        Ok(answered) => answer(answered),
        Err(_) => Err(HostError::Gone(format!("no answer within {} s", limit.as_secs_f64()))),
    }
}

pub(super) fn answer<T>(answered: Result<Response<T>, Status>) -> Result<T, HostError> {
    answered.map(Response::into_inner).map_err(|status| HostError::of(&status))
}
