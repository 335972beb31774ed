//! HTTP/1.1 requests, parsed incrementally. Bodies are counted and discarded, except for block lists.

use std::io;

use percent_encoding::percent_decode_str;
use url::form_urlencoded;

/// Maximum length of request line and headers: a SAS and a name of 1,024 characters fit ten times.
const MAX_HEAD: usize = 64 * 1024;
/// Maximum length of a block list: 50,000 IDs of 64 bytes with their elements.
const MAX_BLOCK_LIST: u64 = 8 << 20;
const MAX_HEADERS: usize = 64;

/// Complete request.
#[derive(Debug, Default)]
pub(crate) struct Request {
    /// Method as sent.
    pub(crate) method: String,
    /// Name of the container, decoded.
    pub(crate) container: String,
    /// Name of the blob in the container, decoded; empty for the container itself.
    pub(crate) blob: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    /// Length of the body in bytes; `None` if the request does not declare it.
    pub(crate) length: Option<u64>,
    /// Body of a block list; empty for all others.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Value of a parameter of the URL.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Value of a header; its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Names and values of the metadata of a new blob.
    pub(crate) fn metadata(&self) -> Vec<(String, String)> {
        let named = self.headers.iter().filter_map(|(name, value)| Some((name.strip_prefix("x-ms-meta-")?, value)));
        named.map(|(name, value)| (name.to_owned(), value.clone())).collect()
    }

    fn is_block_list(&self) -> bool {
        self.method == "PUT" && self.query("comp") == Some("blocklist")
    }

    fn read(head: &[u8]) -> io::Result<Self> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        parsed.parse(head).map_err(invalid)?;
        let (path, query) = parsed.path.unwrap_or("/").split_once('?').unwrap_or((parsed.path.unwrap_or("/"), ""));
        let mut parts = path.trim_start_matches('/').splitn(3, '/').skip(1);
        let mut decoded = || percent_decode_str(parts.next().unwrap_or("")).decode_utf8_lossy().into_owned();
        let mut request = Self {
            method: parsed.method.unwrap_or("").to_owned(),
            container: decoded(),
            blob: decoded(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers: Vec::with_capacity(parsed.headers.len()),
            length: None,
            body: Vec::new(),
        };
        for header in parsed.headers.iter() {
            let value = String::from_utf8_lossy(header.value).into_owned();
            request.headers.push((header.name.to_ascii_lowercase(), value));
        }
        request.length = request.header("content-length").map(str::parse).transpose().map_err(invalid)?;
        Ok(request)
    }
}

/// Next action of the store after a piece.
#[derive(Debug)]
pub(crate) enum Event {
    /// The client waits for `100 Continue`.
    Continue,
    /// A complete request.
    Request(Request),
}

/// Requests of one connection, one after another.
#[derive(Debug, Default)]
pub(crate) struct RequestReader {
    head: Vec<u8>,
    open: Option<(Request, u64)>,
    continues: bool,
}

impl RequestReader {
    /// Reads a piece of the stream.
    pub(crate) fn push(&mut self, mut piece: &[u8]) -> io::Result<()> {
        while !piece.is_empty() {
            match &mut self.open {
                Some((request, left)) if *left > 0 => {
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(piece.len());
                    if request.is_block_list() {
                        request.body.extend_from_slice(&piece[..taken]);
                    }
                    *left -= taken as u64;
                    piece = &piece[taken..];
                }
                // A second request before the response to the first: no tool does that.
                Some(_) => return Err(invalid("pipelined request")),
                None => piece = self.push_head(piece)?,
            }
        }
        Ok(())
    }

    /// Reads a piece of the head, and returns the rest of the piece.
    fn push_head<'p>(&mut self, piece: &'p [u8]) -> io::Result<&'p [u8]> {
        let before = self.head.len();
        let from = before.saturating_sub(3);
        self.head.extend_from_slice(piece);
        let Some(end) = self.head[from..].windows(4).position(|four| four == b"\r\n\r\n") else {
            return if self.head.len() > MAX_HEAD { Err(invalid("the head is too long")) } else { Ok(&[]) };
        };
        let end = from + end + 4;
        let request = Request::read(&self.head[..end])?;
        self.head.clear();
        if request.header("transfer-encoding").is_some() {
            return Err(invalid("a body without a length"));
        }
        let length = request.length.unwrap_or(0);
        if request.is_block_list() && length > MAX_BLOCK_LIST {
            return Err(invalid("the block list is too long"));
        }
        self.continues = request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"));
        self.open = Some((request, length));
        Ok(&piece[end - before..])
    }

    /// Next action.
    pub(crate) fn event(&mut self) -> Option<Event> {
        if self.open.as_ref().is_some_and(|(_, left)| *left == 0) {
            self.continues = false;
            return self.open.take().map(|(request, _)| Event::Request(request));
        }
        std::mem::take(&mut self.continues).then_some(Event::Continue)
    }

    /// True in the middle of a request.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.open.is_some() || !self.head.is_empty()
    }
}

fn invalid<E: Into<Box<dyn std::error::Error + Send + Sync>>>(error: E) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_parsed_from_pieces_of_any_size() {
        let text = b"PUT /account/box/sub/a%20b?comp=blocklist&x=a%2Bb HTTP/1.1\r\nContent-Length: 5\r\nX-Ms-Y: z\r\n\r\nhello";
        for size in 1..=text.len() {
            let mut reader = RequestReader::default();
            for piece in text.chunks(size) {
                assert!(reader.event().is_none());
                reader.push(piece).unwrap();
            }
            let Some(Event::Request(request)) = reader.event() else { panic!("no request in pieces of {size}") };
            assert_eq!((request.container.as_str(), request.blob.as_str()), ("box", "sub/a b"));
            assert_eq!((request.query("x"), request.header("x-ms-y")), (Some("a+b"), Some("z")));
            assert_eq!((request.length, request.body.as_slice()), (Some(5), b"hello".as_slice()));
            assert!(!reader.is_cut_off());
        }
    }
}
