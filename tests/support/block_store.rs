//! Block blob store in this process: Put Blob, Put Block, Put Block List, Get Block List and List Blobs, as documented
//! by Azure, with faults. It counts the received content, copies blocks from a URL, and returns blobs.

#[path = "block_store/copying.rs"]
mod copying;
#[path = "block_store/reading.rs"]
mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, Uri};
use axum::serve::{IncomingStream, Listener};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use tokio::sync::{Semaphore, oneshot};

pub(crate) use self::copying::{Copying, SourceFault};
pub(crate) use self::reading::{Read, ReadBehaviour};

const SHA256: &str = "x-ms-meta-sha256";

/// Nothing that a test waits for takes longer.
const LIMIT: Duration = Duration::from_secs(30);

/// How the store behaves. Numbers count the requests that carry content.
#[derive(Clone, Debug, Default)]
pub(crate) struct Behaviour {
    /// Each so-manyth is answered 503 ServerBusy.
    pub(crate) busy_every: Option<u32>,
    /// `Retry-After` of such an answer, in seconds.
    pub(crate) retry_after: Option<u32>,
    /// Every n-th request has its connection closed after half of its content.
    pub(crate) reset_every: Option<u32>,
    /// One bit of each so-manyth is flipped on the way.
    pub(crate) flip_every: Option<u32>,
    /// A checksum header is answered 500, as older emulators do.
    pub(crate) no_checksums: bool,
    /// A checksum header is answered 400, with its name.
    pub(crate) refuses_header: bool,
    /// This number of requests are answered 500, and all others normally.
    pub(crate) fails_first: u32,
    /// The SAS that brought the so-manyth is refused from then on.
    pub(crate) sas_ends_after: Option<u32>,
    /// No SAS is accepted for content after this number of requests.
    pub(crate) refuses_all_after: Option<u32>,
    /// The SAS does not allow to read or to list.
    pub(crate) write_only: bool,
    /// Blocks are gone before the next block list, once.
    pub(crate) loses_blocks: bool,
    /// Content after this number of requests is received and never answered.
    pub(crate) silent_after: Option<u32>,
    /// Content after this number of requests is kept, and answered when the test continues it.
    pub(crate) held_after: Option<u32>,
    /// Content is counted and not kept.
    pub(crate) discards: bool,
    /// How it copies blocks from URLs.
    pub(crate) copying: Copying,
    /// One bit of each blob that is read is another one.
    pub(crate) reads_wrong: bool,
    /// How blobs are read.
    pub(crate) reading: ReadBehaviour,
    /// Metadata is answered 403, as by a SAS without the right to write it.
    pub(crate) refuses_metadata: bool,
    /// How the list of the container differs from what is there.
    pub(crate) lists: Lists,
    /// Before the so-manyth list of the whole container another machine writes this blob, in its size.
    pub(crate) writes_before_list: Option<(u32, &'static str)>,
}

/// Blobs in the list of the container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lists {
    /// All blobs.
    #[default]
    All,
    /// Each blob one byte shorter than it is.
    Shorter,
    /// Each blob larger than any disk.
    Huge,
    /// All but the blob that comes first by its name.
    WithoutFirst,
    /// Without ETags.
    WithoutEtags,
    /// Without any marks of writes.
    WithoutMarks,
    /// All in the first page, which leads to empty ones that lead to each other.
    Circle,
    /// All in the first page, and then one empty page after the other.
    Endless,
}

/// A blob that was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Blob {
    pub(crate) content: Vec<u8>,
    pub(crate) content_type: String,
    /// Metadata `sha256`.
    pub(crate) sha256: Option<String>,
    bytes: u64,
    blocks: Vec<(String, u64)>,
    /// Number of the write that made it.
    write: u64,
}

/// Content that arrived for one blob.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// Indices of the blocks that were taken, in that order.
    pub(crate) blocks: Vec<u64>,
    /// Times that it was put whole.
    pub(crate) puts: u32,
    /// Times that its block list was asked for.
    pub(crate) asked: u32,
    /// Times that a list of blocks came for it.
    pub(crate) commits: u32,
    /// Of the blocks those that it copied from a URL.
    pub(crate) copied: u32,
    /// Requests for it that had a checksum.
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
    /// A permit for each answer that is held no longer.
    answers: Semaphore,
}

