//! Where the weights come from: a local file or directory, or a blob URL.

use std::path::PathBuf;

use thiserror::Error;
use url::Url;

use super::address::{AddressError, check_secure, is_loopback};
use crate::redact::SecretUrl;

/// A source as the person wrote it, before anything was looked at on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A path on this machine.
    Local(PathBuf),
    /// A blob, folder or container at a blob store, copied from service to service.
    Blob(SecretUrl),
}

/// Why a text is no source.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SourceError {
    /// Nothing was given.
    #[error("the source is empty")]
    Empty,
    /// An address that no URL parser takes.
    #[error("the source is not a valid URL")]
    BadUrl,
    /// A scheme other than http and https.
    #[error("a source cannot be read over {0}://")]
    Scheme(String),
    /// Plain http to another machine.
    #[error("the source is read over http://, which shows its SAS to the network")]
    PlainHttp,
    /// An https address that is not a blob store.
    #[error("the source is at {0}, which is not a blob store")]
    NotABlobStore(String),
    /// A query without a signature: the shell has cut the URL.
    #[error("the source URL has a query but no signature (sig=)")]
    CutUrl,
}

impl SourceError {
    /// What the person can do about it.
    #[must_use]
    pub fn suggestion(&self) -> &'static str {
        match self {
            Self::Empty => "Give a file, a directory or a blob URL.",
            Self::BadUrl => "Check the address; quote it, since shells treat '&' and '?' as their own.",
            Self::Scheme(_) => "Give a file, a directory, or an https:// URL of an Azure blob.",
            Self::PlainHttp => "Use https://. Plain http is for this machine alone.",
            Self::NotABlobStore(_) => {
                "Download the files first (for a Hugging Face model: hf download ORG/REPO --local-dir DIR), then give the directory."
            }
            Self::CutUrl => {
                "Your shell may have cut the URL at '&': put the URL into a file and use --source-file FILE."
            }
        }
    }
}

impl Source {
    /// Reads a source. Paths are not looked at yet.
    ///
    /// # Errors
    /// See [`SourceError`].
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        if text.trim().is_empty() {
            return Err(SourceError::Empty);
        }
        // `C:\x` and a relative `a:b` are paths, so only `scheme://` makes a URL.
        let Some((scheme, _)) = text.split_once("://") else {
            return Ok(Self::Local(text.into()));
        };
        let scheme = scheme.to_ascii_lowercase();
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err(SourceError::Scheme(scheme));
        }
        let url = Url::parse(text).map_err(|_| SourceError::BadUrl)?;
        let host = url.host_str().ok_or(SourceError::BadUrl)?.to_ascii_lowercase();
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_blob_urls_are_told_apart() {
        assert_eq!(Source::parse("./model"), Ok(Source::Local("./model".into())));
        assert_eq!(Source::parse(r"C:\model"), Ok(Source::Local(r"C:\model".into())));
        assert!(matches!(Source::parse("https://a.blob.core.windows.net/c?sv=1&sig=x"), Ok(Source::Blob(_))));
        assert!(matches!(Source::parse("http://127.0.0.1:10000/a/c/b"), Ok(Source::Blob(_))));
    }

    #[test]
    fn what_azcopy_would_misread_is_refused() {
        for (text, error) in [
            ("", SourceError::Empty),
            ("ftp://a/b", SourceError::Scheme("ftp".into())),
            ("hf://org/repo", SourceError::Scheme("hf".into())),
            ("http://a.blob.core.windows.net/c?sig=x", SourceError::PlainHttp),
            ("https://huggingface.co/o/r", SourceError::NotABlobStore("huggingface.co".into())),
            ("https://a.blob.core.windows.net/c?sv=1", SourceError::CutUrl),
        ] {
            assert_eq!(Source::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn no_source_is_too_odd() {
        let seeds: [&[u8]; 4] = [
            b"https://a.blob.core.windows.net/c?sv=1&sig=SECRETVALUE",
            b"./model",
            b"C:\\model",
            b"http://127.0.0.1:1/a/c",
        ];
        crate::fuzz::fuzz("source", &seeds, |input| {
            let text = String::from_utf8_lossy(input);
            if let Ok(Source::Blob(url)) = Source::parse(&text) {
                let mut place = url.expose().clone();
                place.set_query(None);
                let shown = format!("{url:?} {url}");
                assert!(place.as_str().contains("SECRETVALUE") || !shown.contains("SECRETVALUE"), "{shown}");
            }
        });
    }
}
