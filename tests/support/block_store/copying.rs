//! Put Block From URL. The store reads only from public names of the Hub's delivery network, which resolve to a local
//! address, and passes the URL on byte for byte, as the service reportedly does.

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

/// Maximum length of a URL that the service reads from.
const LONGEST: usize = 2048;
const FAILED: &str = "CannotVerifyCopySource";

/// Behaviour of copies of blocks from URLs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Copying {
    /// Address of the delivery network; `None`: the store reads from no other server.
    pub(crate) from: Option<SocketAddr>,
    /// Number of copies before the fault.
    pub(crate) sound: u32,
    /// Fault of the source.
    pub(crate) fault: Option<SourceFault>,
    /// Number of faults; `None`: all later copies.
    pub(crate) count: Option<u32>,
    /// Seconds that each copy takes.
    pub(crate) seconds: u64,
}

/// Fault of the source, as the store reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceFault {
    /// Responds with this status.
    Status(u16),
    /// Redirects.
    Redirect,
    /// The store may not read from outside its network.
    Perimeter,
    /// One bit of its content is flipped.
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

/// Failure of the source in the form of the service; newer versions include the source's own status.
fn of_source(status: u16, source: Option<u16>, words: &str) -> Response<Body> {
    let detail = source.map_or_else(String::new, |status| {
        format!("<CopySourceStatusCode>{status}</CopySourceStatusCode><CopySourceErrorMessage>{words}</CopySourceErrorMessage>")
    });
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{FAILED}</Code><Message>{words}</Message>{detail}</Error>"
    );
    let mut response = Response::builder().status(status).header("x-ms-error-code", FAILED);
    if let Some(status) = source {
        response = response
            .header("x-ms-copy-source-status-code", status)
            .header("x-ms-copy-source-error-code", "AccessDenied");
    }
    response.body(Body::from(text)).expect("a response")
}

/// Status and body of a GET. The target is sent unchanged.
async fn fetch(address: SocketAddr, target: &str, range: &str) -> io::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(address).await?;
    let head =
        format!("GET {target} HTTP/1.1\r\nhost: us.aws.cdn.hf.co\r\nrange: {range}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await?;
    let end = response.windows(4).position(|four| four == b"\r\n\r\n").ok_or(io::ErrorKind::InvalidData)?;
    let status = String::from_utf8_lossy(&response[..end]).split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or(io::ErrorKind::InvalidData)?, response.split_off(end + 4)))
}

fn length_of(range: &str) -> Option<u64> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    Some(last.parse::<u64>().ok()? + 1 - first.parse::<u64>().ok()?)
}
