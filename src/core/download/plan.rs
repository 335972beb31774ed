//! Plan of a download: which files, which of them are in place, and what keeps it from beginning. Reads, and changes
//! nothing.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::error::{DownloadError, Obstacle};
use super::name::{NameHazard, hazards};
use super::record::{PartId, Written};
use super::space::free_space;
use super::{DownloadedFile, RANGE, ranges_of};
use crate::model::{BlobPath, ContentHash, FileList, SourceFile, content_digest};
use crate::platform::Platform;
use crate::source::{DOWNLOAD_DIRECTORY, FileSums, Selection};
use crate::store::StoredFile;

/// What is to be downloaded, and where to.
#[derive(Clone, Debug)]
pub struct DownloadRequest {
    /// Directory that is filled.
    pub directory: PathBuf,
    /// Which files.
    pub selection: Selection,
    /// Files that are there are overwritten.
    pub force: bool,
    /// Place of the model: its endpoint, name, version and blob URI.
    pub place: String,
    /// Digest of the whole content that was registered with the model.
    pub digest: Option<ContentHash>,
}

/// State of one file before the download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing is there.
    Absent,
    /// An earlier run of this download put it there.
    Placed,
    /// A file of the same size, which may have the same content.
    SameSize,
    /// The same content.
    Present(ContentHash),
    /// Anything else.
    Other,
}

/// One file of the plan.
#[derive(Clone, Debug)]
pub(super) struct PlannedFile {
    pub(super) file: StoredFile,
    pub(super) part: PartId,
    pub(super) place: Place,
    /// Ranges that an earlier run wrote.
    pub(super) ranges: HashSet<u64>,
}

impl PlannedFile {
    /// True for a file that has to be fetched.
    pub(super) fn is_missing(&self) -> bool {
        !matches!(self.place, Place::Placed | Place::Present(_))
    }

    /// Bytes that an earlier run wrote.
    pub(super) fn found(&self) -> u64 {
        let length = |range: &u64| self.file.bytes.saturating_sub(range * RANGE).min(RANGE);
        self.ranges.iter().map(length).sum()
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct DownloadPlan {
    pub(super) directory: PathBuf,
    pub(super) files: Vec<PlannedFile>,
    pub(super) force: bool,
    /// Digest that proves the files of which no sum was recorded; `None` where it proves none.
    pub(super) digest: Option<ContentHash>,
    /// Files of the directory that may be the ones to be downloaded.
    candidates: FileList,
}

/// How much of a download is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlreadyThere {
    /// Files with the content that they should have.
    pub present: u64,
    /// Files that an earlier run put there.
    pub placed: u64,
    /// Bytes of all these.
    pub bytes: u64,
    /// Bytes that an earlier run fetched of other files.
    pub partial_bytes: u64,
    /// Files to fetch.
    pub missing: u64,
    /// Bytes to fetch.
    pub missing_bytes: u64,
}

impl DownloadPlan {
    /// Selects files, and looks at what is below the directory. Blocks.
    ///
    /// # Errors
    /// [`DownloadError::NothingSelected`], [`DownloadError::BadNames`], [`DownloadError::Blocked`] and
    /// [`DownloadError::Disk`].
    pub fn make(stored: &[StoredFile], request: &DownloadRequest) -> Result<Self, DownloadError> {
        let selection = &request.selection;
        let is_selected = |file: &&StoredFile| selection.includes(&file.path) && !selection.excludes(&file.path);
        let selected: Vec<&StoredFile> = stored.iter().filter(is_selected).collect();
        if selected.is_empty() {
            return Err(DownloadError::NothingSelected);
        }
        let names: Vec<&str> = selected.iter().map(|file| file.path.as_str()).collect();
        let bad = hazards(&names, Platform::CURRENT);
        if !bad.is_empty() {
            let owned = |(name, hazard): (&str, NameHazard)| (name.to_owned(), hazard);
            return Err(DownloadError::BadNames(bad.into_iter().map(owned).collect()));
        }
        let directory = request.directory.clone();
        let failed = |why| DownloadError::Disk { path: directory.clone(), why };
        let private = directory.join(DOWNLOAD_DIRECTORY);
        // A link in place of the private directory would lead elsewhere.
        let is_private = fs::symlink_metadata(&private).is_ok_and(|found| found.is_dir());
        let written = if is_private { Written::read(&private).map_err(failed)? } else { Written::default() };
        let is_whole = selected.len() == stored.len();
        let digest = request.digest.filter(|_| is_whole && selected.iter().any(|file| file.sha256.is_none()));
        let (mut files, mut candidates, mut obstacles) = (Vec::with_capacity(selected.len()), Vec::new(), Vec::new());
        let mut looker = Looker { directory: &directory, parents: HashMap::new() };
        for file in selected {
            let part = PartId::of(&request.place, file);
            let place = match looker.look(&file.path).map_err(failed)? {
                Found::Obstacle(path, obstacle) => {
                    obstacles.push((path, obstacle));
                    Place::Other
                }
                Found::Nothing => Place::Absent,
                Found::File(found) if found.bytes == file.bytes => match written.done(&part) {
                    Some(modified) if modified == found.modified => Place::Placed,
                    _ if file.sha256.is_some() || digest.is_some() => {
                        candidates.push(found);
                        Place::SameSize
                    }
                    _ => Place::Other,
                },
                Found::File(_) | Found::Link => Place::Other,
            };
            let mut ranges = written.ranges(&part);
            let is_there = fs::symlink_metadata(private.join(part.as_str()))
                .is_ok_and(|found| found.is_file() && found.len() == file.bytes);
            ranges.retain(|range| is_there && *range < ranges_of(file.bytes));
            files.push(PlannedFile { file: file.clone(), part, place, ranges });
        }
        obstacles.dedup();
        if !obstacles.is_empty() {
            return Err(DownloadError::Blocked(obstacles));
        }
        Ok(Self { directory, files, force: request.force, digest, candidates: FileList::new(candidates) })
    }

