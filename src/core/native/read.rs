//! Reads a block: once for its checksum, and once more while it is sent, so that no block is ever held in memory.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::Stream;
use sha2::{Digest, Sha256};

use super::rate::Rate;

/// What is held of a file at a time.
const PIECE: usize = 512 * 1024;

/// Reads a file from its start to its end, block by block.
pub(super) struct Sums {
    path: PathBuf,
    file: File,
    whole: Option<Sha256>,
    piece: Vec<u8>,
}

impl Sums {
    /// `whole`: whether the SHA-256 of all of it is wanted.
    pub(super) fn open(path: &Path, whole: bool) -> io::Result<Self> {
        let file = File::open(path)?;
        let piece = usize::try_from(file.metadata()?.len()).unwrap_or(PIECE).min(PIECE);
        Ok(Self { path: path.to_owned(), file, whole: whole.then(Sha256::new), piece: vec![0; piece] })
    }

    /// CRC-64/NVME of a block, as the store takes it: eight little-endian bytes in base64.
    pub(super) fn block(&mut self, (start, length): (u64, u64)) -> io::Result<String> {
        let mut crc = crc64fast_nvme::Digest::new();
        self.file.seek(SeekFrom::Start(start))?;
        let mut left = length;
        while left > 0 {
            let want = usize::try_from(left).unwrap_or(PIECE).min(self.piece.len());
            let got = self.file.read(&mut self.piece[..want])?;
            if got == 0 {
                let words = format!("{} became shorter", self.path.display());
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, words));
            }
            crc.write(&self.piece[..got]);
            if let Some(whole) = &mut self.whole {
                whole.update(&self.piece[..got]);
            }
            left -= got as u64;
        }
        Ok(STANDARD.encode(crc.sum64().to_le_bytes()))
    }

    /// SHA-256 of all that was read, in hex digits.
    pub(super) fn finish(self) -> Option<String> {
        self.whole.map(|whole| whole.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Content of a block for one attempt; pieces are paced as they are taken.
pub(super) fn body(
    path: PathBuf,
    (start, length): (u64, u64),
    rate: Option<Arc<Rate>>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let state = (None::<File>, length);
    futures_util::stream::try_unfold(state, move |(file, left)| {
        let (path, rate) = (path.clone(), rate.clone());
        async move {
            if left == 0 {
                return Ok(None);
            }
            let want = left.min(PIECE as u64);
            if let Some(rate) = &rate {
                rate.wait(want).await;
            }
            // The file of the standard library: tokio's own reads into a buffer of its own first.
            let read = move || -> io::Result<_> {
                let mut file = match file {
                    Some(file) => file,
                    None => {
                        let mut file = File::open(&path)?;
                        file.seek(SeekFrom::Start(start))?;
                        file
                    }
                };
                let mut piece = Vec::with_capacity(usize::try_from(want).unwrap_or(PIECE));
                file.by_ref().take(want).read_to_end(&mut piece)?;
                Ok((file, piece))
            };
            let (file, piece) = tokio::task::spawn_blocking(read).await.map_err(io::Error::other)??;
            let got = piece.len() as u64;
            if got == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter"));
            }
            Ok(Some((Bytes::from(piece), (Some(file), left - got))))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of CRC-64/NVME, and SHA-256 of the same text, which is read in two blocks.
    #[test]
    fn the_sums_are_those_of_the_standards() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("f");
        std::fs::write(&path, "123456789").expect("written");
        let mut sums = Sums::open(&path, true).expect("opened");
        assert_eq!(sums.block((0, 9)).expect("read"), STANDARD.encode(0xae8b_1486_0a79_9888_u64.to_le_bytes()));
        let mut sums = Sums::open(&path, true).expect("opened");
        sums.block((0, 4)).expect("read");
        sums.block((4, 5)).expect("read");
        let sha256 = "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225";
        assert_eq!(sums.finish().as_deref(), Some(sha256));
        assert!(Sums::open(&path, false).expect("opened").block((5, 5)).is_err());
    }
}
