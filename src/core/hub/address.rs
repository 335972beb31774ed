//! Grammar of Hub sources: `hf://ORG/NAME[@REV][/PATH]`, and the URLs of a repository's pages. Pure.

#[cfg(test)]
mod tests;

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use thiserror::Error;
use url::Url;

use super::endpoint::{HubEndpoint, is_public_host};
use super::id::RepoId;
use super::source::HubPin;

/// Default revision.
const DEFAULT_REVISION: &str = "main";
/// Repository types that are not imported; only models are.
const OTHER_TYPES: [&str; 4] = ["datasets", "spaces", "kernels", "buckets"];
const MODELS: &str = "models";
/// Their singular forms, which the Hub's own grammar rejects too.
const SINGULAR: [&str; 5] = ["model", "dataset", "space", "kernel", "bucket"];
/// Prefixes of revisions that contain slashes and need no escapes: `refs/pr/1`.
const REFERENCES: [&str; 2] = ["refs/pr/", "refs/convert/"];
/// Characters that are escaped in a segment of a URL.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Source on the Hub, as the user entered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubAddress {
    repo: RepoId,
    revision: Option<String>,
    path: String,
    typed_host: Option<String>,
}

/// Defect of a text that is not a valid source on the Hub.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HubAddressError {
    /// Another type of repository.
    #[error("only models can be imported, not '{0}'")]
    OtherType(String),
    /// A repository type in the singular.
    #[error("'{0}' is not a repository type")]
    Singular(String),
    /// An id with only one part.
    #[error("'{0}' is not a full repository ID")]
    OnePart(String),
    /// No id at all.
    #[error("the address contains no repository")]
    NoRepository,
    /// An invalid repository id.
    #[error("'{0}' is not a repository ID")]
    BadId(String),
    /// A revision that git does not permit.
    #[error("'{0}' is not a repository revision")]
    BadRevision(String),
    /// A path that leaves the repository, or that cannot exist there.
    #[error("'{0}' is not a path in a repository")]
    BadPath(String),
    /// A repository page that shows no files.
    #[error("the page '{0}' of a repository contains no files to import")]
    OtherPage(String),
    /// A file page without a file name.
    #[error("the address contains no file")]
    NoFile,
    /// User name, password, port, or a host other than the Hub's own.
    #[error("not an address of the Hub: {0}")]
    Host(&'static str),
}

impl HubAddressError {
    /// Suggestion for the user.
    #[must_use]
    pub fn suggestion(&self) -> String {
        match self {
            Self::OtherType(_) => "Use a model repository: hf://ORG/NAME".into(),
            Self::Singular(word) => format!("Remove '{word}/', or write '{word}s/'."),
            Self::OnePart(id) => {
                let owner = if id == "gpt2" { "openai-community" } else { "ORG" };
                format!("Add the organization: hf://{owner}/{id}")
            }
            Self::NoRepository | Self::BadId(_) => "Use the form hf://ORG/NAME.".into(),
            Self::BadRevision(_) => "Use a branch, tag or commit: hf://ORG/NAME@main. Write '/' as %2F.".into(),
            Self::BadPath(_) => "Use a folder or file of the repository: hf://ORG/NAME/FOLDER".into(),
            Self::OtherPage(_) | Self::NoFile => {
                "Use the page of the repository, of a folder (tree) or of a file (blob).".into()
            }
            Self::Host(_) => "Use hf://ORG/NAME, or a URL of huggingface.co.".into(),
        }
    }
}

