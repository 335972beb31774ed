//! Names that the blob store does not preserve: such a file would be stored under another name, or replace another
//! file. Pure.

use std::fmt;

use super::PlanError;
use crate::model::BlobPath;

/// Maximum length of a blob's name.
const MAX_LENGTH: usize = 1024;
const MAX_PARTS: usize = 254;

/// Reason why the store would change or reject a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameFault {
    /// A line break or another control character; AzCopy's list of files has one name per line.
    ControlCharacter,
    /// A backslash, which the store replaces with a slash.
    Backslash,
    /// A dot at the end of a component, which the store removes.
    DotAtEnd,
    /// More characters than a blob's name may have.
    TooLong(usize),
    /// More components than a blob's name may have.
    TooDeep(usize),
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ControlCharacter => f.write_str("contains a control character, which blob names cannot contain"),
            Self::Backslash => f.write_str("contains a backslash, which the blob store replaces with a slash"),
            Self::DotAtEnd => f.write_str("has a path segment that ends with a dot, which the blob store removes"),
            Self::TooLong(length) => write!(f, "has {length} characters; the maximum for a blob name is {MAX_LENGTH}"),
            Self::TooDeep(parts) => write!(f, "has {parts} path segments; the maximum for a blob name is {MAX_PARTS}"),
        }
    }
}

impl NameFault {
    /// Suggestion for the user.
    #[must_use]
    pub fn suggestion(self) -> &'static str {
        match self {
            Self::Backslash => {
                "Rename the file. Names like it come from archives that were packed on Windows: the part before the \
                 backslash may have to be a directory. Or exclude it with --exclude."
            }
            Self::TooDeep(_) => "Move the file to a higher directory, or exclude it with --exclude.",
            Self::ControlCharacter | Self::DotAtEnd | Self::TooLong(_) => {
                "Rename the file, or exclude it with --exclude."
            }
        }
    }
}

/// Name in one line of a message.
pub(super) fn shown(name: &str) -> String {
    let escaped = |char: char| if char.is_control() { char.escape_default().to_string() } else { char.to_string() };
    name.chars().map(escaped).collect()
}

/// Name of a blob for a path relative to the source, with `/` between the components.
pub(crate) fn blob_name(relative: &str) -> Result<BlobPath, PlanError> {
    match fault(relative) {
        Some(fault) => Err(PlanError::BadName { name: relative.to_owned(), fault }),
        None => Ok(relative.into()),
    }
}

fn fault(name: &str) -> Option<NameFault> {
    // A short name is never too long or too deep: with 100,000 files each check is noticeable.
    let (length, parts) =
        if name.len() < MAX_PARTS { (name.len(), 1) } else { (name.encode_utf16().count(), name.split('/').count()) };
    let is_ascii_text = name.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if !is_ascii_text && name.contains(char::is_control) {
        Some(NameFault::ControlCharacter)
    } else if name.contains('\\') {
        Some(NameFault::Backslash)
    } else if name.ends_with('.') || name.as_bytes().windows(2).any(|pair| pair == b"./") {
        Some(NameFault::DotAtEnd)
    } else if length > MAX_LENGTH {
        Some(NameFault::TooLong(length))
    } else if parts > MAX_PARTS {
        Some(NameFault::TooDeep(parts))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_store_changes_are_rejected() {
        for (name, expected) in [
            ("a\nb".to_owned(), NameFault::ControlCharacter),
            ("a\tb".into(), NameFault::ControlCharacter),
            ("sub/a\u{7f}".into(), NameFault::ControlCharacter),
            ("a\u{9b}b".into(), NameFault::ControlCharacter),
            ("a\\b".into(), NameFault::Backslash),
            ("sub\\a/b".into(), NameFault::Backslash),
            ("a.".into(), NameFault::DotAtEnd),
            ("sub./a".into(), NameFault::DotAtEnd),
            ("x".repeat(1025), NameFault::TooLong(1025)),
            ("\u{1f600}".repeat(513), NameFault::TooLong(1026)),
            ("a/".repeat(254) + "b", NameFault::TooDeep(255)),
        ] {
            assert_eq!(fault(&name), Some(expected), "{name}");
        }
    }

    #[test]
    fn names_that_the_store_preserves_are_accepted() {
        for name in ["a", ".a", "a b", " a", "a ", "a..b", "..a/b", "ü%41#?*[x]&'\"<>|:", "\u{1f600}"] {
            assert_eq!(fault(name), None, "{name}");
        }
        assert_eq!(fault(&"x".repeat(1024)), None);
        assert_eq!(fault(&("a/".repeat(253) + "b")), None);
    }
}
