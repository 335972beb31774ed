//! Gate before Azurite: counts the content of each blob, stops at a chosen point, and can close connections or stop
//! responding. Uses HTTP/1.1 with one request after the other on each connection, as both engines do.

mod wire;

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

pub(crate) use wire::Kind;
use wire::{Request, read_answer};

const LONGEST_WAIT: Duration = Duration::from_secs(60);
const PART: usize = 16 * 1024;

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

/// How the line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Up,
    /// Connections are closed, also new ones.
    Cut,
    /// Connections are accepted and carry nothing.
    Silent,
}

/// Content that arrived for one blob.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// Bytes of content in all attempts.
    pub(crate) bytes: u64,
    /// How many times it was made whole: Put Blob or Put Block List, answered with success.
    pub(crate) made: u32,
    /// AzCopy read its properties afterwards and got the answer: the file counts as arrived.
    pub(crate) proved: bool,
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
    /// Of these the ones whose request was answered with success.
    answered: u64,
    seen: BTreeMap<Kind, u32>,
    blobs: BTreeMap<String, Received>,
    connections: Vec<TcpStream>,
    /// Requests that carry content pass at the same time, instead of one after the other.
    together: bool,
    /// One carries content.
    sending: bool,
    /// Requests without an answer yet, and those of them that wait here.
    open: u32,
    waiting: u32,
    held: bool,
}

impl Gate {
    /// Lets one request with content pass at a time, so that files arrive one after the other.
    pub(crate) fn before(azurite: &str) -> Self {
        Self::start(azurite, false)
    }

    /// Lets as many pass as come.
    pub(crate) fn wide(azurite: &str) -> Self {
        Self::start(azurite, true)
    }

    fn start(azurite: &str, together: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared {
            azurite: azurite.trim_start_matches("http://").trim_end_matches('/').to_owned(),
            state: Mutex::new(State {
                hold: Hold::Nowhere,
                line: Line::Up,
                received: 0,
                answered: 0,
                seen: BTreeMap::new(),
                blobs: BTreeMap::new(),
                connections: Vec::new(),
                together,
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
                // Errors of the connection are the other side's concern.
                std::thread::spawn(move || drop(shared.serve(&connection)));
            }
        });
        Self { url, shared }
    }

    /// Shuts the gate somewhere, or opens it.
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
                // It may be closed already.
                drop(connection.shutdown(Shutdown::Both));
            }
        }
        self.shared.changed.notify_all();
    }

    /// Waits until something is held and everything else has had its answer.
    pub(crate) fn wait_until_held(&self) {
        self.wait("nothing is held", |state| state.held && state.open == state.waiting);
    }

    pub(crate) fn wait_until_proved(&self, blobs: usize) {
        self.wait("too few blobs", |state| state.blobs.values().filter(|blob| blob.proved).count() >= blobs);
    }

    /// Waits until this many bytes of content have arrived.
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

    /// Bytes of content that arrived in all attempts.
    pub(crate) fn received(&self) -> u64 {
        self.shared.lock().received
    }

    /// Bytes of content that came in requests which were answered with success.
    pub(crate) fn answered(&self) -> u64 {
        self.shared.lock().answered
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

    fn serve(&self, client: &TcpStream) -> io::Result<()> {
        let server = TcpStream::connect(&self.azurite)?;
        {
            let mut state = self.lock();
            if state.line == Line::Cut {
                return client.shutdown(Shutdown::Both);
            }
            state.connections.extend([client.try_clone()?, server.try_clone()?]);
        }
        let (mut from_client, mut from_server) = (BufReader::new(client), BufReader::new(&server));
        while let Some(request) = Request::read(&mut from_client)? {
            self.lock().open += 1;
            let answered = self.pass(&request, (&mut from_client, client), (&mut from_server, &server));
            self.lock().open -= 1;
            self.changed.notify_all();
            answered?;
        }
        server.shutdown(Shutdown::Both)
    }

    fn pass(
        &self,
        request: &Request,
        (from_client, mut to_client): (&mut impl BufRead, &TcpStream),
        (from_server, mut to_server): (&mut impl BufRead, &TcpStream),
    ) -> io::Result<()> {
        let number = {
            let mut state = self.lock();
            let seen = state.seen.entry(request.kind).or_default();
            *seen += 1;
            *seen - 1
        };
        self.stop_while(true, |state| state.hold == Hold::Request(request.kind, number));
        self.stop_while(false, |state| state.line == Line::Silent);
        let mine = request.kind == Kind::Content;
        if mine {
            self.stop_while(true, |state| matches!(state.hold, Hold::Blob(blob) if blob == request.blob));
            self.stop_while(false, |state| !state.together && std::mem::replace(&mut state.sending, true));
        }
        let answer = (|| {
            to_server.write_all(&request.head)?;
            let mut left = request.length;
            let mut part = [0; PART];
            while left > 0 {
                let wanted = if mine { self.allowance(left) } else { left.min(PART as u64) };
                let got = from_client.read(&mut part[..usize::try_from(wanted).expect("small")])?;
                if got == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                left -= got as u64;
                to_server.write_all(&part[..got])?;
                if mine {
                    let mut state = self.lock();
                    state.received += got as u64;
                    state.blobs.entry(request.blob.clone()).or_default().bytes += got as u64;
                    self.changed.notify_all();
                }
            }
            // A request without content is held as well.
            if mine && request.length == 0 {
                self.allowance(1);
            }
            read_answer(from_server, request.method == "HEAD")
        })();
        if mine {
            self.lock().sending = false;
            self.changed.notify_all();
        }
        let (status, answer) = answer?;
        self.stop_while(false, |state| state.line == Line::Silent);
        if (200..300).contains(&status) {
            let mut state = self.lock();
            let blob = || request.blob.clone();
            if mine {
                state.answered += request.length;
            }
            if request.whole {
                state.blobs.entry(blob()).or_default().made += 1;
            } else if request.kind == Kind::Look {
                let received = state.blobs.entry(blob()).or_default();
                received.proved = received.made > 0;
            }
        }
        to_client.write_all(&answer)
    }

    /// Waits as long as the condition holds; `hold` says that it is the gate which holds.
    fn stop_while(&self, hold: bool, mut shut: impl FnMut(&mut State) -> bool) {
        let mut state = self.lock();
        if !shut(&mut state) {
            return;
        }
        state.held |= hold;
        state.waiting += 1;
        self.changed.notify_all();
        loop {
            state = self.changed.wait(state).expect("the state");
            if !shut(&mut state) {
                break;
            }
        }
        state.waiting -= 1;
    }

    /// How many bytes may pass now: at least one, after a wait if need be.
    fn allowance(&self, left: u64) -> u64 {
        let room = |state: &State| match state.hold {
            Hold::Bytes(limit) => limit.saturating_sub(state.received),
            _ => u64::MAX,
        };
        self.stop_while(true, |state| room(state) == 0);
        self.stop_while(false, |state| state.line == Line::Silent);
        left.min(PART as u64).min(room(&self.lock())).max(1)
    }
}
