//! Block blob store in this process: Put Blob, Put Block, Put Block List, Get Block List and List Blobs, as documented
//! by Azure, with faults. It counts the received content, copies blocks from a URL, and returns blobs.

mod answers;
mod behaviour;
mod connection;
mod copying;
mod listing;
mod reading;
mod writing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, Uri};
use tokio::sync::{Semaphore, oneshot};

use self::answers::error;
pub(crate) use self::behaviour::{Behaviour, Lists};
use self::connection::{Line, Lines};
pub(crate) use self::copying::{Copying, SourceFault};
pub(crate) use self::reading::{Read, ReadBehaviour};

const SHA256: &str = "x-ms-meta-sha256";

/// Maximum wait of a test.
const LIMIT: Duration = Duration::from_secs(30);

/// Committed blob.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Blob {
    pub(crate) content: Vec<u8>,
    pub(crate) content_type: String,
    /// Metadata `sha256`.
    pub(crate) sha256: Option<String>,
    bytes: u64,
    blocks: Vec<(String, u64)>,
    /// Number of the write that created it.
    write: u64,
}

/// Received content of one blob.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// Indices of the received blocks, in order.
    pub(crate) blocks: Vec<u64>,
    /// Number of Put Blob requests.
    pub(crate) puts: u32,
    /// Number of Get Block List requests.
    pub(crate) asked: u32,
    /// Number of Put Block List requests.
    pub(crate) commits: u32,
    /// Number of blocks that were copied from a URL.
    pub(crate) copied: u32,
    /// Number of requests with a checksum.
    pub(crate) with_checksum: u32,
}

#[derive(Default)]
struct StoreState {
    behaviour: Behaviour,
    blobs: BTreeMap<String, Blob>,
    blocks: BTreeMap<String, BTreeMap<String, (Vec<u8>, u64)>>,
    received: BTreeMap<String, Received>,
    refused: BTreeSet<String>,
    age: u32,
    seen: u32,
    taken: u32,
    silent: u32,
    held: u32,
    lists: u32,
    writes: u64,
    read_number: u32,
    reads: Vec<Read>,
}

struct Shared {
    kept: Mutex<StoreState>,
    changed: Condvar,
    /// A permit for each held response that may be sent.
    answers: Semaphore,
}

/// Running store; stops when dropped.
pub(crate) struct BlockStore {
    /// Base address with the account.
    pub(crate) base: url::Url,
    shared: Arc<Shared>,
    _stop: oneshot::Sender<()>,
}

impl BlockStore {
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base = format!("http://{}/devstoreaccount1", listener.local_addr().expect("an address"));
        let (kept, changed) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { kept, changed, answers: Semaphore::new(0) });
        let state = Arc::clone(&shared);
        let (stop, stopped) = oneshot::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                listener.set_nonblocking(true).expect("a listener");
                let listener = Lines(tokio::net::TcpListener::from_std(listener).expect("a listener"));
                let app = Router::new().fallback(answer).with_state(state);
                let service = app.into_make_service_with_connect_info::<Line>();
                tokio::select! {
                    served = axum::serve(listener, service).into_future() => served.expect("served"),
                    _ = stopped => {}
                }
            });
        });
        Self { base: base.parse().expect("a URL"), shared, _stop: stop }
    }

    /// Sets the behaviour; the count of requests restarts, and those in flight get no response.
    pub(crate) fn behaves(&self, behaviour: Behaviour) {
        let mut kept = self.shared.lock();
        (kept.behaviour, kept.seen, kept.taken, kept.silent, kept.lists) = (behaviour, 0, 0, 0, 0);
        kept.read_number = 0;
        kept.age += 1;
    }

    /// A blob, by its name in the container.
    pub(crate) fn blob(&self, name: &str) -> Option<Blob> {
        self.shared.lock().blobs.get(name).cloned()
    }

    /// Names of all blobs.
    pub(crate) fn names(&self) -> Vec<String> {
        self.shared.lock().blobs.keys().cloned().collect()
    }

    /// Received content of a blob since the last call.
    pub(crate) fn take_received(&self, name: &str) -> Received {
        self.shared.lock().received.remove(name).unwrap_or_default()
    }

    /// Reads received since the last call.
    pub(crate) fn take_reads(&self) -> Vec<Read> {
        std::mem::take(&mut self.shared.lock().reads)
    }

    /// Sets or removes the recorded SHA-256 of a blob without changing its content.
    pub(crate) fn record_sum(&self, name: &str, sha256: Option<&str>) {
        let mut kept = self.shared.lock();
        kept.blobs.get_mut(name).expect("a blob").sha256 = sha256.map(str::to_owned);
    }

    /// Deletes a blob as another machine.
    pub(crate) fn delete(&self, name: &str) {
        self.shared.lock().blobs.remove(name);
    }

    /// Writes a blob as another machine.
    pub(crate) fn write(&self, name: &str, content: Vec<u8>) {
        self.shared.lock().write(name, content);
    }

    /// Discards all uncommitted blocks.
    pub(crate) fn lose_blocks(&self) {
        self.shared.lock().blocks.clear();
    }

    /// Number of requests without a response.
    pub(crate) fn silent(&self) -> u32 {
        self.shared.lock().silent
    }

    /// Waits until this number of requests are received and one more is unanswered.
    pub(crate) fn wait_until_silent(&self, taken: u32) {
        self.wait_until_all_silent(taken, 1);
    }

    /// Waits until these numbers of requests are received and unanswered.
    pub(crate) fn wait_until_all_silent(&self, taken: u32, silent: u32) {
        self.wait_until(|kept| kept.taken >= taken && kept.silent >= silent);
    }

    /// Waits until the response to a request whose content was stored is held.
    pub(crate) fn wait_until_held(&self) {
        self.wait_until(|kept| kept.held > 0);
    }

    /// Sends the held responses, and holds no more.
    pub(crate) fn answer_held(&self) {
        let mut kept = self.shared.lock();
        kept.behaviour.held_after = None;
        self.shared.answers.add_permits(std::mem::take(&mut kept.held) as usize);
    }

    fn wait_until(&self, is_so: impl Fn(&StoreState) -> bool) {
        let begun = Instant::now();
        let mut kept = self.shared.lock();
        while !is_so(&kept) {
            let StoreState { taken, silent, held, .. } = *kept;
            assert!(begun.elapsed() < LIMIT, "{taken} received, {silent} without a response, {held} with a held one");
            kept = self.shared.changed.wait_timeout(kept, Duration::from_millis(200)).expect("the store").0;
        }
    }
}

