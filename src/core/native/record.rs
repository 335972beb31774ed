//! Record of uploaded content in the upload's private directory: ids of blocks, and a line for each complete file. No
//! secret.
//!
//! Append-only, so that a kill at any moment costs one line.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::files::{append_private, create_private};
use crate::model::{ArrivedFile, FileList, SourceFile};
use crate::store::{BlobVersion, BlockId, BlockLayout};

const BLOCKS: &str = "blocks";
const MANIFEST: &str = "manifest.ndjson";
const CONCURRENCY: &str = "concurrency.json";

/// Number of large requests in flight that suited a host.
#[derive(Serialize, Deserialize)]
struct HostConcurrency {
    host: String,
    requests: u32,
}

#[derive(Serialize, Deserialize)]
struct RecordLine {
    id: String,
    #[serde(flatten)]
    file: ArrivedFile,
    /// Version of the written blob; missing in records of older versions.
    #[serde(default)]
    version: BlobVersion,
}

/// Record of stored blocks and complete blobs of one upload; appended while it runs.
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
    /// Opens the record of the upload with this key in this directory, and appends to it.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub(crate) fn open(directory: &Path, key: &str) -> io::Result<Self> {
        let (blocks, manifest) = (directory.join(BLOCKS), directory.join(MANIFEST));
        let mut known = HashSet::new();
        each_line(&blocks, |line| {
            known.insert(String::from_utf8_lossy(line).into_owned());
        })?;
        Ok(Self {
            directory: directory.to_owned(),
            is_first_run: !blocks.exists(),
            blocks: Mutex::new(known),
            blocks_out: Mutex::new(appended(&blocks)?),
            manifest_out: Mutex::new(appended(&manifest)?),
            key: key.to_owned(),
        })
    }

    /// True if this engine has a record in this directory.
    pub(crate) fn exists(directory: &Path) -> bool {
        directory.join(BLOCKS).exists()
    }

    /// True if no earlier run has sent anything: the store has no block of this upload.
    pub(super) fn is_first_run(&self) -> bool {
        self.is_first_run
    }

    /// Concurrency on which an earlier run settled for this host.
    pub(super) fn concurrency(&self, host: &str) -> Option<u32> {
        let text = fs::read(self.directory.join(CONCURRENCY)).ok()?;
        let kept: HostConcurrency = serde_json::from_slice(&text).ok()?;
        (kept.host == host).then_some(kept.requests)
    }

    /// Keeps the concurrency for the next run. Only a hint: write errors are ignored.
    pub(super) fn keep_concurrency(&self, host: &str, requests: u32) {
        let kept = HostConcurrency { host: host.to_owned(), requests };
        let written = create_private(&self.directory.join(CONCURRENCY))
            .and_then(|file| serde_json::to_writer(file, &kept).map_err(io::Error::from));
        drop(written);
    }

    /// Directory of the record.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Blocks of a file with this size and time that is streamed from the Hub.
    pub(super) fn streamed_layout(&self, shape: &SourceFile) -> BlockLayout {
        BlockLayout::streamed(shape, &self.key)
    }

    /// Blocks of a file with this size and time that the store fetches itself.
    pub(super) fn copied_layout(&self, shape: &SourceFile) -> BlockLayout {
        BlockLayout::copied(shape, &self.key)
    }

    /// Blocks of a file with this size and time.
    pub(super) fn layout(&self, shape: &SourceFile) -> BlockLayout {
        BlockLayout::of(shape, &self.key)
    }

    /// Uploaded bytes of a file with this size and time.
    fn bytes_of(&self, shape: &SourceFile) -> u64 {
        let blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        // A file is uploaded in blocks of one kind; those of another kind have other ids.
        let layouts = [self.layout(shape), self.streamed_layout(shape)];
        let indexes = layouts.iter().flat_map(|layout| (0..layout.count()).map(move |index| (layout, index)));
        let known = indexes.filter(|(layout, index)| blocks.contains(layout.id(*index).as_str()));
        known.map(|(layout, index)| layout.range(index).1).sum()
    }

    /// Uploaded bytes of these files, according to the record in this directory.
    pub(crate) fn partial_bytes((directory, key): (&Path, &str), files: &[SourceFile]) -> u64 {
        let Ok(record) = Self::open(directory, key) else { return 0 };
        files.iter().map(|file| record.bytes_of(file)).sum()
    }

    /// True if this block was sent, in this run or an earlier one.
    pub(super) fn contains(&self, block: &BlockId) -> bool {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).contains(block.as_str())
    }

    /// Records an uploaded block.
    pub(super) fn block(&self, id: &BlockId) -> io::Result<()> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_string());
        let mut out = self.blocks_out.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(format!("{id}\n").as_bytes())
    }

    /// Records a completely uploaded file, and the version of its blob.
    pub(super) fn file(&self, layout: &BlockLayout, file: ArrivedFile, version: BlobVersion) -> io::Result<()> {
        let line = RecordLine { id: layout.whole(), file, version };
        let text = serde_json::to_string(&line)?;
        let mut out = self.manifest_out.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(format!("{text}\n").as_bytes())
    }
}

