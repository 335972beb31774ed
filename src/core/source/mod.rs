//! Source of an upload: local files, planned before anything is sent, blobs of another store, or files of a repository
//! on the Hugging Face Hub.
//!
//! Reads only directories, sizes and times, and changes nothing.

mod config_dirs;
mod defaults;
mod name;
mod readable;
mod selection;
mod sums;
mod unmatched;
mod walk;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use self::config_dirs::ConfigDirectories;
pub(crate) use self::config_dirs::DOWNLOAD_DIRECTORY;
pub(crate) use self::name::blob_name;
use self::readable::stat_by_opening;
pub(crate) use self::readable::stat_of_metadata;
use self::walk::{unreadable, walk};
use crate::hub::{HubExcluded, HubSource};
use crate::model::{BlobPath, FileList, Source, SourceFile, weight_extension};
use crate::paths::readable;
use crate::platform::Platform;
use crate::redact::SecretUrl;

pub(crate) use self::unmatched::unmatched;

pub use self::name::NameFault;
pub use self::selection::{ExcludeReason, Pattern, Selection};
pub use self::sums::{FileSums, HashError, HashProgress, hash_files};
pub use self::unmatched::UnmatchedGlob;

/// One entry that is not uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excluded {
    /// Path relative to the source; that of a directory ends in `/` and includes its content.
    pub path: String,
    /// Reason for the exclusion.
    pub reason: ExcludeReason,
}

/// Source of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadSource {
    /// Files on this machine.
    Local {
        /// Directory that the paths are relative to.
        directory: PathBuf,
        /// Files as planned; never empty.
        files: FileList,
        /// Excluded entries, sorted by path.
        excluded: Vec<Excluded>,
        /// Those files and directories that are links, sorted.
        links: Vec<String>,
        /// True if the source is a directory, not one file of it.
        whole_directory: bool,
    },
    /// A blob, folder or container; only AzCopy knows its content.
    Remote {
        /// Address with its SAS.
        url: SecretUrl,
    },
    /// Files of one commit of a repository on the Hub.
    Hub(Arc<HubSource>),
}

impl UploadSource {
    /// Bytes to upload; `None` for a remote source.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        match self {
            Self::Local { files, .. } => Some(files.bytes()),
            Self::Hub(hub) => Some(hub.bytes()),
            Self::Remote { .. } => None,
        }
    }

    /// Number of files to upload; `None` for a remote source.
    #[must_use]
    pub fn file_count(&self) -> Option<u64> {
        match self {
            Self::Local { files, .. } => Some(files.len() as u64),
            Self::Hub(hub) => Some(hub.files.len() as u64),
            Self::Remote { .. } => None,
        }
    }

    /// Extension of the largest weight file: `safetensors`.
    #[must_use]
    pub fn format(&self) -> Option<&str> {
        match self {
            Self::Local { files, .. } => format_of(files.iter().map(|file| (&file.path, file.bytes))),
            Self::Hub(hub) => format_of(hub.files.iter().map(|file| (&file.path, file.bytes))),
            Self::Remote { url } => weight_extension(url.expose().path()),
        }
    }
}

/// Extension of the largest of these files that contains weights.
fn format_of<'a>(files: impl Iterator<Item = (&'a BlobPath, u64)>) -> Option<&'a str> {
    let weights = files.filter_map(|(path, bytes)| Some((weight_extension(path)?, bytes)));
    weights.max_by_key(|(_, bytes)| *bytes).map(|(extension, _)| extension)
}

impl UploadSource {
    /// Keeps only the local files of an earlier plan; returns the names of the others.
    pub fn keep_only(&mut self, is_planned: impl Fn(&BlobPath) -> bool) -> Vec<BlobPath> {
        let Self::Local { files, .. } = self else { return Vec::new() };
        let (kept, others): (Vec<SourceFile>, Vec<SourceFile>) =
            files.iter().cloned().partition(|file| is_planned(&file.path));
        *files = FileList::new(kept);
        others.into_iter().map(|file| file.path).collect()
    }

    /// Globs of a selection that match nothing in this source.
    #[must_use]
    pub fn unmatched(&self, selection: &Selection) -> Vec<UnmatchedGlob> {
        match self {
            Self::Local { files, excluded, .. } => unmatched(selection, files, excluded),
            Self::Hub(hub) => {
                let excluded: Vec<Excluded> = hub.excluded.iter().map(HubExcluded::entry).collect();
                unmatched(selection, hub.list(), &excluded)
            }
            Self::Remote { .. } => Vec::new(),
        }
    }
}

