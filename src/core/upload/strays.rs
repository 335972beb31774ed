//! Blobs of an upload location that do not belong to the model: they would be registered with it. Pure.

use crate::model::{BlobPath, FileList};
use crate::store::BlobListing;

/// Blobs that an earlier attempt of this upload sent and that are no longer part of `files`; `ours` are the files of
/// that attempt, if it wrote to the same location. Without a list, blobs that may exist are included too.
///
/// # Errors
/// Name of a blob that is neither part of the source nor of an earlier attempt.
pub(super) fn strays(
    files: &FileList,
    ours: Option<&FileList>,
    listing: Option<&BlobListing>,
) -> Result<Vec<BlobPath>, BlobPath> {
    let is_stray = |path: &&BlobPath| files.get(path).is_none();
    let Some(listing) = listing else {
        let sent = ours.into_iter().flat_map(|files| files.iter()).map(|file| &file.path);
        return Ok(sent.filter(is_stray).cloned().collect());
    };
    let is_ours = |path: &BlobPath| ours.is_some_and(|files| files.get(path).is_some());
    let strays = listing.keys().filter(is_stray);
    strays.map(|path| if is_ours(path) { Ok(path.clone()) } else { Err(path.clone()) }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::journal::tests::files_of;
    use super::*;
    use crate::store::{BlobVersion, ListedBlob};

    #[test]
    fn only_files_of_this_upload_are_deleted() {
        let files = files_of(&[("kept", 1)]);
        let ours = files_of(&[("kept", 1), ("old", 1)]);
        let blob = || ListedBlob { bytes: 1, version: BlobVersion::default() };
        let listing = |paths: &[&str]| -> BlobListing { paths.iter().map(|path| ((*path).into(), blob())).collect() };
        for (ours, listed, strays_of) in [
            (Some(&ours), Some(&["kept", "old"][..]), Ok(vec!["old".into()])),
            (Some(&ours), Some(&["kept"]), Ok(vec![])),
            (Some(&ours), None, Ok(vec!["old".into()])),
            (Some(&ours), Some(&["old", "theirs"]), Err("theirs".into())),
            (None, Some(&["old"]), Err("old".into())),
            (None, Some(&["kept"]), Ok(vec![])),
            (None, None, Ok(vec![])),
        ] {
            assert_eq!(strays(&files, ours, listed.map(listing).as_ref()), strays_of, "{listed:?}");
        }
    }
}
