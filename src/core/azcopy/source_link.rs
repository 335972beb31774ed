//! A source directory under a path that AzCopy accepts.
//!
//! AzCopy 10.32 reads a local path as the path of a URL: a `%` that does not start an escape fails ("invalid URL
//! escape"), and so does a control character. `*` is expanded, and a backslash becomes a slash. A working directory
//! does not help, since AzCopy makes the path absolute first. AzCopy follows links, so a link with a plain name in the
//! run's directory replaces the source.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::files::create_private_directory;
use crate::model::BlobPath;
use crate::paths;
use crate::platform::Platform;

/// Name of the link; AzCopy's messages about a file contain it in the path.
const LINK: &str = "azure-ai-models-source";

/// Path for AzCopy; a link that was created for it is removed on drop.
#[derive(Debug)]
pub(super) struct SourceLink {
    path: PathBuf,
    source: PathBuf,
    /// Temporary directory, if the link cannot be in the run's directory.
    temporary: Option<PathBuf>,
}

impl SourceLink {
    /// Uses the source itself if AzCopy accepts its path; otherwise creates a link in the run's directory, or in a
    /// private temporary directory if the path of that is not accepted either.
    pub(super) fn create(source: &Path, run: &Path) -> io::Result<Self> {
        let source = source.to_owned();
        if is_plain(&source, Platform::CURRENT) {
            return Ok(Self { path: source.clone(), source, temporary: None });
        }
        let temporary = (!is_plain(run, Platform::CURRENT))
            .then(|| std::env::temp_dir().join(format!("azure-ai-models-{}", uuid::Uuid::new_v4())));
        if let Some(directory) = &temporary {
            create_private_directory(directory)?;
        }
        let link = Self { path: temporary.as_deref().unwrap_or(run).join(LINK), source, temporary };
        // An earlier attempt of the same run may have left one.
        drop(fs::remove_file(&link.path));
        make_link(&link.source, &link.path)?;
        Ok(link)
    }

    /// Path for AzCopy.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Converts a path reported by AzCopy to the path that the user knows.
    pub(super) fn shown(&self, path: &str) -> String {
        let below = self.path.to_str().and_then(|directory| paths::below(path, directory, Platform::CURRENT));
        match below {
            Some(name) => BlobPath::from(name).below(&self.source).display().to_string(),
            None => paths::without_verbatim(path, Platform::CURRENT).into_owned(),
        }
    }
}

impl Drop for SourceLink {
    fn drop(&mut self) {
        // A link in a run's directory is removed with it.
        if let Some(directory) = &self.temporary {
            drop(fs::remove_file(&self.path));
            drop(fs::remove_dir(directory));
        }
    }
}

/// Returns a path reported by AzCopy relative to the link of an earlier run.
pub(super) fn below_link(path: &str, platform: Platform) -> Option<String> {
    paths::below_part(path, LINK, platform)
}

/// True if AzCopy accepts the path unchanged.
fn is_plain(path: &Path, platform: Platform) -> bool {
    let has_backslashes = platform == Platform::Windows;
    let is_odd = |char: char| "%*?[]".contains(char) || char.is_control() || (!has_backslashes && char == '\\');
    path.to_str().is_some_and(|path| !paths::without_verbatim(path, platform).contains(is_odd))
}

#[cfg(unix)]
fn make_link(source: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(source, link)
}

#[cfg(not(unix))]
fn make_link(source: &Path, link: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_dir(source, link)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_unusual_paths_get_a_link() {
        let root = tempfile::tempdir().expect("a directory");
        let make = |name: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(&path).expect("a directory");
            path
        };
        let (plain, odd, run, odd_run) = (make("a b-1"), make("50% *?[x]\\"), make("run-1"), make("5%/run-1"));
        assert_eq!(SourceLink::create(&plain, &run).expect("a path").path(), plain);
        for run in [&run, &odd_run] {
            let link = SourceLink::create(&odd, run).expect("a link");
            assert_eq!(fs::read_link(link.path()).expect("a link"), odd);
            assert!(is_plain(link.path(), Platform::CURRENT), "{link:?}");
            let file = link.path().join("sub/a%41");
            assert_eq!(below_link(file.to_str().expect("text"), Platform::CURRENT).as_deref(), Some("sub/a%41"));
            assert_eq!(Path::new(&link.shown(file.to_str().expect("text"))), odd.join("sub/a%41"));
            let (path, temporary) = (link.path().to_owned(), link.temporary.clone());
            drop(link);
            assert_eq!(path.symlink_metadata().is_err(), temporary.is_some());
        }
    }

    #[test]
    fn a_backslash_and_a_verbatim_prefix_are_plain_only_on_windows() {
        for (path, windows, linux) in
            [(r"C:\m", true, false), (r"\\?\C:\m", true, false), (r"C:\50%", false, false), ("/m", true, true)]
        {
            let found = [Platform::Windows, Platform::Linux].map(|platform| is_plain(Path::new(path), platform));
            assert_eq!(found, [windows, linux], "{path}");
        }
    }
}