/// Failure to plan the files of a source.
#[derive(Debug, Error)]
pub enum PlanError {
    /// Several entries that cannot be uploaded, in the order of the walk.
    #[error("{} entries of the source cannot be uploaded", .0.len())]
    Several(Vec<Self>),
    /// The path does not exist.
    #[error("File not found: {}", .0.display())]
    NotFound(PathBuf),
    /// The path exists, but cannot be read.
    #[error("cannot read {}: {why}", .path.display())]
    Unreadable {
        /// Path that could not be read.
        path: PathBuf,
        /// Message of the operating system.
        why: io::Error,
        /// Glob of `--exclude` that omits it; `None` for the source itself.
        exclude: Option<String>,
    },
    /// No file to upload.
    #[error("no files to upload in {}", .path.display())]
    Empty {
        /// The source.
        path: PathBuf,
        /// Number of excluded paths.
        excluded: usize,
        /// Globs that match nothing there.
        unmatched: Vec<UnmatchedGlob>,
    },
    /// A link to one of its own parent directories.
    #[error("the link {} points to itself or to a parent directory", .0.display())]
    LinkLoop(PathBuf),
    /// A link whose target does not exist.
    #[error("the link {} points to nothing", .0.display())]
    BrokenLink(PathBuf),
    /// A pipe, socket or device.
    #[error("{} is neither a file nor a directory", .0.display())]
    SpecialFile(PathBuf),
    /// A name that the blob store does not preserve.
    #[error("the file name '{}' {fault}", name::shown(name))]
    BadName {
        /// Path relative to the source.
        name: String,
        /// Defect of the name.
        fault: NameFault,
    },
    /// A glob, although the source is not a directory.
    #[error("'{0}' has no effect: the source is neither a directory nor a repository")]
    NothingToSelect(String),
    /// A name that is not valid Unicode.
    #[error("the file name {} is not valid Unicode", .0.display())]
    NotUnicode(PathBuf),
}

/// Reads the source and plans the upload. `config_dir` is azd's configuration directory, if there is one: this
/// program's files in it are never included.
///
/// # Errors
/// See [`PlanError`].
pub fn plan(
    source: &Source,
    cwd: &Path,
    selection: &Selection,
    config_dir: Option<&Path>,
) -> Result<UploadSource, PlanError> {
    let only_of_a_directory = || match selection.first_pattern() {
        Some(pattern) => Err(PlanError::NothingToSelect(pattern.to_string())),
        None => Ok(()),
    };
    let path = match source {
        Source::Blob(url) => return only_of_a_directory().map(|()| UploadSource::Remote { url: url.clone() }),
        Source::Local(path) => cwd.join(path),
        // The plan of a Hub source is the Hub's own list of files.
        Source::Hub(address) => return Err(PlanError::NotFound(PathBuf::from(address.to_string()))),
    };
    let metadata = std::fs::metadata(readable(&path)).map_err(|why| unreadable(&path, why))?;
    let own = ConfigDirectories::of(config_dir, &path);
    let directory = if metadata.is_dir() { Some(path.as_path()) } else { path.parent() };
    if directory.and_then(|directory| own.reason(directory)) == Some(ExcludeReason::Own) {
        return Err(PlanError::Empty { path, excluded: 1, unmatched: Vec::new() });
    }
    if metadata.is_dir() {
        return walk(path, selection, &own);
    }
    only_of_a_directory()?;
    if metadata.is_file() { plan_file(&path) } else { Err(PlanError::SpecialFile(path)) }
}

/// Reads the current state of a file of the source directory.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn stat_file(directory: &Path, path: &BlobPath) -> io::Result<SourceFile> {
    stat_of_metadata(path.clone(), &std::fs::metadata(readable(&path.below(directory)))?)
}

/// Opens a file of the source directory.
///
/// # Errors
/// When it cannot be opened.
pub fn open(directory: &Path, path: &BlobPath) -> io::Result<File> {
    File::open(readable(&path.below(directory)))
}

fn plan_file(path: &Path) -> Result<UploadSource, PlanError> {
    let name = path.file_name().ok_or_else(|| PlanError::NotFound(path.to_owned()))?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("/"));
    let name = name.to_str().ok_or_else(|| PlanError::NotUnicode(name.into()))?;
    let name = Platform::CURRENT.blob_spelling(name);
    let file = stat_by_opening(&readable(path), blob_name(&name)?).map_err(|why| unreadable(path, why))?;
    Ok(UploadSource::Local {
        directory: directory.to_owned(),
        files: FileList::new(vec![file]),
        excluded: Vec::new(),
        links: Vec::new(),
        whole_directory: false,
    })
}

#[cfg(test)]
mod tests;
