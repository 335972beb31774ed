//! Errors of the Hub, with the fields that callers decide by.

use std::time::Duration;

use thiserror::Error;

use super::id::RepoId;
use super::sum::SumMismatch;
use super::token::TokenOrigin;
use crate::http::{HttpError, ServiceError};
use crate::source::PlanError;

/// Failure of the Hub, or of a server that it names.
#[derive(Debug, Error)]
pub enum HubError {
    /// `HF_HUB_OFFLINE` is set.
    #[error("HF_HUB_OFFLINE is set, so the Hugging Face Hub cannot be used")]
    Offline,
    /// No repository, or a private one that the token does not open; the Hub does not distinguish the two.
    #[error("repository '{repo}' not found on {host}{}", if origin.is_some() { "" } else { ", or it is private" })]
    RepoNotFound {
        /// The repository.
        repo: RepoId,
        /// Host of the Hub.
        host: String,
        /// Origin of the token that was sent.
        origin: Option<TokenOrigin>,
        /// The Hub's answer.
        answer: Box<ServiceError>,
    },
    /// The Hub does not accept the token.
    #[error("the Hugging Face Hub rejected the token from {origin}")]
    BadToken {
        /// Origin of the token.
        origin: TokenOrigin,
        /// The Hub's answer.
        answer: Box<ServiceError>,
    },
    /// The terms of the repository are not accepted, or the request for access is pending.
    #[error("access to the repository '{repo}' must be granted first")]
    Gated {
        /// The repository.
        repo: RepoId,
        /// Page of the repository, with its terms.
        page: String,
        /// Origin of the token that was sent.
        origin: Option<TokenOrigin>,
        /// The Hub's answer.
        answer: Box<ServiceError>,
    },
    /// The Hub took the repository down.
    #[error("the Hugging Face Hub has disabled access to the repository '{repo}'")]
    Disabled {
        /// The repository.
        repo: RepoId,
        /// Answer of the Hub; `None` if the repository's description reports it.
        answer: Option<Box<ServiceError>>,
    },
    /// The token may not read the repository.
    #[error("the Hugging Face Hub denied access to the repository '{repo}'")]
    Forbidden {
        /// The repository.
        repo: RepoId,
        /// The Hub's answer.
        answer: Box<ServiceError>,
    },
    /// No such branch, tag or commit.
    #[error("the repository '{repo}' has no revision '{revision}'")]
    RevisionNotFound {
        /// The repository.
        repo: RepoId,
        /// The revision.
        revision: String,
        /// Page that lists branches and tags.
        page: String,
    },
    /// No such file or folder.
    #[error("the repository '{repo}' has no file or folder '{path}'")]
    EntryNotFound {
        /// The repository.
        repo: RepoId,
        /// The path.
        path: String,
        /// Names like it that are there.
        near: Vec<String>,
    },
    /// Files that cannot be imported, or none at all.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// An answer that no Hub gives.
    #[error("the response from {host} is not from a Hugging Face Hub: {what}")]
    NotAHub {
        /// Host that answered.
        host: String,
        /// Odd part of the answer.
        what: &'static str,
    },
    /// Two answers that contradict each other: a mirror or a cache is stale.
    #[error("the Hub's responses for {path} are inconsistent: {what}")]
    Disagree {
        /// Path in the repository.
        path: String,
        /// Both values.
        what: String,
    },
    /// The Hub limits requests for longer than is waited, or again and again.
    #[error("the Hugging Face Hub throttled the requests")]
    RateLimited {
        /// Duration of the limit; `None` if the Hub does not report it.
        wait: Option<Duration>,
        /// A token was sent.
        has_token: bool,
    },
    /// A list of files that leaves the Hub, or does not end.
    #[error("the Hub's list of files {0}")]
    Pages(&'static str),
    /// A redirect that is not followed.
    #[error("{host} redirects to {to}, which is not allowed")]
    Redirect {
        /// Host that redirects.
        host: String,
        /// Place that it names, without its query.
        to: String,
    },
    /// A signed URL is refused, and a new one too.
    #[error("{host} refused {path}, also with a new signed URL ({})", status(answer))]
    Refused {
        /// Path in the repository.
        path: String,
        /// Host that refuses.
        host: String,
        /// Answer of that host.
        answer: Box<ServiceError>,
    },
    /// Server that does not send the requested range.
    #[error("{host} does not send the requested part of {path}: {what}")]
    BadRange {
        /// Path in the repository.
        path: String,
        /// Host that answered.
        host: String,
        /// Content that came instead.
        what: String,
    },
    /// Content with another sum than the Hub lists.
    #[error(
        "the content of {path} differs from the Hub's checksum: expected {}, found {}",
        .sums.expected,
        .sums.found
    )]
    Mismatch {
        /// Path in the repository.
        path: String,
        /// Both sums.
        sums: SumMismatch,
    },
    /// Any other failure of a request.
    #[error(transparent)]
    Http(#[from] HttpError),
}

fn status(answer: &ServiceError) -> String {
    answer.to_string()
}

impl HubError {
    /// The answer that caused it, for status and request id.
    #[must_use]
    pub fn answer(&self) -> Option<&ServiceError> {
        match self {
            Self::RepoNotFound { answer, .. }
            | Self::BadToken { answer, .. }
            | Self::Gated { answer, .. }
            | Self::Forbidden { answer, .. }
            | Self::Refused { answer, .. } => Some(answer),
            Self::Disabled { answer, .. } => answer.as_deref(),
            Self::Http(error) => error.service(),
            _ => None,
        }
    }
}
