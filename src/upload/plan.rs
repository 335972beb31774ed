//! The plan: which files of the source go, under which names, and how many bytes that is (cli.md 7.1).
//!
//! Reads directories and sizes, nothing else, and changes nothing.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use walkdir::WalkDir;

use crate::model::Source;
use crate::redact::SecretUrl;

// What never belongs to a model: version control, caches, half downloads (cli.md 7.1). A registration was seen to
// fail on them.
const EXCLUDED_DIRECTORIES: [&str; 4] = [".git", ".cache", "__pycache__", ".ipynb_checkpoints"];
const EXCLUDED_FILES: [&str; 2] = [".gitattributes", ".DS_Store"];
const EXCLUDED_ENDINGS: [&str; 3] = [".incomplete", ".lock", ".metadata"];

/// File name endings of weights (cli.md 8).
const WEIGHTS: [&str; 7] = ["safetensors", "gguf", "bin", "pt", "pth", "pkl", "ckpt"];

/// One file that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedFile {
    /// Its name in the container: relative to the source, `/` between parts.
    pub path: String,
    /// Its size when it was planned.
    pub bytes: u64,
}

/// What goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Files of this machine.
    Local {
        /// Directory that the paths are relative to.
        directory: PathBuf,
        /// Files, sorted by path; never empty.
        files: Vec<PlannedFile>,
        /// Paths that the default excludes left out, sorted; a directory stands for all that is in it.
        excluded: Vec<String>,
    },
    /// A blob, folder or container; only AzCopy knows what is there.
    Remote {
        /// Address with its SAS.
        url: SecretUrl,
    },
}

impl Plan {
    /// Bytes that go; `None` for a remote source.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        match self {
            Self::Local { files, .. } => Some(files.iter().map(|file| file.bytes).sum()),
            Self::Remote { .. } => None,
        }
    }

    /// Files that go; `None` for a remote source.
    #[must_use]
    pub fn file_count(&self) -> Option<u64> {
        match self {
            Self::Local { files, .. } => Some(files.len() as u64),
            Self::Remote { .. } => None,
        }
    }

    /// The ending of the largest weight file: `safetensors`.
    #[must_use]
    pub fn format(&self) -> Option<&str> {
        match self {
            Self::Local { files, .. } => files
                .iter()
                .filter_map(|file| Some((weight_ending(&file.path)?, file.bytes)))
                .max_by_key(|(_, bytes)| *bytes)
                .map(|(ending, _)| ending),
            Self::Remote { url } => weight_ending(url.expose().path()),
        }
    }
}

fn weight_ending(path: &str) -> Option<&str> {
    let (_, ending) = path.rsplit_once('.')?;
    WEIGHTS.iter().any(|weight| weight.eq_ignore_ascii_case(ending)).then_some(ending)
}

/// Why there is no plan.
#[derive(Debug, Error)]
pub enum PlanError {
    /// Nothing at that path.
    #[error("File not found: {}", .0.display())]
    NotFound(PathBuf),
    /// Something is there, but it cannot be read.
    #[error("cannot read {}: {why}", .path.display())]
    Unreadable {
        /// What could not be read.
        path: PathBuf,
        /// The system's words.
        why: io::Error,
    },
    /// No file goes.
    #[error("there is nothing to upload in {}", .path.display())]
    Empty {
        /// The source.
        path: PathBuf,
        /// How many paths the default excludes left out.
        excluded: usize,
    },
    /// A link that leads back to a directory above it.
    #[error("the link {} leads back to a directory that holds it", .0.display())]
    LinkLoop(PathBuf),
    /// A link to nothing.
    #[error("the link {} points to nothing", .0.display())]
    BrokenLink(PathBuf),
    /// A pipe, socket or device.
    #[error("{} is neither a file nor a directory", .0.display())]
    SpecialFile(PathBuf),
    /// AzCopy's list of files has one name a line.
    #[error("the file name {} holds a line break, which AzCopy cannot take", format!("{:?}", .0))]
    LineBreak(String),
    /// A name that is not text.
    #[error("the file name {} is not valid Unicode", .0.display())]
    NotUnicode(PathBuf),
}

