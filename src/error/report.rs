//! What azd is told of a failure, and which failures it is not told (cli.md 3, 13).

use crate::console::harmless_lines;
use azure_ai_models_core::azd::{ErrorReport, Origin};

use super::{CliError, Culprit, ErrorKind};

impl CliError {
    /// The failure for azd to show; `None` where the person is told here: after Ctrl+C azd is gone, and a declined
    /// question is no failure of anybody's.
    #[must_use]
    pub fn report(&self) -> Option<ErrorReport> {
        if self.kind == ErrorKind::Interrupted || self.told.code == "cancelled" {
            return None;
        }
        let told = &*self.told;
        let id = told.request_id.as_ref().map(|id| {
            let time = told.time.as_ref().map(|time| format!(", {time}")).unwrap_or_default();
            format!("\nRequest id: {id}{time}")
        });
        Some(ErrorReport {
            message: harmless_lines(&format!("{}{}", told.message, id.unwrap_or_default())),
            suggestion: told.suggestion.as_deref().map(harmless_lines),
            links: told.links.clone(),
            origin: self.origin(),
        })
    }

    fn origin(&self) -> Origin {
        let code = snake_case(&self.told.code);
        match (&self.told.culprit, self.told.status) {
            (Culprit::Service(host), Some(status)) => {
                Origin::Service { code: self.told.code.clone(), status, host: host.clone() }
            }
            (Culprit::Tool, _) => Origin::Tool { code, category: "dependency" },
            _ => Origin::Local { code, category: category(self.kind) },
        }
    }
}

/// azd's words for what kind of failure it is (contracts/azd-host.md 3.8).
fn category(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Usage | ErrorKind::CheckFailed => "validation",
        ErrorKind::Auth => "auth",
        ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Interrupted => "user",
        ErrorKind::UploadFailed | ErrorKind::RegistrationFailed | ErrorKind::Service => "dependency",
        ErrorKind::Failure => "local",
    }
}

/// `ModelNotFound` and `missing-shard` as azd wants its codes.
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
    fn nobody_reports_a_person_who_changed_their_mind() {
        assert_eq!(CliError::interrupted().report(), None);
        assert_eq!(CliError::failure("Deletion cancelled.").with_code("cancelled").report(), None);
        assert!(CliError::failure("anything else").report().is_some());
    }
}
