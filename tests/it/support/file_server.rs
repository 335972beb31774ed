//! File server on raw sockets, with one response per connection: valid ones, and ones that break off as no library
//! would.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One answer.
#[derive(Clone, Debug)]
pub(crate) enum Serve {
    /// The whole file. Labelled as gzip, as some stores do; it must not be unpacked on the way.
    File(Vec<u8>),
    /// The whole file, slowly enough for others to come in between.
    Slow(Vec<u8>),
    /// The whole file, its size untold.
    Unsized(Vec<u8>),
    /// An error with this status.
    Status(u16),
    /// A redirect to this address.
    Redirect(String),
    /// Half of the file, then the connection ends.
    Half(Vec<u8>),
    /// Half of the file, then nothing.
    HalfThenSilence(Vec<u8>),
    /// A size, and no file.
    Claim(u64),
}

struct Shared {
    answers: Vec<Serve>,
    seen: Vec<String>,
}

/// The running server; it ends with the process.
pub(crate) struct FileServer {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

impl FileServer {
    /// Plays these answers in turn, the last one for ever.
    pub(crate) fn start(answers: Vec<Serve>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Mutex::new(Shared { answers, seen: Vec::new() }));
        let state = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, state) = (stream.expect("a connection"), Arc::clone(&state));
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Self { address, shared }
    }

    /// Address of the archive.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/azcopy_linux_amd64_10.32.2.tar.gz", self.address)
    }

    /// The heads of all requests so far.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.shared.lock().expect("the log").seen.clone()
    }

    /// Plays these from now on.
    pub(crate) fn plays(&self, answers: Vec<Serve>) {
        self.shared.lock().expect("the script").answers = answers;
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
        if shared.answers.len() > 1 { shared.answers.remove(0) } else { shared.answers[0].clone() }
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
