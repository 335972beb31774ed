//! Texts of AzCopy: sanitized, without control characters, and of bounded length.

use crate::redact;

/// Maximum length of the text of one message.
const MAX_TEXT: usize = 8 * 1024;
/// Maximum number of bytes that are sanitized. Longer than the kept text, so that a secret at the cut is still
/// recognized.
const MAX_CLEANED: usize = 4 * MAX_TEXT;

/// Text that may be stored and shown.
pub(super) fn sanitized(text: &str) -> String {
    let mut out = redact::clean(head(text, MAX_CLEANED));
    out.truncate(head(&out, MAX_TEXT).len());
    // File names and server messages must not control the terminal.
    out.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { ' ' } else { c }).collect()
}

/// First non-empty line, sanitized.
pub(super) fn first_line(text: &str) -> String {
    sanitized(text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default())
}

fn head(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len())).rev().find(|&at| text.is_char_boundary(at));
    &text[..end.unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_text_has_no_secret_no_escape_and_bounded_length() {
        assert_eq!(sanitized("PUT https://h/c?sig=CANARY \u{1b}[2J\nnext"), "PUT https://h/c?***  [2J\nnext");
        assert_eq!(sanitized("bell\u{7}"), "bell ");
        assert_eq!(sanitized(&"ü".repeat(10_000)).len(), MAX_TEXT);
        assert_eq!(first_line("\n  \n panic: no\nmore"), "panic: no");
    }
}
