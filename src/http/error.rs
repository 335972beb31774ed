//! What can go wrong with a request, and the service's own words for it (contracts/foundry-rest.md 1.8).

use std::error::Error;
use std::io;
use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;
use serde_json::Value;
use thiserror::Error;
use url::Url;

use super::request::looks_like_html;
use super::retry::retry_after;
use crate::credential::CredentialError;
use crate::redact;

/// Longest text of the service that is shown.
const TEXT_LIMIT: usize = 500;

/// Why a request has no good answer.
#[derive(Debug, Error)]
pub enum HttpError {
    /// The service answered with an error.
    #[error("{}", .0.sentence())]
    Service(Box<ServiceError>),
    /// No answer, or only a part of it.
    #[error("cannot reach {host}: {words}")]
    Network {
        /// Host and port.
        host: String,
        /// What happened.
        fault: NetworkFault,
        /// The same for people.
        words: String,
    },
    /// The answer broke off.
    #[error("the answer of {host} broke off")]
    Truncated {
        /// Host and port.
        host: String,
    },
    /// An answer that makes no sense.
    #[error("{host} answered {status} with {what}")]
    BadAnswer {
        /// Host and port.
        host: String,
        /// HTTP status.
        status: u16,
        /// What came instead of an answer.
        what: String,
    },
    /// A redirect that is not followed: another host, or too many.
    #[error("{host} redirects to {to}, which is not followed")]
    Redirect {
        /// Host and port.
        host: String,
        /// Where to, without a query.
        to: String,
    },
    /// A deletion was taken, but does not end.
    #[error("the model was still there after {}", crate::units::duration(*.after))]
    StillThere {
        /// How long it was waited for.
        after: Duration,
    },
    /// The client could not be made: the system's certificates or proxy settings.
    #[error("cannot set up HTTPS: {0}")]
    Setup(String),
    /// No token.
    #[error(transparent)]
    SignIn(#[from] CredentialError),
}

impl HttpError {
    /// The status of the service's answer, if it was an error.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        if let Self::Service(error) = self { Some(error.status) } else { None }
    }
}

/// What happened on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkFault {
    /// The name is not known.
    Dns,
    /// Nobody listens there.
    Refused,
    /// The certificate is not trusted, or no TLS at all.
    Tls,
    /// The proxy refused.
    Proxy,
    /// No answer in time.
    Timeout,
    /// The connection was closed.
    Reset,
    /// Something else.
    Other,
}

/// An answer of the service with a status of 400 and above.
#[derive(Clone, Debug, Default)]
pub struct ServiceError {
    /// HTTP status.
    pub status: u16,
    /// The service's own code.
    pub code: Option<String>,
    /// The service's own words; a short sentence where it has none.
    pub message: String,
    /// Further words of the service.
    pub details: Vec<String>,
    /// For the service's support.
    pub request_id: Option<String>,
    /// `Date` of the answer.
    pub date: Option<String>,
    /// How long to wait.
    pub retry_after: Option<Duration>,
}

impl ServiceError {
    fn sentence(&self) -> String {
        let mut sentence = self.message.clone();
        for detail in self.details.iter().filter(|detail| !self.message.contains(detail.as_str())) {
            sentence.push('\n');
            sentence.push_str(detail);
        }
        sentence
    }

    /// Reads an error answer.
    pub(super) fn read(status: u16, headers: &HeaderMap, body: &[u8], client_request_id: &str) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(redact::clean);
        let mut error = Self {
            status,
            code: header("x-ms-error-code"),
            request_id: ["x-ms-request-id", "x-request-id", "apim-request-id"]
                .iter()
                .find_map(|name| header(name))
                .or_else(|| Some(client_request_id.to_owned())),
            date: header("date"),
            retry_after: header("retry-after").and_then(|value| retry_after(&value, SystemTime::now())),
            ..Self::default()
        };
        match serde_json::from_slice::<Value>(body) {
            Ok(document) => error.read_document(&document),
            Err(_) => error.message = text_of(body),
        }
        if error.message.is_empty() {
            error.message = reason(status).to_owned();
        }
        error
    }

    fn read_document(&mut self, document: &Value) {
        let found = document.get("error").unwrap_or(document);
        let text = |value: &Value, name: &str| {
            value.get(name).and_then(Value::as_str).map(shown).filter(|text| !text.is_empty())
        };
        if let Some(code) = text(found, "code") {
            self.code = Some(code);
        }
        match found {
            Value::String(message) => self.message = shown(message),
            found => self.message = text(found, "message").unwrap_or_default(),
        }
        let listed = found.get("details").and_then(Value::as_array).into_iter().flatten();
        let inner = std::iter::successors(found.get("innererror"), |inner| inner.get("innererror"));
        for detail in listed.chain(inner.take(4)) {
            let line = match (text(detail, "code"), text(detail, "message")) {
                (Some(code), Some(message)) => format!("{code}: {message}"),
                (_, Some(message)) => message,
                (Some(code), None) => code,
                (None, None) => continue,
            };
            self.details.push(line);
        }
    }
}

