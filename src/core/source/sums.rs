//! SHA-256 of the files of a source, before anything is sent: on all cores, each file read once by one of them.

use std::fs::File;
use std::io::{self, Read};
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};
use thiserror::Error;

use super::stat_of_metadata;
use crate::model::{BlobPath, ContentHash, FileList, SourceFile, content_digest};

/// Bytes read at a time: few enough that the checksum finds them in the processor's cache.
const PIECE: usize = 256 * 1024;

/// Files and their SHA-256, as of the time at which they were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSums {
    files: FileList,
    /// Checksums in the order of the files.
    sums: Vec<ContentHash>,
}

impl FileSums {
    /// Checksums in the order of the files; `None` if their numbers differ.
    #[must_use]
    pub fn new(files: FileList, sums: Vec<ContentHash>) -> Option<Self> {
        (files.len() == sums.len()).then_some(Self { files, sums })
    }

    /// Files as they were read.
    #[must_use]
    pub fn files(&self) -> &FileList {
        &self.files
    }

    /// SHA-256 of the file of this name.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<ContentHash> {
        self.sums.get(self.files.position(path)?).copied()
    }

    /// Digest of the whole content.
    #[must_use]
    pub fn digest(&self) -> ContentHash {
        let files = self.files.iter().zip(&self.sums);
        content_digest(files.map(|(file, sum)| (file.path.as_str(), file.bytes, *sum)))
    }
}

/// Failure to compute the checksums of a source.
#[derive(Debug, Error)]
pub enum HashError {
    /// A file that cannot be read.
    #[error("cannot read {path}: {why}")]
    Unreadable {
        /// Name relative to the source.
        path: BlobPath,
        /// Message of the operating system.
        why: io::Error,
    },
    /// A file that changed since the upload was planned.
    #[error("{0} changed while being read")]
    Changed(BlobPath),
    /// The work was cancelled.
    #[error("not all files were read")]
    Stopped,
}

/// Progress of the reading, observed from another thread.
#[derive(Debug, Default)]
pub struct HashProgress {
    bytes: AtomicU64,
    is_stopped: AtomicBool,
}

impl HashProgress {
    /// Bytes read so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Cancels the work.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    fn check(&self) -> Result<(), HashError> {
        if self.is_stopped.load(Ordering::Relaxed) { Err(HashError::Stopped) } else { Ok(()) }
    }
}

/// Reads and hashes these files. Blocks; one core processes a whole file, so a single large one takes as long as one
/// core needs for it.
///
/// # Errors
/// See [`HashError`]; the first one ends the work.
pub fn hash_files(directory: &Path, files: &FileList, progress: &HashProgress) -> Result<FileSums, HashError> {
    // The largest first: they determine the total time.
    let mut order: Vec<usize> = (0..files.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(files[*at].bytes));
    let next = AtomicUsize::new(0);
    let sums = Mutex::new(vec![ContentHash::from([0; 32]); files.len()]);
    let failed = Mutex::new(None);
    let work = || {
        let mut piece = vec![0; PIECE];
        while let Some(at) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            match hash_file(directory, &files[*at], &mut piece, progress) {
                Ok(sum) => sums.lock().unwrap_or_else(PoisonError::into_inner)[*at] = sum,
                Err(error) => {
                    progress.stop();
                    failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    return;
                }
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get).min(files.len());
    std::thread::scope(|scope| {
        for _ in 1..cores {
            scope.spawn(work);
        }
        work();
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(FileSums { files: files.clone(), sums: sums.into_inner().unwrap_or_else(PoisonError::into_inner) }),
    }
}

fn hash_file(
    directory: &Path,
    planned: &SourceFile,
    piece: &mut [u8],
    progress: &HashProgress,
) -> Result<ContentHash, HashError> {
    let unreadable = |why| HashError::Unreadable { path: planned.path.clone(), why };
    let mut file = File::open(planned.path.below(directory)).map_err(unreadable)?;
    let mut sum = Sha256::new();
    loop {
        progress.check()?;
        let count = match file.read(piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
            Err(why) => return Err(unreadable(why)),
        };
        sum.update(&piece[..count]);
        progress.bytes.fetch_add(count as u64, Ordering::Relaxed);
    }
    let now =
        file.metadata().and_then(|metadata| stat_of_metadata(planned.path.clone(), &metadata)).map_err(unreadable)?;
    if now != *planned {
        return Err(HashError::Changed(planned.path.clone()));
    }
    Ok(<[u8; 32]>::from(sum.finalize()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Source;
    use crate::source::{Selection, UploadSource, plan};

    fn planned(directory: &Path) -> FileList {
        let source = Source::Local(directory.to_owned());
        let planned = plan(&source, Path::new("/"), &Selection::default(), None).expect("a plan");
        let UploadSource::Local { files, .. } = planned else { unreachable!("local") };
        files
    }

    #[test]
    fn each_file_has_the_sum_of_its_content() {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, content) in [("a", "abc"), ("b", ""), ("c", "123456789")] {
            std::fs::write(directory.path().join(name), content).expect("written");
        }
        let files = planned(directory.path());
        let progress = HashProgress::default();
        let sums = hash_files(directory.path(), &files, &progress).expect("sums");
        let of = |path: &str| sums.get(path).map(|sum| sum.to_string()).unwrap_or_default();
        assert_eq!(of("a"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(of("b"), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(of("c"), "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225");
        assert_eq!((sums.get("d"), progress.bytes()), (None, 12));
    }

    #[test]
    fn a_changed_file_has_no_checksum() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("a"), "abc").expect("written");
        let files = planned(directory.path());
        std::fs::write(directory.path().join("a"), "abcd").expect("written");
        let of = |files: &FileList| hash_files(directory.path(), files, &HashProgress::default());
        assert!(matches!(of(&files), Err(HashError::Changed(path)) if path == "a"));
        std::fs::remove_file(directory.path().join("a")).expect("removed");
        assert!(matches!(of(&files), Err(HashError::Unreadable { .. })));
        let stopped = HashProgress::default();
        stopped.stop();
        std::fs::write(directory.path().join("a"), "abc").expect("written");
        assert!(matches!(hash_files(directory.path(), &files, &stopped), Err(HashError::Stopped)));
    }
}
