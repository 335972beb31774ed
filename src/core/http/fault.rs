//! Classification of a `reqwest::Error` as a network fault: by the types of the errors in its chain, and by text only
//! where the lower layer offers nothing else.

use std::error::Error;
use std::io::{self, ErrorKind};

use super::error::{HttpError, NetworkFault};
use crate::redact::clean;

/// Error of a request to this host, without its URL.
pub(super) fn network(host: &str, error: reqwest::Error) -> HttpError {
    // The URL may be a SAS.
    let error = error.without_url();
    HttpError::Network {
        host: host.to_owned(),
        fault: fault_of(&error),
        connecting: error.is_connect(),
        message: clean(&innermost_message(&error)),
    }
}

fn fault_of(error: &reqwest::Error) -> NetworkFault {
    if let Some(fault) = proxy(error) {
        return fault;
    }
    if error.is_dns() {
        return NetworkFault::Dns;
    }
    for cause in chain(error) {
        if let Some(error) = cause.downcast_ref::<rustls::Error>() {
            let is_untrusted = *error == rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
            return if is_untrusted { NetworkFault::Untrusted } else { NetworkFault::Tls };
        }
        let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        if let Some(fault) = kind.and_then(by_kind) {
            return fault;
        }
    }
    if error.is_timeout() {
        NetworkFault::Timeout
    } else if error.is_body() || error.is_decode() || ended_early(error) {
        NetworkFault::Reset
    } else {
        NetworkFault::Other
    }
}

fn by_kind(kind: ErrorKind) -> Option<NetworkFault> {
    match kind {
        ErrorKind::ConnectionRefused => Some(NetworkFault::Refused),
        ErrorKind::TimedOut => Some(NetworkFault::Timeout),
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::NotConnected
        | ErrorKind::UnexpectedEof => Some(NetworkFault::Reset),
        ErrorKind::NetworkDown | ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => {
            Some(NetworkFault::Unreachable)
        }
        _ => None,
    }
}

/// Classifies a fault of a proxy. hyper-util's `TunnelError` is private to reqwest, so only its message is available.
/// The proxy's status is lost except for 407.
fn proxy(error: &reqwest::Error) -> Option<NetworkFault> {
    let message = chain(error).map(ToString::to_string).find(|message| message.starts_with("tunnel error: "))?;
    Some(match message.trim_start_matches("tunnel error: ") {
        "failed to create underlying connection" => NetworkFault::ProxyDown,
        "proxy authorization required" => NetworkFault::Proxy { status: Some(407) },
        _ => NetworkFault::Proxy { status: None },
    })
}

/// True for a connection that ended prematurely: hyper is not a dependency, and its error for this case contains no
/// `io::Error`.
fn ended_early(error: &reqwest::Error) -> bool {
    chain(error).any(|cause| cause.to_string() == "connection closed before message completed")
}

/// The error and its causes. `source` of an `io::Error` skips the error that it wraps, so it is unwrapped explicitly.
fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let first: &(dyn Error + 'static) = error;
    std::iter::successors(Some(first), |error| cause_of(*error))
}

fn cause_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

/// Message of the innermost error, which does not contain the URL.
pub(super) fn innermost_message(error: &reqwest::Error) -> String {
    let message = chain(error).last().map(ToString::to_string).unwrap_or_default();
    // rustls prints this one as Rust code. A server with a certificate of `openssl req -x509` causes it.
    message.replace(
        "Other(OtherError(CaUsedAsEndEntity))",
        "a server cannot use the certificate of an authority (CA:TRUE)",
    )
}
