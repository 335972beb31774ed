//! Search for AzCopy on this machine, without running it, and the URL of its download page.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::env::{Env, var};
use crate::process::{find_program, is_program};

/// File name of the program.
pub(super) const FILE_NAME: &str = if cfg!(windows) { "azcopy.exe" } else { "azcopy" };

/// A program that may be AzCopy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AzCopyCandidate {
    /// Absolute path.
    pub path: PathBuf,
    /// How it was found.
    pub origin: AzCopyOrigin,
}

/// Way in which AzCopy was found; its `Display` is for `Using azcopy: PATH (10.32.2)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AzCopyOrigin {
    /// Set by the user.
    Option,
    /// Found in a directory of `PATH`.
    Path,
    /// Found in a directory that is searched by default.
    Directory(PathBuf),
}

impl fmt::Display for AzCopyOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option => f.write_str("--azcopy-path"),
            Self::Path => f.write_str("PATH"),
            Self::Directory(directory) => write!(f, "{}", directory.display()),
        }
    }
}

/// Failure to find a candidate.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocateError {
    /// The path in `--azcopy-path` does not exist.
    #[error("the file {} of --azcopy-path does not exist", .path.display())]
    NoSuchFile {
        /// Path that was searched, absolute.
        path: PathBuf,
    },
    /// `--azcopy-path` is a directory.
    #[error("{} is a directory; --azcopy-path needs the program itself", .path.display())]
    IsDirectory {
        /// Path that was found, absolute.
        path: PathBuf,
    },
    /// `--azcopy-path` is a file without execute permission.
    #[error("{} is not executable", .path.display())]
    NotExecutable {
        /// Path that was found, absolute.
        path: PathBuf,
    },
    /// AzCopy is in none of the default directories.
    #[error("azcopy was not found in PATH{}", also(.searched))]
    NotFound {
        /// Directories besides `PATH`, in the order in which they were searched.
        searched: Vec<PathBuf>,
    },
}

fn also(searched: &[PathBuf]) -> String {
    searched.iter().map(|directory| format!(", {}", directory.display())).collect()
}

impl LocateError {
    /// Suggestion for the user.
    #[must_use]
    pub fn suggestion(&self) -> String {
        match self {
            Self::NoSuchFile { .. } | Self::IsDirectory { .. } => {
                format!("Set --azcopy-path to the azcopy program. Download: {}", download_url())
            }
            Self::NotExecutable { path } => format!("Make it executable: chmod +x {}", path.display()),
            Self::NotFound { .. } => {
                format!("Install AzCopy v10 from {}, or use --azcopy-path FILE.", download_url())
            }
        }
    }
}

/// Microsoft's download URL for this machine.
#[must_use]
pub fn download_url() -> &'static str {
    url_for(std::env::consts::OS, std::env::consts::ARCH)
}

fn url_for(os: &str, arch: &str) -> &'static str {
    match (os, arch) {
        // Windows on ARM runs the x64 program.
        ("windows", _) => "https://aka.ms/downloadazcopy-v10-windows",
        ("macos", "aarch64") => "https://aka.ms/downloadazcopy-v10-mac-arm64",
        ("macos", _) => "https://aka.ms/downloadazcopy-v10-mac",
        (_, "aarch64") => "https://aka.ms/downloadazcopy-v10-linux-arm64",
        _ => "https://aka.ms/downloadazcopy-v10-linux",
    }
}

/// Finds the program: the explicit path, otherwise the first match in `PATH` and the default directories.
///
/// # Errors
/// [`LocateError`]. If the explicit path cannot be used, no other candidate is considered.
pub fn locate(env: &Env, explicit: Option<&Path>) -> Result<AzCopyCandidate, LocateError> {
    if let Some(path) = explicit {
        return named(env.cwd().join(path));
    }
    if let Some(path) = env.get(var::PATH).and_then(|path| find_program(path, "azcopy")) {
        return Ok(AzCopyCandidate { path, origin: AzCopyOrigin::Path });
    }
    let searched = usual_directories(env);
    for directory in &searched {
        let path = directory.join(FILE_NAME);
        if is_program(&path) {
            return Ok(AzCopyCandidate { path, origin: AzCopyOrigin::Directory(directory.clone()) });
        }
    }
    Err(LocateError::NotFound { searched })
}

fn named(path: PathBuf) -> Result<AzCopyCandidate, LocateError> {
    if path.is_dir() {
        Err(LocateError::IsDirectory { path })
    } else if !path.exists() {
        Err(LocateError::NoSuchFile { path })
    } else if !is_program(&path) {
        Err(LocateError::NotExecutable { path })
    } else {
        Ok(AzCopyCandidate { path, origin: AzCopyOrigin::Option })
    }
}

fn usual_directories(env: &Env) -> Vec<PathBuf> {
    let mut directories: Vec<PathBuf> = Vec::new();
    let home = env.home();
    let azd = env.azd_config_dir().filter(|directory| directory.is_absolute());
    for parent in azd.into_iter().chain(home.into_iter().flat_map(|home| [home.join(".azd"), home.join(".azure")])) {
        let directory = parent.join("bin");
        if !directories.contains(&directory) {
            directories.push(directory);
        }
    }
    if let (true, Some(home)) = (cfg!(windows), home) {
        directories.extend(unpacked_downloads(&home.join("Downloads")));
    }
    directories
}

