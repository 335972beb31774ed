//! Reading of a file's content, once, and its delivery in pieces.

use std::fs::File;
use std::io;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::Stream;
use sha2::{Digest, Sha256};

use super::concurrency::RequestProgress;
use super::rate::Rate;
use crate::files::read_exact_at;
use crate::model::ContentHash;

/// Bytes that are read or passed on at a time: few enough that a checksum finds them in the processor's cache.
const PIECE: usize = 256 * 1024;

/// Fills a buffer from the file, beginning at `start`. Returns the CRC-64/NVME of the content in the store's format:
/// eight little-endian bytes in base64.
///
/// # Errors
/// Errors of the system, and `UnexpectedEof` if the file ends early.
pub(super) fn fill(file: &File, start: u64, buffer: &mut [u8]) -> io::Result<String> {
    let mut crc = crc64fast_nvme::Digest::new();
    let mut at = start;
    for piece in buffer.chunks_mut(PIECE) {
        read_exact_at(file, piece, at)?;
        crc.write(piece);
        at += piece.len() as u64;
    }
    Ok(STANDARD.encode(crc.sum64().to_le_bytes()))
}

/// SHA-256 of a file that is read from start to end.
pub(super) struct FileSum(Sha256);

impl FileSum {
    /// Hash of no content yet.
    pub(super) fn new() -> Self {
        Self(Sha256::new())
    }

    /// Adds the next content.
    pub(super) fn update(&mut self, content: &[u8]) {
        self.0.update(content);
    }

    /// Reads a range of the file: start and length in bytes.
    ///
    /// # Errors
    /// As [`fill`].
    pub(super) fn read(&mut self, file: &File, (start, length): (u64, u64)) -> io::Result<()> {
        let mut piece = vec![0; usize::try_from(length).unwrap_or(PIECE).min(PIECE)];
        let (mut at, end) = (start, start + length);
        while at < end {
            let want = usize::try_from(end - at).unwrap_or(PIECE).min(PIECE);
            read_exact_at(file, &mut piece[..want], at)?;
            self.update(&piece[..want]);
            at += want as u64;
        }
        Ok(())
    }

    /// Returns the SHA-256 of the added content.
    pub(super) fn hash(self) -> ContentHash {
        <[u8; 32]>::from(self.0.finalize()).into()
    }
}

/// Content of one attempt. Pieces are rate-limited as they are sent, and counted.
pub(super) fn pieces(
    content: Bytes,
    rate: Option<Arc<Rate>>,
    progress: Option<Arc<RequestProgress>>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    futures_util::stream::unfold(content, move |mut left| {
        let (rate, progress) = (rate.clone(), progress.clone());
        async move {
            if left.is_empty() {
                return None;
            }
            let piece = left.split_to(left.len().min(PIECE));
            if let Some(rate) = &rate {
                rate.wait(piece.len() as u64).await;
            }
            if let Some(progress) = &progress {
                progress.add(piece.len() as u64);
            }
            Some((Ok(piece), left))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Check value of CRC-64/NVME, and SHA-256 of the same text, which is read in two parts.
    #[test]
    fn the_checksums_match_the_standards() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("f");
        std::fs::write(&path, "123456789").expect("written");
        let file = File::open(&path).expect("opened");
        let mut buffer = [0; 9];
        let crc64 = fill(&file, 0, &mut buffer).expect("read");
        assert_eq!(crc64, STANDARD.encode(0xae8b_1486_0a79_9888_u64.to_le_bytes()));
        assert_eq!(&buffer, b"123456789");
        fill(&file, 4, &mut buffer[..5]).expect("read");
        assert_eq!(&buffer, b"567896789");
        let mut sum = FileSum::new();
        sum.update(b"1234");
        sum.read(&file, (4, 5)).expect("read");
        assert_eq!(sum.hash().to_string(), "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225");
        assert_eq!(fill(&file, 5, &mut buffer[..5]).map_err(|why| why.kind()), Err(io::ErrorKind::UnexpectedEof));
    }
}
