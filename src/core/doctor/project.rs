//! The project endpoint, and ignored variables. Pure.

use std::error::Error;

use super::{Check, CheckId, Fix};
use crate::project::{FindError, ResolvedProject};

/// Verdict on an endpoint that was found; `warnings` are those of the search.
#[must_use]
pub fn endpoint(found: &ResolvedProject, warnings: &[String]) -> Check {
    let message = format!("{} (from {})", found.endpoint, found.source);
    match warnings.split_first() {
        None => Check::ok(CheckId::Endpoint, message),
        Some(_) => {
            let message = format!("{message}; {}", warnings.join("; "));
            Check::warning(CheckId::Endpoint, message, Fix::of_program(&["init"]))
        }
    }
}

/// Verdict on a search without a result.
#[must_use]
pub fn no_endpoint(error: &FindError) -> Check {
    let why = error.source().map(|why| format!(": {why}")).unwrap_or_default();
    let fix = match error {
        FindError::NotConfigured => Fix::of_program(&["init"]),
        FindError::NoSuchEnvironment { .. } => "azd env list".into(),
        error => error.suggestion().map_or_else(|| Fix::of_program(&["init"]), Fix::from),
    };
    Check::failed(CheckId::Endpoint, format!("{error}{why}"), fix)
}

/// Verdict on the warnings about variables that an azd environment sets and that count only in the user's own
/// environment.
#[must_use]
pub fn variables(ignored: &[String]) -> Check {
    if ignored.is_empty() {
        return Check::ok(CheckId::Variables, "none is ignored");
    }
    let fix = "Set it in your own environment, and remove it from the azd environment.";
    Check::warning(CheckId::Variables, ignored.join("; "), fix)
}