/// Directories of unpacked archives: `azcopy_windows_amd64_10.32.2`, which often contains another directory of that
/// name.
fn unpacked_downloads(downloads: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for outer in archives(downloads) {
        let inner = archives(&outer);
        found.push(outer);
        found.extend(inner);
    }
    found
}

fn archives(parent: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok);
    let mut paths: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("azcopy_windows_"))
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    // The name ends with the version; the newest first.
    paths.sort_unstable_by(|a, b| b.cmp(a));
    paths
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn put(directory: &Path, mode: u32) -> PathBuf {
        std::fs::create_dir_all(directory).expect("a test file");
        let path = directory.join("azcopy");
        std::fs::write(&path, "").expect("a test file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a test file");
        path
    }

    #[test]
    fn an_explicit_program_is_used_or_rejected() {
        let root = tempfile::tempdir().expect("a test file");
        let program = put(&root.path().join("tools"), 0o755);
        let plain = put(&root.path().join("plain"), 0o644);
        let env = Env::from_vars(
            [("PATH", program.parent().expect("a test file").to_str().expect("a test file"))],
            root.path(),
        );
        let found = locate(&env, Some(Path::new("tools/azcopy"))).expect("a test file");
        assert_eq!((found.path, found.origin.to_string().as_str()), (program, "--azcopy-path"));
        for (given, error) in [
            ("nowhere", LocateError::NoSuchFile { path: root.path().join("nowhere") }),
            ("tools", LocateError::IsDirectory { path: root.path().join("tools") }),
            ("plain/azcopy", LocateError::NotExecutable { path: plain }),
        ] {
            assert_eq!(locate(&env, Some(Path::new(given))), Err(error));
        }
    }

    #[test]
    fn directories_are_searched_in_their_order() {
        let root = tempfile::tempdir().expect("a test file");
        let at = |name: &str| root.path().join(name);
        let text = |path: PathBuf| path.to_str().expect("a test file").to_owned();
        let (path, home, config) = (text(at("path")), text(at("home")), text(at("config")));
        let env = Env::from_vars([("PATH", path.as_str()), ("HOME", &home), ("AZD_CONFIG_DIR", &config)], root.path());
        let places = [at("home/.azure/bin"), at("home/.azd/bin"), at("config/bin"), at("path")];
        assert_eq!(
            locate(&env, None),
            Err(LocateError::NotFound { searched: places[..3].iter().rev().cloned().collect() })
        );
        for place in &places {
            let expected = put(place, 0o755);
            assert_eq!(locate(&env, None).expect("a test file").path, expected);
        }
        assert_eq!(locate(&env, None).expect("a test file").origin, AzCopyOrigin::Path);
        put(&at("path"), 0o644);
        assert_eq!(locate(&env, None).expect("a test file").origin, AzCopyOrigin::Directory(at("config/bin")));
    }

    #[test]
    fn the_working_directory_is_never_searched() {
        let root = tempfile::tempdir().expect("a test file");
        put(root.path(), 0o755);
        put(&root.path().join("bin"), 0o755);
        put(&root.path().join(".azd/bin"), 0o755);
        for path in ["", ":", "bin", "::/nonexistent:.:./bin"] {
            for home in ["", "."] {
                let env = Env::from_vars([("PATH", path), ("HOME", home)], root.path());
                assert_eq!(locate(&env, None), Err(LocateError::NotFound { searched: vec![] }), "{path:?}");
            }
        }
    }

    #[test]
    fn archives_in_downloads_are_searched_newest_first() {
        let root = tempfile::tempdir().expect("a test file");
        for name in ["azcopy_windows_amd64_10.30.0", "azcopy_windows_amd64_10.32.2/azcopy_windows_amd64_10.32.2", "x"] {
            std::fs::create_dir_all(root.path().join(name)).expect("a test file");
        }
        let newest = root.path().join("azcopy_windows_amd64_10.32.2");
        assert_eq!(
            unpacked_downloads(root.path()),
            [
                newest.clone(),
                newest.join("azcopy_windows_amd64_10.32.2"),
                root.path().join("azcopy_windows_amd64_10.30.0")
            ]
        );
    }

    #[test]
    fn the_error_lists_directories_and_the_suggestion_the_download() {
        let error = LocateError::NotFound { searched: vec!["/h/.azd/bin".into(), "/h/.azure/bin".into()] };
        assert_eq!(error.to_string(), "azcopy was not found in PATH, /h/.azd/bin, /h/.azure/bin");
        assert!(error.suggestion().contains("--azcopy-path"));
        for (os, arch, end) in [
            ("windows", "aarch64", "-windows"),
            ("linux", "x86_64", "-linux"),
            ("linux", "aarch64", "-linux-arm64"),
            ("macos", "x86_64", "-mac"),
            ("macos", "aarch64", "-mac-arm64"),
        ] {
            assert!(url_for(os, arch).ends_with(end), "{os} {arch}");
        }
    }
}
