//! What arrived, kept in the upload's private directory: ids of blocks, and a line for each whole file. No secret.
//!
//! Written as it happens and never rewritten, so that a kill at any moment costs one line.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::files::{append_private, create_private};
use crate::model::{ArrivedFile, SourceFile};
use crate::store::{BlobVersion, BlockId, BlockLayout};

const BLOCKS: &str = "blocks";
const MANIFEST: &str = "manifest.ndjson";
const CONCURRENCY: &str = "concurrency.json";

/// Number of large requests in flight that was right for a host.
#[derive(Serialize, Deserialize)]
struct HostConcurrency {
    host: String,
    requests: u32,
}

#[derive(Serialize, Deserialize)]
struct Line {
    id: String,
    #[serde(flatten)]
    file: ArrivedFile,
    /// Which write of the blob it became; records of older versions do not have it.
    #[serde(default)]
    version: BlobVersion,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Record {
    blocks: Mutex<HashSet<String>>,
    blocks_out: Mutex<File>,
    manifest_out: Mutex<File>,
    /// Key of the upload.
    key: String,
    directory: PathBuf,
    is_first_run: bool,
}

impl Record {
    /// Reads what an earlier run of the upload with this key left in this directory, and goes on there.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub(crate) fn open(directory: &Path, key: &str) -> io::Result<Self> {
        let (blocks, manifest) = (directory.join(BLOCKS), directory.join(MANIFEST));
        Ok(Self {
            directory: directory.to_owned(),
            is_first_run: !blocks.exists(),
            blocks: Mutex::new(lines(&blocks)?.collect()),
            blocks_out: Mutex::new(appended(&blocks)?),
            manifest_out: Mutex::new(appended(&manifest)?),
            key: key.to_owned(),
        })
    }

    /// True where no earlier run has begun to send: the store has no block of this upload.
    pub(super) fn is_first_run(&self) -> bool {
        self.is_first_run
    }

    /// Concurrency that an earlier run found to be right for this host.
    pub(super) fn concurrency(&self, host: &str) -> Option<u32> {
        let text = fs::read(self.directory.join(CONCURRENCY)).ok()?;
        let kept: HostConcurrency = serde_json::from_slice(&text).ok()?;
        (kept.host == host).then_some(kept.requests)
    }

    /// Keeps it for the next run. Only a hint: that it cannot be written does not matter.
    pub(super) fn keep_concurrency(&self, host: &str, requests: u32) {
        let kept = HostConcurrency { host: host.to_owned(), requests };
        let written = create_private(&self.directory.join(CONCURRENCY))
            .and_then(|file| serde_json::to_writer(file, &kept).map_err(io::Error::from));
        drop(written);
    }

    /// Blocks of a file of this shape.
    pub(super) fn layout(&self, shape: &SourceFile) -> BlockLayout {
        BlockLayout::of(shape, &self.key)
    }

    /// Bytes of a file of this shape whose blocks arrived.
    fn bytes_of(&self, shape: &SourceFile) -> u64 {
        let layout = self.layout(shape);
        let blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let known = (0..layout.count()).filter(|index| blocks.contains(layout.id(*index).as_str()));
        known.map(|index| layout.range(index).1).sum()
    }

    /// Bytes of these files whose blocks arrived, by the record in this directory.
    pub(crate) fn partial_bytes((directory, key): (&Path, &str), files: &[SourceFile]) -> u64 {
        let Ok(record) = Self::open(directory, key) else { return 0 };
        files.iter().map(|file| record.bytes_of(file)).sum()
    }

    /// True where this block was sent, in this run or an earlier one.
    pub(super) fn knows(&self, block: &BlockId) -> bool {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).contains(block.as_str())
    }

    /// A block arrived.
    pub(super) fn block(&self, id: &BlockId) -> io::Result<()> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_string());
        let mut out = self.blocks_out.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(format!("{id}\n").as_bytes())
    }

    /// A file arrived whole, as this write of its blob.
    pub(super) fn file(&self, layout: &BlockLayout, file: ArrivedFile, version: BlobVersion) -> io::Result<()> {
        let line = Line { id: layout.whole(), file, version };
        let text = serde_json::to_string(&line)?;
        let mut out = self.manifest_out.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(format!("{text}\n").as_bytes())
    }
}

