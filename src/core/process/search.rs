//! Programs by name: in the absolute entries of `PATH` alone. Empty and relative ones name the working directory, where
//! a cloned repository may have put a program.

use std::env::consts::EXE_SUFFIX;
use std::env::{join_paths, split_paths};
use std::path::{Path, PathBuf};

/// Finds the program of this name, without `.exe`, in the value of `PATH`.
pub(crate) fn find_program(path: &str, name: &str) -> Option<PathBuf> {
    let file_name = format!("{name}{EXE_SUFFIX}");
    absolute(path).map(|directory| directory.join(&file_name)).find(|file| is_program(file))
}

/// The value of `PATH` for a child, if any entry is left.
pub(super) fn absolute_entries(path: &str) -> Option<String> {
    let joined = join_paths(absolute(path)).ok()?.into_string().ok()?;
    Some(joined).filter(|path| !path.is_empty())
}

fn absolute(path: &str) -> impl Iterator<Item = PathBuf> {
    split_paths(path).filter(|directory| directory.is_absolute())
}

/// True for a file that can be run, as far as its permissions tell.
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
    fn empty_and_relative_path_entries_are_no_place_to_find_programs() {
        assert_eq!(absolute_entries(":/usr/bin:.:bin::/bin:").as_deref(), Some("/usr/bin:/bin"));
        // An empty `PATH` would mean the working directory.
        assert_eq!(absolute_entries(":.:bin"), None);
        assert_eq!(find_program(":/bin:.", "sh"), Some("/bin/sh".into()));
        assert_eq!(find_program(":.:bin", "sh"), None);
    }
}
