//! Put Block From URL. The store reads from public names of the Hub's delivery network alone, which lead to an
//! address of this machine, and passes the URL on byte for byte, as the service is said to do.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::answers::{created, error};
use super::writing::keep;
use super::{Query, Shared};

/// Longest URL that the service reads from.
const LONGEST: usize = 2048;
const FAILED: &str = "CannotVerifyCopySource";

/// How the store copies blocks from URLs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Copying {
    /// Address of the delivery network; `None`: the store reads from no other server.
    pub(crate) from: Option<SocketAddr>,
    /// Number of copies before the fault.
    pub(crate) sound: u32,
    /// Fault of the source.
    pub(crate) fault: Option<SourceFault>,
    /// How often that happens; `None`: from then on.
    pub(crate) count: Option<u32>,
    /// Seconds that each copy takes.
    pub(crate) seconds: u64,
}

/// Fault of the source, as the store reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceFault {
    /// Answers with this status.
    Status(u16),
    /// Redirects.
    Redirect,
    /// The store may not read from outside its network.
    Perimeter,
    /// One bit of what it sends is another one.
    Flip,
}

/// Put Block From URL.
pub(super) async fn copy(shared: &Shared, name: &str, query: &Query, headers: &HeaderMap) -> Response<Body> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (source, range) = (header("x-ms-copy-source").to_owned(), header("x-ms-source-range").to_owned());
    let is_block = query.get("comp").is_some_and(|comp| comp == "block") && query.contains_key("blockid");
    if !is_block || header("content-length") != "0" || range.is_empty() || source.len() > LONGEST {
        return error(400, "InvalidHeaderValue");
    }
    let (copying, fault) = {
        let mut kept = shared.lock();
        let copying = &mut kept.behaviour.copying;
        let is_due = copying.sound == 0 && copying.count != Some(0);
        copying.sound = copying.sound.saturating_sub(1);
        let fault = copying.fault.filter(|_| is_due);
        if let (Some(_), Some(count)) = (fault, &mut copying.count) {
            *count -= 1;
        }
        (copying.clone(), fault)
    };
    tokio::time::sleep(Duration::from_secs(copying.seconds)).await;
    let target = ["https://us.aws.cdn.hf.co", "https://cas-bridge.xethub.hf.co"];
    let target = target.iter().find_map(|origin| source.strip_prefix(origin));
    let (Some(address), Some(target)) = (copying.from, target) else {
        return error(404, FAILED);
    };
    match fault {
        Some(SourceFault::Redirect) => {
            let words = "A redirected response (HTTP status code 302) from the copy source is not supported.";
            return of_source(400, None, words);
        }
        Some(SourceFault::Perimeter) => return error(403, "NetworkSecurityPerimeterDenied"),
        Some(SourceFault::Status(status)) => return of_source(status, Some(status), "The source failed."),
        Some(SourceFault::Flip) | None => {}
    }
    let Ok((status, mut content)) = fetch(address, target, &range).await else { return error(500, FAILED) };
    match status {
        206 => {}
        300..400 => return of_source(400, None, "A redirected response from the copy source is not supported."),
        status => return of_source(status, Some(status), &String::from_utf8_lossy(&content)),
    }
    let Some(length) = length_of(&range) else { return error(400, "InvalidRange") };
    if content.len() as u64 != length {
        return error(400, "InvalidRange");
    }
    if let (Some(SourceFault::Flip), Some(last)) = (fault, content.last_mut()) {
        *last ^= 1;
    }
    let write = {
        let mut kept = shared.lock();
        kept.taken += 1;
        kept.received.entry(name.to_owned()).or_default().copied += 1;
        keep(&mut kept, name, (query, headers), (content, length))
    };
    shared.changed.notify_all();
    created(write)
}

/// A failure of the source as the service words it; newer versions name the source's own status.
fn of_source(status: u16, source: Option<u16>, words: &str) -> Response<Body> {
    let detail = source.map_or_else(String::new, |status| {
        format!("<CopySourceStatusCode>{status}</CopySourceStatusCode><CopySourceErrorMessage>{words}</CopySourceErrorMessage>")
    });
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{FAILED}</Code><Message>{words}</Message>{detail}</Error>"
    );
    let mut answer = Response::builder().status(status).header("x-ms-error-code", FAILED);
    if let Some(status) = source {
        answer =
            answer.header("x-ms-copy-source-status-code", status).header("x-ms-copy-source-error-code", "AccessDenied");
    }
    answer.body(Body::from(text)).expect("an answer")
}

/// Status and body of a GET. The target goes as it is.
async fn fetch(address: SocketAddr, target: &str, range: &str) -> io::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(address).await?;
    let head =
        format!("GET {target} HTTP/1.1\r\nhost: us.aws.cdn.hf.co\r\nrange: {range}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or(io::ErrorKind::InvalidData)?;
    let status = String::from_utf8_lossy(&answer[..end]).split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or(io::ErrorKind::InvalidData)?, answer.split_off(end + 4)))
}

fn length_of(range: &str) -> Option<u64> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    Some(last.parse::<u64>().ok()? + 1 - first.parse::<u64>().ok()?)
}
