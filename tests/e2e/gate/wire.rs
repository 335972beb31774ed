//! HTTP/1.1 in the form that AzCopy and Azurite use with each other.

use std::io::{self, BufRead, Read};

/// Kind of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// List of the container, requested by the program.
    List,
    /// List of the container, AzCopy's first request.
    Begin,
    /// A whole blob in one request, or one block.
    Content,
    /// Block list that commits a blob.
    Commit,
    /// AzCopy's read of the properties of a blob that it sent.
    Properties,
    Other,
}

/// A request without its content.
pub(super) struct Request {
    pub(super) head: Vec<u8>,
    pub(super) kind: Kind,
    pub(super) blob: String,
    /// The request completes the blob.
    pub(super) completes_blob: bool,
    pub(super) length: u64,
    pub(super) method: String,
}

impl Request {
    pub(super) fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let head = read_head(from)?;
        if head.is_empty() {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&head).into_owned();
        let mut words = text.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        // Preceded by account and container.
        let blob = path.splitn(4, '/').nth(3).unwrap_or_default().replace("%2F", "/");
        let has = |part: &str| query.split('&').any(|one| one == part);
        let azcopy = header(&text, "user-agent").is_some_and(|agent| agent.contains("AzCopy"));
        let kind = match method {
            "GET" if has("comp=list") && azcopy => Kind::Begin,
            "GET" if has("comp=list") => Kind::List,
            "PUT" if has("comp=blocklist") => Kind::Commit,
            "PUT" if !blob.is_empty() && (has("comp=block") || !query.contains("comp=")) => Kind::Content,
            "HEAD" if !blob.is_empty() => Kind::Properties,
            _ => Kind::Other,
        };
        let completes_blob = kind == Kind::Commit || kind == Kind::Content && !has("comp=block");
        let length = header(&text, "content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
        let method = method.to_owned();
        Ok(Some(Self { head, kind, blob, completes_blob, length, method }))
    }
}

/// Reads a head with its empty line; empty at the end of the connection.
fn read_head(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    loop {
        let got = from.read_until(b'\n', &mut head)?;
        if got == 0 || head.ends_with(b"\r\n\r\n") {
            return Ok(head);
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Reads status and all bytes of a response; Azurite's responses are small in these tests.
pub(super) fn read_response(from: &mut impl BufRead, no_body: bool) -> io::Result<(u16, Vec<u8>)> {
    let mut response = read_head(from)?;
    let head = String::from_utf8_lossy(&response).into_owned();
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or(io::ErrorKind::UnexpectedEof)?;
    if status == 100 {
        return read_response(from, no_body);
    }
    if no_body || matches!(status, 204 | 304) {
        return Ok((status, response));
    }
    if let Some(length) = header(&head, "content-length") {
        let length = length.parse().map_err(|_| io::ErrorKind::InvalidData)?;
        from.take(length).read_to_end(&mut response)?;
    } else {
        // Chunks, up to the empty one and the empty line after it.
        loop {
            let start = response.len();
            from.read_until(b'\n', &mut response)?;
            let size = String::from_utf8_lossy(&response[start..]).trim().to_owned();
            let size = u64::from_str_radix(&size, 16).map_err(|_| io::ErrorKind::InvalidData)?;
            from.take(size + 2).read_to_end(&mut response)?;
            if size == 0 {
                break;
            }
        }
    }
    Ok((status, response))
}