/// Files of these shapes that arrived whole, by the record in this directory, and which writes of their blobs they
/// became.
///
/// # Errors
/// When it is there and cannot be read.
pub(crate) fn arrived_files<'a>(
    (directory, key): (&Path, &str),
    shapes: impl IntoIterator<Item = &'a SourceFile>,
) -> io::Result<Vec<(ArrivedFile, BlobVersion)>> {
    let mut files = read_manifest(&directory.join(MANIFEST))?;
    Ok(shapes.into_iter().filter_map(|shape| files.remove(&BlockLayout::of(shape, key).whole())).collect())
}

fn read_manifest(path: &Path) -> io::Result<HashMap<String, (ArrivedFile, BlobVersion)>> {
    let parsed = lines(path)?.filter_map(|line| serde_json::from_str::<Line>(&line).ok());
    // The last line of a file counts: it was sent again.
    Ok(parsed.map(|line| (line.id, (line.file, line.version))).collect())
}

/// Whole lines; what a kill cut off is none.
fn lines(path: &Path) -> io::Result<impl Iterator<Item = String>> {
    let text = match fs::read_to_string(path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => String::new(),
        text => text?,
    };
    let whole = text.rfind('\n').map_or(0, |at| at + 1);
    Ok(text[..whole].lines().map(str::to_owned).collect::<Vec<_>>().into_iter())
}

fn appended(path: &Path) -> io::Result<File> {
    let mut file = append_private(path)?;
    // Behind a line that a kill cut off.
    if file.metadata()?.len() > 0 && !fs::read(path)?.ends_with(b"\n") {
        file.write_all(b"\n")?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::version;

    #[test]
    fn a_record_of_an_older_version_has_no_marks() {
        let directory = tempfile::tempdir().expect("a directory");
        let shape = SourceFile { path: "a".into(), bytes: 5, modified: 1 };
        let line = format!(r#"{{"id":"{}","path":"a","bytes":5}}"#, BlockLayout::of(&shape, "").whole());
        fs::write(directory.path().join(MANIFEST), line + "\n").expect("written");
        let arrived = arrived_files((directory.path(), ""), [&shape]).expect("read");
        assert_eq!(arrived.into_iter().map(|(_, version)| version).collect::<Vec<_>>(), [BlobVersion::default()]);
    }

    #[test]
    fn the_concurrency_of_a_host_is_known_to_the_next_run() {
        let directory = tempfile::tempdir().expect("a directory");
        let record = Record::open(directory.path(), "").expect("opened");
        assert_eq!((record.is_first_run(), record.concurrency("a")), (true, None));
        record.keep_concurrency("a", 16);
        record.keep_concurrency("a", 4);
        let record = Record::open(directory.path(), "").expect("opened");
        assert_eq!((record.is_first_run(), record.concurrency("a"), record.concurrency("b")), (false, Some(4), None));
        fs::write(directory.path().join(CONCURRENCY), "{").expect("written");
        assert_eq!(record.concurrency("a"), None);
    }

    #[test]
    fn what_arrived_is_known_to_the_next_run_and_a_cut_line_is_not() {
        let directory = tempfile::tempdir().expect("a directory");
        let shape = SourceFile { path: "a".into(), bytes: 5, modified: 1 };
        let layout = BlockLayout::of(&shape, "");
        let file = ArrivedFile { path: "a".into(), bytes: 5, sha256: Some("00".into()) };
        {
            let record = Record::open(directory.path(), "").expect("opened");
            record.block(&layout.id(0)).expect("written");
            record.file(&layout, file.clone(), version("old")).expect("written");
            record.file(&layout, file.clone(), version("0x8D")).expect("written");
        }
        let blocks = directory.path().join(BLOCKS);
        fs::write(&blocks, format!("{}AAAA", fs::read_to_string(&blocks).expect("read"))).expect("written");
        let record = Record::open(directory.path(), "").expect("opened");
        assert!(record.knows(&layout.id(0)) && !record.knows(&"AAAA".to_owned().into()));
        record.block(&"next".to_owned().into()).expect("written");
        assert_eq!(
            (record.bytes_of(&shape), arrived_files((directory.path(), ""), [&shape]).expect("read")),
            (5, vec![(file, version("0x8D"))])
        );
        assert_eq!(arrived_files((directory.path(), "other"), [&shape]).expect("read"), []);
        let changed = SourceFile { modified: 2, ..shape };
        assert_eq!(
            (record.bytes_of(&changed), arrived_files((directory.path(), ""), [&changed]).expect("read")),
            (0, vec![])
        );
        assert!(Record::open(directory.path(), "").expect("opened").knows(&"next".to_owned().into()));
    }
}