    /// Files of the directory whose SHA-256 decides whether they are the ones to be downloaded. Those that only the digest
    /// of the whole proves count where all files are there.
    #[must_use]
    pub fn candidates(&self) -> FileList {
        let is_all_there = self.files.iter().all(|file| file.place == Place::SameSize);
        let is_provable =
            |file: &PlannedFile| file.place == Place::SameSize && (file.file.sha256.is_some() || is_all_there);
        let candidates = self.files.iter().filter(|file| is_provable(file));
        FileList::new(candidates.filter_map(|file| self.candidates.get(&file.file.path).cloned()).collect())
    }

    /// Takes in the sums of the candidates.
    pub fn compare(&mut self, sums: &FileSums) {
        let known: Option<Vec<(&str, u64, ContentHash)>> = self
            .files
            .iter()
            .map(|file| Some((file.file.path.as_str(), file.file.bytes, sums.get(&file.file.path)?)))
            .collect();
        let is_whole = self.digest.is_some() && known.map(content_digest) == self.digest;
        for planned in &mut self.files {
            if let Some(sum) = sums.get(&planned.file.path) {
                let is_same = planned.file.sha256.map_or(is_whole, |recorded| recorded == sum);
                planned.place = if is_same { Place::Present(sum) } else { Place::Other };
            }
        }
    }

    /// Files that would be overwritten, where that is not wanted; and the room on the disk. Blocks.
    ///
    /// # Errors
    /// [`DownloadError::Exists`], [`DownloadError::NoRoom`] and [`DownloadError::Disk`].
    pub fn check(&self) -> Result<(), DownloadError> {
        let is_in_the_way = |file: &&PlannedFile| matches!(file.place, Place::SameSize | Place::Other);
        let there: Vec<String> =
            self.files.iter().filter(is_in_the_way).map(|file| file.file.path.to_string()).collect();
        if !self.force && !there.is_empty() {
            return Err(DownloadError::Exists(there));
        }
        let AlreadyThere { missing_bytes, partial_bytes, .. } = self.already_there();
        let needed = missing_bytes.saturating_sub(partial_bytes);
        let existing = self.directory.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
        let failed = |why| DownloadError::Disk { path: existing.to_owned(), why };
        let free = free_space(existing).map_err(failed)?;
        match needed > free {
            true => Err(DownloadError::NoRoom { needed, free, directory: self.directory.clone() }),
            false => Ok(()),
        }
    }

    /// Files of a plan of which nothing is missing.
    #[must_use]
    pub fn present(&self) -> Vec<DownloadedFile> {
        let sum = |planned: &PlannedFile| match planned.place {
            Place::Present(sum) => Some(sum),
            _ => planned.file.sha256,
        };
        let file = |planned: &PlannedFile| DownloadedFile {
            path: planned.file.path.to_string(),
            bytes: planned.file.bytes,
            sha256: sum(planned),
            was_there: true,
        };
        self.files.iter().map(file).collect()
    }

    /// How much is there already.
    #[must_use]
    pub fn already_there(&self) -> AlreadyThere {
        let mut there = AlreadyThere::default();
        for planned in &self.files {
            let bytes = planned.file.bytes;
            match planned.place {
                Place::Present(_) => (there.present, there.bytes) = (there.present + 1, there.bytes + bytes),
                Place::Placed => (there.placed, there.bytes) = (there.placed + 1, there.bytes + bytes),
                Place::Absent | Place::SameSize | Place::Other => {
                    (there.missing, there.missing_bytes) = (there.missing + 1, there.missing_bytes + bytes);
                    there.partial_bytes += planned.found();
                }
            }
        }
        there
    }
}

/// What is in a place.
enum Found {
    Nothing,
    File(SourceFile),
    Link,
    Obstacle(String, Obstacle),
}

/// Looks below a directory without following links.
struct Looker<'a> {
    directory: &'a Path,
    /// Directories that were looked at, with what is wrong with them; `None` where they are directories or not there.
    parents: HashMap<String, Option<Obstacle>>,
}

impl Looker<'_> {
    fn look(&mut self, path: &BlobPath) -> io::Result<Found> {
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
                return Ok(Found::Obstacle(parent.to_owned(), obstacle));
            }
        }
        let found = match fs::symlink_metadata(path.below(self.directory)) {
            Ok(found) => found,
            Err(why) if is_absent(&why) => return Ok(Found::Nothing),
            Err(why) => return Err(why),
        };
        Ok(if found.is_symlink() {
            Found::Link
        } else if found.is_dir() {
            Found::Obstacle(path.to_string(), Obstacle::Directory)
        } else {
            Found::File(SourceFile { path: path.clone(), bytes: found.len(), modified: modified(&found)? })
        })
    }
}

/// Obstacle that something on the way to a file is.
pub(super) fn obstacle(path: &Path) -> io::Result<Option<Obstacle>> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Ok(Some(Obstacle::Link)),
        Ok(found) if !found.is_dir() => Ok(Some(Obstacle::NotADirectory)),
        Ok(_) => Ok(None),
        Err(why) if is_absent(&why) => Ok(None),
        Err(why) => Err(why),
    }
}

pub(super) fn is_absent(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Modification time in nanoseconds since 1970.
pub(super) fn modified(metadata: &fs::Metadata) -> io::Result<u64> {
    let since = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
