//! Row of a table of errors, for snapshots.

use std::fmt::Write as _;

use super::CliError;

/// Adds kind, code, message and suggestion of an error to a table.
pub(super) fn row(table: &mut String, error: impl Into<CliError>) {
    let error = error.into();
    let page = error.page();
    let (kind, code, suggestion) = (page.kind, page.code, page.suggestion.expect("a suggestion"));
    writeln!(table, "{kind} {code}: {}\n    > {suggestion}", page.message).expect("a string");
}
