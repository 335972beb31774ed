//! How AzCopy's words are kept: cleaned of secrets, without control characters, and of bounded length.

use crate::redact;

/// Longest text that is kept of one message.
const KEPT: usize = 8 * 1024;
/// What is cleaned at most. Longer than what is kept, so that a secret that the cut would split is still seen whole.
const READ: usize = 4 * KEPT;

/// The text as it may be stored and shown.
pub(super) fn kept(text: &str) -> String {
    let mut out = redact::clean(head(text, READ));
    out.truncate(head(&out, KEPT).len());
    // A terminal must not obey what a file name or a server says.
    out.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { ' ' } else { c }).collect()
}

/// The first line that says something, cleaned.
pub(super) fn first_line(text: &str) -> String {
    kept(text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default())
}

fn head(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len())).rev().find(|&at| text.is_char_boundary(at));
    &text[..end.unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_text_has_no_secret_no_escape_and_an_end() {
        assert_eq!(kept("PUT https://h/c?sig=CANARY \u{1b}[2J\nnext"), "PUT https://h/c?***  [2J\nnext");
        assert_eq!(kept("bell\u{7}"), "bell ");
        assert_eq!(kept(&"ü".repeat(10_000)).len(), KEPT);
        assert_eq!(first_line("\n  \n panic: no\nmore"), "panic: no");
    }
}
