//! Source of the weights: a local file or directory, a blob URL, or a repository of the Hugging Face Hub.

use std::path::PathBuf;

use thiserror::Error;
use url::Url;

use super::address::{AddressError, check_secure, is_loopback};
use crate::hub::{HubAddress, HubAddressError, HubEndpoint, HubEndpointError};
use crate::redact::SecretUrl;

/// Source as the user entered it, before the file system is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A path on this machine.
    Local(PathBuf),
    /// A blob, folder or container in a blob store, copied from service to service.
    Blob(SecretUrl),
    /// A repository on the Hub, or a folder or file of it.
    Hub(HubAddress),
}

/// Defect of a text that is not a valid source.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SourceError {
    /// Empty text.
    #[error("the source is empty")]
    Empty,
    /// An invalid URL.
    #[error("the source is not a valid URL")]
    BadUrl,
    /// A scheme other than http and https.
    #[error("{0}:// sources are not supported")]
    Scheme(String),
    /// Plain http to another machine.
    #[error("the source uses http://, which exposes its SAS on the network")]
    PlainHttp,
    /// An https address that is not a blob store.
    #[error("the source is on {0}, which is not a blob store")]
    NotABlobStore(String),
    /// A query without a signature: the shell has truncated the URL.
    #[error("the source URL has a query but no signature (sig=)")]
    CutUrl,
    /// An address on the Hub that does not refer to a model there.
    #[error("{0}")]
    Hub(HubAddressError),
    /// An invalid address of the Hub in the environment.
    #[error("HF_ENDPOINT cannot be used: {0}")]
    HubEndpoint(HubEndpointError),
}

impl SourceError {
    /// Suggestion for the user.
    #[must_use]
    pub fn suggestion(&self) -> String {
        let message = match self {
            Self::Empty => "Use a file, a directory, hf://ORG/NAME or a blob URL.",
            Self::BadUrl => "Check the URL and quote it: shells interpret '&' and '?'.",
            Self::Scheme(_) => "Use a file, a directory, hf://ORG/NAME, or an https:// URL of an Azure blob.",
            Self::PlainHttp => "Use https://. Plain http is accepted only for this machine.",
            Self::NotABlobStore(_) => "Download the files first, then use the directory as the source.",
            Self::CutUrl => {
                "Your shell may have cut the URL at '&': put the URL into a file and use --source-file FILE."
            }
            Self::Hub(error) => return error.suggestion(),
            Self::HubEndpoint(_) => "Correct HF_ENDPOINT, for example https://huggingface.co, or unset it.",
        };
        message.to_owned()
    }
}

impl Source {
    /// Parses a source, without reading paths. `hub`: the value of `HF_ENDPOINT`.
    ///
    /// # Errors
    /// See [`SourceError`].
    pub fn parse(text: &str, hub: Option<&str>) -> Result<Self, SourceError> {
        if text.trim().is_empty() {
            return Err(SourceError::Empty);
        }
        // `C:\x`, `C://x` and a relative `a:b` are paths, so only `scheme://` makes a URL; a one-letter scheme is a
        // drive.
        let Some((scheme, rest)) = text.split_once("://").filter(|(scheme, _)| scheme.len() != 1) else {
            return Ok(Self::Local(text.into()));
        };
        let scheme = scheme.to_ascii_lowercase();
        let endpoint = HubEndpoint::parse(hub);
        match scheme.as_str() {
            "hf" => {
                drop(endpoint.map_err(SourceError::HubEndpoint)?);
                return HubAddress::parse(rest).map(Self::Hub).map_err(SourceError::Hub);
            }
            "http" | "https" => {}
            _ => return Err(SourceError::Scheme(scheme)),
        }
        let url = Url::parse(text).map_err(|_| SourceError::BadUrl)?;
        let host = url.host_str().ok_or(SourceError::BadUrl)?.to_ascii_lowercase();
        // An invalid address of the Hub matters only for the Hub's own pages.
        let known = endpoint.as_ref().ok().cloned().or_else(|| HubEndpoint::parse(None).ok());
        let address = known.map_or(Ok(None), |known| HubAddress::of_url(&url, &known)).map_err(SourceError::Hub)?;
        if let Some(address) = address {
            return endpoint.map(|_| Self::Hub(address)).map_err(SourceError::HubEndpoint);
        }
        if !is_loopback(&url) && !host.contains(".blob.") {
            return Err(SourceError::NotABlobStore(host));
        }
        if check_secure(&url) == Err(AddressError::NotHttps) {
            return Err(SourceError::PlainHttp);
        }
        if url.query().is_some() && !url.query_pairs().any(|(name, value)| name == "sig" && !value.is_empty()) {
            return Err(SourceError::CutUrl);
        }
        Ok(Self::Blob(SecretUrl::new(url)))
    }

