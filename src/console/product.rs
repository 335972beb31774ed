//! Result of a command on standard output: JSON for scripts, text for users.

use serde::Serialize;

use super::json;
use super::table::TableStyle;

/// JSON document in pieces, so that a long list is not in memory twice.
pub(crate) type JsonPieces<'a> = Box<dyn Iterator<Item = serde_json::Result<String>> + 'a>;

/// Result of a command in both of its forms.
pub(crate) trait Product {
    /// JSON document of the result.
    fn json(&self) -> JsonPieces<'_>;

    /// Text of the result; empty if the messages on standard error are sufficient.
    fn text(&self, style: TableStyle) -> String;
}

/// One JSON document.
pub(crate) fn document<'a>(value: &impl Serialize) -> JsonPieces<'a> {
    Box::new(std::iter::once(json::json(value)))
}

/// One JSON document with a list as its last field.
pub(crate) fn document_with<'a, T: Serialize + 'a>(
    value: &'a impl Serialize,
    field: &'a str,
    items: Vec<&'a T>,
) -> JsonPieces<'a> {
    Box::new(json::json_with_list(value, field, items))
}

/// One JSON list.
pub(crate) fn list<'a, T: Serialize + 'a>(items: impl IntoIterator<Item = &'a T>) -> JsonPieces<'a> {
    Box::new(json::json_list(items.into_iter().collect()))
}
