//! Failures of azd's gRPC server.

use std::time::Duration;

use prost::Message;
use thiserror::Error;
use tonic::{Code, Status};

use super::AzureRefusal;
use super::proto::{ActionableErrorDetail, RefusalInfo, RefusalStatus, ServiceErrorDetail};
use crate::redact::clean;
use crate::units;

/// Failure of a request to azd's gRPC server. Texts are sanitized.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HostError {
    /// `AZD_SERVER` is not an address on this machine; the token is sent nowhere else.
    #[error("AZD_SERVER is not an address of this machine")]
    BadAddress,
    /// No server, or the connection was interrupted.
    #[error("azd does not respond: {message}")]
    Gone {
        /// Message of the connection error.
        message: String,
    },
    /// No response in time.
    #[error("azd did not respond within {}", units::duration(*limit))]
    TimedOut {
        /// Time limit.
        limit: Duration,
    },
    /// The token is not azd's, or has expired.
    #[error("the azd access token has expired")]
    TokenEnded,
    /// The user is not signed in to azd.
    #[error("not signed in to azd: {message}")]
    NotSignedIn {
        /// Message of azd.
        message: String,
        /// Suggestion of azd.
        suggestion: Option<String>,
    },
    /// The user cancelled a prompt of azd.
    #[error("the prompt was cancelled")]
    Cancelled,
    /// azd may not prompt in this run: a coding agent or a pipeline started it.
    #[error("azd prompts are disabled")]
    NoPrompt,
    /// Azure rejected a request from azd.
    #[error("{0}")]
    Azure(Box<AzureRefusal>),
    /// An azd command that azd ran for this program failed.
    #[error("{message}")]
    Command {
        /// azd's reason.
        message: String,
        /// Suggestion for the user.
        suggestion: String,
    },
    /// azd rejected the request.
    #[error("azd refused: {message}")]
    Refused {
        /// Kind of the rejection.
        refusal: RefusalKind,
        /// Message of azd.
        message: String,
        /// Suggestion of azd.
        suggestion: Option<String>,
    },
}

/// Adds the sign-in command to a suggestion of azd about signing in.
#[must_use]
pub(crate) fn with_sign_in(suggestion: String) -> String {
    if suggestion.contains("azd auth login") {
        suggestion
    } else {
        format!("{suggestion}\nSign in again: azd auth login")
    }
}

/// Kind of a rejection by azd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// Plain error of azd, known only by its message.
    Plain,
    /// The resource to create already exists.
    AlreadyExists,
    /// Any other status.
    Other,
}

impl HostError {
    /// Suggestion for the user.
    #[must_use]
    pub fn suggestion(&self) -> Option<String> {
        match self {
            Self::BadAddress | Self::Gone { .. } | Self::TimedOut { .. } | Self::TokenEnded => {
                Some("Run the command again with azd, or use --project-endpoint URL.".into())
            }
            Self::NotSignedIn { suggestion, .. } => {
                Some(suggestion.clone().map_or_else(|| "Run `azd auth login`.".into(), with_sign_in))
            }
            Self::NoPrompt => Some(
                "Use --project-endpoint URL, or store the project for all commands: azd ai models init --project-resource-id ID"
                    .into(),
            ),
            Self::Cancelled | Self::Azure(_) => None,
            Self::Command { suggestion, .. } => Some(suggestion.clone()),
            Self::Refused { suggestion, .. } => suggestion.clone(),
        }
    }

    /// Adds the purpose of a request of azd that Azure rejected.
    #[must_use]
    pub(super) fn while_doing(mut self, purpose: impl FnOnce() -> String) -> Self {
        if let Self::Azure(refusal) = &mut self {
            refusal.purpose = purpose();
        }
        self
    }

    /// Failure of an azd command that azd ran, without the prefix that its server adds.
    #[must_use]
    pub(super) fn of_command(self, args: &[&str]) -> Self {
        match self {
            Self::Refused { refusal: RefusalKind::Plain | RefusalKind::Other, message, suggestion } => {
                let step = format!("error executing step command '{}': ", args.join(" "));
                let message = message.strip_prefix("failed to run workflow: ").unwrap_or(&message);
                let message = message.strip_prefix(&step).unwrap_or(message);
                let by_hand = args.join(" ");
                let message = match message {
                    "prompt required" => format!("`azd {by_hand}` prompts for a value that has no default"),
                    message => message.to_owned(),
                };
                let suggestion =
                    suggestion.unwrap_or_else(|| format!("Run `azd {by_hand}`, then run this command again."));
                Self::Command { message, suggestion }
            }
            other => other,
        }
    }
}

impl From<Status> for HostError {
    fn from(status: Status) -> Self {
        let message = message_of(&status);
        // A status that azd sent has no source; one from the connection always has.
        if std::error::Error::source(&status).is_some() {
            return Self::Gone { message };
        }
        let details = StatusDetails::of(&status);
        let refusal = AzureRefusal::read(status.message());
        let refusal = refusal.or_else(|| AzureRefusal::of_detail(details.service.clone()?, &message));
        match status.code() {
            Code::Unavailable | Code::DeadlineExceeded => Self::Gone { message },
            Code::Unauthenticated if details.error_info => {
                Self::NotSignedIn { message, suggestion: details.suggestion }
            }
            Code::Unauthenticated => Self::TokenEnded,
            Code::Cancelled => Self::Cancelled,
            Code::Unknown if message.ends_with("prompt required") => Self::NoPrompt,
            Code::Unknown => match refusal {
                Some(refusal) => Self::Azure(Box::new(refusal)),
                None => Self::Refused { refusal: RefusalKind::Plain, message, suggestion: details.suggestion },
            },
            Code::AlreadyExists => {
                Self::Refused { refusal: RefusalKind::AlreadyExists, message, suggestion: details.suggestion }
            }
            _ => Self::Refused { refusal: RefusalKind::Other, message, suggestion: details.suggestion },
        }
    }
}

/// azd's message on one line; for a broken connection, the innermost reason.
fn message_of(status: &Status) -> String {
    let mut innermost: &dyn std::error::Error = status;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text =
        if std::error::Error::source(status).is_some() { innermost.to_string() } else { status.message().into() };
    let line = clean(&text).split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() { status.code().to_string() } else { line }
}

/// Content of `grpc-status-details-bin`.
#[derive(Default)]
struct StatusDetails {
    /// True if there is a `google.rpc.ErrorInfo`: an error of azd itself, not of its server.
    error_info: bool,
    suggestion: Option<String>,
    /// Status and code of a response from Azure.
    service: Option<ServiceErrorDetail>,
}

impl StatusDetails {
    fn of(status: &Status) -> Self {
        let mut found = Self::default();
        let Ok(whole) = RefusalStatus::decode(status.details()) else { return found };
        for detail in whole.details {
            match detail.type_url.rsplit('/').next() {
                Some("google.rpc.ErrorInfo") => found.error_info = RefusalInfo::decode(&*detail.value).is_ok(),
                Some("azdext.ActionableErrorDetail") => {
                    found.suggestion = ActionableErrorDetail::decode(&*detail.value).ok().and_then(suggestion_of);
                }
                Some("azdext.ServiceErrorDetail") => found.service = ServiceErrorDetail::decode(&*detail.value).ok(),
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
