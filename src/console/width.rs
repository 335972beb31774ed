//! Display width of text in terminal columns, measured by one function for all parts of a page.

use std::borrow::Cow;

/// Mark of truncated text.
const ELLIPSIS: &str = "…";
/// Maximum number of characters examined per column; most columns have one or none.
const PER_COLUMN: usize = 4;

/// True for text of printable ASCII: each byte takes one column, and none can control a terminal.
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Number of columns of a text.
pub(super) fn columns(text: &str) -> usize {
    if is_plain(text) { text.len() } else { ::console::measure_text_width(text) }
}

/// Truncates the text to this number of columns.
pub(super) fn cut(text: &str, limit: usize) -> Cow<'_, str> {
    if columns(text) <= limit {
        return Cow::Borrowed(text);
    }
    let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).take(limit.saturating_mul(PER_COLUMN)).collect();
    let shown = |count: usize| format!("{}{ELLIPSIS}", &text[..ends[count]]);
    // A combining mark changes the width of the previous character: the search comes close, and the loop is exact.
    let close = ends.partition_point(|end| columns(&text[..*end]) < limit);
    let fitting = (0..close).rev().map(shown).find(|shown| columns(shown) <= limit);
    Cow::Owned(fitting.unwrap_or_default())
}

/// Pads the text with spaces to this number of columns; a wider text is unchanged.
pub(super) fn padded(text: &str, width: usize) -> String {
    let mut out = String::new();
    push_padded(&mut out, text, width);
    out
}

/// Appends the text, padded with spaces to this number of columns.
pub(super) fn push_padded(out: &mut String, text: &str, width: usize) {
    out.push_str(text);
    out.extend(std::iter::repeat_n(' ', width.saturating_sub(columns(text))));
}
