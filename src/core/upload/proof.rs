//! Proof that the blobs of a location are those that this upload sent. Pure.
//!
//! A store distinguishes writes of one blob by their ETags, in the response to a write and in its list. Not detected: a
//! blob that is written between the last list and the moment at which the service reads it (after the service has
//! accepted a registration nothing is compared, since the service may change the blobs); a write of another machine
//! over a file that AzCopy sent, before the list that follows AzCopy's end, or before the next run if this program was
//! killed, since AzCopy does not report the ETags of its writes; and any of these if the SAS does not permit listing,
//! or the list has no marks. Conversely, a request of this upload that was abandoned, sent again and still carried out
//! is taken for a write of another upload: the next run sends the file again.

use std::collections::HashMap;

use super::error::TransferFailure;
use super::journal::Journal;
use crate::model::BlobPath;
use crate::store::{BlobListing, BlobVersion};

/// Blobs of a complete upload: each of its files as it was sent, and nothing else. `written` has the versions that the
/// engine knows, `before` the list at the start of the run. Extra blobs of a remote source are not detected.
pub(super) fn arrived(
    journal: &Journal,
    written: &HashMap<BlobPath, BlobVersion>,
    before: Option<&BlobListing>,
    after: BlobListing,
    is_remote: bool,
) -> Result<BlobListing, TransferFailure> {
    whole(journal, &after)?;
    for file in journal.files.iter() {
        let path = &file.path;
        let Some(listed) = after.get(path) else { continue };
        let (known, earlier) = (journal.blobs.get(path), before.and_then(|before| before.get(path)));
        let expected = match written.get(path) {
            Some(version) => Some(version),
            None if journal.complete.contains(path) => known.or(earlier).map(|blob| &blob.version),
            // Sent by an engine that reports no version: it must be a different write than the one before.
            None if earlier.is_some_and(|earlier| earlier.version.is_same_write(&listed.version)) => {
                return Err(TransferFailure::Incomplete(path.clone()));
            }
            None => None,
        };
        if expected.is_some_and(|version| version.differs_from(&listed.version)) {
            return Err(TransferFailure::Replaced(path.clone()));
        }
    }
    if !is_remote && let Some(stray) = stray(journal, &after) {
        return Err(TransferFailure::Stray(stray.clone()));
    }
    Ok(after)
}

/// Compares the current list with the verified one.
pub(super) fn unchanged(journal: &Journal, now: &BlobListing, is_remote: bool) -> Result<(), TransferFailure> {
    whole(journal, now)?;
    for (path, blob) in journal.blobs.iter() {
        match now.get(path) {
            None => return Err(TransferFailure::Incomplete(path.clone())),
            Some(listed) if listed.bytes != blob.bytes || blob.version.differs_from(&listed.version) => {
                return Err(TransferFailure::Replaced(path.clone()));
            }
            Some(_) => {}
        }
    }
    match stray(journal, now).filter(|_| !is_remote) {
        Some(stray) => Err(TransferFailure::Stray(stray.clone())),
        None => Ok(()),
    }
}

fn whole(journal: &Journal, listing: &BlobListing) -> Result<(), TransferFailure> {
    let is_whole = |path: &BlobPath, bytes| listing.get(path).is_some_and(|blob| blob.bytes == bytes);
    match journal.files.iter().find(|file| !is_whole(&file.path, file.bytes)) {
        Some(file) => Err(TransferFailure::Incomplete(file.path.clone())),
        None => Ok(()),
    }
}

