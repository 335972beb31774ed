//! Why azd did not do what it was asked.

use std::time::Duration;

use prost::Message;
use thiserror::Error;
use tonic::{Code, Status};

use super::proto::{ActionableErrorDetail, RefusalInfo, RefusalStatus};
use crate::redact::clean;
use crate::units;

/// Why azd did not do what it was asked. Texts are cleaned.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HostError {
    /// `AZD_SERVER` names no address of this machine; the token goes nowhere else.
    #[error("AZD_SERVER holds no address of this machine")]
    BadAddress,
    /// Nobody answers, or the connection broke off.
    #[error("azd does not answer: {words}")]
    Gone {
        /// What the connection says.
        words: String,
    },
    /// No answer in time.
    #[error("azd did not answer within {}", units::duration(*limit))]
    TimedOut {
        /// The limit.
        limit: Duration,
    },
    /// The token is not azd's, or its hour is over.
    #[error("azd does not accept this program's token any more")]
    TokenEnded,
    /// azd works, and has nobody signed in.
    #[error("not signed in to azd: {words}")]
    NotSignedIn {
        /// What azd said.
        words: String,
        /// What azd said to do.
        suggestion: Option<String>,
    },
    /// The person cancelled a question of azd's.
    #[error("the question was cancelled")]
    Cancelled,
    /// azd said no.
    #[error("azd refused: {words}")]
    Refused {
        /// How.
        refusal: Refusal,
        /// What azd said.
        words: String,
        /// What azd said to do.
        suggestion: Option<String>,
    },
}

/// How azd says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A plain error of azd's, told by its words alone.
    Plain,
    /// What should be made is there already.
    AlreadyExists,
    /// Any other status.
    Other,
}

impl HostError {
    /// What the person can do about it.
    #[must_use]
    pub fn suggestion(&self) -> Option<String> {
        match self {
            Self::BadAddress | Self::Gone { .. } | Self::TimedOut { .. } | Self::TokenEnded => {
                Some("Run the command again with azd, or name the project with --project-endpoint URL.".into())
            }
            Self::NotSignedIn { suggestion, .. } => {
                Some(suggestion.clone().unwrap_or_else(|| "Run `azd auth login`.".into()))
            }
            Self::Cancelled => None,
            Self::Refused { suggestion, .. } => suggestion.clone(),
        }
    }
}

impl From<Status> for HostError {
    fn from(status: Status) -> Self {
        let words = words_of(&status);
        // A status that azd sent has no source; one that the connection gave rise to does, whatever its code.
        if std::error::Error::source(&status).is_some() {
            return Self::Gone { words };
        }
        let details = Details::of(&status);
        match status.code() {
            Code::Unavailable | Code::DeadlineExceeded => Self::Gone { words },
            Code::Unauthenticated if details.error_info => Self::NotSignedIn { words, suggestion: details.suggestion },
            Code::Unauthenticated => Self::TokenEnded,
            Code::Cancelled => Self::Cancelled,
            Code::Unknown => Self::Refused { refusal: Refusal::Plain, words, suggestion: details.suggestion },
            Code::AlreadyExists => {
                Self::Refused { refusal: Refusal::AlreadyExists, words, suggestion: details.suggestion }
            }
            _ => Self::Refused { refusal: Refusal::Other, words, suggestion: details.suggestion },
        }
    }
}

/// azd's sentence in one line; for a broken connection, its innermost reason.
fn words_of(status: &Status) -> String {
    let mut innermost: &dyn std::error::Error = status;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text =
        if std::error::Error::source(status).is_some() { innermost.to_string() } else { status.message().into() };
    let line = clean(&text).split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() { status.code().to_string() } else { line }
}

/// What `grpc-status-details-bin` adds.
#[derive(Default)]
struct Details {
    /// There is a `google.rpc.ErrorInfo`: azd's own error, not that of its server.
    error_info: bool,
    suggestion: Option<String>,
}

impl Details {
    fn of(status: &Status) -> Self {
        let mut found = Self::default();
        let Ok(whole) = RefusalStatus::decode(status.details()) else { return found };
        for detail in whole.details {
            match detail.type_url.rsplit('/').next() {
                Some("google.rpc.ErrorInfo") => found.error_info = RefusalInfo::decode(&*detail.value).is_ok(),
                Some("azdext.ActionableErrorDetail") => {
                    found.suggestion = ActionableErrorDetail::decode(&*detail.value).ok().and_then(suggestion_of);
                }
                _ => {}
            }
        }
        found
    }
}

fn suggestion_of(detail: ActionableErrorDetail) -> Option<String> {
    let links = detail.links.into_iter().map(|link| link.url);
    let parts: Vec<String> = std::iter::once(detail.suggestion).chain(links).filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| clean(&parts.join(" ")))
}
