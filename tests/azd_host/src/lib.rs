//! Stands in for azd's gRPC server in tests: strict about the token, and what it was asked is there to look at.
//!
//! Messages come from the same proto as the program's, its server side.

mod services;
mod state;

/// What `build.rs` makes of the proto.
#[expect(clippy::allow_attributes, clippy::too_many_lines, unused_qualifications, reason = "generated")]
pub mod proto {
    tonic::include_proto!("azdext");
}

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prost::Message;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Status};

pub use state::{Call, Environment, Fault, Scene};

use services::Services;
use state::State;

/// A running host; it ends with the process.
pub struct FakeHost {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl FakeHost {
    /// Starts a host that plays this scene, on a free port.
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn start(scene: Scene) -> Self {
        let state = Arc::new(Mutex::new(State::new(scene)));
        let services = Services::new(Arc::clone(&state));
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let incoming = TcpIncoming::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
                sender.send(incoming.local_addr().expect("an address")).expect("a listener");
                services.add_to(&mut Server::builder()).serve_with_incoming(incoming).await.expect("served");
            });
        });
        Self { address: receiver.recv().expect("an address"), state }
    }

    /// What `AZD_SERVER` holds.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// What `AZD_ACCESS_TOKEN` holds.
    #[must_use]
    pub fn token(&self) -> String {
        self.state().scene.token.clone()
    }

    /// What was asked so far, in its order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// The names of the methods that were asked so far.
    #[must_use]
    pub fn methods(&self) -> Vec<String> {
        self.state().calls.iter().map(|call| call.method.to_owned()).collect()
    }

    /// The errors that the program reported.
    #[must_use]
    pub fn reports(&self) -> Vec<proto::ExtensionError> {
        self.state().reports.clone()
    }

    /// Changes the scene.
    pub fn change(&self, change: impl FnOnce(&mut Scene)) {
        change(&mut self.state().scene);
    }

    /// The scene as it is now.
    #[must_use]
    pub fn scene(&self) -> Scene {
        self.state().scene.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A refusal with this gRPC code, as azd's plain errors are.
#[must_use]
pub fn refusal(code: i32, words: &str) -> Status {
    Status::new(Code::from(code), words)
}

/// A refusal of azd's own: its reason, and what it says to do.
#[must_use]
pub fn refusal_with_details(code: i32, words: &str, reason: &str, suggestion: &str, link: &str) -> Status {
    let info = proto::RefusalInfo { reason: reason.into(), domain: "azd.auth".into() };
    let links = vec![proto::ErrorLink { url: link.into(), title: "More".into() }];
    let actionable = proto::ActionableErrorDetail { suggestion: suggestion.into(), links };
    let detail = |name: &str, value| proto::RefusalDetail { type_url: format!("type.googleapis.com/{name}"), value };
    let details = vec![
        detail("google.rpc.ErrorInfo", info.encode_to_vec()),
        detail("azdext.ActionableErrorDetail", actionable.encode_to_vec()),
    ];
    let whole = proto::RefusalStatus { code, message: words.into(), details };
    Status::with_details(Code::from(code), words, whole.encode_to_vec().into())
}
