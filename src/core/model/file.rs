//! File of an upload: its name in the container, and the size and time that reveal changes.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ContentHash;
use crate::platform::Platform;

/// Name of a blob relative to the upload location, and of its file relative to the source directory; `/` between
/// components. Cheap to clone: an upload may have 100,000 of them in several lists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobPath(Arc<str>);

impl BlobPath {
    /// Path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Path of the file in a source directory.
    #[must_use]
    pub fn below(&self, directory: &Path) -> PathBuf {
        match Platform::CURRENT {
            Platform::Windows => directory.join(self.0.replace('/', r"\")),
            Platform::Linux | Platform::MacOs => directory.join(self.as_str()),
        }
    }
}

impl From<&str> for BlobPath {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for BlobPath {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Deref for BlobPath {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for BlobPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for BlobPath {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for BlobPath {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for BlobPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for BlobPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for BlobPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// State of a local file at one moment. Equal values have the same name and, judging by size and modification time, the
/// same content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Name in the container, and relative to the source directory.
    pub path: BlobPath,
    /// Size in bytes.
    pub bytes: u64,
    /// Modification time in nanoseconds since 1970.
    pub modified: u64,
}

/// A completely uploaded file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrivedFile {
    /// Name in the container.
    pub path: BlobPath,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the content, if it was computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<ContentHash>,
}

/// Files of an upload, sorted by name, without duplicates. Cheap to clone. In JSON an object: `{"PATH": {"bytes": 1,
/// "modified": 2}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileList(Arc<[SourceFile]>);

impl FileList {
    /// Sorts the files; the first of several with the same name is kept.
    #[must_use]
    pub fn new(mut files: Vec<SourceFile>) -> Self {
        files.sort_by(|left, right| left.path.cmp(&right.path));
        files.dedup_by(|later, first| later.path == first.path);
        Self(files.into())
    }

    /// File with this name.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&SourceFile> {
        self.0.get(self.position(path)?)
    }

    /// Index of the file with this name in the list.
    #[must_use]
    pub fn position(&self, path: &str) -> Option<usize> {
        self.0.binary_search_by(|file| file.path.as_str().cmp(path)).ok()
    }

    /// Total size in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.iter().map(|file| file.bytes).sum()
    }

    /// Copy of the list in which these files replace those with the same name.
    #[must_use]
    pub fn with(&self, changed: Vec<SourceFile>) -> Self {
        if changed.is_empty() {
            return self.clone();
        }
        // The first of two with the same name is kept.
        Self::new(changed.into_iter().chain(self.0.iter().cloned()).collect())
    }
}

impl Default for FileList {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Deref for FileList {
    type Target = [SourceFile];

    fn deref(&self) -> &[SourceFile] {
        &self.0
    }
}

/// Size and modification time of a file in JSON.
#[derive(Serialize, Deserialize)]
struct FileStamp {
    bytes: u64,
    modified: u64,
}

impl Serialize for FileList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for SourceFile { path, bytes, modified } in self.0.iter() {
            map.serialize_entry(path.as_str(), &FileStamp { bytes: *bytes, modified: *modified })?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for FileList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FileListVisitor;

        impl<'de> Visitor<'de> for FileListVisitor {
            type Value = FileList;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("files by their names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FileList, A::Error> {
                let mut files = Vec::new();
                while let Some((path, FileStamp { bytes, modified })) = map.next_entry::<BlobPath, FileStamp>()? {
                    files.push(SourceFile { path, bytes, modified });
                }
                Ok(FileList::new(files))
            }
        }

        deserializer.deserialize_map(FileListVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, modified: u64) -> SourceFile {
        SourceFile { path: path.into(), bytes: 1, modified }
    }

    #[test]
    fn a_list_is_sorted_and_found_in_by_name() {
        let list = FileList::new(vec![file("sub/b", 1), file("a", 2), file("a", 3)]);
        assert_eq!(list.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["a", "sub/b"]);
        assert_eq!((list.get("a").map(|file| file.modified), list.get("b")), (Some(2), None));
        let changed = list.with(vec![file("sub/b", 9)]);
        assert_eq!((changed.get("sub/b").map(|file| file.modified), changed.len()), (Some(9), 2));
    }

    #[test]
    fn a_list_is_unchanged_after_a_json_round_trip() {
        let list = FileList::new(vec![file("ü b", 1), file("a", 2)]);
        let json = serde_json::to_string(&list).expect("JSON");
        assert_eq!(json, r#"{"a":{"bytes":1,"modified":2},"ü b":{"bytes":1,"modified":1}}"#);
        assert_eq!(serde_json::from_str::<FileList>(&json).expect("a list"), list);
    }
}
