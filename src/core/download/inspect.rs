//! Content of the target directory before a download. Does not follow links, and changes nothing.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::error::Obstacle;
use crate::model::{BlobPath, SourceFile};

/// Content at a path.
pub(super) enum PathContent {
    Nothing,
    File(SourceFile),
    Link,
    Obstacle(String, Obstacle),
}

/// Inspector of a directory that does not follow links.
pub(super) struct DirectoryInspector<'a> {
    directory: &'a Path,
    /// Inspected parent directories with their obstacle; `None` if they are directories or missing.
    parents: HashMap<String, Option<Obstacle>>,
}

impl<'a> DirectoryInspector<'a> {
    /// Inspector for the files below this directory.
    pub(super) fn new(directory: &'a Path) -> Self {
        Self { directory, parents: HashMap::new() }
    }

    /// Content at the path of a blob below the directory.
    pub(super) fn inspect(&mut self, path: &BlobPath) -> io::Result<PathContent> {
        for (at, _) in path.match_indices('/') {
            let parent = &path[..at];
            let obstacle = match self.parents.get(parent) {
                Some(obstacle) => *obstacle,
                None => {
                    let obstacle = obstacle(&BlobPath::from(parent).below(self.directory))?;
                    self.parents.insert(parent.to_owned(), obstacle);
                    obstacle
                }
            };
            if let Some(obstacle) = obstacle {
                return Ok(PathContent::Obstacle(parent.to_owned(), obstacle));
            }
        }
        let found = match fs::symlink_metadata(path.below(self.directory)) {
            Ok(found) => found,
            Err(why) if is_absent(&why) => return Ok(PathContent::Nothing),
            Err(why) => return Err(why),
        };
        Ok(if found.is_symlink() {
            PathContent::Link
        } else if found.is_dir() {
            PathContent::Obstacle(path.to_string(), Obstacle::Directory)
        } else {
            PathContent::File(SourceFile { path: path.clone(), bytes: found.len(), modified: modified(&found)? })
        })
    }
}

/// Obstacle at the position of a parent directory.
pub(super) fn obstacle(path: &Path) -> io::Result<Option<Obstacle>> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Ok(Some(Obstacle::Link)),
        Ok(found) if !found.is_dir() => Ok(Some(Obstacle::NotADirectory)),
        Ok(_) => Ok(None),
        Err(why) if is_absent(&why) => Ok(None),
        Err(why) => Err(why),
    }
}

/// True if nothing exists at the path, also if a parent is a file.
pub(super) fn is_absent(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Modification time in nanoseconds since 1970.
pub(super) fn modified(metadata: &fs::Metadata) -> io::Result<u64> {
    let since = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
