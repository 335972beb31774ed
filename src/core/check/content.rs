//! Content of planned files for the check: on this machine, or on the Hub, where only the checked parts are read.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Handle;

use super::{CheckError, documents, index};
use crate::hub::{DOCUMENT_BYTES, HubError, HubReader, HubSource, RemoteFile};
use crate::model::{FileKind, SourceFile};
use crate::source::open;

/// Bytes first requested from a file whose header contains its own length; most headers are shorter.
const FIRST: u64 = 64 << 10;
/// Bytes requested at a time from a document that is too large to be kept.
const PIECE: u64 = 4 << 20;
/// Bytes of the length field of a safetensors header.
const LENGTH: usize = 8;
/// Maximum length of a header that is read in one request, in bytes.
const MAX_HEADER: u64 = 100_000_000;

/// Origin of the planned files.
#[derive(Clone)]
pub(super) enum ContentSource {
    /// Below this directory.
    Directory(PathBuf),
    /// On the Hub. Read on threads that may block, while the runtime transfers the bytes.
    Hub { source: Arc<HubSource>, reader: Arc<HubReader>, runtime: Handle },
}

impl ContentSource {
    /// Reads a file from its beginning with `how`.
    pub(super) fn read<T>(
        &self,
        planned: &SourceFile,
        how: impl FnOnce(&mut FileContent) -> io::Result<T>,
    ) -> Result<T, CheckError> {
        let outcome = self.open(planned).and_then(|mut content| how(&mut content));
        outcome.map_err(|why| match why.downcast::<HubError>() {
            Ok(error) => CheckError::Hub(error),
            Err(why) => CheckError::Unreadable { path: self.path(planned), why },
        })
    }

    fn open(&self, planned: &SourceFile) -> io::Result<FileContent> {
        let (source, reader, runtime) = match self {
            Self::Directory(directory) => return open(directory, &planned.path).map(FileContent::File),
            Self::Hub { source, reader, runtime } => (source, reader, runtime),
        };
        let known = source.file(&planned.path).ok_or(io::ErrorKind::NotFound)?;
        let file = reader.file(known);
        let is_document = documents::shape(&planned.path).is_some() || index::is_index(&planned.path);
        if is_document && known.bytes <= DOCUMENT_BYTES {
            let whole = wait(runtime, async move { file.whole().await })?;
            return Ok(FileContent::Whole(Cursor::new(whole)));
        }
        let kind = FileKind::of(&planned.path);
        let ahead = match kind {
            FileKind::Safetensors | FileKind::Gguf => FIRST,
            _ if is_document => PIECE,
            _ => 0,
        };
        let has_length = kind == FileKind::Safetensors;
        Ok(FileContent::Ranges(Ranges {
            file,
            runtime: runtime.clone(),
            at: 0,
            start: 0,
            window: Bytes::new(),
            ahead,
            has_length,
        }))
    }

    fn path(&self, planned: &SourceFile) -> PathBuf {
        match self {
            Self::Directory(directory) => planned.path.below(directory),
            Self::Hub { .. } => PathBuf::from(planned.path.as_str()),
        }
    }
}

/// Blocks this thread until work of the runtime is done. The work is spawned on the runtime: a thread that drove it
/// would panic if an interruption ends the runtime.
fn wait<T: Send + 'static>(
    runtime: &Handle,
    work: impl Future<Output = Result<T, HubError>> + Send + 'static,
) -> io::Result<T> {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    drop(runtime.spawn(async move { drop(sender.send(work.await)) }));
    receiver.recv().map_err(|_| io::Error::other("the program is ending"))?.map_err(io::Error::other)
}

/// Content of one file.
pub(super) enum FileContent {
    /// A file of this machine.
    File(File),
    /// A small document of the Hub, verified by its checksum.
    Whole(Cursor<Bytes>),
    /// A file of the Hub, parts of which are requested as they are read.
    Ranges(Ranges),
}

impl Read for FileContent {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Whole(bytes) => bytes.read(buffer),
            Self::Ranges(ranges) => ranges.read(buffer),
        }
    }
}

impl Seek for FileContent {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::File(file) => file.seek(to),
            Self::Whole(bytes) => bytes.seek(to),
            Self::Ranges(ranges) => ranges.seek(to),
        }
    }
}

/// See [`FileContent::Ranges`].
pub(super) struct Ranges {
    file: Arc<RemoteFile>,
    runtime: Handle,
    at: u64,
    /// Position of the window in the file.
    start: u64,
    window: Bytes,
    /// Minimum number of bytes to request.
    ahead: u64,
    /// True if the first bytes contain the length to read.
    has_length: bool,
}

impl Ranges {
    fn size(&self) -> u64 {
        self.file.file().bytes
    }

    /// Requests the next bytes.
    fn fetch(&mut self, wanted: usize) -> io::Result<()> {
        let most = self.ahead.max(wanted as u64);
        let end = self.at.saturating_add(most).min(self.size());
        let (file, range) = (Arc::clone(&self.file), self.at..end);
        self.window = wait(&self.runtime, async move { file.bytes(range).await })?;
        self.start = self.at;
        // A long table is read in fewer, larger parts.
        self.ahead = (self.ahead * 2).min(PIECE);
        if let (true, 0, Some(length)) = (self.has_length, self.start, self.window.first_chunk::<LENGTH>()) {
            // The rest of the header, regardless of its length, in one request.
            let end = u64::from_le_bytes(*length).min(MAX_HEADER) + LENGTH as u64;
            self.ahead = end.saturating_sub(self.window.len() as u64);
        }
        Ok(())
    }
}

impl Read for Ranges {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.size() || buffer.is_empty() {
            return Ok(0);
        }
        let is_inside = (self.start..self.start + self.window.len() as u64).contains(&self.at);
        if !is_inside {
            self.fetch(buffer.len())?;
        }
        let from = usize::try_from(self.at - self.start).unwrap_or(usize::MAX);
        let rest = self.window.get(from..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Ranges {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.size().checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