/// Completely uploaded files of this list, according to the record in this directory, in the order of the list; `keep`
/// converts each file and the version of its blob.
///
/// # Errors
/// When the record exists and cannot be read.
pub(crate) fn arrived_files<T>(
    (directory, key): (&Path, &str),
    files: &FileList,
    keep: impl Fn(ArrivedFile, BlobVersion) -> T,
) -> io::Result<Vec<T>> {
    let mut arrived: Vec<Option<T>> = Vec::new();
    each_line(&directory.join(MANIFEST), |line| {
        let Ok(RecordLine { id, file, version }) = serde_json::from_slice::<RecordLine>(line) else { return };
        let Some(at) = files.position(&file.path) else { return };
        if BlockLayout::of(&files[at], key).whole() == id {
            arrived.resize_with(files.len(), || None);
            // The last line of a file counts: the file was sent again.
            let file = ArrivedFile { path: files[at].path.clone(), ..file };
            arrived[at] = Some(keep(file, version));
        }
    })?;
    Ok(arrived.into_iter().flatten().collect())
}

/// Reads the complete lines, one at a time; ignores a line that a kill truncated.
pub(super) fn each_line(path: &Path, mut on: impl FnMut(&[u8])) -> io::Result<()> {
    let mut file = match File::open(path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => BufReader::new(file?),
    };
    let mut line = Vec::new();
    while file.read_until(b'\n', &mut line)? > 0 {
        if let Some(whole) = line.strip_suffix(b"\n") {
            on(whole);
        }
        line.clear();
    }
    Ok(())
}

/// Opens a file for appending.
pub(super) fn appended(path: &Path) -> io::Result<File> {
    let mut file = append_private(path)?;
    // Starts a new line after one that a kill truncated.
    if !ends_a_line(path)? {
        file.write_all(b"\n")?;
    }
    Ok(file)
}

fn ends_a_line(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::version;

    fn arrived(directory: &tempfile::TempDir, key: &str, shape: &SourceFile) -> Option<(ArrivedFile, BlobVersion)> {
        let files = FileList::new(vec![shape.clone()]);
        let arrived = arrived_files((directory.path(), key), &files, |file, version| (file, version));
        arrived.expect("read").pop()
    }

    #[test]
    fn a_record_of_an_older_version_has_no_blob_versions() {
        let directory = tempfile::tempdir().expect("a directory");
        let shape = SourceFile { path: "a".into(), bytes: 5, modified: 1 };
        let line = format!(r#"{{"id":"{}","path":"a","bytes":5}}"#, BlockLayout::of(&shape, "").whole());
        fs::write(directory.path().join(MANIFEST), line + "\n").expect("written");
        assert_eq!(arrived(&directory, "", &shape).map(|(_, version)| version), Some(BlobVersion::default()));
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
    fn the_next_run_knows_arrived_content_and_ignores_a_truncated_line() {
        let directory = tempfile::tempdir().expect("a directory");
        let shape = SourceFile { path: "a".into(), bytes: 5, modified: 1 };
        let layout = BlockLayout::of(&shape, "");
        let file = ArrivedFile { path: "a".into(), bytes: 5, sha256: Some([7; 32].into()) };
        {
            let record = Record::open(directory.path(), "").expect("opened");
            record.block(&layout.id(0)).expect("written");
            record.file(&layout, file.clone(), version("old")).expect("written");
            record.file(&layout, file.clone(), version("0x8D")).expect("written");
        }
        let blocks = directory.path().join(BLOCKS);
        fs::write(&blocks, format!("{}AAAA", fs::read_to_string(&blocks).expect("read"))).expect("written");
        let record = Record::open(directory.path(), "").expect("opened");
        assert!(record.contains(&layout.id(0)) && !record.contains(&"AAAA".to_owned().into()));
        record.block(&"next".to_owned().into()).expect("written");
        assert_eq!((record.bytes_of(&shape), arrived(&directory, "", &shape)), (5, Some((file, version("0x8D")))));
        assert_eq!(arrived(&directory, "other", &shape), None);
        let changed = SourceFile { modified: 2, ..shape };
        assert_eq!((record.bytes_of(&changed), arrived(&directory, "", &changed)), (0, None));
        assert!(Record::open(directory.path(), "").expect("opened").contains(&"next".to_owned().into()));
    }
}
