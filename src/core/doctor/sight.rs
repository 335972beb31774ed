//! One host as this machine sees it: name, proxy, TLS, time. One harmless HEAD, without a token.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use url::Url;

use super::certificate::Certificate;
use crate::http::{HttpClient, HttpError, Method, NetworkFault, ProxyUse, Request, Response, Retry};

/// What was seen of one host.
#[derive(Debug)]
pub struct Sight {
    pub(super) url: Url,
    /// Addresses of the host, or of its proxy where there is one; empty where the name has none.
    pub(super) addresses: Vec<IpAddr>,
    pub(super) proxy: Option<ProxyUse>,
    /// Why no answer came; `None` for an answer, whatever its status.
    pub(super) fault: Option<HttpError>,
    /// A success or a redirect without the id that all services of Azure send: an intermediary may have answered.
    pub(super) is_of_another: bool,
    /// Certificates that the host showed, its own first.
    pub(super) chain: Vec<Certificate>,
    /// This clock is ahead, and by how much it differs.
    pub(super) skew: Option<(bool, Duration)>,
    pub(super) now: OffsetDateTime,
}

/// Looks at the host of this address: resolves its name, sends a HEAD, and asks for its certificates, all at once.
pub async fn observe(http: &HttpClient, url: Url) -> Sight {
    let limit = http.timings().connect;
    let proxy = ProxyUse::of(&url);
    let (host, port) = match &proxy {
        Some(proxy) => (proxy.host.clone(), proxy.port),
        None => (url.host_str().unwrap_or_default().to_owned(), url.port_or_known_default().unwrap_or_default()),
    };
    let host = host.trim_matches(['[', ']']).to_owned();
    let addresses = tokio::time::timeout(limit, tokio::net::lookup_host((host, port)));
    let request = Request::new(Method::HEAD, url.clone(), Retry::None).limit(limit);
    let begun = SystemTime::now();
    let (addresses, answer, chain) =
        tokio::join!(addresses, Box::pin(http.send(&request)), Box::pin(http.certificates_of(&url)));
    let is_of_another = match &answer {
        Ok(response) => !response.has_request_id,
        Err(error) => matches!(error, HttpError::Redirect { .. }),
    };
    let (fault, date) = read(answer);
    let mut addresses: Vec<IpAddr> =
        addresses.ok().and_then(Result::ok).into_iter().flatten().map(|address| address.ip()).collect();
    addresses.dedup();
    let skew = date.as_deref().and_then(|date| skew(date, begun, SystemTime::now()));
    let chain = chain.iter().filter_map(|der| Certificate::read(der)).collect();
    Sight { url, addresses, proxy, fault, is_of_another, chain, skew, now: OffsetDateTime::now_utc() }
}

/// The failure, or the `Date` of an answer. A refusal is an answer too, but for that of a proxy.
fn read(answer: Result<Response, HttpError>) -> (Option<HttpError>, Option<String>) {
    match answer {
        Ok(response) => (None, response.date),
        Err(HttpError::Service(error)) if error.status != 407 => (None, error.date),
        Err(HttpError::Redirect { .. } | HttpError::BadAnswer { .. }) => (None, None),
        Err(error) => (Some(error), None),
    }
}

/// Difference of this clock, in the middle of a request, to the time that its answer told.
fn skew(date: &str, begun: SystemTime, ended: SystemTime) -> Option<(bool, Duration)> {
    let told = httpdate::parse_http_date(date).ok()?;
    let middle = begun + ended.duration_since(begun).unwrap_or_default() / 2;
    Some(match middle.duration_since(told) {
        Ok(ahead) => (true, ahead),
        Err(behind) => (false, behind.duration()),
    })
}

impl Sight {
    /// Name of the host.
    pub(super) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// True where the host answered.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.fault.is_none()
    }

    /// What broke on the network.
    pub(super) fn network_fault(&self) -> Option<NetworkFault> {
        match &self.fault {
            Some(HttpError::Network { fault, .. }) => Some(*fault),
            Some(HttpError::Service(_)) => Some(NetworkFault::Proxy { status: Some(407) }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_on_the_way_is_halved() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let date = "Thu, 01 Jan 1970 00:01:40 GMT";
        assert_eq!(skew(date, at(90), at(110)), Some((true, Duration::ZERO)));
        assert_eq!(skew(date, at(700), at(700)), Some((true, Duration::from_secs(600))));
        assert_eq!(skew(date, at(40), at(40)), Some((false, Duration::from_secs(60))));
        assert_eq!(skew("soon", at(0), at(0)), None);
    }
}
