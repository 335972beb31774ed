//! Errors of a request, with the fields on which callers base decisions. No text contains a query or a token.

use std::fmt;

use thiserror::Error;

use super::retry::{self, Retry};
use super::service_error::ServiceError;
use crate::credential::CredentialError;

/// Failure of a request: no response, or none that can be used.
#[derive(Debug, Error)]
pub enum HttpError {
    /// The service rejected the request.
    #[error(transparent)]
    Service(Box<ServiceError>),
    /// No complete response was received.
    #[error("could not reach {host}: {fault}{}", cause(*fault, message))]
    Network {
        /// Host and port.
        host: String,
        /// Network fault.
        fault: NetworkFault,
        /// True if it failed before a connection was established, so the service did not receive the request.
        connecting: bool,
        /// Message of the layer below, sanitized; for `--debug` and for unclassified faults.
        message: String,
    },
    /// An unexpected response was received.
    #[error("{}", bad_answer(host, *status, what))]
    BadAnswer {
        /// Host and port.
        host: String,
        /// Status of the response.
        status: u16,
        /// Defect of the response.
        what: ResponseFlaw,
        /// `x-ms-request-id`, otherwise the id that was sent.
        request_id: Option<String>,
    },
    /// Redirect to an address that is not followed.
    #[error("{host} redirects the request ({status}): {why}")]
    Redirect {
        /// Host and port.
        host: String,
        /// Status of the response.
        status: u16,
        /// Reason why the redirect is not followed.
        why: RedirectFault,
    },
    /// No token is available for the request.
    #[error("could not sign in")]
    SignIn(#[source] CredentialError),
    /// The HTTP client cannot be created on this machine: certificates or proxy settings.
    #[error("could not prepare for HTTPS requests: {message}")]
    Setup {
        /// Cause, sanitized.
        message: String,
    },
}

impl HttpError {
    /// Error of the service, if it is one.
    #[must_use]
    pub fn service(&self) -> Option<&ServiceError> {
        match self {
            Self::Service(error) => Some(error),
            _ => None,
        }
    }

    /// True if the failure is transient: the same request may succeed a little later.
    #[must_use]
    pub(crate) fn is_passing(&self) -> bool {
        retry::is_retryable(Retry::Idempotent, self)
    }

    /// True if the service asks for a delay but is otherwise available.
    pub(crate) fn is_throttling(&self) -> bool {
        self.service().is_some_and(|error| error.status == 429 || error.retry_after.is_some())
    }

    /// True if an intermediary responded instead of the service.
    #[must_use]
    pub fn is_of_intermediary(&self) -> bool {
        matches!(self, Self::BadAnswer { what: ResponseFlaw::Intermediary(_), .. })
    }

    /// Status of the response, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Service(error) => Some(error.status),
            Self::BadAnswer { status, .. } | Self::Redirect { status, .. } => Some(*status),
            Self::Network { .. } | Self::SignIn(_) | Self::Setup { .. } => None,
        }
    }
}

/// Fault of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkFault {
    /// The host name cannot be resolved.
    Dns,
    /// Connection refused.
    Refused,
    /// Failure of the certificate or the handshake.
    Tls,
    /// The certificate's authority is not trusted.
    Untrusted,
    /// The proxy rejects the request.
    Proxy {
        /// Status of the proxy, if the layer below reports it: 407 or nothing.
        status: Option<u16>,
    },
    /// The proxy itself cannot be resolved, or refuses connections.
    ProxyDown,
    /// No response within the limit.
    Timeout,
    /// No route to the host, or no network at all.
    Unreachable,
    /// The connection ended prematurely.
    Reset,
    /// An unclassified fault.
    Other,
}

impl fmt::Display for NetworkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns => f.write_str("the host name cannot be resolved"),
            Self::Refused => f.write_str("connection refused"),
            Self::Tls | Self::Untrusted => f.write_str("the TLS connection failed"),
            Self::Proxy { status: Some(status) } => write!(f, "the proxy returned {status}"),
            Self::Proxy { status: None } => f.write_str("the proxy refused the request"),
            Self::ProxyDown => f.write_str("the proxy cannot be reached"),
            Self::Timeout => f.write_str("no response in time"),
            Self::Unreachable => f.write_str("the network is unreachable"),
            Self::Reset => f.write_str("the connection was reset"),
            Self::Other => f.write_str("the request failed"),
        }
    }
}

/// Adds the message of the layer below to faults that need it.
fn cause(fault: NetworkFault, message: &str) -> String {
    match fault {
        NetworkFault::Tls | NetworkFault::Untrusted | NetworkFault::ProxyDown | NetworkFault::Other
            if !message.is_empty() =>
        {
            format!(" ({message})")
        }
        _ => String::new(),
    }
}

/// Defect of a response. Never contains the response itself: it may be long, or contain a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseFlaw {
    /// No body although one is required.
    Empty,
    /// An HTML page, usually of a proxy or a sign-in portal.
    Html,
    /// Neither JSON nor HTML.
    NotJson,
    /// JSON with an unexpected structure.
    Shape(String),
    /// Larger than the limit.
    TooBig,
    /// An intermediary responded instead of the service.
    Intermediary(Box<Intermediary>),
}

/// Response of a proxy, gateway or portal in place of the service, in its own words. Sanitized and truncated; empty if
/// it has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intermediary {
    /// First line of its body.
    pub line: String,
    /// `Content-Type`.
    pub content_type: String,
    /// `Via: ...`, otherwise `Server: ...`.
    pub server: String,
}

/// Writes `"Sign in to the network" (text/html, Server: portal)`.
impl fmt::Display for Intermediary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line.is_empty() {
            f.write_str("an empty body")?;
        } else {
            write!(f, "\"{}\"", self.line)?;
        }
        let sender: Vec<&str> = [&self.content_type, &self.server]
            .into_iter()
            .map(String::as_str)
            .filter(|text| !text.is_empty())
            .collect();
        if sender.is_empty() { Ok(()) } else { write!(f, " ({})", sender.join(", ")) }
    }
}

fn bad_answer(host: &str, status: u16, what: &ResponseFlaw) -> String {
    match what {
        ResponseFlaw::Intermediary(intermediary) => {
            format!("the response from {host} did not come from a blob store ({status}): {intermediary}")
        }
        what => format!("unexpected response from {host} ({status}): {what}"),
    }
}

impl fmt::Display for ResponseFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the body is empty"),
            Self::Html => f.write_str("an HTML page, not JSON"),
            Self::NotJson => f.write_str("the body is not JSON"),
            Self::Shape(what) => f.write_str(what),
            Self::TooBig => f.write_str("the body is larger than 16 MB"),
            Self::Intermediary(intermediary) => intermediary.fmt(f),
        }
    }
}

/// Reason why a redirect is not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectFault {
    /// The target has another scheme, host or port.
    OtherOrigin {
        /// Target of the redirect.
        to: String,
    },
    /// The request changes something, or has a body.
    NotAGet,
    /// Too many consecutive redirects.
    TooMany,
    /// No `Location`.
    NoLocation,
}

impl fmt::Display for RedirectFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherOrigin { to } => write!(f, "it redirects to {to}, which receives no token"),
            Self::NotAGet => f.write_str("only GET requests are followed"),
            Self::TooMany => f.write_str("too many redirects"),
            Self::NoLocation => f.write_str("no location in the response"),
        }
    }
}
