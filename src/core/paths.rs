//! Paths as text, by the rules of a system: different spellings of the same path, and the verbatim paths of Windows.
//! Pure except for [`readable`].

use std::borrow::Cow;
use std::path::Path;

use crate::platform::Platform;

/// Prefix of verbatim paths: Windows does not interpret the rest, so that `aux.txt` is a file and not a device, and no
/// path is too long.
const VERBATIM: &str = r"\\?\";
const VERBATIM_SHARE: &str = r"\\?\UNC\";
/// Prefix of a path on another machine.
const SHARE: &str = r"\\";
/// Prefix of an absolute Unix path.
const ROOT: &str = "/";

/// True for a path that is independent of the working directory.
pub(crate) fn is_absolute(path: &str, platform: Platform) -> bool {
    match platform {
        Platform::Linux | Platform::MacOs => path.starts_with('/'),
        // `\tools` is on the current drive, and `C:tools` in the current directory of drive C.
        Platform::Windows => path.starts_with(SHARE) || path.starts_with("//") || drive(path).is_some(),
    }
}

/// Drive of an absolute path: `C:`.
fn drive(path: &str) -> Option<&str> {
    match path.as_bytes() {
        [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic() => path.get(..2),
        _ => None,
    }
}

/// Components of a path: its root, if it has one, then each name, without `.` and `..`.
fn parts(path: &str, platform: Platform) -> Vec<&str> {
    let windows = platform == Platform::Windows;
    let shares = [VERBATIM_SHARE, VERBATIM, SHARE, "//"].into_iter().filter(|_| windows);
    let found = shares.into_iter().find_map(|prefix| Some((prefix, path.strip_prefix(prefix)?)));
    let (root, rest) = match found {
        Some((VERBATIM, rest)) => (None, rest),
        Some((_, rest)) => (Some(SHARE), rest),
        None => (path.starts_with('/').then_some(ROOT), path),
    };
    let mut parts: Vec<&str> = root.into_iter().collect();
    let roots = match root {
        // Includes the names of the server and its share.
        Some(SHARE) => 3,
        Some(_) => 1,
        None => usize::from(windows && drive(rest).is_some()),
    };
    for part in rest.split(|char: char| char == '/' || (windows && char == '\\')) {
        match part {
            "" | "." => {}
            ".." if parts.len() > roots => drop(parts.pop()),
            ".." if roots > 0 => {}
            _ => parts.push(part),
        }
    }
    parts
}

/// Path relative to a directory, with `/` between its names, regardless of how both are spelled; `None` if it is
/// elsewhere.
pub(crate) fn below(path: &str, directory: &str, platform: Platform) -> Option<String> {
    let (path, directory) = (parts(path, platform), parts(directory, platform));
    let is_same = |(one, other): (&&str, &&str)| platform.fold_name(one) == platform.fold_name(other);
    let is_below = path.len() > directory.len() && path.iter().zip(&directory).all(is_same);
    is_below.then(|| path[directory.len()..].join("/"))
}

/// Path relative to the first component with this name.
pub(crate) fn below_part(path: &str, name: &str, platform: Platform) -> Option<String> {
    let parts = parts(path, platform);
    let at = parts.iter().position(|part| *part == name)?;
    Some(parts[at + 1..].join("/")).filter(|below| !below.is_empty())
}

/// True for two spellings of the same path.
pub(crate) fn is_same_path(one: &str, other: &str, platform: Platform) -> bool {
    let folded = |path| parts(path, platform).into_iter().map(|part| platform.fold_name(part)).collect::<Vec<_>>();
    one == other || folded(one) == folded(other)
}

/// Path as users know it: `C:\m` for `\\?\C:\m`.
pub(crate) fn without_verbatim(path: &str, platform: Platform) -> Cow<'_, str> {
    match (platform, path.strip_prefix(VERBATIM_SHARE), path.strip_prefix(VERBATIM)) {
        (Platform::Windows, Some(rest), _) => format!("{SHARE}{rest}").into(),
        (Platform::Windows, None, Some(rest)) if drive(rest).is_some() => rest.into(),
        _ => path.into(),
    }
}

