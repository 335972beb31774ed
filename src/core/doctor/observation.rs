//! Observation of one host: name, proxy, TLS, time. One HEAD request, without a token.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use url::Url;

use super::certificate::Certificate;
use crate::http::{HttpClient, HttpError, Method, NetworkFault, ProxyUse, Request, Response, Retry};

/// Observation of one host.
#[derive(Debug)]
pub struct HostObservation {
    pub(super) url: Url,
    /// Addresses of the host, or of its proxy if there is one; empty if the name does not resolve.
    pub(super) addresses: Vec<IpAddr>,
    pub(super) proxy: Option<ProxyUse>,
    /// Failure without a response; `None` for a response of any status.
    pub(super) fault: Option<HttpError>,
    /// True for a success or redirect without the id that all Azure services send: an intermediary may have responded.
    pub(super) is_of_another: bool,
    /// Certificates of the host, its own first.
    pub(super) chain: Vec<Certificate>,
    /// Direction and size of the clock difference: true if this clock is ahead.
    pub(super) skew: Option<(bool, Duration)>,
    pub(super) now: OffsetDateTime,
}

/// Observes the host of this address: resolves its name, sends a HEAD, and requests its certificates, all concurrently.
pub async fn observe(http: &HttpClient, url: Url) -> HostObservation {
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
    HostObservation { url, addresses, proxy, fault, is_of_another, chain, skew, now: OffsetDateTime::now_utc() }
}

/// The failure, or the `Date` of a response. A rejection is a response too, except for that of a proxy.
fn read(answer: Result<Response, HttpError>) -> (Option<HttpError>, Option<String>) {
    match answer {
        Ok(response) => (None, response.date),
        Err(HttpError::Service(error)) if error.status != 407 => (None, error.date),
        Err(HttpError::Redirect { .. } | HttpError::BadAnswer { .. }) => (None, None),
        Err(error) => (Some(error), None),
    }
}

/// Difference between this clock in the middle of a request and the time in its response.
fn skew(date: &str, begun: SystemTime, ended: SystemTime) -> Option<(bool, Duration)> {
    let server_time = httpdate::parse_http_date(date).ok()?;
    let middle = begun + ended.duration_since(begun).unwrap_or_default() / 2;
    Some(match middle.duration_since(server_time) {
        Ok(ahead) => (true, ahead),
        Err(behind) => (false, behind.duration()),
    })
}

impl HostObservation {
    /// Name of the host.
    pub(super) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// True if the host responded.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.fault.is_none()
    }

    /// Network fault.
    pub(super) fn network_fault(&self) -> Option<NetworkFault> {
        match &self.fault {
            Some(HttpError::Network { fault, .. }) => Some(*fault),
            Some(HttpError::Service(_)) => Some(NetworkFault::Proxy { status: Some(407) }),
            _ => None,
        }
    }
}

#[cfg(test)]
impl HostObservation {
    /// A host with one private address that responds.
    pub(super) fn reached(url: &str) -> Self {
        Self {
            url: url.parse().expect("a URL"),
            addresses: vec![IpAddr::from([10, 0, 0, 1])],
            proxy: None,
            fault: None,
            is_of_another: false,
            chain: Vec::new(),
            skew: None,
            now: OffsetDateTime::UNIX_EPOCH,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_round_trip_time_is_subtracted() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let date = "Thu, 01 Jan 1970 00:01:40 GMT";
        assert_eq!(skew(date, at(90), at(110)), Some((true, Duration::ZERO)));
        assert_eq!(skew(date, at(700), at(700)), Some((true, Duration::from_secs(600))));
        assert_eq!(skew(date, at(40), at(40)), Some((false, Duration::from_secs(60))));
        assert_eq!(skew("soon", at(0), at(0)), None);
    }
}