/// The running store; it ends when it is dropped.
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

    /// Sets the behaviour; the count of requests restarts, and those in flight get no answer.
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

    /// Content that arrived for a blob since the last call.
    pub(crate) fn take_received(&self, name: &str) -> Received {
        self.shared.lock().received.remove(name).unwrap_or_default()
    }

    /// Reads that came since the last look at them.
    pub(crate) fn take_reads(&self) -> Vec<Read> {
        std::mem::take(&mut self.shared.lock().reads)
    }

    /// Sets or removes the recorded SHA-256 of a blob, and leaves its content.
    pub(crate) fn record_sum(&self, name: &str, sha256: Option<&str>) {
        let mut kept = self.shared.lock();
        kept.blobs.get_mut(name).expect("a blob").sha256 = sha256.map(str::to_owned);
    }

    /// Another machine deletes a blob.
    pub(crate) fn delete(&self, name: &str) {
        self.shared.lock().blobs.remove(name);
    }

    /// Another machine writes a blob.
    pub(crate) fn write(&self, name: &str, content: Vec<u8>) {
        self.shared.lock().write(name, content);
    }

    /// Forgets all blocks that belong to no blob yet.
    pub(crate) fn lose_blocks(&self) {
        self.shared.lock().blocks.clear();
    }

    /// How many requests were left without an answer.
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

    /// Waits until the answer to a request whose content was kept is held.
    pub(crate) fn wait_until_held(&self) {
        self.wait_until(|kept| kept.held > 0);
    }

    /// Sends the answers that are held, and holds no more.
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
            assert!(begun.elapsed() < LIMIT, "{taken} taken, {silent} without an answer, {held} with a held one");
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

/// Connections, each with a hand on it that can break it off.
struct Lines(tokio::net::TcpListener);

#[derive(Clone)]
struct Line(Arc<TcpStream>);

impl Listener for Lines {
    type Io = tokio::net::TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        Listener::accept(&mut self.0).await
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Lines>> for Line {
    fn connect_info(stream: IncomingStream<'_, Lines>) -> Self {
        use std::os::fd::AsFd;
        let hand = stream.io().as_fd().try_clone_to_owned().expect("a second hand on it");
        Self(Arc::new(TcpStream::from(hand)))
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
        Method::GET if is_of("list") => list(shared, query),
        Method::GET if is_of("blocklist") => block_list(shared, name),
        Method::GET => reading::read(shared, line, name, (headers, &sas)).await,
        Method::PUT if headers.contains_key("x-ms-copy-source") => copying::copy(shared, name, query, headers).await,
        Method::PUT if is_of("blocklist") => commit(shared, name, headers, body).await,
        Method::PUT => content(shared, line, name, (query, headers, &sas), body).await,
        Method::DELETE => match shared.lock().blobs.remove(name) {
            Some(_) => Response::builder().status(202).body(Body::empty()).expect("an answer"),
            None => error(404, "BlobNotFound"),
        },
        _ => error(400, "UnsupportedHttpVerb"),
    }
}

async fn content(
    shared: &Shared,
    line: &Line,
    name: &str,
    (query, headers, sas): (&Query, &HeaderMap, &str),
    body: Body,
) -> Response<Body> {
    let (age, number, behaviour) = {
        let mut kept = shared.lock();
        kept.seen += 1;
        (kept.age, kept.seen, kept.behaviour.clone())
    };
    let is_due = |every: Option<u32>| every.is_some_and(|every| number.is_multiple_of(every));
    let length = length(headers);
    let resets = is_due(behaviour.reset_every);
    let mut crc = crc64fast_nvme::Digest::new();
    let (mut got, mut bytes) = (Vec::new(), 0_u64);
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let Ok(piece) = piece else { return error(400, "RequestBodyIncomplete") };
        bytes += piece.len() as u64;
        let mut piece = piece.to_vec();
        if is_due(behaviour.flip_every) && bytes == length {
            *piece.last_mut().expect("a byte") ^= 1;
        }
        crc.write(&piece);
        if !behaviour.discards {
            got.extend_from_slice(&piece);
        }
        if resets && bytes * 2 >= length {
            // The connection may be closed already.
            drop(line.0.shutdown(Shutdown::Both));
            std::future::pending::<()>().await;
        }
    }
    if is_due(behaviour.busy_every) {
        let mut answer = error(503, "ServerBusy");
        if let Some(seconds) = behaviour.retry_after {
            answer.headers_mut().insert("retry-after", seconds.into());
        }
        return answer;
    }
    if number <= behaviour.fails_first {
        return error(500, "InternalError");
    }
    let sum = headers.get("x-ms-content-crc64");
    if sum.is_some() && behaviour.refuses_header {
        let text = "<Error><Code>UnsupportedHeader</Code><Message>One of the HTTP headers is not supported.</Message>\
                    <HeaderName>x-ms-content-crc64</HeaderName><HeaderValue>x</HeaderValue></Error>";
        return Response::builder().status(400).body(Body::from(text)).expect("an answer");
    }
    if sum.is_some() && behaviour.no_checksums {
        return error(500, "InternalError");
    }
    if sum.is_some_and(|sum| sum.as_bytes() != STANDARD.encode(crc.sum64().to_le_bytes()).as_bytes()) {
        return error(400, "Crc64Mismatch");
    }
    if bytes != length {
        return error(400, "RequestBodyIncomplete");
    }
    let (is_silent, is_held, write) = {
        let mut write = None;
        let mut kept = shared.lock();
        let is_held = kept.behaviour.held_after.is_some_and(|after| kept.taken >= after);
        let is_silent = age != kept.age || behaviour.silent_after.is_some_and(|after| kept.taken >= after);
        if is_silent {
            kept.silent += u32::from(age == kept.age);
        } else if behaviour.refuses_all_after.is_some_and(|after| kept.taken >= after) {
            return error(403, "AuthenticationFailed");
        } else {
            kept.taken += 1;
            if behaviour.sas_ends_after == Some(kept.taken) {
                kept.refused.insert(sas.to_owned());
            }
            kept.held += u32::from(is_held);
            write = keep(&mut kept, name, (query, headers), (got, bytes));
        }
        (is_silent, is_held, write)
    };
    shared.changed.notify_all();
    if is_silent {
        std::future::pending::<()>().await;
    }
    if is_held {
        shared.answers.acquire().await.expect("it is never closed").forget();
    }
    created(write)
}

