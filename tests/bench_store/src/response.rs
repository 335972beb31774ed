//! Serialized responses of the store.

use std::fmt::Write;
use std::time::SystemTime;

use crate::contents::FilePart;

/// Service version that is emulated, unless the client requests another.
pub(crate) const VERSION: &str = "2025-07-05";

/// Response to a request.
#[derive(Debug)]
pub(crate) struct Response {
    status: u16,
    headers: String,
    length: Option<u64>,
    body: String,
    part: Option<FilePart>,
}

impl Response {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, headers: String::new(), length: None, body: String::new(), part: None }
    }

    /// Error response in the form of the service.
    pub(crate) fn refusal(status: u16, code: &str) -> Self {
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{code}</Message></Error>"
        );
        Self::new(status).header("x-ms-error-code", code).xml(xml)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        // A line break would start another header.
        if !value.contains(['\r', '\n']) {
            self.headers.extend([name, ": ", value, "\r\n"]);
        }
        self
    }

    pub(crate) fn xml(self, body: String) -> Self {
        Self { body, ..self.header("content-type", "application/xml") }
    }

    /// Sets the length of a blob for a response without a body.
    pub(crate) fn length(self, length: u64) -> Self {
        Self { length: Some(length), ..self }
    }

    /// Sets the part of a file that follows as the body.
    pub(crate) fn part(self, part: FilePart) -> Self {
        Self { length: Some(part.bytes), part: Some(part), ..self }
    }

    pub(crate) fn into_part(self) -> Option<FilePart> {
        self.part
    }

    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// Serializes the response; `number` determines the request ID, `is_head` omits the body.
    pub(crate) fn bytes(&self, number: u64, version: &str, is_head: bool) -> Vec<u8> {
        let mut text = format!(
            "HTTP/1.1 {} {}\r\nserver: bench-store\r\ndate: {}\r\nx-ms-request-id: 00000000-0000-4000-8000-{number:012x}\r\n\
             x-ms-version: {version}\r\n{}",
            self.status,
            reason(self.status),
            httpdate::fmt_http_date(SystemTime::now()),
            self.headers
        );
        let length = self.length.unwrap_or(self.body.len() as u64);
        // Writing to a string does not fail.
        let _infallible = write!(text, "content-length: {length}\r\n\r\n");
        if !is_head {
            text.push_str(&self.body);
        }
        text.into_bytes()
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        206 => "Partial Content",
        400 => "Bad Request",
        404 => "Not Found",
        411 => "Length Required",
        _ => "Other",
    }
}
