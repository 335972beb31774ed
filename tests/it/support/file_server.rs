//! File server on raw sockets, with one response per connection: valid ones, and incomplete ones that no library would
//! send.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Response of the server.
#[derive(Clone, Debug)]
pub(crate) enum Serve {
    /// The complete file. Labelled as gzip, as some stores do; it must not be decompressed in transit.
    File(Vec<u8>),
    /// The complete file, slowly enough for other processes to act in between.
    Slow(Vec<u8>),
    /// The complete file, without its size.
    Unsized(Vec<u8>),
    /// An error with this status.
    Status(u16),
    /// A redirect to this address.
    Redirect(String),
    /// Half of the file, then the connection is closed.
    Half(Vec<u8>),
    /// Half of the file, then no more bytes.
    HalfThenSilence(Vec<u8>),
    /// A size without a file.
    Claim(u64),
}

struct Shared {
    responses: Vec<Serve>,
    seen: Vec<String>,
}

/// A running server; it stops when the process ends.
pub(crate) struct FileServer {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

impl FileServer {
    /// Starts a server that sends these responses in turn, and the last one from then on.
    pub(crate) fn start(responses: Vec<Serve>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Mutex::new(Shared { responses, seen: Vec::new() }));
        let state = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, state) = (stream.expect("a connection"), Arc::clone(&state));
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Self { address, shared }
    }

    /// URL of the archive.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/azcopy_linux_amd64_10.32.2.tar.gz", self.address)
    }

    /// Heads of all requests so far.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.shared.lock().expect("the log").seen.clone()
    }

    /// Sends these responses from now on.
    pub(crate) fn set_responses(&self, responses: Vec<Serve>) {
        self.shared.lock().expect("the script").responses = responses;
    }
}

fn serve(mut stream: TcpStream, shared: &Mutex<Shared>) {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(count) => request.extend_from_slice(&piece[..count]),
        }
    }
    let answer = {
        let mut shared = shared.lock().expect("the script");
        shared.seen.push(String::from_utf8_lossy(&request).into_owned());
        if shared.responses.len() > 1 { shared.responses.remove(0) } else { shared.responses[0].clone() }
    };
    let head = |status: u16, more: &str| format!("HTTP/1.1 {status} X\r\nconnection: close\r\n{more}\r\n\r\n");
    let sized = |file: &[u8]| head(200, &format!("content-length: {}", file.len()));
    // Some tests end the program in the middle.
    let mut send = |bytes: &[u8]| drop(stream.write_all(bytes));
    match answer {
        Serve::File(file) => {
            send(head(200, &format!("content-encoding: gzip\r\ncontent-length: {}", file.len())).as_bytes());
            send(&file);
        }
        Serve::Slow(file) => {
            send(sized(&file).as_bytes());
            let (first, last) = file.split_at(file.len() / 2);
            send(first);
            std::thread::sleep(Duration::from_millis(300));
            send(last);
        }
        Serve::Unsized(file) => {
            send(head(200, "x-a: b").as_bytes());
            send(&file);
        }
        Serve::Status(status) => send(head(status, "content-length: 0").as_bytes()),
        Serve::Redirect(to) => send(head(302, &format!("location: {to}\r\ncontent-length: 0")).as_bytes()),
        Serve::Half(file) => {
            send(sized(&file).as_bytes());
            send(&file[..file.len() / 2]);
        }
        Serve::HalfThenSilence(file) => {
            send(sized(&file).as_bytes());
            send(&file[..file.len() / 2]);
            std::thread::sleep(Duration::from_secs(30));
        }
        Serve::Claim(size) => send(head(200, &format!("content-length: {size}")).as_bytes()),
    }
}