/// The number of the write, where it made a blob.
fn keep(
    kept: &mut StoreState,
    name: &str,
    (query, headers): (&Query, &HeaderMap),
    (content, bytes): (Vec<u8>, u64),
) -> Option<u64> {
    let received = kept.received.entry(name.to_owned()).or_default();
    received.with_checksum += u32::from(headers.contains_key("x-ms-content-crc64"));
    if let Some(id) = query.get("blockid") {
        let raw = STANDARD.decode(id).expect("a block id in base64");
        let place = raw.last_chunk::<8>().expect("a place in it");
        received.blocks.push(u64::from_be_bytes(*place));
        kept.blocks.entry(name.to_owned()).or_default().insert(id.clone(), (content, bytes));
        None
    } else {
        received.puts += 1;
        kept.blocks.remove(name);
        let (content_type, sha256) = (content_type(headers), sha256(headers));
        let blob = Blob { content, content_type, sha256, bytes, ..Blob::default() };
        Some(kept.make(name, blob))
    }
}

async fn commit(shared: &Shared, name: &str, headers: &HeaderMap, body: Body) -> Response<Body> {
    let Ok(text) = axum::body::to_bytes(body, 16 << 20).await else { return error(400, "RequestBodyIncomplete") };
    let text = String::from_utf8_lossy(&text).into_owned();
    let ids: Vec<&str> =
        text.split("<Latest>").skip(1).filter_map(|rest| rest.split_once("</Latest>")).map(|(id, _)| id).collect();
    let mut kept = shared.lock();
    kept.received.entry(name.to_owned()).or_default().commits += 1;
    if std::mem::take(&mut kept.behaviour.loses_blocks) {
        kept.blocks.remove(name);
    }
    let mut there = kept.blocks.remove(name).unwrap_or_default();
    let mut blob = Blob { content_type: content_type(headers), sha256: sha256(headers), ..Blob::default() };
    for id in ids {
        let Some((content, bytes)) = there.remove(id) else { return error(400, "InvalidBlockList") };
        blob.content.extend_from_slice(&content);
        blob.bytes += bytes;
        blob.blocks.push((id.to_owned(), bytes));
    }
    let write = kept.make(name, blob);
    created(Some(write))
}

fn block_list(shared: &Shared, name: &str) -> Response<Body> {
    let mut kept = shared.lock();
    kept.received.entry(name.to_owned()).or_default().asked += 1;
    if kept.behaviour.write_only {
        return error(403, "AuthorizationPermissionMismatch");
    }
    let entry = |id: &str, bytes: u64| format!("<Block><Name>{id}</Name><Size>{bytes}</Size></Block>");
    let (blob, blocks) = (kept.blobs.get(name), kept.blocks.get(name));
    if blob.is_none() && blocks.is_none() {
        return error(404, "BlobNotFound");
    }
    let committed: String = blob.iter().flat_map(|blob| &blob.blocks).map(|(id, bytes)| entry(id, *bytes)).collect();
    let uncommitted: String = blocks.into_iter().flatten().map(|(id, (_, bytes))| entry(id, *bytes)).collect();
    let write = blob.map(|blob| blob.write);
    let answer = xml(format!(
        "<BlockList><CommittedBlocks>{committed}</CommittedBlocks><UncommittedBlocks>{uncommitted}</UncommittedBlocks></BlockList>"
    ));
    marked(answer, write)
}

