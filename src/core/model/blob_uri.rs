//! Locations in a blob store, and the only rule for their equality.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::Url;

use crate::redact::{SecretUrl, bare};

/// Address of a container, or of a container and prefix, as received from the service; never with a query, a fragment
/// or user information.
///
/// Two addresses are equal if they denote the same location: scheme, host in any case, port with its default, and path
/// without a trailing slash. Services write all of these forms for the same location.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BlobUri(Url);

/// The text is not an address in a blob store.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the blob URI is not a URL")]
pub struct BlobUriError;

impl BlobUri {
    /// Address of this location, without its secrets.
    #[must_use]
    pub fn of(location: &SecretUrl) -> Self {
        Self(location.without_query())
    }

    /// Address as received from the service, for the registration and for display.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// True if a service's text denotes this location.
    #[must_use]
    pub fn is_named_by(&self, text: &str) -> bool {
        text.parse::<Self>().is_ok_and(|other| *self == other)
    }

    /// This location with the signature of a SAS; `None` if that SAS is for another location, which neither equals nor
    /// contains this one.
    pub(crate) fn signed_by(&self, sas: &SecretUrl) -> Option<SecretUrl> {
        let signed = Self::of(sas);
        let (scheme, host, port, path) = self.canonical();
        let (signed_scheme, signed_host, signed_port, signed_path) = signed.canonical();
        let rest = path.strip_prefix(signed_path).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        if rest.is_none() || (scheme, host, port) != (signed_scheme, signed_host, signed_port) {
            return None;
        }
        let mut url = sas.expose().clone();
        url.set_path(path);
        Some(SecretUrl::new(url))
    }

    /// Host, with the port if it is not the default.
    pub(crate) fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Parts for comparison. The URL library has already lower-cased scheme and host and removed a default port.
    fn canonical(&self) -> (&str, Option<&str>, Option<u16>, &str) {
        (self.0.scheme(), self.0.host_str(), self.0.port_or_known_default(), self.0.path().trim_end_matches('/'))
    }
}

impl PartialEq for BlobUri {
    fn eq(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

impl Eq for BlobUri {}

impl fmt::Display for BlobUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for BlobUri {
    type Err = BlobUriError;

    fn from_str(text: &str) -> Result<Self, BlobUriError> {
        let url = Url::parse(text).map_err(|_| BlobUriError)?;
        if url.host_str().is_none() { Err(BlobUriError) } else { Ok(Self(bare(url))) }
    }
}

impl TryFrom<String> for BlobUri {
    type Error = BlobUriError;

    fn try_from(text: String) -> Result<Self, BlobUriError> {
        text.parse()
    }
}

impl From<BlobUri> for String {
    fn from(uri: BlobUri) -> Self {
        uri.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: &str = "https://account.blob.core.windows.net/container/prefix";

    #[test]
    fn every_form_of_an_address_is_equal() {
        let location: BlobUri = PLACE.parse().expect("a location");
        for same in [
            PLACE,
            "https://account.blob.core.windows.net/container/prefix/",
            "https://account.blob.core.windows.net:443/container/prefix",
            "https://ACCOUNT.Blob.core.windows.net/container/prefix",
            "HTTPS://account.blob.core.windows.net/container/prefix?sv=1&sig=CANARY#part",
            "https://user:password@account.blob.core.windows.net/container/prefix",
        ] {
            assert!(location.is_named_by(same), "{same}");
        }
        for other in [
            "https://account.blob.core.windows.net/container",
            "https://account.blob.core.windows.net/container/Prefix",
            "https://other.blob.core.windows.net/container/prefix",
            "https://account.blob.core.windows.net:444/container/prefix",
            "http://account.blob.core.windows.net/container/prefix",
            "container/prefix",
            "data:x",
            "",
        ] {
            assert!(!location.is_named_by(other), "{other}");
        }
    }

    #[test]
    fn a_location_accepts_a_sas_for_itself_or_a_parent() {
        let location: BlobUri = format!("{PLACE}/a%20b/").parse().expect("a location");
        let signed = |sas: &str| {
            let sas = SecretUrl::new(Url::parse(sas).expect("a URL"));
            location.signed_by(&sas).map(|url| url.expose().to_string())
        };
        let whole = format!("{PLACE}/a%20b?sig=CANARY");
        for sas in [
            "https://account.blob.core.windows.net/container?sig=CANARY",
            "https://account.blob.core.windows.net:443/container/prefix/?sig=CANARY",
            "https://account.blob.core.windows.net/container/prefix/a%20b?sig=CANARY",
        ] {
            assert_eq!(signed(sas).as_ref(), Some(&whole), "{sas}");
        }
        for sas in [
            "https://account.blob.core.windows.net/contain?sig=CANARY",
            "https://account.blob.core.windows.net/container/prefix/a%20b/c?sig=CANARY",
            "https://other.blob.core.windows.net/container?sig=CANARY",
            "http://account.blob.core.windows.net/container?sig=CANARY",
        ] {
            assert_eq!(signed(sas), None, "{sas}");
        }
    }

    #[test]
    fn the_text_is_unchanged_except_for_its_secrets() {
        let uri: BlobUri = "https://u:p@h/c/?sig=CANARY".parse().expect("a location");
        assert_eq!(uri.as_str(), "https://h/c/");
        assert_eq!(serde_json::to_string(&uri).expect("JSON"), r#""https://h/c/""#);
    }
}
