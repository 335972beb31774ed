//! Kinds of faults on the wire.

use crate::support::ResponseFault;

/// A fault with its name.
pub(super) struct Kind {
    pub(super) name: String,
    pub(super) fault: ResponseFault,
}

const ERROR: &[u8] = br#"{"error":{"code":"InjectedFault","message":"the words of the service"}}"#;
const JSON: &str = "content-type: application/json\r\n";

/// Statuses that are sent with an error body of the service.
const STATUSES: [u16; 32] = [
    400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411, 412, 413, 415, 416, 421, 422, 423, 424, 425, 428, 429, 431,
    451, 500, 501, 502, 503, 504, 505, 507, 511,
];

/// Bodies that are sent with 200.
const BODIES: [(&str, &[u8]); 14] = [
    ("no body", b""),
    ("null", b"null"),
    ("an array", b"[]"),
    ("an empty object", b"{}"),
    ("a string", b"\"x\""),
    ("a number", b"0"),
    ("half an object", b"{\"value\":["),
    ("a list of nothing", b"{\"value\":null}"),
    ("an object of nulls", br#"{"name":null,"version":null,"status":null,"blobUri":null,"value":null}"#),
    ("wrong types", br#"{"name":1,"version":[],"status":{},"blobUri":7,"value":{},"nextLink":3}"#),
    ("an unknown state", br#"{"status":"Wobbling","provisioningState":"Wobbling"}"#),
    ("another model", br#"{"name":"another","version":"9","blobUri":"https://x.example/c","status":"Succeeded"}"#),
    ("not UTF-8", b"{\"name\":\"\xff\xfe\"}"),
    ("a BOM", b"\xef\xbb\xbf{}"),
];

const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

/// Values of `Retry-After` with 503.
const WAITS: [(&str, &str); 4] = [
    ("a wait of nothing", "retry-after: 0\r\n"),
    ("a wait of years", "retry-after: 99999999999999999999\r\n"),
    ("a wait below nothing", "retry-after: -5\r\n"),
    ("a wait in words", "retry-after: soon\r\n"),
];

/// All faults, always in the same order.
pub(super) fn kinds() -> Vec<Kind> {
    let kind = |name: &str, fault| Kind { name: name.to_owned(), fault };
    let mut kinds: Vec<Kind> =
        STATUSES.iter().map(|status| kind(&status.to_string(), ResponseFault::Status(*status, JSON, ERROR))).collect();
    kinds.extend(BODIES.iter().map(|(name, body)| kind(name, ResponseFault::Status(200, JSON, body))));
    for status in REDIRECTS {
        let head = "location: http://127.0.0.1:9/elsewhere\r\n";
        kinds.push(kind(&format!("{status} elsewhere"), ResponseFault::Status(status, head, b"")));
    }
    kinds.extend(WAITS.iter().map(|(name, head)| kind(name, ResponseFault::Status(503, head, ERROR))));
    let page = b"<!DOCTYPE html><html><body>Sign in to the network</body></html>";
    let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    let details =
        format!(r#"{{"error":{{"code":"X","details":[{}1]}}}}"#, r#"{"code":"D","message":"m"},"#.repeat(20_000));
    let response = |status: &str, head: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 {status}\r\n{head}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
        ResponseFault::Instead([head.as_bytes(), body].concat())
    };
    kinds.extend([
        kind("a page with 200", response("200 OK", "content-type: text/html\r\n", page)),
        kind("a page with 502", response("502 Bad Gateway", "content-type: text/html\r\n", page)),
        kind("deep nesting", response("200 OK", JSON, &deep)),
        kind("many details", response("400 Bad Request", JSON, details.as_bytes())),
        kind("megabytes", response("200 OK", JSON, &[b"\"".as_slice(), &b"x".repeat(4 << 20), b"\""].concat())),
        kind("202 without a place", response("202 Accepted", "", b"")),
        kind("204", response("204 No Content", "", b"")),
        kind("not gzip", response("200 OK", "content-encoding: gzip\r\ncontent-type: application/json\r\n", b"{}")),
        kind("not HTTP", ResponseFault::Instead(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())),
        kind("half a head", ResponseFault::Instead(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec())),
        kind(
            "a broken chunk",
            ResponseFault::Instead(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}".to_vec()),
        ),
        kind("more promised", ResponseFault::Instead(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{}".to_vec())),
        kind("a reset", ResponseFault::Reset),
        kind("an early end", ResponseFault::End),
        kind("silence", ResponseFault::Silence),
        kind("a lost answer", ResponseFault::Lost),
        kind("half an answer", ResponseFault::Half),
        kind("a late answer", ResponseFault::Late),
        kind("the answer with 200", ResponseFault::Restatus(200)),
        kind("the answer with 206", ResponseFault::Restatus(206)),
        kind("the answer with 500", ResponseFault::Restatus(500)),
        kind("the answer without its body", ResponseFault::Bodiless),
    ]);
    kinds
}
