//! Compact lists of blobs: names and versions that are already in memory are shared. Pure.

use std::collections::HashMap;

use crate::model::{BlobPath, FileList};
use crate::store::{BlobListing, BlobVersion, ListedBlob};

/// Converts a listed file to an entry under its own name. The version of an earlier, equal entry is reused.
pub(super) fn shared<'k>(
    files: &'k FileList,
    earlier: Option<&'k BlobListing>,
    written: Option<&'k HashMap<BlobPath, BlobVersion>>,
) -> impl Fn(&str, ListedBlob) -> (BlobPath, ListedBlob) + Sync {
    move |name, mut blob| {
        let written = written.and_then(|written| written.get(name));
        let earlier = earlier.and_then(|earlier| earlier.get(name)).map(|blob| &blob.version);
        if let Some(known) = written.into_iter().chain(earlier).find(|known| **known == blob.version) {
            blob.version = known.clone();
        }
        (files.get(name).map_or_else(|| name.into(), |file| file.path.clone()), blob)
    }
}
