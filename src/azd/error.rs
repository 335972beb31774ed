//! What azd's refusals mean (contracts/azd-host.md 2).

use prost::Message;
use thiserror::Error;
use tonic::{Code, Status};

use super::proto::{ActionableErrorDetail, ErrorInfo, RpcStatus};
use crate::redact::clean;

/// Why azd did not do what it was asked.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum HostError {
    /// It is gone, or does not answer.
    #[error("azd does not answer any more ({0})")]
    Gone(String),
    /// Its token for this program ended after an hour, or is not its own.
    #[error("azd does not know this program any more: its token lives for one hour")]
    TokenEnded,
    /// The person is not signed in to azd.
    #[error("not signed in to azd: {message}")]
    NotSignedIn {
        /// azd's words.
        message: String,
        /// What azd says to do.
        suggestion: Option<String>,
    },
    /// The person ended a question.
    #[error("cancelled")]
    Cancelled,
    /// Anything else, in azd's words.
    #[error("azd: {message}")]
    Refused {
        /// azd's words.
        message: String,
        /// What azd says to do.
        suggestion: Option<String>,
    },
}

impl HostError {
    pub(super) fn of(status: &Status) -> Self {
        let details = RpcStatus::decode(status.details()).unwrap_or_default().details;
        let find = |name: &str| details.iter().find(|any| any.type_url.ends_with(name)).map(|any| any.value.as_slice());
        let info = find("/google.rpc.ErrorInfo").and_then(|bytes| ErrorInfo::decode(bytes).ok());
        let action = find("/azdext.ActionableErrorDetail").and_then(|bytes| ActionableErrorDetail::decode(bytes).ok());
        let suggestion = action.map(|action| clean(&action.suggestion)).filter(|text| !text.is_empty());
        let message = clean(status.message().trim());
        match status.code() {
            // With a reason it speaks of the person's account, without one of our token.
            Code::Unauthenticated if info.is_some_and(|info| info.domain == "azd.auth") => {
                Self::NotSignedIn { message, suggestion }
            }
            Code::Unauthenticated => Self::TokenEnded,
            Code::Unavailable | Code::DeadlineExceeded => Self::Gone(message),
            Code::Cancelled if message.contains("cancelled by user") => Self::Cancelled,
            Code::Cancelled => Self::Gone(message),
            _ if message.contains("transport error") => Self::Gone(message),
            _ => Self::Refused { message, suggestion },
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic::metadata::MetadataMap;

    use super::super::proto::Any;
    use super::*;

    #[test]
    fn an_account_is_told_from_a_token_by_the_reason() {
        let info = ErrorInfo { reason: "AUTH_NOT_LOGGED_IN".into(), domain: "azd.auth".into() };
        let any = Any { type_url: "type.googleapis.com/google.rpc.ErrorInfo".into(), value: info.encode_to_vec() };
        let details = RpcStatus { code: 16, message: "m".into(), details: vec![any] }.encode_to_vec();
        let with =
            Status::with_details_and_metadata(Code::Unauthenticated, "no login", details.into(), MetadataMap::new());
        assert_eq!(HostError::of(&with), HostError::NotSignedIn { message: "no login".into(), suggestion: None });
        assert_eq!(HostError::of(&Status::unauthenticated("invalid token")), HostError::TokenEnded);
        let cancelled = Status::cancelled("prompt: cancelled by user: context canceled");
        assert_eq!(HostError::of(&cancelled), HostError::Cancelled);
    }
}
