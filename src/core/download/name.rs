//! Names of blobs as paths below a directory: names that lead out of it, or are not valid file names on this system,
//! are rejected before anything is fetched. Pure.

use std::collections::HashMap;
use std::fmt;

use crate::platform::Platform;
use crate::source::DOWNLOAD_DIRECTORY;

/// Reason why a blob's name is not a valid path below a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameHazard {
    /// An absolute path, an empty component, `.` or `..`.
    LeavesDirectory,
    /// A backslash, which separates components on Windows.
    Backslash,
    /// A drive letter.
    Drive,
    /// A control character.
    ControlCharacter,
    /// A name that this system reserves for a device, or a character that it does not allow.
    Reserved,
    /// The private directory of the download.
    Private,
    /// Another file has the same name by the rules of this system.
    Twice,
    /// Another file needs a directory of this name.
    Directory,
}

impl fmt::Display for NameHazard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LeavesDirectory => "does not lead to a file below the directory",
            Self::Backslash => "contains a backslash",
            Self::Drive => "starts with a drive letter",
            Self::ControlCharacter => "contains a control character",
            Self::Reserved => "is not a valid file name on this system",
            Self::Private => "is that of the download's own directory",
            Self::Twice => "is that of another file too, as this system compares names",
            Self::Directory => "is that of a directory of another file too",
        })
    }
}

/// First hazard of each name that has one, in their order.
pub(super) fn hazards<'n>(names: &[&'n str], platform: Platform) -> Vec<(&'n str, NameHazard)> {
    let mut files: HashMap<String, usize> = HashMap::with_capacity(names.len());
    for name in names {
        *files.entry(platform.fold_name(name).into_owned()).or_default() += 1;
    }
    let mut directories = std::collections::HashSet::new();
    for name in files.keys() {
        directories.extend(name.match_indices('/').map(|(at, _)| name[..at].to_owned()));
    }
    let of_all = |name: &str| {
        let folded = platform.fold_name(name);
        if files.get(&*folded).is_some_and(|count| *count > 1) {
            Some(NameHazard::Twice)
        } else {
            directories.contains(&*folded).then_some(NameHazard::Directory)
        }
    };
    names.iter().filter_map(|name| Some((*name, hazard(name, platform).or_else(|| of_all(name))?))).collect()
}

fn hazard(name: &str, platform: Platform) -> Option<NameHazard> {
    let is_drive = matches!(name.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    if name.contains(char::is_control) {
        Some(NameHazard::ControlCharacter)
    } else if name.contains('\\') {
        Some(NameHazard::Backslash)
    } else if is_drive {
        Some(NameHazard::Drive)
    } else if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        Some(NameHazard::LeavesDirectory)
    } else if name.split('/').next().is_some_and(|first| platform.fold_name(first) == DOWNLOAD_DIRECTORY) {
        Some(NameHazard::Private)
    } else if platform == Platform::Windows && name.split('/').any(is_reserved) {
        Some(NameHazard::Reserved)
    } else {
        None
    }
}

/// True for names that Windows reserves for devices, also with an extension, and for names that it does not preserve.
fn is_reserved(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let is_numbered = |prefix: &str| {
        let digit = stem.strip_prefix(prefix).and_then(|rest| {
            let mut letters = rest.chars();
            letters.next().filter(|_| letters.next().is_none())
        });
        digit.is_some_and(|digit| matches!(digit, '0'..='9' | '\u{b9}' | '\u{b2}' | '\u{b3}'))
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || is_numbered("COM")
        || is_numbered("LPT")
        || part.ends_with(['.', ' '])
        || part.contains(['<', '>', ':', '"', '|', '?', '*'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use Platform::{Linux, MacOs, Windows};

    #[test]
    fn no_name_leads_out_of_the_directory() {
        for platform in [Linux, MacOs, Windows] {
            for (name, expected) in [
                ("../a", NameHazard::LeavesDirectory),
                ("a/../../b", NameHazard::LeavesDirectory),
                ("..", NameHazard::LeavesDirectory),
                ("./a", NameHazard::LeavesDirectory),
                ("/etc/passwd", NameHazard::LeavesDirectory),
                ("a//b", NameHazard::LeavesDirectory),
                ("a/", NameHazard::LeavesDirectory),
                ("", NameHazard::LeavesDirectory),
                ("..\\a", NameHazard::Backslash),
                ("\\\\host\\share", NameHazard::Backslash),
                ("C:/a", NameHazard::Drive),
                ("c:a", NameHazard::Drive),
                ("a\nb", NameHazard::ControlCharacter),
                ("a\0b", NameHazard::ControlCharacter),
                (".azure-ai-models-download/record", NameHazard::Private),
            ] {
                assert_eq!(hazards(&[name], platform), [(name, expected)], "{platform:?}");
            }
            for name in ["a", "sub/a.bin", "..a", "a..", ".a/b", "ü/\u{1f600}", "console/auxiliary.bin", "com10"] {
                let is_odd = platform == Windows && name == "a..";
                assert_eq!(hazards(&[name], platform).len(), usize::from(is_odd), "{name} {platform:?}");
            }
        }
    }

    #[test]
    fn names_that_windows_reserves_are_rejected_there() {
        for name in [
            "CON",
            "con.txt",
            "sub/NUL",
            "Aux.bin/a",
            "COM0",
            "COM1",
            "lpt9.safetensors",
            "COM\u{b2}",
            "ab:c",
            "a?",
            "a.",
            "a ",
            "nul .txt",
            "CONOUT$",
        ] {
            assert_eq!(hazards(&[name], Windows), [(name, NameHazard::Reserved)]);
            assert_eq!(hazards(&[name], Linux), [], "{name}");
        }
    }

    #[test]
    fn two_blobs_that_are_one_file_are_refused() {
        let names = ["a/b", "A/b", "c", "c/d"];
        assert_eq!(hazards(&names, Linux), [("c", NameHazard::Directory)]);
        let both = [("a/b", NameHazard::Twice), ("A/b", NameHazard::Twice), ("c", NameHazard::Directory)];
        for platform in [MacOs, Windows] {
            assert_eq!(hazards(&names, platform), both, "{platform:?}");
        }
    }
}
