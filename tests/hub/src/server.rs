//! Lifecycle of the Hub: a thread with its own runtime, so that a test that blocks its thread cannot starve it.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;

use axum::Router;
use axum::http::{HeaderMap, Method, Uri};
use serde_json::json;
use tokio::sync::oneshot;

use crate::answer::{Answer, json, refusal};
use crate::certificate;
use crate::config::Config;
use crate::fault::Fault;
use crate::listener::Connections;
use crate::proxy::{self, PUBLIC_NAMES, Proxy};
use crate::record::{FileCount, RequestRecord, Side};
use crate::state::{Call, Shared, SharedState};
use crate::{cdn, hub};

/// Prefix of control requests, which only scripts send: `/_fake/...` of the Hub's origin.
const CONTROL: &str = "/_fake/";

/// Running Hub. Stops when dropped, with all connections.
#[derive(Debug)]
pub struct FakeHub {
    origin: String,
    cdn: SocketAddr,
    proxy: SocketAddr,
    proxy_state: Arc<Proxy>,
    authority: String,
    shared: SharedState,
    /// Dropping the sender stops the server.
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl FakeHub {
    /// Starts a Hub, which accepts requests when this returns.
    ///
    /// # Errors
    /// If the port is in use, or a directory of a repository cannot be read.
    pub fn start(config: Config) -> io::Result<Self> {
        let listen = |port| TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let (hub, cdn, tunnels) = (listen(config.port)?, listen(0)?, listen(0)?);
        let (hub_address, cdn_address, proxy) = (hub.local_addr()?, cdn.local_addr()?, tunnels.local_addr()?);
        let (certificate, authority) = certificate::make("fake-hub", &PUBLIC_NAMES)?;
        let certificate = Arc::new(certificate);
        let scheme = if config.tls { "https" } else { "http" };
        let tls = config.tls.then(|| Arc::clone(&certificate));
        let shared = Arc::new(Shared::new(config, format!("{scheme}://{cdn_address}"))?);
        // The proxy decrypts the public names, so its targets do not use TLS.
        let behind = (listen(0)?, listen(0)?);
        let (plain_hub, plain_cdn) = (behind.0.local_addr()?, behind.1.local_addr()?);
        let proxy_state =
            Arc::new(Proxy { hub: plain_hub, cdn: plain_cdn, tls: certificate, requested: Default::default() });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<Infallible>();
        {
            let _inside = runtime.enter();
            for (listener, tls, side) in [
                (hub, tls.clone(), Side::Hub),
                (behind.0, None, Side::Hub),
                (cdn, tls, Side::Cdn),
                (behind.1, None, Side::Cdn),
            ] {
                let scheme = if tls.is_some() { "https" } else { "http" };
                tokio::spawn(serve(Connections::new(listener, tls)?, Arc::clone(&shared), (side, scheme)));
            }
            tunnels.set_nonblocking(true)?;
            let tunnels = tokio::net::TcpListener::from_std(tunnels)?;
            tokio::spawn(proxy::serve(tunnels, Arc::clone(&proxy_state)));
        }
        let thread = std::thread::Builder::new().name("fake-hub".to_owned()).spawn(move || {
            // The sender is dropped, never used.
            drop(runtime.block_on(stopped));
            runtime.shutdown_background();
        })?;
        Ok(Self {
            origin: format!("{scheme}://{hub_address}"),
            cdn: plain_cdn,
            proxy,
            proxy_state,
            authority,
            shared,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Value of `HF_ENDPOINT`: scheme, host and port.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.origin
    }

    /// Value of `HTTPS_PROXY` for a client that uses the public names: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn proxy(&self) -> String {
        format!("http://{}", self.proxy)
    }

    /// Certificate of the authority in PEM.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Address of the CDN without TLS, for a store that copies from it.
    #[must_use]
    pub fn cdn(&self) -> SocketAddr {
        self.cdn
    }

    /// Hosts with ports that were requested from the proxy.
    #[must_use]
    pub fn tunnels(&self) -> Vec<String> {
        self.proxy_state.requested.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Commit of a repository.
    #[must_use]
    pub fn sha(&self, id: &str) -> Option<&str> {
        self.shared.repos.iter().find(|repo| repo.config.id == id).map(|repo| repo.sha.as_str())
    }

    /// Checksum of a file as the Hub reports it: SHA-256 of a large one, git's SHA-1 of a small one.
    #[must_use]
    pub fn sum(&self, id: &str, path: &str) -> Option<&str> {
        let repo = self.shared.repos.iter().find(|repo| repo.config.id == id)?;
        let (_, file) = repo.file(path)?;
        Some(file.lfs.as_deref().unwrap_or(&file.oid))
    }

    /// Arms a fault, after those that are already armed.
    pub fn add_fault(&self, fault: Fault) {
        self.shared.lock().faults.add(fault);
    }

    /// Disarms all faults.
    pub fn clear_faults(&self) {
        self.shared.lock().faults.clear();
    }

    /// Changes the configuration for all later requests; fields that are read only at start have no effect.
    pub fn configure(&self, change: impl FnOnce(&mut Config)) {
        change(&mut self.shared.lock().config);
    }

    /// Rejects all URLs that were signed so far.
    pub fn revoke(&self) {
        self.shared.lock().age += 1;
    }

    /// Requests so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.shared.lock().record.requests.clone()
    }

    /// Requests for a file's content, and sent bytes.
    #[must_use]
    pub fn file(&self, path: &str) -> FileCount {
        self.shared.lock().record.files.get(path).copied().unwrap_or_default()
    }

    /// Clears the record.
    pub fn forget(&self) {
        self.shared.lock().record = Default::default();
    }

    /// True if a token reached the CDN.
    #[must_use]
    pub fn has_leaked_token(&self) -> bool {
        self.requests().iter().any(|request| request.side == Side::Cdn && request.has_authorization)
    }
}

impl Drop for FakeHub {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the server's thread was already reported, and a second one in a drop would abort.
            drop(thread.join());
        }
    }
}

async fn serve(connections: Connections, shared: SharedState, (side, scheme): (Side, &'static str)) {
    let answer = move |method: Method, uri: Uri, headers: HeaderMap, body: axum::body::Bytes| {
        let shared = Arc::clone(&shared);
        async move {
            let target = uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
            if let Some(what) = target.strip_prefix(CONTROL).filter(|_| side == Side::Hub) {
                return control(&shared, what, &body);
            }
            let call = Call { side, method, target, headers, scheme };
            match side {
                Side::Hub => hub::answer(&shared, &call).await,
                Side::Cdn => cdn::answer(&shared, &call).await,
            }
        }
    };
    let router = Router::new().fallback(answer);
    // The server stops with the runtime.
    drop(axum::serve(connections, router).await);
}

/// `GET record`, and `POST fault` (a fault in the body), `forget`, `revoke`, `clear`.
fn control(shared: &Shared, what: &str, body: &[u8]) -> Answer {
    let mut state = shared.lock();
    match what {
        "record" => return json(&serde_json::to_value(&state.record).unwrap_or_default()),
        "forget" => state.record = Default::default(),
        "revoke" => state.age += 1,
        "clear" => state.faults.clear(),
        "fault" => match String::from_utf8_lossy(body).trim().parse::<Fault>() {
            Ok(fault) => state.faults.add(fault),
            Err(error) => return refusal(400, None, &error.to_string()),
        },
        _ => return refusal(404, None, "record, forget, revoke, clear, fault"),
    }
    json(&json!({}))
}
