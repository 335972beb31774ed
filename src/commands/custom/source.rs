//! Source of `create`: the option itself, or a file that contains it.
//!
//! The file exists for URLs whose `&` a shell would interpret; PowerShell writes it as UTF-16 with a byte order mark.

use std::fmt;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use crate::error::{CliError, ErrorCode};

/// Absolute path without `.` and `..`. A `..` after a link is kept: only the system knows where it leads.
pub(super) fn absolute(cwd: &Path, path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in cwd.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if whole.parent().is_none() => {}
            Component::ParentDir if whole.file_name().is_some() && !whole.is_symlink() => drop(whole.pop()),
            part => whole.push(part),
        }
    }
    whole
}

/// Maximum size of a file with a URL or a path, in bytes.
const LIMIT: u64 = 64 * 1024;

/// Source as entered: possibly a URL with its SAS, so its debug form does not show the text.
#[derive(Clone, Default)]
pub(super) struct SourceText(String);

impl SourceText {
    /// Source read from a pipe: one path or URL, with or without quotes.
    pub(super) fn piped(line: &str) -> Self {
        Self(bare(line).to_owned())
    }

    /// Text including a possible secret, for its parser.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// True for `-`.
    pub(super) fn is_standard_input(&self) -> bool {
        self.0 == "-"
    }
}

impl From<String> for SourceText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for SourceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SourceText(***)")
    }
}

/// Source as text in the option, or as a file that contains the text.
#[derive(Clone, Debug)]
pub(super) enum SourceOption {
    /// `--source`.
    Text(SourceText),
    /// `--source-file`.
    File(PathBuf),
}

impl SourceOption {
    /// Reads the source.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn read(&self, cwd: &Path) -> Result<SourceText, CliError> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::File(path) => read(&cwd.join(path)).map(SourceText),
        }
    }
}

fn read(path: &Path) -> Result<String, CliError> {
    let unreadable = |why| CliError::unreadable(path, &why);
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    // A pipe has no size, and may have no end: `/dev/stdin` and `<(...)` of a shell.
    if !metadata.is_dir() && metadata.len() <= LIMIT {
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    }
    if metadata.is_dir() || metadata.len() > LIMIT || bytes.len() as u64 > LIMIT {
        return Err(CliError::usage(format!("{} is not a text file with a source", path.display()))
            .with_code(ErrorCode::BadSourceFile)
            .with_suggestion("Write only the URL or path into the file."));
    }
    decode(&bytes).ok_or_else(|| {
        CliError::usage(format!("{} is neither UTF-8 nor UTF-16 text", path.display()))
            .with_code(ErrorCode::BadSourceFile)
            .with_suggestion("Save the file as plain text.")
    })
}

/// Decodes UTF-8 or UTF-16 in either byte order, with or without a byte order mark; trims quotes and line ends.
pub(super) fn decode(bytes: &[u8]) -> Option<String> {
    let text = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8(rest.to_vec()).ok()?,
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes)?,
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes)?,
        // Without a mark: a path or URL starts with a character whose other byte is zero.
        [_, 0, ..] => utf16(bytes, u16::from_le_bytes)?,
        [0, _, ..] => utf16(bytes, u16::from_be_bytes)?,
        _ => String::from_utf8(bytes.to_vec()).ok()?,
    };
    Some(bare(&text).to_owned())
}

/// Text without surrounding whitespace, line ends and quotes.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let unquoted = ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    unquoted.unwrap_or(text)
}

fn utf16(bytes: &[u8], order: fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| order(*pair)).collect();
    if rest.is_empty() { String::from_utf16(&units).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_decoded_in_every_encoding_that_shells_write() {
        const URL: &str = "https://a.blob.core.windows.net/c?sv=1&sig=x";
        let wide = |order: fn(u16) -> [u8; 2]| URL.encode_utf16().flat_map(order).collect::<Vec<u8>>();
        let files = [
            URL.as_bytes().to_vec(),
            format!("{URL}\r\n").into_bytes(),
            format!("\"{URL}\"\n").into_bytes(),
            format!("'{URL}'").into_bytes(),
            [b"\xEF\xBB\xBF".as_slice(), URL.as_bytes()].concat(),
            [b"\xFF\xFE".as_slice(), &wide(u16::to_le_bytes), b"\r\0\n\0"].concat(),
            [b"\xFE\xFF".as_slice(), &wide(u16::to_be_bytes)].concat(),
            wide(u16::to_le_bytes),
            wide(u16::to_be_bytes),
        ];
        for file in files {
            assert_eq!(decode(&file).as_deref(), Some(URL), "{file:?}");
        }
        assert_eq!(decode(b"\xFF\xFEa"), None);
        assert_eq!(decode(b"caf\xE9"), None);
    }
}
