//! Record of a download, in its private directory: written chunks of parts, and files that are in place. Lines of JSON
//! are appended, so that a killed process loses at most the line it was writing.
//!
//! A part is named by location, name, size and ETag of its blob, so that another version of the blob is another part.
//! Lines are written after the content. A machine that loses power may keep the line and lose the content; the SHA-256,
//! if known, detects that.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::files::append_private;
use crate::store::StoredFile;

/// Name of the record in the private directory: one JSON entry per line, append-only.
pub(super) const RECORD: &str = "record.ndjson";

/// Name of a part: 16 hex digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct PartId(String);

impl PartId {
    /// Part for this version of a file of the model at this location.
    pub(super) fn of(identity: &str, file: &StoredFile) -> Self {
        let etag = file.version.etag().unwrap_or_default();
        let hash = Sha256::digest(format!("{identity}\0{}\0{}\0{etag}", file.path, file.bytes));
        Self(hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }

    /// The 16 hex digits.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// One line of the record.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum RecordEntry {
    /// Number of a chunk of a part that is written.
    Chunk(PartId, u64),
    /// A part is missing or has wrong content: its chunks do not count.
    Discard(PartId),
    /// Modification time of a file that is in place, in nanoseconds.
    Done(PartId, u64),
}

/// State of a download in progress.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct WrittenParts {
    chunks: HashMap<PartId, HashSet<u64>>,
    done: HashMap<PartId, u64>,
}

impl WrittenParts {
    /// Reads the record; empty if there is none.
    pub(super) fn read(directory: &Path) -> io::Result<Self> {
        let file = match File::open(directory.join(RECORD)) {
            Ok(file) => file,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(why) => return Err(why),
        };
        let mut written = Self::default();
        for line in BufReader::new(file).split(b'\n') {
            // The last line may be truncated.
            match serde_json::from_slice(&line?) {
                Ok(RecordEntry::Chunk(part, chunk)) => drop(written.chunks.entry(part).or_default().insert(chunk)),
                Ok(RecordEntry::Discard(part)) => drop(written.chunks.remove(&part)),
                Ok(RecordEntry::Done(part, modified)) => drop(written.done.insert(part, modified)),
                Err(_) => {}
            }
        }
        Ok(written)
    }

    /// Numbers of the chunks of a part that are written.
    pub(super) fn chunks(&self, part: &PartId) -> HashSet<u64> {
        self.chunks.get(part).cloned().unwrap_or_default()
    }

    /// Modification time of the file that this part became.
    pub(super) fn done(&self, part: &PartId) -> Option<u64> {
        self.done.get(part).copied()
    }
}

/// Writer of the record.
#[derive(Debug)]
pub(super) struct Record(Mutex<File>);

impl Record {
    /// Opens or creates the record for appending.
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        let mut file = append_private(&directory.join(RECORD))?;
        // A truncated line must not spoil the next one.
        file.write_all(b"\n")?;
        Ok(Self(Mutex::new(file)))
    }

    /// Records a written chunk of a part, by its number.
    pub(super) fn chunk(&self, part: &PartId, chunk: u64) -> io::Result<()> {
        self.append(&RecordEntry::Chunk(part.clone(), chunk))
    }

    /// Records that the chunks of a part no longer count.
    pub(super) fn discard(&self, part: &PartId) -> io::Result<()> {
        self.append(&RecordEntry::Discard(part.clone()))
    }

    /// Records a file that is in place, and its modification time in nanoseconds.
    pub(super) fn done(&self, part: &PartId, modified: u64) -> io::Result<()> {
        self.append(&RecordEntry::Done(part.clone(), modified))
    }

    fn append(&self, line: &RecordEntry) -> io::Result<()> {
        let mut line = serde_json::to_vec(line)?;
        line.push(b'\n');
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::version;

    fn file(path: &str, bytes: u64, etag: &str) -> StoredFile {
        StoredFile { path: path.into(), bytes, sha256: None, version: version(etag) }
    }

    #[test]
    fn written_chunks_are_known_after_a_truncated_line() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path();
        assert_eq!(WrittenParts::read(path).expect("no record"), WrittenParts::default());
        let [a, b] = ["a", "b"].map(|name| PartId::of("place", &file(name, 9, "1")));
        let record = Record::open(path).expect("a record");
        record.chunk(&a, 0).expect("written");
        record.chunk(&b, 1).expect("written");
        record.discard(&b).expect("written");
        record.done(&b, 77).expect("written");
        record.0.lock().expect("the file").write_all(b"{\"chunk\":[\"").expect("written");
        let record = Record::open(path).expect("a record");
        record.chunk(&a, 2).expect("written");
        let written = WrittenParts::read(path).expect("a record");
        assert_eq!((written.chunks(&a), written.chunks(&b)), (HashSet::from([0, 2]), HashSet::new()));
        assert_eq!((written.done(&a), written.done(&b)), (None, Some(77)));
    }

    #[test]
    fn another_write_of_a_blob_is_another_part() {
        let part = PartId::of("place", &file("a", 9, "1"));
        assert_eq!(part, PartId::of("place", &file("a", 9, "1")));
        assert_eq!(part.as_str().len(), 16);
        for (identity, other) in [
            ("other", file("a", 9, "1")),
            ("place", file("b", 9, "1")),
            ("place", file("a", 8, "1")),
            ("place", file("a", 9, "2")),
        ] {
            assert_ne!(part, PartId::of(identity, &other));
        }
    }
}