/// If the location is a folder of a container, the names in the list begin with it; blobs whose names do so already are
/// the only ones there.
fn list(shared: &Shared, query: &Query) -> Response<Body> {
    let mut kept = shared.lock();
    kept.lists += u32::from(!query.contains_key("maxresults"));
    if let Some((_, name)) = kept.behaviour.writes_before_list.filter(|(number, _)| *number == kept.lists) {
        let length = kept.blobs.get(name).map_or(1, |blob| blob.content.len());
        kept.write(name, vec![0; length]);
        kept.behaviour.writes_before_list = None;
    }
    if kept.behaviour.write_only {
        return error(403, "AuthorizationPermissionMismatch");
    }
    let prefix = query.get("prefix").map_or("", String::as_str);
    let lists = kept.behaviour.lists;
    let has_metadata = query.get("include").is_some_and(|parts| parts.split(',').any(|part| part == "metadata"));
    let entry = |(name, blob): (&String, &Blob)| {
        let bytes = match lists {
            Lists::Shorter => blob.bytes.saturating_sub(1),
            Lists::Huge => 1 << 60,
            _ => blob.bytes,
        };
        let marks = match lists {
            Lists::WithoutMarks => String::new(),
            Lists::WithoutEtags => format!("<Last-Modified>{}</Last-Modified>", time_of(blob.write)),
            _ => format!("<Last-Modified>{}</Last-Modified><Etag>0x{:X}</Etag>", time_of(blob.write), blob.write),
        };
        let length = format!("<Content-Length>{bytes}</Content-Length>");
        let metadata = match &blob.sha256 {
            Some(sum) if has_metadata => format!("<Metadata><sha256>{sum}</sha256></Metadata>"),
            _ => String::new(),
        };
        let name = name.strip_prefix(prefix).unwrap_or(name).replace('&', "&amp;").replace('<', "&lt;");
        format!("<Blob><Name>{prefix}{name}</Name><Properties>{marks}{length}</Properties>{metadata}</Blob>")
    };
    let at_most = if query.contains_key("maxresults") { 1 } else { usize::MAX };
    let marker = query.get("marker").map_or("", String::as_str);
    let next = match lists {
        Lists::Circle if marker == "a" => "b".to_owned(),
        Lists::Circle => "a".to_owned(),
        Lists::Endless => format!("{marker}."),
        _ => String::new(),
    };
    let at_most = if marker.is_empty() { at_most } else { 0 };
    let omitted = usize::from(lists == Lists::WithoutFirst);
    let has_folder = !prefix.is_empty() && kept.blobs.keys().any(|name| name.starts_with(prefix));
    let is_listed = |name: &str| !has_folder || name.starts_with(prefix);
    let listed = kept.blobs.iter().filter(|(name, _)| is_listed(name));
    let blobs: String = listed.skip(omitted).take(at_most).map(entry).collect();
    xml(format!("<EnumerationResults><Blobs>{blobs}</Blobs><NextMarker>{next}</NextMarker></EnumerationResults>"))
}

fn length(headers: &HeaderMap) -> u64 {
    let text = headers.get("content-length").and_then(|value| value.to_str().ok());
    text.and_then(|text| text.parse().ok()).expect("a length is told")
}

fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get("x-ms-blob-content-type").and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

fn sha256(headers: &HeaderMap) -> Option<String> {
    headers.get(SHA256).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn decoded(path: &str) -> String {
    let escaped = path.replace('+', "%2B");
    url::form_urlencoded::parse(escaped.as_bytes()).map(|(key, _)| key.into_owned()).collect()
}

fn created(write: Option<u64>) -> Response<Body> {
    marked(Response::builder().status(201).body(Body::empty()).expect("an answer"), write)
}

/// An answer about a write. In headers the ETag has quotes, as Azure's has.
fn marked(mut answer: Response<Body>, write: Option<u64>) -> Response<Body> {
    if let Some(write) = write {
        let headers = answer.headers_mut();
        headers.insert("etag", format!("\"0x{write:X}\"").parse().expect("a header"));
        headers.insert("last-modified", time_of(write).parse().expect("a header"));
    }
    answer
}

/// A second of its own for each write.
fn time_of(write: u64) -> String {
    format!("Fri, 15 Jan 2027 08:{:02}:{:02} GMT", write / 60, write % 60)
}

fn xml(text: String) -> Response<Body> {
    let text = format!("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>{text}");
    Response::builder().status(200).header("content-type", "application/xml").body(Body::from(text)).expect("an answer")
}

/// The body says the code as well, as Azure's does.
fn error(status: u16, code: &str) -> Response<Body> {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{code}.</Message></Error>"
    );
    Response::builder().status(status).header("x-ms-error-code", code).body(Body::from(text)).expect("an answer")
}
