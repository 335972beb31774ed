//! Plan of a download: its files, which of them are already present, and obstacles. Reads only.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::DownloadError;
use super::inspect::{DirectoryInspector, PathContent};
use super::name::{NameHazard, hazards};
use super::record::{PartId, WrittenParts};
use super::space::free_space;
use super::{CHUNK, DownloadedFile, chunks_of};
use crate::model::{ContentHash, FileList, content_digest};
use crate::platform::Platform;
use crate::source::{DOWNLOAD_DIRECTORY, FileSums, Selection};
use crate::store::StoredFile;

/// Files to download, and the target.
#[derive(Clone, Debug)]
pub struct DownloadRequest {
    /// Target directory.
    pub directory: PathBuf,
    /// Selection of files.
    pub selection: Selection,
    /// True to overwrite existing files.
    pub force: bool,
    /// Identity of the model: its endpoint, name, version and blob URI.
    pub identity: String,
    /// Digest of the whole content that was registered with the model.
    pub digest: Option<ContentHash>,
}

/// State of one file before the download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileState {
    /// The path is free.
    Absent,
    /// Written by an earlier run of this download.
    Completed,
    /// File of equal size, whose content may be equal.
    SameSize,
    /// Equal content.
    Present(ContentHash),
    /// Different content.
    Other,
}

/// One file of the plan.
#[derive(Clone, Debug)]
pub(super) struct PlannedFile {
    pub(super) file: StoredFile,
    pub(super) part: PartId,
    pub(super) state: FileState,
    /// Numbers of the chunks written by an earlier run.
    pub(super) chunks: HashSet<u64>,
}

impl PlannedFile {
    /// True for a file that must be fetched.
    pub(super) fn is_missing(&self) -> bool {
        !matches!(self.state, FileState::Completed | FileState::Present(_))
    }

    /// Bytes written by an earlier run.
    pub(super) fn found(&self) -> u64 {
        let length = |chunk: &u64| self.file.bytes.saturating_sub(chunk * CHUNK).min(CHUNK);
        self.chunks.iter().map(length).sum()
    }
}

/// Files to download with their state in the target directory.
#[derive(Clone, Debug)]
pub struct DownloadPlan {
    pub(super) directory: PathBuf,
    pub(super) files: Vec<PlannedFile>,
    pub(super) force: bool,
    /// Digest that proves the files without a recorded checksum; `None` if it proves none.
    pub(super) digest: Option<ContentHash>,
    /// Files of the directory that may be equal to those of the model.
    candidates: FileList,
}

/// Content of a download that is present already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PresentContent {
    /// Files with the expected content.
    pub present: u64,
    /// Files written by an earlier run.
    pub completed: u64,
    /// Bytes of all these.
    pub bytes: u64,
    /// Bytes of other files that an earlier run fetched.
    pub partial_bytes: u64,
    /// Files to fetch.
    pub missing: u64,
    /// Bytes to fetch.
    pub missing_bytes: u64,
}

