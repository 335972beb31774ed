//! Checksums of files in transit, kept in the upload's private directory: the hashed length of each content, and the
//! state of its hash there. No secret.
//!
//! Append-only, so that a kill at any moment costs one line.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::super::record::{appended, each_line};

const SUMS: &str = "sums.ndjson";

/// Progress of a file's checksum.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedSum {
    /// Number of discarded contents.
    #[serde(default)]
    pub(super) generation: u32,
    /// Number of leading blocks that are stored and hashed.
    #[serde(default)]
    pub(super) blocks: u64,
    /// State of the hash after them, in base64.
    #[serde(default)]
    state: String,
}

#[derive(Serialize, Deserialize)]
struct SumLine {
    id: String,
    #[serde(flatten)]
    sum: SavedSum,
}

/// Record of the checksum states of an import, so that a resumed one verifies whole files.
#[derive(Debug)]
pub(super) struct SumRecord {
    path: PathBuf,
    kept: Mutex<SumEntries>,
}

#[derive(Debug, Default)]
struct SumEntries {
    sums: HashMap<String, SavedSum>,
    out: Option<File>,
}

impl SavedSum {
    /// State of the hash; empty if nothing is hashed yet.
    pub(super) fn state(&self) -> Vec<u8> {
        STANDARD.decode(&self.state).unwrap_or_default()
    }
}

impl SumRecord {
    /// Opens the record of an earlier run in this directory.
    ///
    /// # Errors
    /// When it exists and cannot be read.
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        let path = directory.join(SUMS);
        let mut sums = HashMap::new();
        each_line(&path, |line| {
            // The last line of a file counts.
            if let Ok(SumLine { id, sum }) = serde_json::from_slice(line) {
                sums.insert(id, sum);
            }
        })?;
        Ok(Self { path, kept: Mutex::new(SumEntries { sums, out: None }) })
    }

    /// Saved checksum of the file with this id.
    pub(super) fn get(&self, id: &str) -> SavedSum {
        self.kept().sums.get(id).cloned().unwrap_or_default()
    }

    /// True if an earlier run hashed blocks of the file.
    pub(super) fn has_begun(&self, id: &str) -> bool {
        self.kept().sums.get(id).is_some_and(|sum| sum.blocks > 0)
    }

    /// Saves the number of stored blocks and the state of the checksum after them.
    pub(super) fn save(&self, id: &str, (generation, blocks): (u32, u64), state: &[u8]) -> io::Result<()> {
        self.put(id, SavedSum { generation, blocks, state: STANDARD.encode(state) })
    }

    /// Discards the content.
    pub(super) fn discard(&self, id: &str) -> io::Result<()> {
        let generation = self.get(id).generation + 1;
        self.put(id, SavedSum { generation, ..SavedSum::default() })
    }

    fn put(&self, id: &str, sum: SavedSum) -> io::Result<()> {
        let line = serde_json::to_string(&SumLine { id: id.to_owned(), sum: sum.clone() })?;
        let mut kept = self.kept();
        kept.sums.insert(id.to_owned(), sum);
        let out = match &mut kept.out {
            Some(out) => out,
            none => none.insert(appended(&self.path)?),
        };
        out.write_all(format!("{line}\n").as_bytes())
    }

    fn kept(&self) -> MutexGuard<'_, SumEntries> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_run_uses_the_last_complete_line_of_a_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let record = SumRecord::open(directory.path()).expect("opened");
        assert!(!directory.path().join(SUMS).exists() && !record.has_begun("a"));
        record.save("a", (0, 1), b"one").expect("written");
        record.save("a", (0, 2), b"two").expect("written");
        record.save("b", (0, 9), b"nine").expect("written");
        record.discard("b").expect("written");
        let path = directory.path().join(SUMS);
        let text = std::fs::read_to_string(&path).expect("read");
        std::fs::write(&path, text + r#"{"id":"a","blocks":7,"#).expect("written");
        let record = SumRecord::open(directory.path()).expect("opened");
        let (a, b) = (record.get("a"), record.get("b"));
        assert_eq!((a.generation, a.blocks, a.state()), (0, 2, b"two".to_vec()));
        assert_eq!((b.generation, b.blocks, record.has_begun("b")), (1, 0, false));
        record.save("c", (0, 1), b"three").expect("written");
        assert!(SumRecord::open(directory.path()).expect("opened").has_begun("c"));
    }
}
