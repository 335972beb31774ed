//! Blob store that accepts or rejects a SAS, and lists configured blobs. The fake AzCopy sends no content.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use tokio::sync::oneshot;

/// Responses of the store.
#[derive(Clone, Debug)]
pub(crate) enum StubResponse {
    /// The SAS is accepted.
    Good,
    /// An error status with the store's code.
    Error(u16, &'static str),
    /// No response: the request is received and never answered.
    Nothing,
    /// The first requests get an error, later ones are accepted.
    ErrorTimes(u32, u16, &'static str),
}

/// State of the store.
struct StubState {
    response: StubResponse,
    /// Lists of blobs, by name, size and ETag: each is returned once, and the last one from then on. `None`: the SAS
    /// does not allow listing.
    lists: VecDeque<Vec<(String, u64, String)>>,
    /// Paths of the deleted blobs.
    removed: Vec<String>,
}

/// A running store; it stops when it is dropped.
pub(crate) struct BlobStub {
    /// Base URL, including the account.
    pub(crate) base: url::Url,
    state: Arc<Mutex<StubState>>,
    _stop: oneshot::Sender<()>,
}

impl BlobStub {
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base = format!("http://{}/devstoreaccount1", listener.local_addr().expect("an address"));
        let state = Arc::new(Mutex::new(StubState {
            response: StubResponse::Good,
            lists: VecDeque::new(),
            removed: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let (stop, stopped) = oneshot::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                listener.set_nonblocking(true).expect("a listener");
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                let app = Router::new().fallback(respond).with_state(shared);
                tokio::select! {
                    served = axum::serve(listener, app).into_future() => served.expect("served"),
                    _ = stopped => {}
                }
            });
        });
        Self { base: base.parse().expect("a URL"), state, _stop: stop }
    }

    /// Changes the responses of the store.
    pub(crate) fn respond_with(&self, response: StubResponse) {
        self.state.lock().expect("the state").response = response;
    }

    /// Allows listing, with these blobs.
    pub(crate) fn set_blobs(&self, blobs: &[(&str, u64)]) {
        self.set_blob_lists(&[&without_etags(blobs)]);
    }

    /// Allows listing: first returns `before`, then `after`, the result of the upload. The fake AzCopy sends no
    /// content.
    pub(crate) fn set_blobs_before_and_after(&self, before: &[(&str, u64)], after: &[(&str, u64)]) {
        self.set_blob_lists(&[&without_etags(before), &without_etags(after)]);
    }

    /// Allows listing: returns each of these lists in turn, and the last one from then on. Blobs are given by name,
    /// size and ETag; an empty ETag is omitted.
    pub(crate) fn set_blob_lists(&self, lists: &[&[(&str, u64, &str)]]) {
        let owned = |(name, bytes, etag): &(&str, u64, &str)| ((*name).to_owned(), *bytes, (*etag).to_owned());
        let lists = lists.iter().map(|list| list.iter().map(owned).collect());
        self.state.lock().expect("the state").lists = lists.collect();
    }

    /// Paths of the deleted blobs, below the account.
    pub(crate) fn removed(&self) -> Vec<String> {
        self.state.lock().expect("the state").removed.clone()
    }
}

fn without_etags<'a>(blobs: &[(&'a str, u64)]) -> Vec<(&'a str, u64, &'a str)> {
    blobs.iter().map(|(name, bytes)| (*name, *bytes, "")).collect()
}

async fn respond(
    State(state): State<Arc<Mutex<StubState>>>,
    method: Method,
    uri: Uri,
) -> (StatusCode, HeaderMap, String) {
    let (status, code, body) = {
        let mut state = state.lock().expect("the state");
        let (status, code) = match &mut state.response {
            StubResponse::Good | StubResponse::ErrorTimes(0, ..) => (200, ""),
            StubResponse::Error(status, code) => (*status, *code),
            StubResponse::Nothing => (0, ""),
            StubResponse::ErrorTimes(left, status, code) => {
                *left -= 1;
                (*status, *code)
            }
        };
        let is_probe = uri.query().is_some_and(|query| query.contains("maxresults=1"));
        match (status, state.lists.front(), &method) {
            (200, _, &Method::DELETE) if !may_delete(&uri) => (403, "AuthorizationPermissionMismatch", String::new()),
            (200, _, &Method::DELETE) => {
                state.removed.push(uri.path().trim_start_matches("/devstoreaccount1/").to_owned());
                (202, code, String::new())
            }
            (200, None, _) if !is_probe => (403, "AuthorizationPermissionMismatch", String::new()),
            (200, Some(blobs), _) => {
                let response = (200, code, list(blobs));
                if !is_probe && state.lists.len() > 1 {
                    state.lists.pop_front();
                }
                response
            }
            _ => (status, code, "<EnumerationResults/>".to_owned()),
        }
    };
    if status == 0 {
        std::future::pending::<()>().await;
    }
    let mut headers = HeaderMap::new();
    headers.insert("x-ms-request-id", HeaderValue::from_static("00000000-0000-4000-8000-0000000000bb"));
    if !code.is_empty() {
        headers.insert("x-ms-error-code", HeaderValue::from_static(code));
    }
    (StatusCode::from_u16(status).expect("a status"), headers, body)
}

/// True if the permissions of the SAS (`sp`) allow deletion.
fn may_delete(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    let permissions = query.split('&').find_map(|pair| pair.strip_prefix("sp="));
    permissions.is_some_and(|permissions| permissions.contains('d'))
}

fn list(blobs: &[(String, u64, String)]) -> String {
    let blobs: String = blobs
        .iter()
        .map(|(name, bytes, etag)| {
            let etag = if etag.is_empty() { String::new() } else { format!("<Etag>{etag}</Etag>") };
            format!(
                "<Blob><Name>{name}</Name><Properties>{etag}<Content-Length>{bytes}</Content-Length></Properties></Blob>"
            )
        })
        .collect();
    format!("<EnumerationResults><Blobs>{blobs}</Blobs><NextMarker/></EnumerationResults>")
}
