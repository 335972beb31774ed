//! Decoding of escapes, so that a secret has one form regardless of how often it was encoded.

use std::borrow::Cow;

/// Encoded space, quote, bracket or control character: part of the surrounding word.
pub(super) const SOFT: u8 = 0x1f;

/// Bytes of a text with the escapes of URLs, JSON and XML decoded, at any depth, and the position in the text that each
/// byte comes from. Only escapes of ASCII are decoded, since secrets are ASCII.
pub(super) struct UnescapedText<'t> {
    bytes: Cow<'t, [u8]>,
    /// Position of each byte in the text; empty if the text has no escapes.
    starts: Vec<usize>,
    length: usize,
}

impl<'t> UnescapedText<'t> {
    /// Decodes a text.
    pub(super) fn of(text: &'t str) -> Self {
        let length = text.len();
        if memchr::memchr3(b'%', b'\\', b'&', text.as_bytes()).is_none() {
            return Self { bytes: Cow::Borrowed(text.as_bytes()), starts: Vec::new(), length };
        }
        let (mut bytes, mut starts) = (Vec::with_capacity(length), Vec::with_capacity(length));
        for (at, &byte) in text.as_bytes().iter().enumerate() {
            bytes.push(byte);
            starts.push(at);
            // A decoded byte may end another escape. Each iteration removes bytes, so this takes linear time.
            while let Some((escape, decoded)) = escape_at_end(&bytes) {
                bytes.truncate(bytes.len() - escape);
                starts.truncate(bytes.len() + 1);
                bytes.push(decoded);
            }
        }
        Self { bytes: Cow::Owned(bytes), starts, length }
    }

    /// Decoded bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// True if the text had no escapes.
    pub(super) fn is_text(&self) -> bool {
        self.starts.is_empty()
    }

    /// Range of the text that these bytes come from.
    pub(super) fn source(&self, start: usize, end: usize) -> (usize, usize) {
        if self.is_text() {
            return (start, end);
        }
        let place = |at: usize| self.starts.get(at).copied().unwrap_or(self.length);
        (place(start), place(end))
    }
}

/// Length of the escape at the end of the bytes, and its decoded byte.
fn escape_at_end(bytes: &[u8]) -> Option<(usize, u8)> {
    match bytes {
        [.., b'%', high, low] => Some((3, soft(ascii(&[*high, *low])?))),
        [.., b'\\', b'u', a, b, c, d] => Some((6, soft(ascii(&[*a, *b, *c, *d])?))),
        [.., b'\\', byte @ (b'"' | b'\\' | b'/')] => Some((2, *byte)),
        [.., b'&', b'a', b'm', b'p', b';'] => Some((5, b'&')),
        [.., b'&', b'q', b'u', b'o', b't', b';'] => Some((6, b'"')),
        _ => None,
    }
}

fn ascii(digits: &[u8]) -> Option<u8> {
    let value = digits.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))?;
    u8::try_from(value).ok().filter(u8::is_ascii)
}

fn soft(byte: u8) -> u8 {
    if byte.is_ascii_whitespace() || byte.is_ascii_control() || b"\"'`<>()[]{}".contains(&byte) { SOFT } else { byte }
}
