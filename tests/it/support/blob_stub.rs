//! A blob store that answers one question: whether a SAS is good. The fake AzCopy sends no bytes.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};

/// What the store says from now on.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    /// The SAS is good.
    Good,
    /// An error status with the store's code.
    Error(u16, &'static str),
    /// Nothing: the request is taken and never answered.
    Nothing,
    /// The first asks get an error, the later ones are told that the SAS is good.
    ErrorTimes(u32, u16, &'static str),
}

/// The running store; it ends with the process.
pub(crate) struct BlobStub {
    /// Base address with the account.
    pub(crate) base: url::Url,
    says: Arc<Mutex<Says>>,
}

impl BlobStub {
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base = format!("http://{}/devstoreaccount1", listener.local_addr().expect("an address"));
        let says = Arc::new(Mutex::new(Says::Good));
        let shared = Arc::clone(&says);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                listener.set_nonblocking(true).expect("a listener");
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                let app = Router::new().fallback(answer).with_state(shared);
                axum::serve(listener, app).await.expect("served");
            });
        });
        Self { base: base.parse().expect("a URL"), says }
    }

    /// Changes what the store says.
    pub(crate) fn says(&self, says: Says) {
        *self.says.lock().expect("the word") = says;
    }
}

async fn answer(State(says): State<Arc<Mutex<Says>>>) -> (StatusCode, HeaderMap, &'static str) {
    let now = says.lock().expect("the word").clone();
    let (status, code) = match now {
        Says::Good | Says::ErrorTimes(0, ..) => (200, ""),
        Says::Error(status, code) => (status, code),
        Says::Nothing => std::future::pending().await,
        Says::ErrorTimes(left, status, code) => {
            *says.lock().expect("the word") = Says::ErrorTimes(left - 1, status, code);
            (status, code)
        }
    };
    let mut headers = HeaderMap::new();
    if !code.is_empty() {
        headers.insert("x-ms-error-code", HeaderValue::from_static(code));
    }
    (StatusCode::from_u16(status).expect("a status"), headers, "<EnumerationResults/>")
}
