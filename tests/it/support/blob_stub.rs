//! Blob store that accepts or rejects a SAS, and lists configured blobs. The fake AzCopy sends no content.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use tokio::sync::oneshot;

/// Behaviour of the store from now on.
#[derive(Clone, Debug)]
pub(crate) enum StubAnswer {
    /// The SAS is good.
    Good,
    /// An error status with the store's code.
    Error(u16, &'static str),
    /// Nothing: the request is taken and never answered.
    Nothing,
    /// The first requests get an error, the later ones are accepted.
    ErrorTimes(u32, u16, &'static str),
}

/// State of the store.
struct StubState {
    says: StubAnswer,
    /// Lists of blobs, by name, size and ETag: each is returned once, and the last from then on. `None`: no list
    /// allowed.
    holds: VecDeque<Vec<(String, u64, String)>>,
    /// Paths of the blobs that were removed.
    removed: Vec<String>,
}

/// The running store; it ends when it is dropped.
pub(crate) struct BlobStub {
    /// Base address with the account.
    pub(crate) base: url::Url,
    state: Arc<Mutex<StubState>>,
    _stop: oneshot::Sender<()>,
}

impl BlobStub {
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base = format!("http://{}/devstoreaccount1", listener.local_addr().expect("an address"));
        let state =
            Arc::new(Mutex::new(StubState { says: StubAnswer::Good, holds: VecDeque::new(), removed: Vec::new() }));
        let shared = Arc::clone(&state);
        let (stop, stopped) = oneshot::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                listener.set_nonblocking(true).expect("a listener");
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                let app = Router::new().fallback(answer).with_state(shared);
                tokio::select! {
                    served = axum::serve(listener, app).into_future() => served.expect("served"),
                    _ = stopped => {}
                }
            });
        });
        Self { base: base.parse().expect("a URL"), state, _stop: stop }
    }

    /// Changes what the store says.
    pub(crate) fn says(&self, says: StubAnswer) {
        self.state.lock().expect("the state").says = says;
    }

    /// Lets the store be listed, with these blobs.
    pub(crate) fn holds(&self, blobs: &[(&str, u64)]) {
        self.holds_in_turn(&[&without_etags(blobs)]);
    }

    /// Lets the store be listed: first with these blobs, then with those that the upload made of them. The fake AzCopy
    /// sends nothing.
    pub(crate) fn holds_before_and_after(&self, before: &[(&str, u64)], after: &[(&str, u64)]) {
        self.holds_in_turn(&[&without_etags(before), &without_etags(after)]);
    }

    /// Lets the store be listed with each of these lists in turn, blobs by name, size and ETag, and with the last from
    /// then on. An ETag that is empty is not shown.
    pub(crate) fn holds_in_turn(&self, lists: &[&[(&str, u64, &str)]]) {
        let owned = |(name, bytes, etag): &(&str, u64, &str)| ((*name).to_owned(), *bytes, (*etag).to_owned());
        let lists = lists.iter().map(|list| list.iter().map(owned).collect());
        self.state.lock().expect("the state").holds = lists.collect();
    }

    /// Paths of the blobs that were removed, below the account.
    pub(crate) fn removed(&self) -> Vec<String> {
        self.state.lock().expect("the state").removed.clone()
    }
}

fn without_etags<'a>(blobs: &[(&'a str, u64)]) -> Vec<(&'a str, u64, &'a str)> {
    blobs.iter().map(|(name, bytes)| (*name, *bytes, "")).collect()
}

async fn answer(
    State(state): State<Arc<Mutex<StubState>>>,
    method: Method,
    uri: Uri,
) -> (StatusCode, HeaderMap, String) {
    let (status, code, body) = {
        let mut state = state.lock().expect("the state");
        let (status, code) = match &mut state.says {
            StubAnswer::Good | StubAnswer::ErrorTimes(0, ..) => (200, ""),
            StubAnswer::Error(status, code) => (*status, *code),
            StubAnswer::Nothing => (0, ""),
            StubAnswer::ErrorTimes(left, status, code) => {
                *left -= 1;
                (*status, *code)
            }
        };
        let is_probe = uri.query().is_some_and(|query| query.contains("maxresults=1"));
        match (status, state.holds.front(), &method) {
            (200, _, &Method::DELETE) if !may_delete(&uri) => (403, "AuthorizationPermissionMismatch", String::new()),
            (200, _, &Method::DELETE) => {
                state.removed.push(uri.path().trim_start_matches("/devstoreaccount1/").to_owned());
                (202, code, String::new())
            }
            (200, None, _) if !is_probe => (403, "AuthorizationPermissionMismatch", String::new()),
            (200, Some(blobs), _) => {
                let answer = (200, code, list(blobs));
                if !is_probe && state.holds.len() > 1 {
                    state.holds.pop_front();
                }
                answer
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

/// True if the permissions of the SAS (`sp`) allow a deletion.
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