impl DownloadPlan {
    /// Selects files, and inspects the directory. Blocks.
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
        let written = if is_private { WrittenParts::read(&private).map_err(failed)? } else { WrittenParts::default() };
        let is_whole = selected.len() == stored.len();
        let digest = request.digest.filter(|_| is_whole && selected.iter().any(|file| file.sha256.is_none()));
        let (mut files, mut candidates, mut obstacles) = (Vec::with_capacity(selected.len()), Vec::new(), Vec::new());
        let mut inspector = DirectoryInspector::new(&directory);
        for file in selected {
            let part = PartId::of(&request.identity, file);
            let state = match inspector.inspect(&file.path).map_err(failed)? {
                PathContent::Obstacle(path, obstacle) => {
                    obstacles.push((path, obstacle));
                    FileState::Other
                }
                PathContent::Nothing => FileState::Absent,
                PathContent::File(found) if found.bytes == file.bytes => match written.done(&part) {
                    Some(modified) if modified == found.modified => FileState::Completed,
                    _ if file.sha256.is_some() || digest.is_some() => {
                        candidates.push(found);
                        FileState::SameSize
                    }
                    _ => FileState::Other,
                },
                PathContent::File(_) | PathContent::Link => FileState::Other,
            };
            let mut chunks = written.chunks(&part);
            let exists = fs::symlink_metadata(private.join(part.as_str()))
                .is_ok_and(|found| found.is_file() && found.len() == file.bytes);
            chunks.retain(|chunk| exists && *chunk < chunks_of(file.bytes));
            files.push(PlannedFile { file: file.clone(), part, state, chunks });
        }
        obstacles.dedup();
        if !obstacles.is_empty() {
            return Err(DownloadError::Blocked(obstacles));
        }
        Ok(Self { directory, files, force: request.force, digest, candidates: FileList::new(candidates) })
    }

    /// Files of the directory whose SHA-256 decides whether they are equal to those of the model. Files that only the
    /// digest of all files can verify are included if all of them are present.
    #[must_use]
    pub fn candidates(&self) -> FileList {
        let is_all_there = self.files.iter().all(|file| file.state == FileState::SameSize);
        let is_provable =
            |file: &PlannedFile| file.state == FileState::SameSize && (file.file.sha256.is_some() || is_all_there);
        let candidates = self.files.iter().filter(|file| is_provable(file));
        FileList::new(candidates.filter_map(|file| self.candidates.get(&file.file.path).cloned()).collect())
    }

    /// Applies the checksums of the candidates.
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
                planned.state = if is_same { FileState::Present(sum) } else { FileState::Other };
            }
        }
    }

    /// Checks for files that must not be overwritten, and for disk space. Blocks.
    ///
    /// # Errors
    /// [`DownloadError::Exists`], [`DownloadError::NoRoom`] and [`DownloadError::Disk`].
    pub fn check(&self) -> Result<(), DownloadError> {
        let is_in_the_way = |file: &&PlannedFile| matches!(file.state, FileState::SameSize | FileState::Other);
        let there: Vec<String> =
            self.files.iter().filter(is_in_the_way).map(|file| file.file.path.to_string()).collect();
        if !self.force && !there.is_empty() {
            return Err(DownloadError::Exists(there));
        }
        let needed = self.needed_bytes();
        let existing = self.directory.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
        let failed = |why| DownloadError::Disk { path: existing.to_owned(), why };
        let free = free_space(existing).map_err(failed)?;
        match needed > free {
            true => Err(DownloadError::NoRoom { needed, free, directory: self.directory.clone() }),
            false => Ok(()),
        }
    }

    /// Bytes that are still to be written.
    fn needed_bytes(&self) -> u64 {
        let PresentContent { missing_bytes, partial_bytes, .. } = self.present_content();
        missing_bytes.saturating_sub(partial_bytes)
    }

    /// Files of a plan without missing content.
    #[must_use]
    pub fn present(&self) -> Vec<DownloadedFile> {
        let sum = |planned: &PlannedFile| match planned.state {
            FileState::Present(sum) => Some(sum),
            _ => planned.file.sha256,
        };
        let file = |planned: &PlannedFile| DownloadedFile {
            path: planned.file.path.to_string(),
            bytes: planned.file.bytes,
            sha256: sum(planned),
            is_present: true,
        };
        self.files.iter().map(file).collect()
    }

    /// Content that is present already.
    #[must_use]
    pub fn present_content(&self) -> PresentContent {
        let mut there = PresentContent::default();
        for planned in &self.files {
            let bytes = planned.file.bytes;
            match planned.state {
                FileState::Present(_) => (there.present, there.bytes) = (there.present + 1, there.bytes + bytes),
                FileState::Completed => (there.completed, there.bytes) = (there.completed + 1, there.bytes + bytes),
                FileState::Absent | FileState::SameSize | FileState::Other => {
                    (there.missing, there.missing_bytes) = (there.missing + 1, there.missing_bytes + bytes);
                    there.partial_bytes += planned.found();
                }
            }
        }
        there
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::version;

    fn planned(bytes: u64, state: FileState, chunks: &[u64]) -> PlannedFile {
        let file = StoredFile { path: "a".into(), bytes, sha256: None, version: version("1") };
        let part = PartId::of("place", &file);
        PlannedFile { file, part, state, chunks: chunks.iter().copied().collect() }
    }

    #[test]
    fn space_is_needed_only_for_missing_content() {
        let large = 2 * CHUNK + 100;
        for (files, needed) in [
            (vec![planned(large, FileState::Absent, &[])], large),
            (vec![planned(large, FileState::Absent, &[0, 2])], CHUNK),
            (vec![planned(large, FileState::Other, &[1]), planned(7, FileState::Completed, &[])], CHUNK + 100),
        ] {
            let directory = PathBuf::from("out");
            let plan = DownloadPlan { directory, files, force: true, digest: None, candidates: FileList::default() };
            assert_eq!(plan.needed_bytes(), needed);
        }
    }
}
