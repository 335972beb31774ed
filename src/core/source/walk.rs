//! Walk of a directory for the plan: follows links, and records included and excluded entries.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::config_dirs::ConfigDirectories;
use super::name::blob_name;
use super::readable::ReadPermissions;
use super::selection::{ExcludeReason, Selection};
use super::unmatched::unmatched;
use super::{Excluded, PlanError, UploadSource};
use crate::model::{BlobPath, FileList};
use crate::paths;
use crate::platform::Platform;

/// `ERROR_CANT_RESOLVE_FILENAME` of Windows.
#[cfg(not(unix))]
const CANT_RESOLVE_FILENAME: i32 = 1921;

/// Lists the files of a directory, sorted by name. Follows links, and never enters the directories of `own`.
///
/// # Errors
/// All entries that cannot be read, and all names that no blob can have, in one error.
pub(super) fn walk(
    directory: PathBuf,
    selection: &Selection,
    own: &ConfigDirectories,
) -> Result<UploadSource, PlanError> {
    let mut files = Vec::new();
    let mut excluded = Vec::new();
    let mut links = Vec::new();
    let mut faults = Vec::new();
    let mut readable = ReadPermissions::default();
    let root = paths::readable(&directory);
    let below = RelativePaths::new(&root);
    let mut walk = WalkDir::new(&root).follow_links(true).min_depth(1).into_iter();
    while let Some(entry) = walk.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                // An excluded link may be broken.
                let path = error.path().map(|path| below.shown(path).into_owned()).unwrap_or_default();
                match selection.exclude_reason(&path, error.loop_ancestor().is_some()) {
                    Some(reason) => excluded.push(Excluded { path, reason }),
                    None => faults.push(omissible(walk_error(&directory, error), path)),
                }
                continue;
            }
        };
        let is_directory = entry.file_type().is_dir();
        let path = below.shown(entry.path());
        let own = if is_directory { own.reason(entry.path()) } else { None };
        let own = own.filter(|reason| *reason == ExcludeReason::Own || selection.has_default_excludes());
        let is_volume_part = is_directory && selection.has_default_excludes() && is_volume_part(&path);
        let reason = own.or_else(|| selection.exclude_reason(&path, is_directory));
        if let Some(reason) = reason.or(is_volume_part.then_some(ExcludeReason::Default)) {
            excluded.push(Excluded { path: if is_directory { format!("{path}/") } else { path.into_owned() }, reason });
            if is_directory {
                walk.skip_current_dir();
            }
            continue;
        }
        if !is_directory {
            let planned = match entry.file_type().is_file() {
                true => below.blob_name(entry.path(), &path).and_then(|name| {
                    let read = readable.stat(entry.path(), name);
                    read.map_err(|why| omissible(unreadable(entry.path(), why), path.to_string()))
                }),
                false => Err(PlanError::SpecialFile(paths::shown(entry.path()).into())),
            };
            match planned {
                Ok(file) => files.push(file),
                Err(fault) => {
                    faults.push(fault);
                    continue;
                }
            }
        }
        if entry.path_is_symlink() {
            links.push(path.into_owned());
        }
    }
    match faults.len() {
        0 => {}
        1 => return Err(faults.remove(0)),
        _ => return Err(PlanError::Several(faults)),
    }
    if files.is_empty() {
        let unmatched = unmatched(selection, &[], &excluded);
        return Err(PlanError::Empty { path: directory, excluded: excluded.len(), unmatched });
    }
    excluded.sort_by(|left, right| left.path.cmp(&right.path));
    links.sort();
    Ok(UploadSource::Local { directory, files: FileList::new(files), excluded, links, whole_directory: true })
}

/// True for the parts of a Kubernetes volume: `..data` and `..2026_11_29_...` contain the files to which the links next
/// to them lead.
fn is_volume_part(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == "..data" || name.strip_prefix("..").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Paths of the walk relative to its directory, as text with `/` between the parts.
struct RelativePaths {
    /// Length in bytes of the directory and the separator after it, with which all paths of the walk begin.
    skipped: usize,
}

impl RelativePaths {
    fn new(directory: &Path) -> Self {
        Self { skipped: directory.join("x").as_os_str().len() - 1 }
    }

    /// Path for globs and messages.
    fn shown<'a>(&self, path: &'a Path) -> Cow<'a, str> {
        spelled(String::from_utf8_lossy(self.relative(path)), Platform::CURRENT)
    }

    /// Name of the blob for a path that is displayed this way.
    fn blob_name(&self, path: &Path, shown: &str) -> Result<BlobPath, PlanError> {
        let is_exact = str::from_utf8(self.relative(path)).is_ok();
        if is_exact { blob_name(shown) } else { Err(PlanError::NotUnicode(shown.into())) }
    }

    fn relative<'a>(&self, path: &'a Path) -> &'a [u8] {
        path.as_os_str().as_encoded_bytes().get(self.skipped..).unwrap_or_default()
    }
}

/// Spelling of a relative path as the name of a blob.
fn spelled(path: Cow<'_, str>, platform: Platform) -> Cow<'_, str> {
    match platform {
        Platform::Windows => path.replace('\\', "/").into(),
        Platform::MacOs => platform.blob_spelling(&path).into_owned().into(),
        Platform::Linux => path,
    }
}

/// Error for a path that cannot be read.
pub(super) fn unreadable(path: &Path, why: io::Error) -> PlanError {
    let is_link = || path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
    let shown = paths::shown(path).into_owned();
    match why.kind() {
        _ if is_link_loop(&why) => PlanError::LinkLoop(shown),
        io::ErrorKind::NotFound if is_link() => PlanError::BrokenLink(shown),
        io::ErrorKind::NotFound => PlanError::NotFound(shown),
        _ => PlanError::Unreadable { path: shown, why, exclude: None },
    }
}

/// True for a loop of links reported by the system; the standard library has no stable name for it.
fn is_link_loop(why: &io::Error) -> bool {
    #[cfg(unix)]
    let code = rustix::io::Errno::LOOP.raw_os_error();
    #[cfg(not(unix))]
    let code = CANT_RESOLVE_FILENAME;
    why.raw_os_error() == Some(code)
}

/// Adds the glob that excludes an entry that cannot be read.
fn omissible(mut fault: PlanError, shown: String) -> PlanError {
    if let PlanError::Unreadable { path, exclude, .. } = &mut fault
        && !shown.is_empty()
    {
        *exclude = Some(if path.is_dir() { format!("{shown}/") } else { shown });
    }
    fault
}

fn walk_error(directory: &Path, error: walkdir::Error) -> PlanError {
    let path = error.path().unwrap_or(directory).to_owned();
    if error.loop_ancestor().is_some() {
        return PlanError::LinkLoop(paths::shown(&path).into());
    }
    match error.into_io_error() {
        Some(why) => unreadable(&path, why),
        None => PlanError::LinkLoop(paths::shown(&path).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_name_has_slashes_and_composed_characters() {
        for (platform, path, name) in [
            (Platform::Windows, r"sub\a b\x", "sub/a b/x"),
            (Platform::Linux, r"sub/a\x", r"sub/a\x"),
            (Platform::Linux, "u\u{308}", "u\u{308}"),
            (Platform::MacOs, "sub/u\u{308}.bin", "sub/\u{fc}.bin"),
        ] {
            assert_eq!(spelled(path.into(), platform), name);
        }
    }
}
