//! Sanitized display of external text on a terminal and for scripts. All external text passes through one of these
//! functions, and one of them decides which characters are dangerous.

use std::fmt::Write;

/// Text on one line: line breaks and tabs become spaces, and characters that could control a terminal become a
/// replacement mark.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            c if is_dangerous(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// Like [`printable`], for text of several lines, which keep their line breaks.
#[must_use]
pub fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// Escapes characters in JSON that could control a terminal: different text with the same value.
#[must_use]
pub fn printable_json(json: String) -> String {
    let is_open = |c: char| is_dangerous(c) && !c.is_ascii_whitespace();
    if !json.contains(is_open) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if is_open(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _: std::fmt::Result = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// True for control characters, marks that change the writing direction or break a line, and invisible tags.
fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_its_letters_but_no_control_characters() {
        assert_eq!(printable("a\tb\nc\rd"), "a b c d");
        assert_eq!(
            printable("\u{1b}[2J\u{9b}2J\u{7f}\u{202e}\u{e0041}"),
            "\u{fffd}[2J\u{fffd}2J\u{fffd}\u{fffd}\u{fffd}"
        );
        assert_eq!(printable_lines("a\u{7}\nb"), "a\u{fffd}\nb");
        for text in ["né 模型", "❤\u{fe0f} 👩\u{200d}👩", "e\u{301}"] {
            assert_eq!(printable(text), text);
        }
    }

    #[test]
    fn json_stays_the_same_value() {
        for c in ('\0'..=char::MAX).filter(|c| is_dangerous(*c)) {
            let value = serde_json::json!({ "a": c, "b": [format!("\"{c}\\{c}")] });
            for json in [value.to_string(), serde_json::to_string_pretty(&value).expect("JSON")] {
                let shown = printable_json(json);
                assert!(!shown.contains(|c: char| is_dangerous(c) && c != '\n'), "{shown}");
                assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).expect("JSON"), value);
            }
        }
    }
}
