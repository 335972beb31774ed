//! Raw socket server that sends one scripted response per connection, and records the requests.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::clock::ClockHold;
use crate::env::{Env, Timings};
use crate::http::HttpClient;
use crate::model::{Report, Reporter};

/// Behaviour of the server on one connection.
#[derive(Clone)]
pub(crate) enum ServerScript {
    /// Sends these bytes and ends the connection.
    Raw(Vec<u8>),
    /// Sends nothing and keeps the connection open; lets the paused clock run.
    Silence,
}

impl ServerScript {
    fn at(self, url: &Url) -> Self {
        match self {
            Self::Raw(bytes) => {
                let text = String::from_utf8(bytes).map(|text| text.replace("{origin}", url.as_str()).into_bytes());
                Self::Raw(text.unwrap_or_else(|binary| binary.into_bytes()))
            }
            Self::Silence => Self::Silence,
        }
    }
}

/// Complete response with a status, headers and a body.
pub(crate) fn answer(status: &str, headers: &[&str], body: &str) -> ServerScript {
    let mut text = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for header in headers {
        text = text + header + "\r\n";
    }
    ServerScript::Raw((text + "\r\n" + body).into_bytes())
}

/// A running server; it ends with the test's runtime.
pub(crate) struct Server {
    pub(crate) url: Url,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Plays these responses in turn, and repeats the last one. `{origin}` in a response is replaced by the server's
    /// address.
    pub(crate) async fn play(plays: Vec<ServerScript>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = Url::parse(&format!("http://{}/", listener.local_addr().expect("address"))).expect("url");
        let plays: Vec<ServerScript> = plays.into_iter().map(|play| play.at(&url)).collect();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        tokio::spawn(async move {
            for turn in 0.. {
                let (stream, _) = listener.accept().await.expect("a connection");
                let play = plays[turn.min(plays.len() - 1)].clone();
                tokio::spawn(serve(stream, play, Arc::clone(&kept)));
            }
        });
        Self { url, seen }
    }

    /// All requests so far: head and body as received.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// `METHOD /path` of all requests so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |request: &String| request.split(" HTTP/1.1").next().unwrap_or_default().to_owned();
        self.seen().iter().map(line).collect()
    }
}

async fn serve(mut stream: TcpStream, play: ServerScript, seen: Arc<Mutex<Vec<String>>>) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !whole(&request) {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => request.extend_from_slice(&buffer[..count]),
        }
    }
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(String::from_utf8_lossy(&request).into_owned());
    match play {
        ServerScript::Raw(bytes) => drop(stream.write_all(&bytes).await),
        ServerScript::Silence => {
            ClockHold::of_this_thread().end();
            std::future::pending::<()>().await;
        }
    }
    drop(stream.shutdown().await);
}

fn whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    body.len() >= length
}

/// Client for a paused clock, and its reports.
pub(crate) fn client(vars: &[(&str, &str)]) -> (HttpClient, Arc<Mutex<Vec<Report>>>) {
    let env = Env::from_vars(vars.iter().copied(), Path::new("/"));
    let reports = Arc::new(Mutex::new(Vec::new()));
    let (kept, hold) = (Arc::clone(&reports), ClockHold::of_this_thread());
    let reporter: Reporter = Arc::new(move |report| {
        hold.observe(&report);
        kept.lock().expect("reports").push(report);
    });
    (HttpClient::new(&env, Timings::default(), reporter, true), reports)
}
