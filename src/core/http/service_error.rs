//! Error response of a service.

mod body;

use body::HTML;
pub(super) use body::looks_like_html;
pub(crate) use body::read_error;

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;

/// Error response of a service. Texts are sanitized.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceError {
    /// Host that responded.
    pub host: String,
    /// HTTP status.
    pub status: u16,
    /// Stable code of the service.
    pub code: Option<String>,
    /// Message, or a description of the body; empty if there is none.
    pub message: String,
    /// Details and inner errors.
    pub details: Vec<ErrorDetail>,
    /// `x-ms-request-id`, otherwise the id that was sent.
    pub request_id: Option<String>,
    /// `x-ms-correlation-request-id`, if it differs.
    pub correlation_id: Option<String>,
    /// `Date` of the response.
    pub date: Option<String>,
    /// Delay that the service asks for, in real time.
    pub retry_after: Option<Duration>,
    /// Duration of the service's rate limit, according to its `RateLimit` header, in real time.
    pub rate_limit: Option<Duration>,
    /// Status that a store received from the source of a copy.
    pub copy_source_status: Option<u16>,
    /// Tenant from which `WWW-Authenticate` requires a token.
    pub tenant: Option<String>,
}

/// Further detail of an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorDetail {
    /// Stable code.
    pub code: Option<String>,
    /// Message.
    pub message: String,
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.code, self.message.as_str()) {
            (Some(code), "") => write!(f, "{} ({code})", status_line(self.status)),
            (Some(code), message) => write!(f, "{message} ({code})"),
            (None, "") => f.write_str(&status_line(self.status)),
            (None, message) => write!(f, "{}: {message}", status_line(self.status)),
        }
    }
}

impl std::error::Error for ServiceError {}

impl ServiceError {
    /// True if the service's code is one of these, case-insensitively.
    #[must_use]
    pub fn has_code(&self, codes: &[&str]) -> bool {
        self.code.as_deref().is_some_and(|code| codes.iter().any(|one| one.eq_ignore_ascii_case(code)))
    }

    /// True if one of these codes is the service's code or that of one of its details: ARM wraps errors of resource
    /// providers.
    #[must_use]
    pub fn has_code_anywhere(&self, codes: &[&str]) -> bool {
        let details = self.details.iter().filter_map(|detail| detail.code.as_deref());
        self.has_code(codes) || details.into_iter().any(|code| codes.iter().any(|one| one.eq_ignore_ascii_case(code)))
    }

    /// True if the message contains one of these, case-insensitively.
    #[must_use]
    pub fn mentions(&self, words: &[&str]) -> bool {
        let message = self.message.to_lowercase();
        words.iter().any(|word| message.contains(word))
    }

    /// True if the body is an HTML page instead of an error: from a gateway or a portal, not from the service.
    #[must_use]
    pub fn is_html(&self) -> bool {
        self.code.is_none() && self.message == HTML
    }

    /// True for a 404 about a model; any other 404 means that the service has no such route.
    #[must_use]
    pub fn is_model_not_found(&self) -> bool {
        self.status == 404 && self.has_code(&["ModelNotFound", "ModelVersionNotFound", "NotFound", "ResourceNotFound"])
    }

    /// True for a 409 whose code means that the version exists; other conflicts have other causes.
    #[must_use]
    pub fn is_version_conflict(&self) -> bool {
        const CODES: [&str; 6] = [
            "ModelVersionConflict",
            "ModelVersionExists",
            "ModelVersionAlreadyExists",
            "VersionAlreadyExists",
            "ModelAlreadyExists",
            "AlreadyExists",
        ];
        self.status == 409 && self.has_code(&CODES)
    }
}

/// Status line such as `429 Too Many Requests`.
pub(super) fn status_line(status: u16) -> String {
    match StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()) {
        Some(reason) => format!("{status} {reason}"),
        None => status.to_string(),
    }
}

/// Tenant in `Bearer authorization_uri="https://login.microsoftonline.com/TENANT"` and similar headers.
pub(super) fn tenant_of(www_authenticate: &str) -> Option<String> {
    let at = www_authenticate.find("https://login.")?;
    let address = www_authenticate[at..].split(['"', ' ', ',', '\'']).next()?;
    let tenant = address.split('/').nth(3)?;
    let ok = !tenant.is_empty() && tenant.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
    (ok && tenant != "common").then(|| tenant.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenant_is_read_from_the_challenge() {
        for (header, tenant) in [
            (r#"Bearer authorization_uri="https://login.windows.net/11-22", error="x""#, Some("11-22")),
            (
                r#"Bearer authorization="https://login.microsoftonline.com/t.example/oauth2/authorize""#,
                Some("t.example"),
            ),
            (r#"Bearer authorization_uri="https://login.microsoftonline.com/common""#, None),
            ("Bearer", None),
            ("Bearer x=\"https://login.", None),
        ] {
            assert_eq!(tenant_of(header).as_deref(), tenant, "{header}");
        }
    }
}
