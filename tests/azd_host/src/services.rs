//! gRPC services with the behaviour of azd.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tonic::transport::Server;
use tonic::transport::server::Router;
use tonic::{Request, Response, Status};

use crate::proto::account_service_server::{AccountService, AccountServiceServer};
use crate::proto::environment_service_server::{EnvironmentService, EnvironmentServiceServer};
use crate::proto::extension_service_server::{ExtensionService, ExtensionServiceServer};
use crate::proto::project_service_server::{ProjectService, ProjectServiceServer};
use crate::proto::prompt_service_server::{PromptService, PromptServiceServer};
use crate::proto::workflow_service_server::{WorkflowService, WorkflowServiceServer};
use crate::proto::{self as p, EmptyRequest, EmptyResponse};
use crate::state::{Call, Fault, HostState, State};

#[derive(Clone)]
pub(crate) struct Services(Arc<Mutex<State>>);

type Answer<T> = Result<Response<T>, Status>;

impl Services {
    pub(crate) fn new(state: Arc<Mutex<State>>) -> Self {
        Self(state)
    }

    pub(crate) fn add_to(self, server: &mut Server) -> Router {
        server
            .add_service(ProjectServiceServer::new(self.clone()))
            .add_service(EnvironmentServiceServer::new(self.clone()))
            .add_service(AccountServiceServer::new(self.clone()))
            .add_service(WorkflowServiceServer::new(self.clone()))
            .add_service(PromptServiceServer::new(self.clone()))
            .add_service(ExtensionServiceServer::new(self))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the call, checks its token, and injects the fault of the method, if any.
    async fn receive<T: std::fmt::Debug>(&self, method: &'static str, request: Request<T>) -> Result<T, Status> {
        let recorded = ["authorization", "traceparent", "tracestate"];
        let text = |name: &&str| {
            let value = request.metadata().get(*name)?.to_str().ok()?;
            Some(((*name).to_owned(), value.to_owned()))
        };
        let metadata: std::collections::BTreeMap<_, _> = recorded.iter().filter_map(text).collect();
        let given = metadata.get("authorization").cloned();
        let message = request.into_inner();
        let fault = {
            let mut state = self.state();
            state.calls.push(Call { method, message: format!("{message:?}"), metadata });
            if given.is_none() {
                return Err(Status::unauthenticated("metadata missing"));
            }
            if given.as_deref() != Some(state.host_state.token.as_str()) {
                return Err(Status::unauthenticated("invalid token"));
            }
            state.host_state.faults.get(method).cloned()
        };
        match fault {
            None => Ok(message),
            Some(Fault::StatusAfter(passes, _) | Fault::SilenceAfter(passes)) if self.calls_of(method) <= passes => {
                Ok(message)
            }
            Some(Fault::StatusAfter(_, status)) => Err(status),
            Some(Fault::Status(status)) => Err(status),
            Some(Fault::Silence | Fault::SilenceAfter(_)) => std::future::pending().await,
            Some(Fault::Slow(duration)) => {
                tokio::time::sleep(duration).await;
                Ok(message)
            }
        }
    }

    fn calls_of(&self, method: &str) -> usize {
        self.state().calls.iter().filter(|call| call.method == method).count()
    }

    fn host_state<T>(&self, access: impl FnOnce(&mut HostState) -> T) -> T {
        access(&mut self.state().host_state)
    }
}

/// Plain Go error.
fn plain(words: impl Into<String>) -> Status {
    Status::unknown(words)
}

fn name_or_default(host_state: &HostState, name: &str) -> Result<String, Status> {
    if !name.is_empty() {
        return Ok(name.to_owned());
    }
    let default = host_state.environments.iter().find(|(_, environment)| environment.is_default);
    default.map(|(name, _)| name.clone()).ok_or_else(|| plain("default environment not found"))
}

fn existing<'a>(host_state: &'a mut HostState, name: &str) -> Result<&'a mut crate::state::Environment, Status> {
    if host_state.project.is_none() {
        return Err(plain("no project exists; to create a new project, run `azd init`"));
    }
    host_state.environments.get_mut(name).ok_or_else(|| plain(format!("'{name}': environment does not exist")))
}

#[tonic::async_trait]
impl ProjectService for Services {
    async fn get(&self, request: Request<EmptyRequest>) -> Answer<p::GetProjectResponse> {
        self.receive("Project.Get", request).await?;
        match self.host_state(|host_state| host_state.project.clone()) {
            Some((name, path)) => {
                Ok(Response::new(p::GetProjectResponse { project: Some(p::ProjectConfig { name, path }) }))
            }
            None => Err(plain("no project exists; to create a new project, run `azd init`")),
        }
    }
}

fn environment(name: String) -> Response<p::EnvironmentResponse> {
    Response::new(p::EnvironmentResponse { environment: Some(p::Environment { name }) })
}

