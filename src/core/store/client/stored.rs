//! Files of a registered model, as the blob store lists them.

use std::collections::HashSet;

use super::{BlobStore, BlobVersion, StoreError, all_pages};
use crate::model::{BlobPath, ContentHash};
use crate::store::container::Container;
use crate::store::wire::BlobEntry;

/// One file of a registered model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// Name relative to the location of the model.
    pub path: BlobPath,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 that the upload recorded as metadata of the blob.
    pub sha256: Option<ContentHash>,
    /// Version of the blob at the time of the listing.
    pub version: BlobVersion,
}

impl BlobStore {
    /// Lists the files with the recorded checksums, sorted by name and without directories; `None` if the SAS does not
    /// permit listing.
    ///
    /// # Errors
    /// When the store does not respond, or not with a list.
    pub(crate) async fn stored_files(&self) -> Result<Option<Vec<StoredFile>>, StoreError> {
        let listed = self.listed(async |sas| {
            let container = Container::of(sas.expose());
            let url = |marker: &str| container.listing_with_metadata(marker);
            let mut files = Vec::new();
            let mut on = |name: &str, entry: BlobEntry| {
                if !entry.metadata.is_directory() {
                    let (bytes, version) = (entry.blob.bytes, entry.blob.version);
                    files.push(StoredFile { path: name.into(), bytes, sha256: entry.metadata.sha256(), version });
                }
            };
            all_pages(&self.http, &container, &url, &mut on).await?;
            Ok(files)
        });
        Ok(listed.await?.map(only_files))
    }
}

/// Sorts the files, and removes empty blobs that represent directories.
fn only_files(mut files: Vec<StoredFile>) -> Vec<StoredFile> {
    files.sort_by(|left, right| left.path.cmp(&right.path));
    let may_be_directories = files.iter().any(|file| file.bytes == 0);
    if may_be_directories {
        let parents = |file: &StoredFile| -> Vec<BlobPath> {
            file.path.match_indices('/').map(|(at, _)| BlobPath::from(&file.path[..at])).collect()
        };
        let directories: HashSet<BlobPath> = files.iter().flat_map(parents).collect();
        files.retain(|file| file.bytes > 0 || !directories.contains(file.path.trim_end_matches('/')));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_blob_with_a_directorys_name_is_not_a_file() {
        let file =
            |path: &str, bytes| StoredFile { path: path.into(), bytes, sha256: None, version: BlobVersion::default() };
        let listed = vec![file("sub/a", 1), file("sub", 0), file("sub/", 0), file("empty", 0), file("a-b", 2)];
        let names: Vec<String> = only_files(listed).iter().map(|file| file.path.to_string()).collect();
        assert_eq!(names, ["a-b", "empty", "sub/a"]);
    }
}
