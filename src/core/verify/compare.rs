//! Comparison of the store's list with a source, with recorded checksums, and with content that was read back.

use std::collections::BTreeSet;

use super::verification::{DigestStatus, FileStatus, Proof, Verification, VerifiedFile};
use crate::model::{ContentHash, FileList, content_digest};
use crate::source::FileSums;
use crate::store::StoredFile;

/// Files to compare.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'a> {
    /// Files in the store, sorted by name.
    pub stored: &'a [StoredFile],
    /// Files of the source, and the checksums of those that were read.
    pub source: Option<(&'a FileList, Option<&'a FileSums>)>,
    /// Checksums of the files in the store, in their order, if they were read back.
    pub read_back: Option<&'a [ContentHash]>,
    /// Digest of the whole content that was registered with the model.
    pub digest: Option<ContentHash>,
}

/// Files of a source whose content can be compared: those with the same size in the store, and with a recorded checksum
/// unless all files are needed, for the digest or because the store's content is read.
#[must_use]
pub fn comparable_files(stored: &[StoredFile], files: &FileList, needs_all: bool) -> FileList {
    let is_compared = |file: &StoredFile| needs_all || file.sha256.is_some();
    let of_stored = |file: &StoredFile| files.get(&file.path).filter(|source| source.bytes == file.bytes).cloned();
    FileList::new(stored.iter().filter(|file| is_compared(file)).filter_map(of_stored).collect())
}

/// Known checksums of one file.
struct Sums {
    source: Option<ContentHash>,
    recorded: Option<ContentHash>,
    read_back: Option<ContentHash>,
}

impl Sums {
    /// The most reliable one: computed from content, otherwise recorded.
    fn best(&self) -> Option<ContentHash> {
        self.read_back.or(self.source).or(self.recorded)
    }

    fn is_of_content(&self) -> bool {
        self.source.is_some() || self.read_back.is_some()
    }

    /// True if all known ones are equal, false if any two differ; `None` if there are fewer than two.
    fn are_equal(&self) -> Option<bool> {
        let mut known = [self.source, self.recorded, self.read_back].into_iter().flatten();
        let first = known.next()?;
        let others: Vec<ContentHash> = known.collect();
        if others.is_empty() { None } else { Some(others.iter().all(|other| *other == first)) }
    }
}

impl Comparison<'_> {
    /// Compares all files.
    #[must_use]
    pub fn verify(&self) -> Verification {
        let in_store = self.stored.iter().map(|file| file.path.as_str());
        let in_source = self.source.iter().flat_map(|(files, _)| files.iter().map(|file| file.path.as_str()));
        let paths: BTreeSet<&str> = in_store.chain(in_source).collect();
        let mut sums = Vec::with_capacity(paths.len());
        let files = paths.into_iter().map(|path| self.one(path, &mut sums)).collect();
        let mut verification = Verification { files, digest: DigestStatus::Unproved };
        self.judge_digest(&mut verification, &sums);
        verification
    }

    fn one(&self, path: &str, all_sums: &mut Vec<Sums>) -> VerifiedFile {
        let at = self.stored.binary_search_by(|file| file.path.as_str().cmp(path)).ok();
        let stored = at.map(|at| &self.stored[at]);
        let in_source = self.source.and_then(|(files, _)| files.get(path));
        let sums = Sums {
            source: self.source.and_then(|(_, sums)| sums?.get(path)),
            recorded: stored.and_then(|file| file.sha256),
            read_back: at.and_then(|at| self.read_back?.get(at).copied()),
        };
        let is_sized = self.source.is_some();
        let (status, proof) = match (stored, in_source) {
            (None, _) => (FileStatus::Missing, None),
            (Some(_), None) if is_sized => (FileStatus::Extra, None),
            (Some(stored), Some(source)) if stored.bytes != source.bytes => (FileStatus::OtherSize, None),
            (Some(_), _) => match sums.are_equal() {
                Some(false) => (FileStatus::OtherContent, None),
                Some(true) => (FileStatus::Ok, Some(Proof::Hashed)),
                None if is_sized => (FileStatus::Unproved, Some(Proof::Sized)),
                None => (FileStatus::Unproved, Some(Proof::Listed)),
            },
        };
        let (bytes, source_bytes) = (stored.map(|file| file.bytes), in_source.map(|file| file.bytes));
        let sha256 = sums.source.or(sums.recorded).or(sums.read_back);
        all_sums.push(sums);
        VerifiedFile { path: path.to_owned(), status, proof, bytes, source_bytes, sha256 }
    }

    /// Applies the digest of all files: it proves each one, or shows that one of them differs.
    fn judge_digest(&self, verification: &mut Verification, sums: &[Sums]) {
        let Some(recorded) = self.digest.filter(|_| !verification.differs() && !verification.files.is_empty()) else {
            return;
        };
        let known: Option<Vec<_>> = verification
            .files
            .iter()
            .zip(sums)
            .map(|(file, sums)| Some((file.path.as_str(), file.bytes?, sums.best()?)))
            .collect();
        let Some(known) = known else { return };
        if content_digest(known) != recorded {
            verification.digest = DigestStatus::OtherContent;
            return;
        }
        verification.digest = DigestStatus::Ok;
        for (file, sums) in verification.files.iter_mut().zip(sums) {
            file.status = FileStatus::Ok;
            if file.proof != Some(Proof::Hashed) {
                file.proof = Some(if sums.is_of_content() { Proof::Hashed } else { Proof::Sized });
            }
        }
    }
}

#[cfg(test)]
mod tests;