#[tonic::async_trait]
impl EnvironmentService for Services {
    async fn get_current(&self, request: Request<EmptyRequest>) -> Answer<p::EnvironmentResponse> {
        self.receive("Environment.GetCurrent", request).await?;
        Ok(environment(self.host_state(|host_state| name_or_default(host_state, ""))?))
    }

    async fn list(&self, request: Request<EmptyRequest>) -> Answer<p::EnvironmentListResponse> {
        self.receive("Environment.List", request).await?;
        let environments = self.host_state(|host_state| {
            let one = |(name, environment): (&String, &crate::state::Environment)| p::EnvironmentDescription {
                name: name.clone(),
                local: true,
                remote: false,
                default: environment.is_default,
            };
            host_state.environments.iter().map(one).collect()
        });
        Ok(Response::new(p::EnvironmentListResponse { environments }))
    }

    async fn get(&self, request: Request<p::GetEnvironmentRequest>) -> Answer<p::EnvironmentResponse> {
        let name = self.receive("Environment.Get", request).await?.name;
        self.host_state(|host_state| existing(host_state, &name).map(drop))?;
        Ok(environment(name))
    }

    async fn select(&self, request: Request<p::SelectEnvironmentRequest>) -> Answer<EmptyResponse> {
        let name = self.receive("Environment.Select", request).await?.name;
        self.host_state(|host_state| {
            existing(host_state, &name)?;
            for (other, environment) in &mut host_state.environments {
                environment.is_default = *other == name;
            }
            Ok(Response::new(EmptyResponse {}))
        })
    }

    async fn get_values(&self, request: Request<p::GetEnvironmentRequest>) -> Answer<p::KeyValueListResponse> {
        let name = self.receive("Environment.GetValues", request).await?.name;
        self.host_state(|host_state| {
            let name = name_or_default(host_state, &name)?;
            let pair = |(key, value): (&String, &String)| p::KeyValue { key: key.clone(), value: value.clone() };
            let key_values = existing(host_state, &name)?.values.iter().map(pair).collect();
            Ok(Response::new(p::KeyValueListResponse { key_values }))
        })
    }

    async fn set_value(&self, request: Request<p::SetEnvRequest>) -> Answer<EmptyResponse> {
        let message = self.receive("Environment.SetValue", request).await?;
        self.host_state(|host_state| {
            let name = name_or_default(host_state, &message.env_name)?;
            existing(host_state, &name)?.values.insert(message.key, message.value);
            Ok(Response::new(EmptyResponse {}))
        })
    }
}

#[tonic::async_trait]
impl AccountService for Services {
    async fn list_subscriptions(
        &self,
        request: Request<p::ListSubscriptionsRequest>,
    ) -> Answer<p::ListSubscriptionsResponse> {
        let tenant = self.receive("Account.ListSubscriptions", request).await?.tenant_id;
        let mut subscriptions = self.host_state(|host_state| host_state.subscriptions.clone());
        subscriptions.retain(|one| tenant.as_ref().is_none_or(|tenant| *tenant == one.user_tenant_id));
        Ok(Response::new(p::ListSubscriptionsResponse { subscriptions }))
    }

    async fn lookup_tenant(&self, request: Request<p::LookupTenantRequest>) -> Answer<p::LookupTenantResponse> {
        let id = self.receive("Account.LookupTenant", request).await?.subscription_id;
        if id.is_empty() {
            return Err(Status::invalid_argument("subscription id is required"));
        }
        let found = self.host_state(|host_state| host_state.subscriptions.iter().find(|one| one.id == id).cloned());
        let found = found.ok_or_else(|| plain("failed to resolve user access to subscription"))?;
        Ok(Response::new(p::LookupTenantResponse { tenant_id: found.user_tenant_id }))
    }
}

#[tonic::async_trait]
impl WorkflowService for Services {
    /// Supports `init --minimal` and `env new NAME`.
    async fn run(&self, request: Request<p::RunWorkflowRequest>) -> Answer<EmptyResponse> {
        let message = self.receive("Workflow.Run", request).await?;
        let steps = message.workflow.map(|workflow| workflow.steps).unwrap_or_default();
        if steps.is_empty() {
            return Err(Status::invalid_argument("workflow has no steps"));
        }
        for step in steps {
            let args = step.command.map(|command| command.args).unwrap_or_default();
            let words: Vec<&str> = args.iter().map(String::as_str).collect();
            self.host_state(|host_state| match words.as_slice() {
                [] => Err(Status::invalid_argument("step has no command")),
                ["init", "--minimal", ..] => {
                    host_state.project = Some(("made".into(), "/made".into()));
                    Ok(())
                }
                ["env", "new", name, ..] if host_state.environments.contains_key(*name) => {
                    Err(Status::already_exists(format!("environment '{name}' already exists")))
                }
                ["env", "new", name, ..] => {
                    let is_default = host_state.environments.is_empty();
                    let made = crate::state::Environment { is_default, ..Default::default() };
                    host_state.environments.insert((*name).to_owned(), made);
                    Ok(())
                }
                _ => Err(Status::internal(format!("failed to run workflow: unknown command {words:?}"))),
            })?;
        }
        Ok(Response::new(EmptyResponse {}))
    }
}

