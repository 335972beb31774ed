//! Directories of this program and of azd in a source: HOME or `AZD_CONFIG_DIR` may be inside. An upload writes to its
//! directory while it runs, so a plan that contained it would differ in each run.

use std::path::{Path, PathBuf};

use super::selection::ExcludeReason;

/// Name of the private directory of a download in its target directory.
pub(crate) const DOWNLOAD_DIRECTORY: &str = ".azure-ai-models-download";

/// azd's configuration directory as currently used.
#[derive(Debug)]
pub(super) struct ConfigDirectories {
    /// Directories, without links in their paths.
    directories: Vec<(PathBuf, ExcludeReason)>,
}

impl ConfigDirectories {
    /// Finds the configuration directory if it lies below the source, if it is the source, and if a link leads into it.
    /// A source inside it belongs to the user.
    pub(super) fn of(config_dir: Option<&Path>, source: &Path) -> Self {
        let config_dir = config_dir.and_then(|path| path.canonicalize().ok());
        let source = source.canonicalize().ok();
        let directories = config_dir.map_or_else(Vec::new, |config_dir| {
            let mut directories = vec![
                (config_dir.join("ai-models"), ExcludeReason::Own),
                (config_dir.join("auth"), ExcludeReason::MaySecret),
                (config_dir.join("bin"), ExcludeReason::Default),
            ];
            if source.is_some_and(|source| config_dir.starts_with(&source) && source != config_dir) {
                directories.push((config_dir, ExcludeReason::MaySecret));
            }
            directories
        });
        Self { directories }
    }

    /// Reason why a directory is excluded. [`ExcludeReason::Own`] applies regardless of the user's patterns.
    pub(super) fn reason(&self, directory: &Path) -> Option<ExcludeReason> {
        if is_upload(directory) || is_download(directory) {
            return Some(ExcludeReason::Own);
        }
        // Most runs have no existing configuration directory, and most sources few directories.
        let path = directory.canonicalize().ok()?;
        let found = self.directories.iter().find(|(own, _)| path.starts_with(own));
        found.map(|(_, reason)| *reason)
    }
}

/// True for the directory of one upload, below any configuration directory: its name has 16 hex digits, and it contains
/// a lock and a process id.
fn is_upload(directory: &Path) -> bool {
    let is_id = |name: &str| name.len() == 16 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    directory.file_name().and_then(|name| name.to_str()).is_some_and(is_id)
        && ["lock", "pid"].iter().all(|file| directory.join(file).is_file())
}

/// True for the private directory of a download into its parent directory.
fn is_download(directory: &Path) -> bool {
    directory.file_name().is_some_and(|name| name == DOWNLOAD_DIRECTORY)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn own_directories_are_recognized_by_path_or_content() {
        let root = tempfile::tempdir().expect("a directory");
        let make = |path: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(&path).expect("a directory");
            path
        };
        let (config, model) = (make("home/.conf"), make("home/.conf/models/m/sub"));
        let (uploads, auth, bin) =
            (make("home/.conf/ai-models/uploads"), make("home/.conf/auth"), make("home/.conf/bin"));
        let reasons = |source: &str, paths: &[&PathBuf]| -> Vec<Option<ExcludeReason>> {
            let own = ConfigDirectories::of(Some(&config), &root.path().join(source));
            paths.iter().map(|path| own.reason(path)).collect()
        };
        let (own, secret) = (Some(ExcludeReason::Own), Some(ExcludeReason::MaySecret));
        assert_eq!(reasons("home", &[&config, &uploads, &model]), [secret, own, secret]);
        assert_eq!(
            reasons("home/.conf", &[&uploads, &auth, &bin, &model]),
            [own, secret, Some(ExcludeReason::Default), None]
        );
        assert_eq!(reasons("home/.conf/models/m", &[&model, &uploads]), [None, own]);

        let (upload, other) = (make("else/0123456789abcdef"), make("else/0123456789abcdeg"));
        for directory in [&upload, &other] {
            fs::write(directory.join("lock"), "").expect("a file");
            assert_eq!(reasons("else", &[directory]), [None]);
            fs::write(directory.join("pid"), "1").expect("a file");
        }
        assert_eq!(reasons("else", &[&upload, &other]), [own, None]);
    }
}
