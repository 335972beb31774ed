//! Report of a failure to azd, except for failures that azd must not show.

use azure_ai_models_core::azd::{ErrorReport, FailureOrigin};
use azure_ai_models_core::display::printable_lines;

use super::{CliError, ErrorCode, ErrorKind, ErrorOrigin};

impl CliError {
    /// Failure for azd to display; `None` if the console shows it: after Ctrl+C azd has ended, and a declined prompt is
    /// not a failure.
    pub(crate) fn report(&self) -> Option<ErrorReport> {
        let details = &*self.details;
        if self.kind == ErrorKind::Interrupted || details.code == ErrorCode::Cancelled {
            return None;
        }
        let id = details.request_id.as_ref().map(|id| {
            let time = details.time.as_ref().map(|time| format!(", {time}")).unwrap_or_default();
            format!("\nRequest id: {id}{time}")
        });
        Some(ErrorReport {
            message: printable_lines(&format!("{}{}", details.message, id.unwrap_or_default())),
            suggestion: details.suggestion.as_deref().map(printable_lines),
            links: details.links.clone(),
            origin: self.origin(),
        })
    }

    fn origin(&self) -> FailureOrigin {
        let code = snake_case(self.details.code.as_str());
        match (&self.details.origin, self.details.status) {
            (ErrorOrigin::Service(host), Some(status)) => {
                FailureOrigin::Service { code: self.details.code.as_str().to_owned(), status, host: host.clone() }
            }
            (ErrorOrigin::Tool, _) => FailureOrigin::Tool { code, category: "dependency" },
            _ => FailureOrigin::Local { code, category: category(self.kind) },
        }
    }
}

/// Keyword of azd for the kind of failure.
fn category(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Usage | ErrorKind::CheckFailed => "validation",
        ErrorKind::Auth => "auth",
        ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Interrupted => "user",
        ErrorKind::UploadFailed | ErrorKind::RegistrationFailed | ErrorKind::Service => "dependency",
        ErrorKind::Failure => "local",
    }
}

/// Converts `ModelNotFound` and `missing-shard` to azd's notation of codes.
fn snake_case(code: &str) -> String {
    let mut out = String::with_capacity(code.len() + 4);
    let mut after_lower = false;
    for c in code.chars() {
        if c.is_ascii_uppercase() && after_lower {
            out.push('_');
        }
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        out.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_lower_case_with_underscores() {
        for (code, snake) in [
            ("ModelNotFound", "model_not_found"),
            ("missing-shard", "missing_shard"),
            ("http_500", "http_500"),
            ("azcopy_failed", "azcopy_failed"),
        ] {
            assert_eq!(snake_case(code), snake);
        }
    }

    #[test]
    fn a_user_who_declined_is_not_reported() {
        assert_eq!(CliError::interrupted().report(), None);
        assert_eq!(CliError::cancelled("Deletion cancelled.").report(), None);
        assert!(CliError::failure("anything else").report().is_some());
    }
}