/// Looks at the source and plans what goes.
///
/// # Errors
/// See [`PlanError`].
pub fn plan(source: &Source, cwd: &Path) -> Result<Plan, PlanError> {
    let path = match source {
        Source::Blob(url) => return Ok(Plan::Remote { url: url.clone() }),
        Source::Local(path) => cwd.join(path),
    };
    let metadata = std::fs::metadata(&path).map_err(|why| unreadable(&path, why))?;
    if metadata.is_dir() {
        plan_directory(path)
    } else if metadata.is_file() {
        plan_file(&path, metadata.len())
    } else {
        Err(PlanError::SpecialFile(path))
    }
}

fn plan_file(path: &Path, bytes: u64) -> Result<Plan, PlanError> {
    readable(path)?;
    let name = path.file_name().ok_or_else(|| PlanError::NotFound(path.to_owned()))?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("/"));
    let files = vec![PlannedFile { path: listed_name(Path::new(name))?, bytes }];
    Ok(Plan::Local { directory: directory.to_owned(), files, excluded: Vec::new() })
}

fn plan_directory(directory: PathBuf) -> Result<Plan, PlanError> {
    let mut files = Vec::new();
    let mut excluded = Vec::new();
    let mut walk = WalkDir::new(&directory).follow_links(true).min_depth(1).into_iter();
    while let Some(entry) = walk.next() {
        let entry = entry.map_err(|error| walk_error(&directory, error))?;
        let relative = entry.path().strip_prefix(&directory).unwrap_or(entry.path());
        let is_directory = entry.file_type().is_dir();
        if is_excluded(entry.file_name(), is_directory) {
            let shown = relative.to_string_lossy().replace('\\', "/");
            excluded.push(if is_directory { format!("{shown}/") } else { shown });
            if is_directory {
                walk.skip_current_dir();
            }
        } else if entry.file_type().is_file() {
            let bytes = entry.metadata().map_err(|error| walk_error(&directory, error))?.len();
            readable(entry.path())?;
            files.push(PlannedFile { path: listed_name(relative)?, bytes });
        } else if !is_directory {
            return Err(PlanError::SpecialFile(entry.into_path()));
        }
    }
    if files.is_empty() {
        return Err(PlanError::Empty { path: directory, excluded: excluded.len() });
    }
    files.sort_by(|left, right| left.path.cmp(&right.path));
    excluded.sort();
    Ok(Plan::Local { directory, files, excluded })
}

/// The name as AzCopy's list of files takes it: `/` between parts, one a line.
fn listed_name(relative: &Path) -> Result<String, PlanError> {
    let name = relative.to_str().ok_or_else(|| PlanError::NotUnicode(relative.to_owned()))?;
    if name.contains(['\n', '\r']) {
        return Err(PlanError::LineBreak(name.to_owned()));
    }
    Ok(if cfg!(windows) { name.replace('\\', "/") } else { name.to_owned() })
}

/// Opened, since a file that cannot be read would fail only in the middle of the upload.
fn readable(path: &Path) -> Result<(), PlanError> {
    std::fs::File::open(path).map(drop).map_err(|why| unreadable(path, why))
}

