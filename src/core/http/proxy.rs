//! Proxy of a request, according to the variables and system settings that the clients read.

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use crate::model::is_loopback;

/// A proxy, without its user name and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProxyUse {
    /// Scheme, host and port.
    pub(crate) address: String,
    /// Host.
    pub(crate) host: String,
    /// Port.
    pub(crate) port: u16,
    /// True if a user name and password are sent to it.
    pub(crate) has_credentials: bool,
}

impl ProxyUse {
    /// Proxy for requests to this URL; loopback addresses have none.
    pub(crate) fn of(url: &Url) -> Option<Self> {
        if is_loopback(url) {
            return None;
        }
        let proxy = Matcher::from_system().intercept(&url.as_str().parse().ok()?)?;
        let uri = proxy.uri();
        let scheme = uri.scheme_str().unwrap_or("http");
        let host = uri.host()?.to_owned();
        let port = uri.port_u16().unwrap_or(match scheme {
            "http" => 80,
            "https" => 443,
            _ => 1080,
        });
        let has_credentials = proxy.basic_auth().is_some() || proxy.raw_auth().is_some();
        Some(Self { address: format!("{scheme}://{host}:{port}"), host, port, has_credentials })
    }
}
