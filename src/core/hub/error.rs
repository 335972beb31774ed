//! Errors of the Hub, with the fields on which callers base decisions.

use std::time::Duration;

use thiserror::Error;

use super::id::RepoId;
use super::sum::SumMismatch;
use super::token::TokenOrigin;
use crate::http::{HttpError, ServiceError};
use crate::source::PlanError;

/// Failure of the Hub, or of a server that it refers to.
#[derive(Debug, Error)]
pub enum HubError {
    /// `HF_HUB_OFFLINE` is set.
    #[error("HF_HUB_OFFLINE is set, so the Hugging Face Hub cannot be used")]
    Offline,
    /// The repository does not exist, or is private and the token gives no access; the Hub does not distinguish the
    /// two.
    #[error("repository '{repo}' not found on {host}{}", if origin.is_some() { "" } else { ", or it is private" })]
    RepoNotFound {
        /// The repository.
        repo: RepoId,
        /// Host of the Hub.
        host: String,
        /// Origin of the token that was sent.
        origin: Option<TokenOrigin>,
        /// Response of the Hub.
        answer: Box<ServiceError>,
    },
    /// The Hub rejects the token.
    #[error("the Hugging Face Hub rejected the token from {origin}")]
    BadToken {
        /// Origin of the token.
        origin: TokenOrigin,
        /// Response of the Hub.
        answer: Box<ServiceError>,
    },
    /// The terms of the repository are not accepted, or the access request is pending.
    #[error("access to the repository '{repo}' must be granted first")]
    Gated {
        /// The repository.
        repo: RepoId,
        /// Page of the repository, with its terms.
        page: String,
        /// Origin of the token that was sent.
        origin: Option<TokenOrigin>,
        /// Response of the Hub.
        answer: Box<ServiceError>,
    },
    /// The Hub disabled the repository.
    #[error("the Hugging Face Hub has disabled access to the repository '{repo}'")]
    Disabled {
        /// The repository.
        repo: RepoId,
        /// Response of the Hub; `None` if the repository's description reports it.
        answer: Option<Box<ServiceError>>,
    },
    /// The token does not permit reading the repository.
    #[error("the Hugging Face Hub denied access to the repository '{repo}'")]
    Forbidden {
        /// The repository.
        repo: RepoId,
        /// Response of the Hub.
        answer: Box<ServiceError>,
    },
    /// The branch, tag or commit does not exist.
    #[error("the repository '{repo}' has no revision '{revision}'")]
    RevisionNotFound {
        /// The repository.
        repo: RepoId,
        /// The revision.
        revision: String,
        /// Page that lists branches and tags.
        page: String,
    },
    /// The file or folder does not exist.
    #[error("the repository '{repo}' has no file or folder '{path}'")]
    EntryNotFound {
        /// The repository.
        repo: RepoId,
        /// The path.
        path: String,
        /// Similar existing names.
        near: Vec<String>,
    },
    /// Files cannot be imported, or there are none.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The response does not come from a Hub.
    #[error("the response from {host} is not from a Hugging Face Hub: {what}")]
    NotAHub {
        /// Host that responded.
        host: String,
        /// Unexpected part of the response.
        what: &'static str,
    },
    /// Two responses contradict each other: a mirror or a cache is stale.
    #[error("the Hub's responses for {path} are inconsistent: {what}")]
    Disagree {
        /// Path in the repository.
        path: String,
        /// Both values, as text.
        what: String,
    },
    /// The Hub limits requests for too long, or repeatedly.
    #[error("the Hugging Face Hub throttled the requests")]
    RateLimited {
        /// Duration of the limit; `None` if the Hub does not report it.
        wait: Option<Duration>,
        /// True if a token was sent.
        has_token: bool,
    },
    /// A list of files leads away from the Hub, or does not end.
    #[error("the Hub's list of files {0}")]
    Pages(&'static str),
    /// A redirect is not followed.
    #[error("{host} redirects to {to}, which is not allowed")]
    Redirect {
        /// Host that redirects.
        host: String,
        /// Target, without its query.
        to: String,
    },
    /// A signed URL is rejected, and a new one too.
    #[error("{host} refused {path}, also with a new signed URL ({})", status(answer))]
    Refused {
        /// Path in the repository.
        path: String,
        /// Host that rejects it.
        host: String,
        /// Response of that host.
        answer: Box<ServiceError>,
    },
    /// A server does not send the requested range.
    #[error("{host} does not send the requested part of {path}: {what}")]
    BadRange {
        /// Path in the repository.
        path: String,
        /// Host that responded.
        host: String,
        /// Received content instead of the range.
        what: String,
    },
    /// The content does not have the checksum that the Hub lists.
    #[error(
        "the content of {path} differs from the Hub's checksum: expected {}, found {}",
        .sums.expected,
        .sums.found
    )]
    Mismatch {
        /// Path in the repository.
        path: String,
        /// Both checksums.
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
    /// Response that caused the error, for status and request id.
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
