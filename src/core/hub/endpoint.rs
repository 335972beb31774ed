//! Address of the Hub: huggingface.co, or the value of `HF_ENDPOINT`. Pure.

use std::fmt;

use thiserror::Error;
use url::Url;

use crate::model::{AddressError, check_secure, is_loopback};

/// Address of the public Hub.
const DEFAULT: &str = "https://huggingface.co";
/// Second host name of the public Hub, which redirects to the first.
const SHORT_HOST: &str = "hf.co";

/// Address of the Hub in use, the only one that receives a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubEndpoint {
    /// URL whose path has no trailing slash.
    base: Url,
    is_default: bool,
}

/// Defect of a text that is not a valid address of a Hub.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum HubEndpointError {
    /// The text is not a URL.
    #[error("not a valid URL")]
    BadUrl,
    /// The URL has a query or fragment.
    #[error("it has a query or a fragment")]
    Query,
    /// The address must not receive a token.
    #[error(transparent)]
    Address(#[from] AddressError),
}

impl HubEndpoint {
    /// Parses the value of `HF_ENDPOINT`; `None` is the public Hub.
    ///
    /// # Errors
    /// When the address is not https (http for this machine), or contains more than host, port and path.
    pub fn parse(text: Option<&str>) -> Result<Self, HubEndpointError> {
        let mut base = Url::parse(text.unwrap_or(DEFAULT)).map_err(|_| HubEndpointError::BadUrl)?;
        if base.host_str().is_none() {
            return Err(HubEndpointError::BadUrl);
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(HubEndpointError::Query);
        }
        check_secure(&base)?;
        let path = base.path().trim_end_matches('/').to_owned();
        base.set_path(&path);
        let is_default = is_public(&base) && path.is_empty();
        Ok(Self { base, is_default })
    }

    /// True for the public Hub.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.is_default
    }

    /// True for a Hub on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(&self.base)
    }

    /// Host, by which messages name the Hub.
    #[must_use]
    pub fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }

    /// True if scheme, host and port are those of the Hub, so that a token may be sent there.
    #[must_use]
    pub fn is_origin_of(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }

    /// URL on the Hub; `path` begins with a slash and is percent-encoded.
    pub(super) fn url(&self, path: &str) -> Option<Url> {
        Url::parse(&format!("{self}{path}")).ok()
    }

    /// Path of a URL on this Hub, relative to the Hub's own path.
    pub(super) fn path_of<'a>(&self, url: &'a Url) -> &'a str {
        let rest = url.path().strip_prefix(self.base.path().trim_end_matches('/'));
        rest.filter(|rest| rest.starts_with('/')).unwrap_or(url.path())
    }

    /// Resolves a link in a response of the Hub. Mirrors pass on links to the public Hub, which are redirected to the
    /// mirror.
    pub(super) fn link(&self, asked: &Url, link: &str) -> Option<Url> {
        let url = asked.join(link).ok()?;
        if self.is_default || !is_public(&url) {
            return Some(url);
        }
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        self.url(&format!("{}{query}", url.path()))
    }
}

impl fmt::Display for HubEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base.as_str().trim_end_matches('/'))
    }
}

/// True for a URL on huggingface.co.
fn is_public(url: &Url) -> bool {
    Url::parse(DEFAULT).is_ok_and(|public| public.origin() == url.origin())
}

/// True for the host names of the public Hub, with or without `www.`.
pub(super) fn is_public_host(host: &str) -> bool {
    let public = DEFAULT.trim_start_matches("https://");
    let host = host.trim_start_matches("www.");
    host.eq_ignore_ascii_case(public) || host.eq_ignore_ascii_case(SHORT_HOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_hub_is_used_unless_another_secure_address_is_set() {
        for (text, shown, is_default) in [
            (None, "https://huggingface.co", true),
            (Some("https://huggingface.co/"), "https://huggingface.co", true),
            (Some("https://HuggingFace.co:443"), "https://huggingface.co", true),
            (Some("https://hub.example/hf/"), "https://hub.example/hf", false),
            (Some("http://127.0.0.1:81"), "http://127.0.0.1:81", false),
        ] {
            let endpoint = HubEndpoint::parse(text).expect("an endpoint");
            assert_eq!((endpoint.to_string().as_str(), endpoint.is_default()), (shown, is_default));
        }
        for (text, error) in [
            ("huggingface.co", HubEndpointError::BadUrl),
            ("http://hub.example", HubEndpointError::Address(AddressError::NotHttps)),
            ("https://u:p@hub.example", HubEndpointError::Address(AddressError::UserInformation)),
            ("https://hub.example?a=b", HubEndpointError::Query),
        ] {
            assert_eq!(HubEndpoint::parse(Some(text)), Err(error), "{text}");
        }
    }

    #[test]
    fn links_of_a_mirror_to_the_public_hub_lead_to_the_mirror() {
        let mirror = HubEndpoint::parse(Some("https://hub.example/hf")).expect("an endpoint");
        let asked = mirror.url("/api/models/o/r/tree/1").expect("a URL");
        for (link, url) in [
            ("https://huggingface.co/api/x?cursor=a%2F1", "https://hub.example/hf/api/x?cursor=a%2F1"),
            ("/hf/api/y", "https://hub.example/hf/api/y"),
            ("https://cdn.example/z", "https://cdn.example/z"),
        ] {
            assert_eq!(mirror.link(&asked, link).map(|url| url.to_string()).as_deref(), Some(url));
        }
        assert_eq!(mirror.path_of(&asked), "/api/models/o/r/tree/1");
    }
}
