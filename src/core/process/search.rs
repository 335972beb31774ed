//! Search for programs by name, in the absolute entries of `PATH` only. Empty and relative entries refer to the working
//! directory, where a cloned repository may contain a program.

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};

use crate::paths::is_absolute;
use crate::platform::Platform;

/// Extensions that cmd.exe runs by name.
const WINDOWS_ENDINGS: [&str; 4] = [".com", ".exe", ".bat", ".cmd"];

/// Finds the program of this name, without `.exe`, in the value of `PATH`.
pub(crate) fn find_program(path: &str, name: &str) -> Option<PathBuf> {
    let file_name = format!("{name}{EXE_SUFFIX}");
    let directories = absolute(path, Platform::CURRENT).into_iter();
    directories.map(|directory| Path::new(&directory).join(&file_name)).find(|file| is_program(file))
}

/// True if a shell would find a command with this name, which need not be an executable file: `az.cmd`.
pub(crate) fn has_command(path: &str, name: &str, platform: Platform) -> bool {
    let files = command_files(name, platform);
    // An alias of the Microsoft Store is not a regular file, but can be run.
    let exists = |file: PathBuf| file.symlink_metadata().is_ok_and(|metadata| !metadata.is_dir());
    absolute(path, platform).iter().any(|directory| files.iter().any(|file| exists(Path::new(directory).join(file))))
}

fn command_files(name: &str, platform: Platform) -> Vec<String> {
    match platform {
        Platform::Windows => WINDOWS_ENDINGS.iter().map(|ending| format!("{name}{ending}")).collect(),
        Platform::Linux | Platform::MacOs => vec![name.to_owned()],
    }
}

/// Value of `PATH` for a child, if any entry remains.
pub(super) fn absolute_entries(path: &str, platform: Platform) -> Option<String> {
    let (separator, needs_quotes) = match platform {
        Platform::Windows => (";", ";"),
        Platform::Linux | Platform::MacOs => (":", ""),
    };
    let quoted = |entry: String| match !needs_quotes.is_empty() && entry.contains(needs_quotes) {
        true => format!("\"{entry}\""),
        false => entry,
    };
    let entries: Vec<String> = absolute(path, platform).into_iter().map(quoted).collect();
    (!entries.is_empty()).then(|| entries.join(separator))
}

/// Absolute entries of `PATH`.
fn absolute(path: &str, platform: Platform) -> Vec<String> {
    let mut entries = vec![String::new()];
    let mut in_quotes = false;
    for char in path.chars() {
        match (platform, char) {
            (Platform::Windows, '"') => in_quotes = !in_quotes,
            (Platform::Windows, ';') if !in_quotes => entries.push(String::new()),
            (Platform::Linux | Platform::MacOs, ':') => entries.push(String::new()),
            _ => entries.last_mut().map_or((), |entry| entry.push(char)),
        }
    }
    entries.retain(|entry| is_absolute(entry, platform));
    entries
}

/// True for a file with execute permission.
#[cfg(unix)]
#[must_use]
pub fn is_program(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

/// True for a file.
#[cfg(not(unix))]
#[must_use]
pub fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn empty_and_relative_path_entries_are_not_searched() {
        for (platform, path, left) in [
            (Platform::Linux, ":/usr/bin:.:bin::/bin:", Some("/usr/bin:/bin")),
            // An empty `PATH` would mean the working directory.
            (Platform::Linux, ":.:bin", None),
            (
                Platform::Windows,
                r#";C:\bin;.;bin;\tools;D:x;%TEMP%;"E:\a;b";\\srv\bin;"#,
                Some(r#"C:\bin;"E:\a;b";\\srv\bin"#),
            ),
            (Platform::Windows, r".;tools;\bin", None),
        ] {
            assert_eq!(absolute_entries(path, platform).as_deref(), left, "{path}");
        }
    }

    #[test]
    fn a_windows_command_is_recognized_by_its_extension() {
        assert_eq!(command_files("az", Platform::Windows), ["az.com", "az.exe", "az.bat", "az.cmd"]);
        assert_eq!(command_files("az", Platform::Linux), ["az"]);
        assert!(has_command(".:/bin", "sh", Platform::Linux));
        assert!(!has_command(".:/bin", "no-such-command", Platform::Linux));
    }

    #[test]
    fn programs_are_found_only_in_absolute_entries() {
        assert_eq!(find_program(":/bin:.", "sh"), Some("/bin/sh".into()));
        assert_eq!(find_program(":.:bin", "sh"), None);
    }
}
