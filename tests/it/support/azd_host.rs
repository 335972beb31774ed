//! A stand-in for the azd that runs this program: its gRPC services, with what a test tells them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use azure_ai_models::azd::proto::environment_service_server::{EnvironmentService, EnvironmentServiceServer};
use azure_ai_models::azd::proto::extension_service_server::{ExtensionService, ExtensionServiceServer};
use azure_ai_models::azd::proto::project_service_server::{ProjectService, ProjectServiceServer};
use azure_ai_models::azd::proto::{
    EmptyRequest, EmptyResponse, EnvironmentDescription, EnvironmentListResponse, ExtensionError,
    GetEnvironmentRequest, GetProjectResponse, KeyValue, KeyValueListResponse, ProjectConfig, ReportErrorRequest,
    SelectEnvironmentRequest, SetEnvRequest,
};
use tonic::{Code, Request, Response, Status};

/// The one token that the host takes.
pub(crate) const TOKEN: &str = "HOSTTOKEN5A5";

/// What the host is, and what it was asked.
#[derive(Default)]
pub(crate) struct Host {
    /// There is an azd project.
    pub(crate) project: bool,
    /// Names of the environments; the default one stands first if there is one.
    pub(crate) environments: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) default: Option<String>,
    /// Every call is refused with this.
    pub(crate) refuses: Option<(Code, &'static str)>,
    /// Calls are taken and never answered.
    pub(crate) silent: bool,
    /// Only `ReportError` is refused.
    pub(crate) takes_no_errors: bool,
    /// Methods that were called.
    pub(crate) calls: Vec<String>,
    /// `traceparent` of the calls.
    pub(crate) traces: Vec<String>,
    pub(crate) errors: Vec<ExtensionError>,
}

type Shared = Arc<Mutex<Host>>;

/// A running host; it ends with the process.
pub(crate) struct AzdHost {
    pub(crate) address: String,
    shared: Shared,
}

impl AzdHost {
    /// A host with a project and one environment, `dev`, the default one, with these values.
    pub(crate) fn start(values: &[(&str, &str)]) -> Self {
        let values = values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let host = Host {
            project: true,
            environments: BTreeMap::from([("dev".to_owned(), values)]),
            default: Some("dev".to_owned()),
            ..Host::default()
        };
        let shared = Arc::new(Mutex::new(host));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let served = Arc::clone(&shared);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                listener.set_nonblocking(true).expect("a listener");
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                let incoming = tonic::transport::server::TcpIncoming::from(listener);
                let service = Service(served);
                tonic::transport::Server::builder()
                    .add_service(ProjectServiceServer::new(service.clone()))
                    .add_service(EnvironmentServiceServer::new(service.clone()))
                    .add_service(ExtensionServiceServer::new(service))
                    .serve_with_incoming(incoming)
                    .await
                    .expect("served");
            });
        });
        Self { address, shared }
    }

    /// Changes the host, or looks at it.
    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut Host) -> T) -> T {
        change(&mut self.shared.lock().expect("the host"))
    }
}

#[derive(Clone)]
struct Service(Shared);

impl Service {
    /// Notes the call; whoever has no token, or comes to a host that refuses, hears so.
    async fn hear<T>(&self, method: &str, request: &Request<T>) -> Result<(), Status> {
        let get = |name: &str| request.metadata().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let silent = {
            let mut host = self.0.lock().expect("the host");
            host.calls.push(method.to_owned());
            host.traces.extend(get("traceparent"));
            if get("authorization").as_deref() != Some(TOKEN) {
                return Err(Status::unauthenticated("invalid token"));
            }
            if let Some((code, words)) = host.refuses {
                return Err(Status::new(code, words));
            }
            host.silent
        };
        if silent {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

#[tonic::async_trait]
impl ProjectService for Service {
    async fn get(&self, request: Request<EmptyRequest>) -> Result<Response<GetProjectResponse>, Status> {
        self.hear("Project.Get", &request).await?;
        if !self.0.lock().expect("the host").project {
            return Err(Status::unknown("no project exists; to create a new project, run `azd init`"));
        }
        let project = ProjectConfig { name: "p".into(), path: "/somewhere".into() };
        Ok(Response::new(GetProjectResponse { project: Some(project) }))
    }
}

#[tonic::async_trait]
impl EnvironmentService for Service {
    async fn list(&self, request: Request<EmptyRequest>) -> Result<Response<EnvironmentListResponse>, Status> {
        self.hear("Environment.List", &request).await?;
        let host = self.0.lock().expect("the host");
        let describe = |name: &String| EnvironmentDescription {
            name: name.clone(),
            local: true,
            remote: false,
            default: host.default.as_ref() == Some(name),
        };
        let environments = host.environments.keys().map(describe).collect();
        Ok(Response::new(EnvironmentListResponse { environments }))
    }

    async fn get_values(
        &self,
        request: Request<GetEnvironmentRequest>,
    ) -> Result<Response<KeyValueListResponse>, Status> {
        self.hear("Environment.GetValues", &request).await?;
        let name = request.into_inner().name;
        let host = self.0.lock().expect("the host");
        let values = host.environments.get(&name).ok_or_else(|| Status::unknown("environment not found"))?;
        let key_values = values.iter().map(|(key, value)| KeyValue { key: key.clone(), value: value.clone() });
        Ok(Response::new(KeyValueListResponse { key_values: key_values.collect() }))
    }

    async fn set_value(&self, request: Request<SetEnvRequest>) -> Result<Response<EmptyResponse>, Status> {
        self.hear("Environment.SetValue", &request).await?;
        let SetEnvRequest { env_name, key, value } = request.into_inner();
        self.0.lock().expect("the host").environments.entry(env_name).or_default().insert(key, value);
        Ok(Response::new(EmptyResponse {}))
    }

    async fn select(&self, request: Request<SelectEnvironmentRequest>) -> Result<Response<EmptyResponse>, Status> {
        self.hear("Environment.Select", &request).await?;
        self.0.lock().expect("the host").default = Some(request.into_inner().name);
        Ok(Response::new(EmptyResponse {}))
    }
}

#[tonic::async_trait]
impl ExtensionService for Service {
    async fn report_error(&self, request: Request<ReportErrorRequest>) -> Result<Response<EmptyResponse>, Status> {
        self.hear("Extension.ReportError", &request).await?;
        let mut host = self.0.lock().expect("the host");
        if host.takes_no_errors {
            return Err(Status::internal("no"));
        }
        host.errors.extend(request.into_inner().error);
        Ok(Response::new(EmptyResponse {}))
    }
}
