//! Gate in front of Azurite: counts the content of each blob, holds requests at a chosen point, and can close
//! connections or stop responding. Uses HTTP/1.1 with one request at a time on each connection, as both engines do.

mod relay;
mod wire;

use std::collections::BTreeMap;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

pub(crate) use wire::Kind;

const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Point at which the gate closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    Nowhere,
    /// Before the next byte of content, after this number of bytes.
    Bytes(u64),
    /// Before all content of this blob.
    Blob(&'static str),
    /// Before the request of this kind that follows this number of others.
    Request(Kind, u32),
}

/// State of the network line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Up,
    /// Connections are closed, including new ones.
    Cut,
    /// Connections are accepted but transfer nothing.
    Silent,
}

/// Received content of one blob.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// Bytes of content in all attempts.
    pub(crate) bytes: u64,
    /// Number of successful Put Blob and Put Block List requests.
    pub(crate) commits: u32,
    /// True after AzCopy has read its properties and received the response: the file counts as uploaded.
    pub(crate) verified: bool,
}

pub(crate) struct Gate {
    /// Base address to use instead of Azurite's.
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    azurite: String,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    hold: Hold,
    line: Line,
    received: u64,
    /// Bytes of content in successful requests.
    acknowledged: u64,
    seen: BTreeMap<Kind, u32>,
    blobs: BTreeMap<String, Received>,
    connections: Vec<TcpStream>,
    /// Requests with content pass concurrently instead of one at a time.
    concurrent: bool,
    /// A request with content is passing.
    sending: bool,
    /// Requests without a response yet, and those of them that wait in the gate.
    open: u32,
    waiting: u32,
    held: bool,
}

impl Gate {
    /// Lets one request with content pass at a time, so that files are uploaded one after the other.
    pub(crate) fn before(azurite: &str) -> Self {
        Self::start(azurite, false)
    }

    /// Lets all requests pass concurrently.
    pub(crate) fn wide(azurite: &str) -> Self {
        Self::start(azurite, true)
    }

    fn start(azurite: &str, concurrent: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared {
            azurite: azurite.trim_start_matches("http://").trim_end_matches('/').to_owned(),
            state: Mutex::new(State {
                hold: Hold::Nowhere,
                line: Line::Up,
                received: 0,
                acknowledged: 0,
                seen: BTreeMap::new(),
                blobs: BTreeMap::new(),
                connections: Vec::new(),
                concurrent,
                sending: false,
                open: 0,
                waiting: 0,
                held: false,
            }),
            changed: Condvar::new(),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for connection in listener.incoming().filter_map(Result::ok) {
                let shared = Arc::clone(&accepting);
                // Connection errors are handled by the other side.
                std::thread::spawn(move || drop(shared.serve(&connection)));
            }
        });
        Self { url, shared }
    }

    /// Closes the gate at a point, or opens it.
    pub(crate) fn hold(&self, hold: Hold) {
        let mut state = self.shared.lock();
        state.hold = hold;
        state.held = false;
        self.shared.changed.notify_all();
    }

    pub(crate) fn line(&self, line: Line) {
        let mut state = self.shared.lock();
        state.line = line;
        if line == Line::Cut {
            for connection in state.connections.drain(..) {
                // The connection may be closed already.
                drop(connection.shutdown(Shutdown::Both));
            }
        }
        self.shared.changed.notify_all();
    }

    /// Waits until a request is held and all others have received their responses.
    pub(crate) fn wait_until_held(&self) {
        self.wait("no request is held", |state| state.held && state.open == state.waiting);
    }

    pub(crate) fn wait_until_verified(&self, blobs: usize) {
        self.wait("too few blobs", |state| state.blobs.values().filter(|blob| blob.verified).count() >= blobs);
    }

    /// Waits until this many bytes of content have been received.
    pub(crate) fn wait_until_received(&self, bytes: u64) {
        self.wait("too few bytes", |state| state.received >= bytes);
    }

    /// Waits until every request has been answered or abandoned.
    pub(crate) fn wait_until_idle(&self) {
        self.wait("a request is open", |state| state.open == 0);
    }

    fn wait(&self, what: &str, done: impl Fn(&State) -> bool) {
        let begun = Instant::now();
        let mut state = self.shared.lock();
        while !done(&state) {
            assert!(begun.elapsed() < LONGEST_WAIT, "{what}: {:?}", state.blobs);
            state = self.shared.changed.wait_timeout(state, Duration::from_millis(200)).expect("the state").0;
        }
    }

    /// Bytes of content received in all attempts.
    pub(crate) fn received(&self) -> u64 {
        self.shared.lock().received
    }

    /// Bytes of content in successful requests.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.shared.lock().acknowledged
    }

    /// Received content, by the blob's name in its container.
    #[cfg(target_os = "linux")]
    pub(crate) fn blobs(&self) -> BTreeMap<String, Received> {
        self.shared.lock().blobs.clone()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the state")
    }
}