fn unreadable(path: &Path, why: io::Error) -> PlanError {
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

fn is_excluded(name: &OsStr, is_directory: bool) -> bool {
    let name = name.to_string_lossy();
    if is_directory {
        EXCLUDED_DIRECTORIES.contains(&name.as_ref())
    } else {
        EXCLUDED_FILES.contains(&name.as_ref()) || EXCLUDED_ENDINGS.iter().any(|ending| name.ends_with(ending))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn tree(paths: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a directory");
        for path in paths {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
            fs::write(path, b"12345").expect("a file");
        }
        dir
    }

    fn plan_of(path: &Path) -> Result<(Vec<String>, Vec<String>, u64), PlanError> {
        let plan = plan(&Source::Local(path.to_owned()), Path::new("/"))?;
        let bytes = plan.bytes().expect("local");
        let Plan::Local { files, excluded, .. } = plan else { unreachable!("local") };
        Ok((files.into_iter().map(|file| file.path).collect(), excluded, bytes))
    }

    #[test]
    fn a_directory_goes_without_what_never_belongs_to_a_model() {
        let dir = tree(&[
            "model.safetensors",
            "sub/config.json",
            ".gitattributes",
            ".git/HEAD",
            ".cache/huggingface/x.metadata",
            "sub/__pycache__/a.pyc",
            "sub/half.incomplete",
            "git",
            "a.lock.json",
            "odd [1] #%20 ü?.txt",
        ]);
        let (files, excluded, bytes) = plan_of(dir.path()).expect("a plan");
        assert_eq!(files, ["a.lock.json", "git", "model.safetensors", "odd [1] #%20 ü?.txt", "sub/config.json"]);
        assert_eq!(excluded, [".cache/", ".git/", ".gitattributes", "sub/__pycache__/", "sub/half.incomplete"]);
        assert_eq!(bytes, 25);
    }

    #[test]
    fn one_file_goes_alone_whatever_stands_beside_it() {
        let dir = tree(&["a.safetensors", "b.safetensors", ".gitattributes"]);
        let (files, ..) = plan_of(&dir.path().join("a.safetensors")).expect("a plan");
        assert_eq!(files, ["a.safetensors"]);
    }

    #[test]
    fn the_format_is_that_of_the_largest_weight_file() {
        let dir = tree(&["small.bin", "config.json"]);
        fs::write(dir.path().join("large.SafeTensors"), [0; 99]).expect("a file");
        let plan = plan(&Source::Local(dir.path().to_owned()), Path::new("/")).expect("a plan");
        assert_eq!(plan.format(), Some("SafeTensors"));
    }

    #[test]
    fn what_cannot_go_is_refused_before_anything_is_sent() {
        let dir = tree(&[".git/HEAD"]);
        assert!(matches!(plan_of(dir.path()), Err(PlanError::Empty { excluded: 1, .. })));
        assert!(matches!(plan_of(&dir.path().join("nowhere")), Err(PlanError::NotFound(_))));
        let odd = tree(&["a\nb"]);
        assert!(matches!(plan_of(odd.path()), Err(PlanError::LineBreak(_))));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_under_their_own_names_and_loops_are_refused() {
        use std::os::unix::fs::symlink;
        let dir = tree(&["blobs/abc123"]);
        let snapshot = dir.path().join("snapshot");
        fs::create_dir(&snapshot).expect("a directory");
        symlink("../blobs/abc123", snapshot.join("model.safetensors")).expect("a link");
        symlink(dir.path().join("blobs"), snapshot.join("more")).expect("a link");
        let (files, _, bytes) = plan_of(&snapshot).expect("a plan");
        assert_eq!((files, bytes), (vec!["model.safetensors".to_owned(), "more/abc123".into()], 10));

        symlink("..", snapshot.join("up")).expect("a link");
        assert!(matches!(plan_of(&snapshot), Err(PlanError::LinkLoop(_))));
        fs::remove_file(snapshot.join("up")).expect("removed");
        symlink("gone", snapshot.join("dangling")).expect("a link");
        assert!(matches!(plan_of(&snapshot), Err(PlanError::BrokenLink(_))));
        fs::remove_file(snapshot.join("dangling")).expect("removed");
        drop(std::os::unix::net::UnixListener::bind(snapshot.join("socket")).expect("a socket"));
        assert!(matches!(plan_of(&snapshot), Err(PlanError::SpecialFile(_))));
    }
}
