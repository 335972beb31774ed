//! Parts of responses, in the forms that Azure sends.

use axum::body::Body;
use axum::http::Response;

pub(super) fn created(write: Option<u64>) -> Response<Body> {
    marked(Response::builder().status(201).body(Body::empty()).expect("a response"), write)
}

/// Adds the ETag and time of a write. In headers the ETag has quotes, as Azure's has.
pub(super) fn marked(mut answer: Response<Body>, write: Option<u64>) -> Response<Body> {
    if let Some(write) = write {
        let headers = answer.headers_mut();
        headers.insert("etag", format!("\"0x{write:X}\"").parse().expect("a header"));
        headers.insert("last-modified", time_of(write).parse().expect("a header"));
    }
    answer
}

/// Time of a write: a different second for each.
pub(super) fn time_of(write: u64) -> String {
    format!("Fri, 15 Jan 2027 08:{:02}:{:02} GMT", write / 60, write % 60)
}

pub(super) fn xml(text: String) -> Response<Body> {
    let text = format!("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>{text}");
    Response::builder()
        .status(200)
        .header("content-type", "application/xml")
        .body(Body::from(text))
        .expect("a response")
}

/// Error response. The body contains the code as well, as Azure's does.
pub(super) fn error(status: u16, code: &str) -> Response<Body> {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{code}.</Message></Error>"
    );
    Response::builder().status(status).header("x-ms-error-code", code).body(Body::from(text)).expect("a response")
}
