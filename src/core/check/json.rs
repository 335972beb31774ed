//! The only reader of a model's JSON: accepts exactly what Python's `json` reads from a UTF-8 file.
//!
//! A filter over the bytes before `serde_json`, not a more tolerant parser: indexes of a hundred megabytes and more are
//! still streamed into the typed visitors, and the files are JSON except for a few tokens that the filter replaces with
//! others of the same length, so that lines and columns in messages are those of the file:
//! - `NaN`, `Infinity` and `-Infinity`, which Python writes by default, become numbers;
//! - escapes of half a surrogate pair (`"\ud800"`), which Python keeps, become U+FFFD.
//!
//! The filter also sees the bytes of values that a visitor skips: UTF-8 is checked everywhere.

#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, BufReader, Read};
use std::str;

use memchr::memchr2;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;
/// Maximum length of a replaced token: two escapes.
const MAX_WORD: usize = 12;

/// Reads a document; the inner error is its defect.
///
/// # Errors
/// When the bytes cannot be read.
pub fn read<T: DeserializeOwned>(bytes: impl Read) -> io::Result<Result<T, String>> {
    match serde_json::from_reader(BufReader::with_capacity(CHUNK, JsonFilter::new(bytes))) {
        Ok(document) => Ok(Ok(document)),
        Err(error) if error.is_io() => {
            let error = io::Error::from(error);
            match error.get_ref().and_then(|inner| inner.downcast_ref::<JsonFault>()) {
                Some(fault) => Ok(Err(fault.to_string())),
                None => Err(error),
            }
        }
        Err(error) if error.is_eof() => Ok(Err(format!("is truncated ({error})"))),
        Err(error) => Ok(Err(format!("is not valid JSON: {error}"))),
    }
}

/// An object with any content.
#[derive(Debug)]
pub(super) struct AnyObject;

/// An array with any content.
#[derive(Debug)]
pub(super) struct AnyArray;

impl<'de> Deserialize<'de> for AnyObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = AnyObject;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AnyObject, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(AnyObject)
            }
        }

        deserializer.deserialize_map(Object)
    }
}

impl<'de> Deserialize<'de> for AnyArray {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<IgnoredAny>::deserialize(deserializer).map(|_| Self)
    }
}

/// Reason why bytes are not text with JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum JsonFault {
    #[error("is empty")]
    Empty,
    #[error("is a web page, not JSON")]
    WebPage,
    #[error("starts with a byte order mark (BOM), which Python's json module rejects; save it as UTF-8 without a BOM")]
    ByteOrderMark,
    #[error("is UTF-16, not UTF-8")]
    Utf16,
    #[error("is not UTF-8 (at byte {0})")]
    NotUtf8(u64),
}

impl From<JsonFault> for io::Error {
    fn from(fault: JsonFault) -> Self {
        Self::new(io::ErrorKind::InvalidData, fault)
    }
}

/// The filter described in the module documentation.
struct JsonFilter<R> {
    inner: R,
    buffer: Vec<u8>,
    /// Number of returned, ready, and read bytes.
    given: usize,
    ready: usize,
    filled: usize,
    /// Position of the buffer in the file.
    at: u64,
    in_string: bool,
    /// The two bytes before `ready`, as they are in the file.
    before: [u8; 2],
    is_at_end: bool,
}

