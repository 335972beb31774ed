//! Lifecycle of the emulator: a thread with its own runtime, so that a test that blocks its thread cannot starve it.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::catalog::SeedError;
use crate::config::Config;
use crate::connection::{BreakableListener, Connection};
use crate::fault::Fault;
use crate::record::RequestRecord;
use crate::routes;
use crate::state::Shared;

/// Running emulator. Stops when dropped, with all connections.
#[derive(Debug)]
pub struct Emulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Dropping the sender stops the server.
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Emulator {
    /// Starts an emulator, which accepts requests when this returns.
    ///
    /// # Errors
    ///
    /// If the address is not loopback or is in use, a model in `config.models` has no name or version, or a deployment
    /// in `config.arm.deployments` has no name.
    pub fn start(config: Config) -> io::Result<Self> {
        if !config.listen.ip().is_loopback() {
            let message = format!("{} is not a loopback address; the emulator has no real sign-in", config.listen);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let listen = config.listen;
        let shared = Arc::new(Shared::new(config, http_client()?).map_err(io::Error::other)?);
        let listener = std::net::TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let service = routes::router(Arc::clone(&shared)).into_make_service_with_connect_info::<Connection>();
        let (stop, stopped) = oneshot::channel::<Infallible>();
        let thread = std::thread::Builder::new()
            .name("foundry-emulator".to_owned())
            .spawn(move || runtime.block_on(serve(listener, service, stopped)))?;
        Ok(Self { address, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Project endpoint for clients: `http://127.0.0.1:PORT/api/projects/PROJECT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("{}/api/projects/{}", self.origin(), self.shared.lock().config.project)
    }

    /// Scheme, host and port, before every path: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Arms a fault, after those that are already armed.
    pub fn add_fault(&self, fault: Fault) {
        self.shared.lock().faults.add(fault);
    }

    /// Requests to the project so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.shared.lock().requests.clone()
    }

    /// Adds a model: defaults, patched with `model`, where `null` removes a default and unknown fields are kept.
    ///
    /// # Errors
    ///
    /// If `name` or `version` is missing.
    pub fn seed(&self, model: &Value) -> Result<(), SeedError> {
        let mut guard = self.shared.lock();
        let state = &mut *guard;
        state.catalog.seed(model, &state.config)
    }

    /// Begins a registration as if another client had requested it, of a model in the form of `seed`. Returns the URL
    /// of its operation.
    ///
    /// # Errors
    ///
    /// If `name` or `version` is missing.
    pub fn begin(&self, model: &Value) -> Result<String, SeedError> {
        let (id, target) = self.shared.lock().begin_seed(model)?;
        let (endpoint, name, version) = (self.endpoint(), target.name, target.version);
        Ok(format!("{endpoint}/models/{name}/versions/{version}/createAsync/operations/{id}?api-version=v1"))
    }

    /// Adds a deployment: defaults, patched with `deployment` (its `name`, then the fields of the ARM object), where
    /// `null` removes a default and unknown fields are kept. No operation runs on it, so its `provisioningState` does
    /// not change.
    ///
    /// # Errors
    ///
    /// If `name` is missing.
    pub fn seed_deployment(&self, deployment: &Value) -> Result<(), SeedError> {
        let mut guard = self.shared.lock();
        let state = &mut *guard;
        state.deployments.seed(deployment, &state.config)
    }

    /// Begins the creation of a deployment as if another client had requested it, in the form of `seed_deployment`.
    ///
    /// # Errors
    ///
    /// If `name` is missing.
    pub fn begin_deployment(&self, deployment: &Value) -> Result<(), SeedError> {
        self.work_on_deployment(deployment, false)
    }

    /// Begins the deletion of a deployment as if another client had requested it.
    ///
    /// # Errors
    ///
    /// If `name` is missing.
    pub fn begin_deployment_deletion(&self, deployment: &Value) -> Result<(), SeedError> {
        self.work_on_deployment(deployment, true)
    }

    fn work_on_deployment(&self, deployment: &Value, deletes: bool) -> Result<(), SeedError> {
        self.seed_deployment(deployment)?;
        let mut guard = self.shared.lock();
        let state = &mut *guard;
        let name = deployment["name"].as_str().ok_or(SeedError)?;
        state.deployments.begin(name, &state.config.arm.deploying, deletes);
        Ok(())
    }

    /// Deployments as ARM shows them.
    #[must_use]
    pub fn deployments(&self) -> Vec<Value> {
        self.shared.lock().deployments.list().into_iter().cloned().collect()
    }

    /// Changes the configuration for all later requests. `listen`, `models` and `faults` are read at start only.
    pub fn configure(&self, change: impl FnOnce(&mut Config)) {
        change(&mut self.shared.lock().config);
    }

    /// Restores the initial configuration, models and faults, and removes requests, uploads and operations.
    pub fn reset(&self) {
        self.shared.reset();
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the server's thread was already reported, and a second one in a drop would abort.
            drop(thread.join());
        }
    }
}

async fn serve(
    listener: TcpListener,
    service: IntoMakeServiceWithConnectInfo<axum::Router, Connection>,
    stopped: oneshot::Receiver<Infallible>,
) {
    let server = axum::serve(BreakableListener(listener), service).into_future();
    // Not a graceful shutdown: it would wait for clients that a fault blocks.
    tokio::select! {
        _ = server => {}
        _ = stopped => {}
    }
}

/// For Azurite, which is local: no proxy.
fn http_client() -> io::Result<reqwest::Client> {
    // Fails when a provider is already installed.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().no_proxy().build().map_err(io::Error::other)
}
