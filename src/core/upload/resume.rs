//! State of an earlier attempt of an upload, and the part of it that is still valid. Pure.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::journal::{Journal, Stage};
use crate::model::{BlobPath, FileList, SourceFile};
use crate::store::{BlobListing, ListedBlob};

/// State that an earlier attempt left.
#[derive(Clone, Debug)]
pub(super) struct ResumeState {
    /// Journal of the earlier attempt.
    pub(super) journal: Journal,
    /// Names of the files that its last run delivered completely; `None` if that is unknown, so that the container's
    /// list counts.
    pub(super) delivered: Option<BTreeSet<BlobPath>>,
}

/// Files and bytes of an upload that need not be sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResumeTotals {
    /// Number of completely uploaded files.
    pub files: u64,
    /// Their total size in bytes.
    pub bytes: u64,
    /// Number of files of the upload; zero for a remote source, whose files only AzCopy knows.
    pub total_files: u64,
    /// Bytes of the upload.
    pub total_bytes: u64,
    /// Uploaded bytes of incomplete files; always zero for an engine that keeps no parts.
    pub partial_bytes: u64,
    /// True if the engine keeps parts of files.
    pub keeps_partial_files: bool,
}

impl ResumeState {
    /// Completely uploaded files, as far as known.
    pub(super) fn arrived(&self) -> BTreeSet<&BlobPath> {
        self.journal.complete.iter().chain(self.delivered.iter().flatten()).collect()
    }

    /// Bytes of `files` that need not be sent again, as far as known before the store is queried.
    pub(super) fn arrived_bytes(&self, files: &FileList) -> u64 {
        let unchanged = self.arrived().into_iter().filter(|path| files.get(path) == self.journal.files.get(path));
        unchanged.filter_map(|path| files.get(path)).map(|file| file.bytes).sum()
    }

    /// Journal of the next run of the same upload into the same location.
    pub(super) fn next(self, files: &FileList, listing: Option<&BlobListing>) -> Journal {
        let delivered = self.delivered.unwrap_or_else(|| fully_listed(&self.journal, listing));
        let next = next_run(self.journal, files, &delivered);
        match listing {
            Some(listing) => only_listed(next, listing),
            None => next,
        }
    }
}

/// Files that an earlier attempt began and that have changed since.
pub(super) fn changed(before: &FileList, now: &FileList) -> Vec<BlobPath> {
    let is_other = |file: &&SourceFile| before.get(&file.path).is_some_and(|before| before != *file);
    now.iter().filter(is_other).map(|file| file.path.clone()).collect()
}

/// Journal of the next run: the current files, and those of them that are completely uploaded and unchanged.
/// `delivered` are the files that the last run delivered.
fn next_run(mut journal: Journal, now: &FileList, delivered: &BTreeSet<BlobPath>) -> Journal {
    let before = &journal.files;
    let arrived = journal.complete.union(delivered);
    let whole = arrived.filter(|path| now.get(path).is_some() && now.get(path) == before.get(path));
    let complete: BTreeSet<BlobPath> = whole.cloned().collect();
    let changed = before.iter().filter(|file| now.get(&file.path) != Some(file)).map(|file| &file.path);
    let stale = journal.stale.iter().chain(changed).filter(|path| !complete.contains(*path)).cloned().collect();
    Arc::make_mut(&mut journal.blobs).retain(|path, _| complete.contains(path));
    (journal.complete, journal.stale, journal.files) = (complete, stale, now.clone());
    journal.run += 1;
    journal.stage = Stage::Planned;
    journal
}

/// Files of the last run that the container lists in full size, for an engine that cannot report which ones it
/// delivered. For a file that changed after it was sent, the size proves nothing.
fn fully_listed(journal: &Journal, listing: Option<&BlobListing>) -> BTreeSet<BlobPath> {
    let listed = listing.into_iter().flatten();
    let whole = listed.filter(|(path, blob)| {
        !journal.stale.contains(*path) && journal.files.get(path).is_some_and(|file| file.bytes == blob.bytes)
    });
    whole.map(|(path, _)| path.clone()).collect()
}