/// Verbatim form of an absolute Windows path; `None` if there is none.
fn verbatim(path: &str) -> Option<String> {
    if path.starts_with(VERBATIM) || path.starts_with(r"\\.\") || !is_absolute(path, Platform::Windows) {
        return None;
    }
    let parts = parts(path, Platform::Windows);
    Some(match parts.split_first()? {
        (&SHARE, names) => format!("{VERBATIM_SHARE}{}", names.join(r"\")),
        (drive, []) => format!(r"{VERBATIM}{drive}\"),
        (..) => format!("{VERBATIM}{}", parts.join(r"\")),
    })
}

/// Path for reading a file of the source: verbatim on Windows.
pub(crate) fn readable(path: &Path) -> Cow<'_, Path> {
    match path.to_str().filter(|_| Platform::CURRENT == Platform::Windows).and_then(verbatim) {
        Some(verbatim) => Cow::Owned(verbatim.into()),
        None => path.into(),
    }
}

/// Path for display: reverses [`readable`].
pub(crate) fn shown(path: &Path) -> Cow<'_, Path> {
    match path.to_str().map(|text| without_verbatim(text, Platform::CURRENT)) {
        Some(Cow::Owned(text)) => Cow::Owned(text.into()),
        Some(Cow::Borrowed(text)) => Path::new(text).into(),
        None => path.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Platform::{Linux, MacOs, Windows};

    #[test]
    fn a_path_is_below_a_directory_in_every_spelling() {
        for (platform, path, directory, expected) in [
            (Windows, r"\\?\C:\m\sub\x.bin", r"C:\m", Some("sub/x.bin")),
            (Windows, r"C:\m\sub\x.bin", r"\\?\C:\m", Some("sub/x.bin")),
            (Windows, r"\\?\UNC\srv\share\m\x", r"\\srv\share\m", Some("x")),
            (Windows, r"\\srv\share\m\x", r"\\?\UNC\SRV\Share\m\", Some("x")),
            (Windows, r"c:\Models\M\X", r"C:/models/./other/../m/", Some("X")),
            (Windows, r"\\?\C:\x", r"C:\", Some("x")),
            (Windows, r"\\?\C:\mm\x", r"C:\m", None),
            (Windows, r"\\srv\share\m\x", r"\srv\share\m", None),
            (Windows, r"C:\m", r"C:\m", None),
            (Linux, "/m/src/a b%20#?.txt", "/m/src", Some("a b%20#?.txt")),
            (Linux, r"/m/src/a\b", "/w/../m/src/", Some(r"a\b")),
            (Linux, "/M/x", "/m", None),
            (Linux, r"\\?\C:\m\x", r"C:\m", None),
            (Linux, "/x", "/", Some("x")),
            (MacOs, "/Users/u\u{308}/M/a", "/users/\u{fc}/m", Some("a")),
        ] {
            assert_eq!(below(path, directory, platform).as_deref(), expected, "{path} in {directory}");
        }
    }

    #[test]
    fn a_path_below_a_link_is_found_by_the_links_name() {
        assert_eq!(below_part(r"\\?\C:\r\run-1\link\sub\x", "link", Windows).as_deref(), Some("sub/x"));
        assert_eq!(below_part("/r/link/x", "link", Linux).as_deref(), Some("x"));
        assert_eq!(below_part("/r/link", "link", Linux), None);
        assert_eq!(below_part("/r/x", "link", Linux), None);
    }

    #[test]
    fn one_path_has_several_spellings() {
        for (platform, one, other, is_same) in [
            (Windows, r"C:\Models\m", "c:/models/M/", true),
            (Windows, r"\\?\C:\m", r"C:\m", true),
            (Windows, r"C:\m", r"D:\m", false),
            (Linux, "/w/../m", "/m", true),
            (Linux, "/../m", "/m", true),
            (Windows, r"C:\..\m", r"C:\m", true),
            (Windows, r"\\server\share\..\..\m", r"\\server\share\m", true),
            (Windows, r"\\?\UNC\server\share\..\m", r"\\server\share\m", true),
            (Linux, "/m", "/M", false),
            (MacOs, "/m", "/M", true),
            (Linux, "m", "/m", false),
            (Linux, "../m", "m", false),
        ] {
            assert_eq!(is_same_path(one, other, platform), is_same, "{one} and {other}");
        }
    }

    #[test]
    fn windows_reads_verbatim_paths_as_they_are() {
        for (path, expected) in [
            (r"C:\m\aux.txt", Some(r"\\?\C:\m\aux.txt")),
            (r"C://m/./sub/../con.json", Some(r"\\?\C:\m\con.json")),
            (r"C:\m\ends in a dot.", Some(r"\\?\C:\m\ends in a dot.")),
            (r"C:\", Some(r"\\?\C:\")),
            (r"\\srv\share\m\nul", Some(r"\\?\UNC\srv\share\m\nul")),
            (r"\\?\C:\m\aux", None),
            (r"\\.\NUL", None),
            (r"m\aux", None),
            (r"\m\aux", None),
            (r"C:aux", None),
        ] {
            let read = verbatim(path);
            assert_eq!(read.as_deref(), expected, "{path}");
            if let Some(read) = read {
                assert!(is_same_path(&without_verbatim(&read, Windows), path, Windows), "{path}");
                assert!(!without_verbatim(&read, Windows).starts_with(VERBATIM), "{path}");
                assert_eq!(without_verbatim(&read, Linux), read);
            }
        }
    }

    #[test]
    fn paths_that_depend_on_the_working_directory_are_not_absolute() {
        for path in [r"C:\x", "c:/x", r"\\srv\share", "//srv/share", r"\\?\C:\x"] {
            assert!(is_absolute(path, Windows), "{path}");
        }
        for path in ["", ".", "x", r"\x", "/x", "C:", "C:x", r"%USERPROFILE%\bin", "1:\\x"] {
            assert!(!is_absolute(path, Windows), "{path}");
        }
        assert!(is_absolute("/x", Linux) && !is_absolute("x", MacOs) && !is_absolute(r"C:\x", Linux));
    }
}