    /// Source for display and for the journal: a path unchanged, a URL without its query.
    #[must_use]
    pub fn shown(&self, cwd: &std::path::Path) -> String {
        match self {
            Self::Local(path) => cwd.join(path).display().to_string(),
            Self::Blob(url) => url.without_query().to_string(),
            Self::Hub(address) => address.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_blob_urls_are_distinguished() {
        assert_eq!(Source::parse("./model", None), Ok(Source::Local("./model".into())));
        for path in [r"C:\model", "C:/model", "C://model"] {
            assert_eq!(Source::parse(path, None), Ok(Source::Local(path.into())));
        }
        assert!(matches!(Source::parse("https://a.blob.core.windows.net/c?sv=1&sig=x", None), Ok(Source::Blob(_))));
        assert!(matches!(Source::parse("http://127.0.0.1:10000/a/c/b", None), Ok(Source::Blob(_))));
    }

    #[test]
    fn urls_that_azcopy_would_misread_are_refused() {
        for (text, error) in [
            ("", SourceError::Empty),
            ("ftp://a/b", SourceError::Scheme("ftp".into())),
            ("hf://repo", SourceError::Hub(HubAddressError::OnePart("repo".into()))),
            ("http://a.blob.core.windows.net/c?sig=x", SourceError::PlainHttp),
            ("https://models.example/o/r", SourceError::NotABlobStore("models.example".into())),
            ("https://a.blob.core.windows.net/c?sv=1", SourceError::CutUrl),
        ] {
            assert_eq!(Source::parse(text, None), Err(error), "{text}");
        }
    }

    #[test]
    fn addresses_of_the_hub_come_before_those_of_blob_stores() {
        let of_hub = |text, hub| matches!(Source::parse(text, hub), Ok(Source::Hub(_)));
        let local = Some("http://127.0.0.1:10000");
        assert!(of_hub("hf://org/repo", None) && of_hub("HF://org/repo", local));
        assert!(of_hub("https://huggingface.co/org/repo", None) && of_hub("https://hf.co/org/repo", local));
        assert!(of_hub("http://127.0.0.1:10000/org/repo", local));
        assert!(matches!(Source::parse("http://127.0.0.1:10001/org/repo", local), Ok(Source::Blob(_))));
        let wrong = Some("hub.example");
        for text in ["hf://org/repo", "https://huggingface.co/org/repo"] {
            assert_eq!(Source::parse(text, wrong), Err(SourceError::HubEndpoint(HubEndpointError::BadUrl)), "{text}");
        }
        assert!(matches!(Source::parse("https://a.blob.core.windows.net/c?sig=x", wrong), Ok(Source::Blob(_))));
        assert_eq!(Source::parse("./model", wrong), Ok(Source::Local("./model".into())));
    }

    #[test]
    fn source_survives_mutation() {
        let seeds: [&[u8]; 4] = [
            b"https://a.blob.core.windows.net/c?sv=1&sig=SECRETVALUE",
            b"./model",
            b"C:\\model",
            b"http://127.0.0.1:1/a/c",
        ];
        crate::fuzz::fuzz("source", &seeds, |input| {
            let text = String::from_utf8_lossy(input);
            if let Ok(Source::Blob(url)) = Source::parse(&text, None) {
                let mut place = url.expose().clone();
                place.set_query(None);
                let shown = format!("{url:?} {url}");
                assert!(place.as_str().contains("SECRETVALUE") || !shown.contains("SECRETVALUE"), "{shown}");
            }
        });
    }
}