#[tonic::async_trait]
impl PromptService for Services {
    async fn prompt_subscription(
        &self,
        request: Request<p::PromptSubscriptionRequest>,
    ) -> Answer<p::PromptSubscriptionResponse> {
        self.receive("Prompt.PromptSubscription", request).await?;
        let subscription = self.host_state(|host_state| host_state.subscriptions.first().cloned());
        let subscription = Some(subscription.ok_or_else(|| plain("prompt required"))?);
        Ok(Response::new(p::PromptSubscriptionResponse { subscription }))
    }

    async fn prompt_resource_group(
        &self,
        request: Request<p::PromptResourceGroupRequest>,
    ) -> Answer<p::PromptResourceGroupResponse> {
        let message = self.receive("Prompt.PromptResourceGroup", request).await?;
        scope(message.azure_context)?;
        let resource_group = self.host_state(|host_state| host_state.resource_group.clone());
        let resource_group = Some(resource_group.ok_or_else(|| plain("prompt required"))?);
        Ok(Response::new(p::PromptResourceGroupResponse { resource_group }))
    }

    async fn prompt_resource_group_resource(
        &self,
        request: Request<p::PromptResourceGroupResourceRequest>,
    ) -> Answer<p::PromptResourceGroupResourceResponse> {
        let message = self.receive("Prompt.PromptResourceGroupResource", request).await?;
        scope(message.azure_context)?;
        let resource = self.host_state(|host_state| host_state.resource.clone());
        let resource = Some(resource.ok_or_else(|| plain("prompt required"))?);
        Ok(Response::new(p::PromptResourceGroupResourceResponse { resource }))
    }

    async fn confirm(&self, request: Request<p::ConfirmRequest>) -> Answer<p::ConfirmResponse> {
        let options = self.receive("Prompt.Confirm", request).await?.options;
        let options = options.ok_or_else(|| Status::invalid_argument("options are required"))?;
        let value = self.host_state(|host_state| host_state.confirms.pop_front()).or(options.default_value);
        Ok(Response::new(p::ConfirmResponse { value: Some(value.ok_or_else(|| plain("prompt required"))?) }))
    }

    async fn prompt(&self, request: Request<p::PromptRequest>) -> Answer<p::PromptResponse> {
        let options = self.receive("Prompt.Prompt", request).await?.options;
        let options = options.ok_or_else(|| Status::invalid_argument("options are required"))?;
        let value = self.host_state(|host_state| host_state.texts.pop_front()).unwrap_or(options.default_value);
        if options.required && value.is_empty() {
            return Err(plain("prompt required"));
        }
        Ok(Response::new(p::PromptResponse { value }))
    }

    async fn prompt_ai_model(&self, request: Request<p::PromptAiModelRequest>) -> Answer<p::PromptAiModelResponse> {
        let message = self.receive("Prompt.PromptAiModel", request).await?;
        scope(message.azure_context)?;
        let name = self.host_state(|host_state| host_state.ai_model.clone());
        let name = name.ok_or_else(|| Status::unimplemented("unknown method PromptAiModel"))?;
        Ok(Response::new(p::PromptAiModelResponse { model: Some(p::AiModel { name }) }))
    }

    async fn select(&self, request: Request<p::SelectRequest>) -> Answer<p::SelectResponse> {
        let options = self.receive("Prompt.Select", request).await?.options;
        let options = options.ok_or_else(|| Status::invalid_argument("options are required"))?;
        let value = self.host_state(|host_state| host_state.selections.pop_front()).or(options.selected_index);
        Ok(Response::new(p::SelectResponse { value: Some(value.ok_or_else(|| plain("prompt required"))?) }))
    }
}

fn scope(context: Option<p::AzureContext>) -> Result<p::AzureScope, Status> {
    let scope = context.and_then(|context| context.scope);
    scope.ok_or_else(|| Status::invalid_argument("azure context is required"))
}

#[tonic::async_trait]
impl ExtensionService for Services {
    async fn report_error(&self, request: Request<p::ReportErrorRequest>) -> Answer<p::ReportErrorResponse> {
        let message = self.receive("Extension.ReportError", request).await?;
        self.state().reports.extend(message.error);
        Ok(Response::new(p::ReportErrorResponse {}))
    }
}