/// Removes complete files from the journal that the container does not list in full size, or lists with a version other
/// than the known one. For the others this list becomes the known state: they must stay as listed.
fn only_listed(mut journal: Journal, listing: &BlobListing) -> Journal {
    let Journal { files, complete, blobs, .. } = &mut journal;
    complete.retain(|path| {
        let whole = files.get(path).zip(listing.get(path)).filter(|(file, listed)| file.bytes == listed.bytes);
        let is_ours =
            |listed: &ListedBlob| blobs.get(path).is_none_or(|known| !known.version.differs_from(&listed.version));
        whole.is_some_and(|(_, listed)| is_ours(listed))
    });
    let kept = complete.iter().filter_map(|path| Some((path.clone(), listing.get(path)?.clone())));
    *blobs = Arc::new(kept.collect());
    journal
}

#[cfg(test)]
mod tests {
    use super::super::journal::tests::{files_of, journal};
    use super::*;
    use crate::store::version;

    fn names(names: &[&str]) -> BTreeSet<BlobPath> {
        names.iter().map(|name| (*name).into()).collect()
    }

    /// Blobs by name, size and ETag.
    fn listed(blobs: &[(&str, u64, &str)]) -> BlobListing {
        let blob = |bytes: u64, etag: &str| ListedBlob { bytes, version: version(etag) };
        blobs.iter().map(|(path, bytes, etag)| ((*path).into(), blob(*bytes, etag))).collect()
    }

    #[test]
    fn complete_unchanged_files_are_not_sent_again() {
        let mut first = journal();
        first.complete = names(&["a"]);
        let now = files_of(&[("a", 1), ("b", 2), ("c", 1), ("new", 1)]);
        let next = next_run(first, &now, &names(&["b", "c", "gone"]));
        assert_eq!((next.complete.clone(), next.run), (names(&["a", "c"]), 2));
        let missing: Vec<BlobPath> = next.missing().into_iter().map(|file| file.path).collect();
        assert_eq!(missing, ["b", "new"]);
        // b was delivered with its old content in run 1: run 2 does not know about that.
        let third = next_run(next, &now, &names(&[]));
        assert!(!third.complete.contains("b"));
    }

    #[test]
    fn a_lost_or_partial_blob_makes_its_file_missing() {
        let mut journal = journal();
        journal.complete = names(&["a", "b", "c"]);
        let listing = listed(&[("a", 1, ""), ("b", 0, ""), ("stranger", 1, "")]);
        assert_eq!(only_listed(journal, &listing).complete, names(&["a"]));
    }

    #[test]
    fn a_file_that_another_upload_wrote_is_missing() {
        let mut journal = journal();
        journal.complete = names(&["a", "b", "c"]);
        journal.blobs = Arc::new(listed(&[("a", 1, "1"), ("b", 1, "1")]));
        let listing = listed(&[("a", 1, "1"), ("b", 1, "2"), ("c", 1, "2")]);
        let next = only_listed(journal, &listing);
        let left = listed(&[("a", 1, "1"), ("c", 1, "2")]);
        assert_eq!((next.complete, next.blobs), (names(&["a", "c"]), Arc::new(left)));
    }

    #[test]
    fn the_size_of_a_changed_file_proves_nothing() {
        let now = files_of(&[("a", 2), ("b", 1), ("c", 1)]);
        let second = next_run(journal(), &now, &names(&[]));
        let listing = listed(&["a", "b", "c", "d"].map(|path| (path, 1, "")));
        assert_eq!(fully_listed(&second, Some(&listing)), names(&["b", "c"]));
        let third = next_run(second, &now, &names(&["a"]));
        assert_eq!(fully_listed(&third, Some(&listing)), names(&["a", "b", "c"]));
        assert_eq!(fully_listed(&third, None), names(&[]));
    }

    #[test]
    fn changed_files_existed_before_and_differ_now() {
        let now = files_of(&[("a", 2), ("b", 1), ("new", 1)]);
        assert_eq!(changed(&journal().files, &now), ["a"]);
    }
}