impl<R: Read> JsonFilter<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            buffer: vec![0; CHUNK],
            given: 0,
            ready: 0,
            filled: 0,
            at: 0,
            in_string: false,
            // Initial state: a value may begin the document.
            before: [b' '; 2],
            is_at_end: false,
        }
    }

    /// Reads more bytes after the undecided ones.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.ready..self.filled, 0);
        self.at += self.ready as u64;
        self.filled -= self.ready;
        (self.given, self.ready) = (0, 0);
        let is_start = self.at == 0;
        while self.filled < CHUNK && !self.is_at_end {
            match self.inner.read(&mut self.buffer[self.filled..]) {
                Ok(0) => self.is_at_end = true,
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if is_start {
            self.check_start()?;
        }
        let text = self.text_end()?;
        self.replace(text);
        Ok(())
    }

    /// Recognises common content that is not JSON.
    fn check_start(&self) -> Result<(), JsonFault> {
        let start = &self.buffer[..self.filled];
        match start {
            [0xEF, 0xBB, 0xBF, ..] => Err(JsonFault::ByteOrderMark),
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Err(JsonFault::Utf16),
            _ if start.iter().all(u8::is_ascii_whitespace) => {
                if self.is_at_end {
                    Err(JsonFault::Empty)
                } else {
                    Ok(())
                }
            }
            _ if super::signature::is_web_page(start) => Err(JsonFault::WebPage),
            _ => Ok(()),
        }
    }

    /// End of the last complete character in the buffer.
    fn text_end(&self) -> Result<usize, JsonFault> {
        match str::from_utf8(&self.buffer[..self.filled]) {
            Ok(_) => Ok(self.filled),
            // A character may continue in the next chunk.
            Err(error) if error.error_len().is_none() && !self.is_at_end => Ok(error.valid_up_to()),
            Err(error) => Err(JsonFault::NotUtf8(self.at + error.valid_up_to() as u64)),
        }
    }

    /// Replaces tokens that Python accepts and `serde_json` does not, up to `end`, or to a token that may continue
    /// after it.
    fn replace(&mut self, end: usize) {
        let text = &mut self.buffer[..end];
        let (mut at, mut before) = (0, self.before);
        let is_whole = self.is_at_end;
        let may_go_on = |at: usize| !is_whole && end - at < MAX_WORD;
        while at < end {
            let rest = &text[at..];
            let found = if self.in_string {
                memchr2(b'"', b'\\', rest)
            } else {
                // Mostly two or three bytes, for which a call is too expensive.
                rest.iter().position(|byte| matches!(byte, b'"' | b'N' | b'I'))
            };
            let Some(skipped) = found else {
                before = last_two(before, rest);
                at = end;
                break;
            };
            before = last_two(before, &rest[..skipped]);
            at += skipped;
            let byte = text[at];
            if byte != b'"' && may_go_on(at) {
                break;
            }
            let length = match byte {
                b'"' => {
                    self.in_string = !self.in_string;
                    1
                }
                b'\\' => escape(&mut text[at..]),
                _ => literal(&mut text[at..], before),
            };
            // No literal follows a part of a string or of another literal.
            before = [b'x', byte];
            at += length.min(end - at);
        }
        self.before = before;
        self.ready = at;
    }
}

impl<R: Read> Read for JsonFilter<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.given == self.ready && !(self.is_at_end && self.ready == self.filled && self.at > 0) {
            self.fill()?;
        }
        let count = out.len().min(self.ready - self.given);
        out[..count].copy_from_slice(&self.buffer[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

fn last_two(before: [u8; 2], text: &[u8]) -> [u8; 2] {
    match text {
        [] => before,
        [one] => [before[1], *one],
        [.., first, second] => [*first, *second],
    }
}

/// Length of an escape in a string; replaces half a surrogate pair.
fn escape(text: &mut [u8]) -> usize {
    let Some(unit) = code_unit(text) else { return 2 };
    let is_pair = matches!(unit, 0xD800..=0xDBFF)
        && text.get(6..).and_then(code_unit).is_some_and(|low| matches!(low, 0xDC00..=0xDFFF));
    if is_pair {
        return 12;
    }
    if matches!(unit, 0xD800..=0xDFFF) {
        text[..6].copy_from_slice(b"\\ufffd");
    }
    6
}

/// Code unit of `\uXXXX` at the beginning.
fn code_unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    let digits = digits.iter().all(u8::is_ascii_hexdigit).then_some(digits)?;
    u16::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

/// Length of the token at the beginning; replaces Python's special numbers. A replacement ends with spaces, so that a
/// following digit does not become part of the number.
fn literal(text: &mut [u8], before: [u8; 2]) -> usize {
    let may_begin = |byte: u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b':' | b',' | b'[');
    let is_value = may_begin(before[1]);
    let is_negative = before[1] == b'-' && may_begin(before[0]);
    let word: &[u8] = match text {
        [b'N', b'a', b'N', ..] if is_value => b"0  ",
        [b'I', b'n', b'f', b'i', b'n', b'i', b't', b'y', ..] if is_value || is_negative => b"0       ",
        _ => return 1,
    };
    text[..word.len()].copy_from_slice(word);
    word.len()
}