/// Returns a blob that is not part of the upload. A store with directories lists those of the files too.
fn stray<'a>(journal: &Journal, listing: &'a BlobListing) -> Option<&'a BlobPath> {
    let is_directory = |path: &str| {
        journal.files.iter().any(|file| file.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')))
    };
    let mut strays = listing.iter().filter(|(path, _)| journal.files.get(path).is_none());
    strays.find(|(path, blob)| blob.bytes > 0 || !is_directory(path)).map(|(path, _)| path)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::journal::tests::journal;
    use super::*;
    use crate::store::{ListedBlob, version};

    /// Blobs of one byte by name and ETag.
    fn listing(blobs: &[(&str, &str)]) -> BlobListing {
        let blob = |etag: &str| ListedBlob { bytes: 1, version: version(etag) };
        blobs.iter().map(|(path, etag)| ((*path).into(), blob(etag))).collect()
    }

    fn message(outcome: Result<(), TransferFailure>) -> String {
        outcome.map_or_else(|failure| format!("{failure:?}"), |()| String::new())
    }

    /// `a` exists from an earlier run, `b` and `c` were sent in this one.
    #[test]
    fn arrived_blobs_match_the_written_versions() {
        let mut journal = journal();
        journal.complete.insert("a".into());
        let before = listing(&[("a", "1"), ("b", "1")]);
        let written = HashMap::from([("b".into(), version("\"2\"")), ("c".into(), version("\"2\""))]);
        for (written, known, after, outcome) in [
            (&written, None, listing(&[("a", "1"), ("b", "2"), ("c", "2")]), ""),
            (&written, None, listing(&[("a", "1"), ("b", ""), ("c", "")]), ""),
            (&written, None, listing(&[("a", "1"), ("b", "3"), ("c", "2")]), r#"Replaced(BlobPath("b"))"#),
            (&written, None, listing(&[("a", "2"), ("b", "2"), ("c", "2")]), r#"Replaced(BlobPath("a"))"#),
            (&written, Some("0"), listing(&[("a", "1"), ("b", "2"), ("c", "2")]), r#"Replaced(BlobPath("a"))"#),
            (&written, None, listing(&[("a", "1"), ("b", "2")]), r#"Incomplete(BlobPath("c"))"#),
            (&written, None, listing(&[("a", "1"), ("b", "2"), ("c", "2"), ("d", "")]), r#"Stray(BlobPath("d"))"#),
            (&HashMap::new(), None, listing(&[("a", "1"), ("b", "2"), ("c", "2")]), ""),
            (&HashMap::new(), None, listing(&[("a", "1"), ("b", "1"), ("c", "2")]), r#"Incomplete(BlobPath("b"))"#),
        ] {
            journal.blobs = Arc::new(listing(&known.map(|etag| ("a", etag)).into_iter().collect::<Vec<_>>()));
            let found = arrived(&journal, written, Some(&before), after.clone(), false);
            assert_eq!(message(found.map(drop)), outcome, "{after:?}");
        }
    }

    #[test]
    fn changes_before_the_registration_are_detected() {
        let mut journal = journal();
        let listed = listing(&[("a", "1"), ("b", "1"), ("c", "1")]);
        // A journal of an older version has only sizes.
        assert_eq!(message(unchanged(&journal, &listed, false)), "");
        journal.blobs = Arc::new(listed.clone());
        for (now, outcome) in [
            (listed, ""),
            (listing(&[("a", "1"), ("b", "2"), ("c", "1")]), r#"Replaced(BlobPath("b"))"#),
            (listing(&[("a", "1"), ("b", "1")]), r#"Incomplete(BlobPath("c"))"#),
            (listing(&[("a", "1"), ("b", "1"), ("c", "1"), ("d", "1")]), r#"Stray(BlobPath("d"))"#),
        ] {
            assert_eq!(message(unchanged(&journal, &now, false)), outcome, "{now:?}");
        }
    }

    #[test]
    fn a_directory_of_the_files_is_not_a_stray() {
        let mut journal = journal();
        journal.files = super::super::journal::tests::files_of(&[("sub/a", 1)]);
        let blob = |bytes| ListedBlob { bytes, version: BlobVersion::default() };
        for (path, bytes, is_stray) in [("sub", 0, false), ("sub", 1, true), ("su", 0, true), ("other", 0, true)] {
            let listing = BlobListing::from([(path.into(), blob(bytes)), ("sub/a".into(), blob(1))]);
            assert_eq!(stray(&journal, &listing).is_some(), is_stray, "{path} {bytes}");
        }
    }
}
