//! The project endpoint, and the variables that do not count. Pure.

use std::error::Error;

use super::{Check, CheckId, Fix};
use crate::project::{FindError, ResolvedProject};

/// Judges an endpoint that was found; `warnings` were left by the search.
#[must_use]
pub fn endpoint(found: &ResolvedProject, warnings: &[String]) -> Check {
    let message = format!("{} (from {})", found.endpoint, found.source);
    match warnings.split_first() {
        None => Check::ok(CheckId::Endpoint, message),
        Some(_) => {
            let message = format!("{message}; {}", warnings.join("; "));
            Check::warning(CheckId::Endpoint, message, Fix::own(&["init"]))
        }
    }
}

/// Judges a search that found none.
#[must_use]
pub fn no_endpoint(error: &FindError) -> Check {
    let why = error.source().map(|why| format!(": {why}")).unwrap_or_default();
    let fix = match error {
        FindError::NotConfigured => Fix::own(&["init"]),
        FindError::NoSuchEnvironment { .. } => "azd env list".into(),
        error => error.suggestion().map_or_else(|| Fix::own(&["init"]), Fix::from),
    };
    Check::failed(CheckId::Endpoint, format!("{error}{why}"), fix)
}

/// Judges the warnings about variables that an azd environment sets and that count only from the user's own environment.
#[must_use]
pub fn variables(ignored: &[String]) -> Check {
    if ignored.is_empty() {
        return Check::ok(CheckId::Variables, "none is ignored");
    }
    let fix = "Set it in your own environment, and remove it from the azd environment.";
    Check::warning(CheckId::Variables, ignored.join("; "), fix)
}