impl HubAddress {
    /// Parses the text after `hf://`. The revision is percent-decoded, the path is literal.
    ///
    /// # Errors
    /// See [`HubAddressError`].
    pub fn parse(text: &str) -> Result<Self, HubAddressError> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let first = text.split('/').next().unwrap_or_default();
        let text = match first {
            _ if OTHER_TYPES.contains(&first) => return Err(HubAddressError::OtherType(first.to_owned())),
            _ if SINGULAR.contains(&first) => return Err(HubAddressError::Singular(first.to_owned())),
            MODELS => text[first.len()..].strip_prefix('/').unwrap_or_default(),
            "" => return Err(HubAddressError::NoRepository),
            _ => text,
        };
        let Some((owner, rest)) = text.split_once('/').filter(|(owner, _)| !owner.contains('@')) else {
            return Err(match text.split('@').next().unwrap_or(text) {
                "" => HubAddressError::NoRepository,
                id => HubAddressError::OnePart(id.to_owned()),
            });
        };
        let name_end = rest.find(['/', '@']).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(name_end);
        let repo = format!("{owner}/{name}").parse()?;
        let (revision, path) = match rest.strip_prefix('@') {
            Some(rest) => {
                let (revision, path) = split_revision(rest);
                (Some(decoded(revision, HubAddressError::BadRevision)?), path)
            }
            None => (None, rest.strip_prefix('/').unwrap_or(rest)),
        };
        Self { repo, revision, path: path.to_owned(), typed_host: None }.checked()
    }

    /// Parses the URL of a repository, a folder or a file on the Hub; `None` for a URL of another host.
    ///
    /// # Errors
    /// See [`HubAddressError`].
    pub fn of_url(url: &Url, endpoint: &HubEndpoint) -> Result<Option<Self>, HubAddressError> {
        let host = url.host_str().unwrap_or_default();
        let is_own = endpoint.is_origin_of(url);
        if !is_own && !is_public_host(host) && !host.eq_ignore_ascii_case(endpoint.host()) {
            return Ok(None);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(HubAddressError::Host("it contains a user name or password"));
        }
        if !is_own {
            // Another port of this machine is another server, such as a blob store.
            if !is_public_host(host) && crate::model::is_loopback(url) {
                return Ok(None);
            }
            if url.scheme() != "https" {
                return Err(HubAddressError::Host("it does not use https"));
            }
            if host.starts_with("www.") {
                return Err(HubAddressError::Host("the Hub has no 'www.' host"));
            }
            if url.port().is_some() {
                return Err(HubAddressError::Host("it has another port"));
            }
        }
        let mut address = Self::of_path(if is_own { endpoint.path_of(url) } else { url.path() })?;
        // The files are requested from the Hub in HF_ENDPOINT, which is reported.
        address.typed_host = (!is_own && !endpoint.is_default()).then(|| host.to_owned());
        Ok(Some(address))
    }

    /// Parses `/ORG/NAME[/PAGE/REV[/PATH]]`, each segment decoded once.
    fn of_path(path: &str) -> Result<Self, HubAddressError> {
        let path = path.trim_matches('/');
        let segments: Vec<&str> = path.split('/').collect();
        let (owner, rest) = match segments.split_first() {
            Some((first, _)) if OTHER_TYPES.contains(first) => {
                return Err(HubAddressError::OtherType((*first).to_owned()));
            }
            Some((&"", _)) | None => return Err(HubAddressError::NoRepository),
            Some((owner, rest)) => (decoded(owner, HubAddressError::BadId)?, rest),
        };
        let Some((name, rest)) = rest.split_first() else { return Err(HubAddressError::OnePart(owner)) };
        let repo: RepoId = format!("{owner}/{}", decoded(name, HubAddressError::BadId)?).parse()?;
        let Some((page, rest)) = rest.split_first() else {
            return Ok(Self { repo, revision: None, path: String::new(), typed_host: None });
        };
        let is_file = match *page {
            "tree" => false,
            "blob" | "resolve" | "raw" => true,
            other => return Err(HubAddressError::OtherPage(other.to_owned())),
        };
        let rest = rest.join("/");
        let (revision, path) = split_revision(&rest);
        let revision = (!revision.is_empty()).then(|| decoded(revision, HubAddressError::BadRevision)).transpose()?;
        if is_file && path.is_empty() {
            return Err(HubAddressError::NoFile);
        }
        let path = decoded(path, HubAddressError::BadPath)?;
        Self { repo, revision, path, typed_host: None }.checked()
    }

    fn checked(self) -> Result<Self, HubAddressError> {
        let is_bad =
            |c: char| c.is_control() || c.is_whitespace() || matches!(c, '~' | '^' | ':' | '?' | '*' | '[' | '\\');
        if let Some(revision) = &self.revision
            && (revision.is_empty()
                || revision.contains(is_bad)
                || revision.contains("..")
                || revision.starts_with('-'))
        {
            return Err(HubAddressError::BadRevision(revision.clone()));
        }
        let is_bad = |part: &str| {
            matches!(part, "" | "." | "..") || part.contains(['\\', '\0']) || part.contains(char::is_control)
        };
        if !self.path.is_empty() && self.path.split('/').any(is_bad) {
            return Err(HubAddressError::BadPath(self.path));
        }
        Ok(self)
    }

    /// Address of a folder below the imported one.
    pub(super) fn new(pin: &HubPin, folder: &str) -> Self {
        let path =
            [pin.path.as_str(), folder].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        Self { repo: pin.repo.clone(), revision: Some(pin.reference.clone()), path, typed_host: None }
    }

    /// Repository.
    #[must_use]
    pub fn repo(&self) -> &RepoId {
        &self.repo
    }

    /// Branch, tag or commit, decoded; `main` by default.
    #[must_use]
    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or(DEFAULT_REVISION)
    }

    /// Imported folder or file, without leading and trailing slashes; empty for the whole repository.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Host of the entered URL, if another Hub is used.
    #[must_use]
    pub fn typed_host(&self) -> Option<&str> {
        self.typed_host.as_deref()
    }
}

/// Writes the short form, which parses to the same address: `hf://ORG/NAME@REV/PATH`.
impl fmt::Display for HubAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = self.repo.as_str().split('/').next().unwrap_or_default();
        let is_type = owner == MODELS || OTHER_TYPES.contains(&owner) || SINGULAR.contains(&owner);
        write!(f, "hf://{}{}", if is_type { "models/" } else { "" }, self.repo)?;
        if let Some(revision) = &self.revision {
            let is_reference = REFERENCES.iter().any(|start| is_reference(revision, start));
            let escaped = segment(revision);
            write!(f, "@{}", if is_reference { escaped.replace("%2F", "/") } else { escaped })?;
        }
        if self.path.is_empty() { Ok(()) } else { write!(f, "/{}", self.path) }
    }
}

fn is_reference(revision: &str, start: &str) -> bool {
    revision.strip_prefix(start).is_some_and(|rest| !rest.is_empty() && !rest.contains('/'))
}

/// Splits `REV[/PATH]` into revision and path.
fn split_revision(text: &str) -> (&str, &str) {
    let of_reference = REFERENCES.iter().find_map(|start| {
        let rest = text.strip_prefix(start)?;
        Some(start.len() + rest.find('/').unwrap_or(rest.len()))
    });
    let end = of_reference.or_else(|| text.find('/')).unwrap_or(text.len());
    let (revision, path) = text.split_at(end);
    (revision, path.strip_prefix('/').unwrap_or(path))
}

fn decoded(text: &str, error: fn(String) -> HubAddressError) -> Result<String, HubAddressError> {
    percent_decode_str(text).decode_utf8().map(String::from).map_err(|_| error(text.to_owned()))
}

/// Percent-encodes one segment of a URL.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// Percent-encodes each segment of a path.
pub(super) fn segments(path: &str) -> String {
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}
