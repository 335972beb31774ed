//! Walks a directory for the plan: links are followed, what goes and what stays is written down.

use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::name::blob_name;
use super::own::Own;
use super::selection::{ExcludeReason, Selection};
use super::{Excluded, PlanError, UploadSource, readable};
use crate::model::FileList;

pub(super) fn walk(directory: PathBuf, selection: &Selection, own: &Own) -> Result<UploadSource, PlanError> {
    let mut files = Vec::new();
    let mut excluded = Vec::new();
    let mut links = Vec::new();
    let mut walk = WalkDir::new(&directory).follow_links(true).min_depth(1).into_iter();
    while let Some(entry) = walk.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                // A link that leads nowhere does no harm when it stays.
                let path = error.path().map(|path| shown(&directory, path)).unwrap_or_default();
                match selection.leaves_out(&path, error.loop_ancestor().is_some()) {
                    Some(reason) => excluded.push(Excluded { path, reason }),
                    None => return Err(walk_error(&directory, error)),
                }
                continue;
            }
        };
        let is_directory = entry.file_type().is_dir();
        let path = shown(&directory, entry.path());
        let own = if is_directory { own.reason(entry.path()) } else { None };
        let own = own.filter(|reason| *reason == ExcludeReason::Own || selection.has_default_excludes());
        if let Some(reason) = own.or_else(|| selection.leaves_out(&path, is_directory)) {
            excluded.push(Excluded { path: if is_directory { format!("{path}/") } else { path }, reason });
            if is_directory {
                walk.skip_current_dir();
            }
            continue;
        }
        if !is_directory {
            if !entry.file_type().is_file() {
                return Err(PlanError::SpecialFile(entry.into_path()));
            }
            let path = blob_name(relative(&directory, entry.path()))?;
            files.push(readable(entry.path(), path).map_err(|why| unreadable(entry.path(), why))?);
        }
        if entry.path_is_symlink() {
            links.push(path);
        }
    }
    if files.is_empty() {
        return Err(PlanError::Empty { path: directory, excluded: excluded.len() });
    }
    excluded.sort_by(|left, right| left.path.cmp(&right.path));
    links.sort();
    Ok(UploadSource::Local { directory, files: FileList::new(files), excluded, links, whole_directory: true })
}

fn relative<'a>(directory: &Path, path: &'a Path) -> &'a Path {
    path.strip_prefix(directory).unwrap_or(path)
}

/// The path that globs see and people read.
fn shown(directory: &Path, path: &Path) -> String {
    let relative = relative(directory, path).to_string_lossy();
    if cfg!(windows) { relative.replace('\\', "/") } else { relative.into_owned() }
}

pub(super) fn unreadable(path: &Path, why: io::Error) -> PlanError {
    if why.kind() == io::ErrorKind::NotFound {
        let is_link = path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
        return if is_link { PlanError::BrokenLink(path.to_owned()) } else { PlanError::NotFound(path.to_owned()) };
    }
    PlanError::Unreadable { path: path.to_owned(), why }
}

fn walk_error(directory: &Path, error: walkdir::Error) -> PlanError {
    let path = error.path().unwrap_or(directory).to_owned();
    if error.loop_ancestor().is_some() {
        return PlanError::LinkLoop(path);
    }
    match error.into_io_error() {
        Some(why) => unreadable(&path, why),
        None => PlanError::LinkLoop(path),
    }
}
