//! Compact lists of blobs: names and signatures that are in memory already are shared. Pure.

use std::collections::HashMap;

use crate::model::{BlobPath, FileList};
use crate::store::{BlobListing, BlobVersion, ListedBlob};

/// Entry of a listed file, under its own name. The signature of an earlier entry with the same content is reused.
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