impl StoreState {
    fn make(&mut self, name: &str, blob: Blob) -> u64 {
        self.writes += 1;
        self.blobs.insert(name.to_owned(), Blob { write: self.writes, ..blob });
        self.writes
    }

    fn write(&mut self, name: &str, content: Vec<u8>) {
        self.make(name, Blob { bytes: content.len() as u64, content, ..Blob::default() });
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, StoreState> {
        self.kept.lock().expect("the store")
    }
}

type Query = BTreeMap<String, String>;

async fn answer(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Line>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    let query: Query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let name = decoded(uri.path().splitn(4, '/').nth(3).unwrap_or_default());
    let mut answer = store_answer((&shared, &line), (&method, &name, &query), &headers, body).await;
    answer.headers_mut().insert("x-ms-request-id", HeaderValue::from_static("00000000-0000-4000-8000-0000000000aa"));
    answer
}

async fn store_answer(
    (shared, line): (&Shared, &Line),
    (method, name, query): (&Method, &str, &Query),
    headers: &HeaderMap,
    body: Body,
) -> Response<Body> {
    let sas = query.get("se").cloned().unwrap_or_default() + query.get("sig").map_or("", String::as_str);
    if shared.lock().refused.contains(&sas) {
        return error(403, "AuthenticationFailed");
    }
    if headers.contains_key(SHA256) && shared.lock().behaviour.refuses_metadata {
        return error(403, "AuthorizationPermissionMismatch");
    }
    let is_of = |comp: &str| query.get("comp").is_some_and(|found| found == comp);
    match *method {
        Method::GET if is_of("list") => listing::list(shared, query),
        Method::GET if is_of("blocklist") => writing::block_list(shared, name),
        Method::GET => reading::read(shared, line, name, (headers, &sas)).await,
        Method::PUT if headers.contains_key("x-ms-copy-source") => copying::copy(shared, name, query, headers).await,
        Method::PUT if is_of("blocklist") => writing::commit(shared, name, headers, body).await,
        Method::PUT => writing::content(shared, line, name, (query, headers, &sas), body).await,
        Method::DELETE => match shared.lock().blobs.remove(name) {
            Some(_) => Response::builder().status(202).body(Body::empty()).expect("a response"),
            None => error(404, "BlobNotFound"),
        },
        _ => error(400, "UnsupportedHttpVerb"),
    }
}

fn decoded(path: &str) -> String {
    let escaped = path.replace('+', "%2B");
    url::form_urlencoded::parse(escaped.as_bytes()).map(|(key, _)| key.into_owned()).collect()
}