fn text_of(body: &[u8]) -> String {
    if looks_like_html(body) {
        return "the service answered with an HTML page".to_owned();
    }
    shown(&String::from_utf8_lossy(body))
}

/// Text of the service as it may be shown: no secrets, not endless, no control characters.
fn shown(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
    let text = text.trim();
    let mut short: String = text.chars().take(TEXT_LIMIT).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    redact::clean(&short)
}

/// The words for a status, for answers without any.
pub(super) fn reason(status: u16) -> &'static str {
    reqwest::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("unknown status")
}

/// Host and port of a URL.
pub(super) fn host_of(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => url.scheme().to_owned(),
    }
}

/// Reads an error of the transport. Never keeps its text whole: it may hold the URL.
pub(super) fn transport(url: &Url, error: &reqwest::Error) -> HttpError {
    let host = host_of(url);
    if error.is_body() || error.is_decode() {
        return HttpError::Truncated { host };
    }
    let fault = fault_of(error);
    let words = match fault {
        NetworkFault::Dns => "the name is not known".to_owned(),
        NetworkFault::Refused => "the connection was refused".to_owned(),
        NetworkFault::Tls => format!("no secure connection ({})", innermost(error)),
        NetworkFault::Proxy => format!("the proxy refused ({})", innermost(error)),
        NetworkFault::Timeout => "no answer in time".to_owned(),
        NetworkFault::Reset => "the connection was closed without an answer".to_owned(),
        NetworkFault::Other => innermost(error),
    };
    HttpError::Network { host, fault, words }
}

fn fault_of(error: &reqwest::Error) -> NetworkFault {
    if error.is_timeout() {
        return NetworkFault::Timeout;
    }
    let mut fault = NetworkFault::Other;
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            if io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
                return NetworkFault::Tls;
            }
            match io.kind() {
                io::ErrorKind::ConnectionRefused => return NetworkFault::Refused,
                io::ErrorKind::TimedOut => return NetworkFault::Timeout,
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof => fault = NetworkFault::Reset,
                _ => {}
            }
        }
        // hyper's types for these are private, so its words are all there is.
        let words = cause.to_string();
        if words == "dns error" {
            return NetworkFault::Dns;
        }
        if words.contains("tunnel") || words.contains("proxy") {
            return NetworkFault::Proxy;
        }
        if words.contains("connection closed before message completed") {
            fault = NetworkFault::Reset;
        }
        next = cause.source();
    }
    fault
}

fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    redact::clean(&cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> ServiceError {
        ServiceError::read(status, &HeaderMap::new(), body.as_bytes(), "id")
    }

    #[test]
    fn both_error_bodies_are_read_with_all_their_words() {
        let core = read(
            400,
            r#"{"error":{"code":"BadRequest","message":"no","details":[{"code":"X","message":"y"}],
                "innererror":{"code":"Deep","innererror":{"message":"deeper"}}}}"#,
        );
        assert_eq!(core.code.as_deref(), Some("BadRequest"));
        assert_eq!(core.sentence(), "no\nX: y\nDeep\ndeeper");
        let foundry = read(400, r#"{"error":{"code":null,"message":"bad","param":"p","type":"t"}}"#);
        assert_eq!((foundry.code, foundry.message.as_str()), (None, "bad"));
        assert_eq!(read(400, r#"{"message":"flat"}"#).message, "flat");
        assert_eq!(read(400, r#"{"error":"just words"}"#).message, "just words");
    }

    #[test]
    fn other_bodies_never_flood_the_screen_or_leak() {
        assert_eq!(read(502, "<!DOCTYPE html><html>...").message, "the service answered with an HTML page");
        assert_eq!(read(503, "").message, "Service Unavailable");
        assert_eq!(read(500, "see https://h/p?sig=CANARY").message, "see https://h/p?***");
        assert_eq!(read(500, &"x".repeat(9000)).message.chars().count(), TEXT_LIMIT + 1);
        assert_eq!(read(400, r#"{"error":{"message":"\u001b[31mred"}}"#).message, "[31mred");
    }
}
