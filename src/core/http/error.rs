//! Errors of a request, in fields that callers decide by. No text here holds a query or a token.

use std::fmt;

use thiserror::Error;

use super::retry::{self, Retry};
use super::service_error::ServiceError;
use crate::credential::CredentialError;

/// Failure of a request: no response, or none that can be used.
#[derive(Debug, Error)]
pub enum HttpError {
    /// The service refused the request.
    #[error(transparent)]
    Service(Box<ServiceError>),
    /// No whole answer came.
    #[error("could not reach {host}: {fault}{}", cause(*fault, message))]
    Network {
        /// Host and port.
        host: String,
        /// Network fault.
        fault: NetworkFault,
        /// Failed before a connection was established, so the service saw nothing of the request.
        connecting: bool,
        /// Message of the layer below, sanitized; for `--debug` and for faults without a name.
        message: String,
    },
    /// An answer came and makes no sense.
    #[error("{}", bad_answer(host, *status, what))]
    BadAnswer {
        /// Host and port.
        host: String,
        /// Status of the answer.
        status: u16,
        /// Defect of the response.
        what: ResponseFlaw,
        /// `x-ms-request-id`, otherwise the id that the request carried.
        request_id: Option<String>,
    },
    /// Redirect to an address that is not followed.
    #[error("{host} redirects the request ({status}): {why}")]
    Redirect {
        /// Host and port.
        host: String,
        /// Status of the answer.
        status: u16,
        /// Reason why the redirect is not followed.
        why: RedirectFault,
    },
    /// There is no token for the request.
    #[error("could not sign in")]
    SignIn(#[source] CredentialError),
    /// No HTTP client can be made on this machine: certificates or proxy settings.
    #[error("could not prepare for HTTPS requests: {message}")]
    Setup {
        /// The cause, cleaned.
        message: String,
    },
}

impl HttpError {
    /// The service's own error, if it is one.
    #[must_use]
    pub fn service(&self) -> Option<&ServiceError> {
        match self {
            Self::Service(error) => Some(error),
            _ => None,
        }
    }

    /// True if the same request may well succeed a little later.
    #[must_use]
    pub(crate) fn is_passing(&self) -> bool {
        retry::is_retryable(Retry::Idempotent, self)
    }

    /// True if the service asks for a pause, and is there otherwise.
    pub(crate) fn is_throttling(&self) -> bool {
        self.service().is_some_and(|error| error.status == 429 || error.retry_after.is_some())
    }

    /// True if an intermediary answered instead of the service.
    #[must_use]
    pub fn is_of_intermediary(&self) -> bool {
        matches!(self, Self::BadAnswer { what: ResponseFlaw::Intermediary(_), .. })
    }

    /// The status of the answer, if there was one.
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
    /// The host's name has no address.
    Dns,
    /// Connection refused.
    Refused,
    /// The certificate or the handshake.
    Tls,
    /// A certificate of an authority that is not trusted.
    Untrusted,
    /// The proxy does not let the request through.
    Proxy {
        /// Status of the proxy, as far as the layer below reports it: 407 or nothing.
        status: Option<u16>,
    },
    /// The proxy itself has no address, or refuses connections.
    ProxyDown,
    /// No answer within the limit.
    Timeout,
    /// No route to the host, or no network at all.
    Unreachable,
    /// The connection ended in the middle.
    Reset,
    /// Something without a name.
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

/// Defect of a response. Never the response itself: it may be long, or hold a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseFlaw {
    /// No body where one is needed.
    Empty,
    /// An HTML page, usually of a proxy or a sign-in portal.
    Html,
    /// Neither JSON nor HTML.
    NotJson,
    /// JSON of another shape.
    Shape(String),
    /// More than the limit.
    TooBig,
    /// An intermediary answered instead of the service.
    Intermediary(Box<Intermediary>),
}

/// Answer of a proxy, gateway or portal in place of the service, in its own words. Cleaned and cut; empty if it has
/// none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intermediary {
    /// First line of its body.
    pub line: String,
    /// `Content-Type`.
    pub content_type: String,
    /// `Via: ...`, otherwise `Server: ...`.
    pub server: String,
}

/// `"Sign in to the network" (text/html, Server: portal)`.
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
    /// Leaves scheme, host or port.
    OtherOrigin {
        /// Target.
        to: String,
    },
    /// The request changes something, or carries a body.
    NotAGet,
    /// One after the other.
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
