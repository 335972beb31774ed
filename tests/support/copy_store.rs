//! Blob store that supports copies from a URL, which Azurite does not: in front of a real Azurite, it handles Put Blob
//! From URL and Put Block From URL by fetching the source itself, and forwards everything else.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};

/// Running store; ends with the test process.
pub(crate) struct CopyStore {
    /// Base address.
    pub(crate) url: String,
    copies: Arc<Mutex<Vec<String>>>,
    received: Arc<AtomicU64>,
}

#[derive(Clone)]
struct Shared {
    azurite: String,
    client: reqwest::Client,
    copies: Arc<Mutex<Vec<String>>>,
    received: Arc<AtomicU64>,
}

impl CopyStore {
    /// Starts a store in front of this Azurite.
    pub(crate) fn start(azurite: &str) -> Self {
        let copies = Arc::new(Mutex::new(Vec::new()));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let received = Arc::new(AtomicU64::new(0));
        let azurite = azurite.trim_end_matches('/').to_owned();
        let (copied, counted) = (Arc::clone(&copies), Arc::clone(&received));
        std::thread::spawn(move || serve(listener, azurite, copied, counted));
        Self { url, copies, received }
    }

    /// Bytes of file content that clients have sent.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::SeqCst)
    }

    /// Waits until this many bytes were sent; fails the test on a timeout.
    pub(crate) fn wait_until_received(&self, bytes: u64) {
        let started = Instant::now();
        while self.received() < bytes {
            assert!(started.elapsed() < Duration::from_secs(60), "only {} bytes were received", self.received());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Paths that were copied from a URL.
    pub(crate) fn copies(&self) -> Vec<String> {
        self.copies.lock().expect("the list").clone()
    }
}

fn serve(listener: std::net::TcpListener, azurite: String, copies: Arc<Mutex<Vec<String>>>, received: Arc<AtomicU64>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async move {
        // Only the first installation succeeds; a second one fails without effect.
        drop(rustls::crypto::ring::default_provider().install_default());
        // Azurite closes a connection that is idle for 5 s, perhaps just when the next request is sent on it.
        let client =
            reqwest::Client::builder().no_proxy().no_gzip().pool_max_idle_per_host(0).build().expect("a client");
        let app = Router::new().fallback(handle).layer(DefaultBodyLimit::disable()).with_state(Shared {
            azurite,
            client,
            copies,
            received,
        });
        listener.set_nonblocking(true).expect("a listener");
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
        axum::serve(listener, app).await.expect("served");
    });
}

async fn handle(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    match forward(&shared, method, &uri, &headers, body).await {
        Ok(response) => response,
        Err(error) => Response::builder()
            .status(StatusCode::BAD_GATEWAY)
            .body(Body::from(error.without_url().to_string()))
            .expect("a response"),
    }
}

async fn forward(
    shared: &Shared,
    method: Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Response<Body>, reqwest::Error> {
    let mut body = body;
    // A block list is not file content.
    if method == Method::PUT && !uri.query().is_some_and(|query| query.contains("comp=blocklist")) {
        shared.received.fetch_add(body.len() as u64, Ordering::SeqCst);
    }
    if let Some(source) = headers.get("x-ms-copy-source").and_then(|value| value.to_str().ok()) {
        let mut fetch = shared.client.get(source);
        if let Some(range) = headers.get("x-ms-source-range") {
            fetch = fetch.header("range", range);
        }
        body = fetch.send().await?.error_for_status()?.bytes().await?;
        shared.copies.lock().expect("the list").push(uri.path().to_owned());
    }
    let mut request = shared.client.request(method, format!("{}{uri}", shared.azurite)).body(body);
    for (name, value) in headers {
        let name_text = name.as_str();
        if !name_text.starts_with("x-ms-copy-source")
            && !name_text.starts_with("x-ms-source")
            && !matches!(name_text, "host" | "content-length" | "connection")
        {
            request = request.header(name, value);
        }
    }
    let answer = request.send().await?;
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if !matches!(name.as_str(), "transfer-encoding" | "connection") {
            response = response.header(name, value);
        }
    }
    Ok(response.body(Body::from(answer.bytes().await?)).expect("a response"))
}
