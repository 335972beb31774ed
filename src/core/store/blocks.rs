//! Blocks of a file: their sizes, their ids, and the content type of the blob that they become. Pure.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::model::SourceFile;

/// Maximum number of blocks in a blob.
const MOST_BLOCKS: u64 = 50_000;
/// The end of a long file, as many of its blocks, is sent in smaller ones: while the last ones are on their way,
/// connections are idle.
const TAIL: u64 = 16;
/// Smaller blocks that a block of the tail becomes.
const PARTS: u64 = 4;
/// A file of fewer blocks has no tail.
const LONG: u64 = 4 * TAIL;
/// Number of blocks that a file would have if all were of one size, at most.
const BLOCKS: u64 = MOST_BLOCKS - (TAIL + 1) * PARTS;
const MIB: u64 = 1 << 20;
/// Smallest block of a file that has several. An interruption loses what is in flight, and the last blocks leave
/// connections idle: both cost less with small blocks. Azure stores blocks of more than 4 MiB faster than smaller ones
/// (its "high-throughput block blobs").
pub(crate) const BLOCK: u64 = 5 * MIB;

/// Base64 block id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BlockId(String);

impl BlockId {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for BlockId {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Blocks of one file.
#[derive(Clone, Debug)]
pub(crate) struct BlockLayout {
    fingerprint: [u8; 28],
    bytes: u64,
    /// Size of a block, and how many of that size come before the tail.
    block: u64,
    before_tail: u64,
    /// Size of a block of the tail; where there is none, all blocks are of that size.
    small: u64,
}

impl BlockLayout {
    /// Blocks of a file as the upload with this key sends it.
    pub(crate) fn of(file: &SourceFile, key: &str) -> Self {
        let block = block_size(file.bytes);
        let before_tail = if file.bytes >= LONG * block { file.bytes / block - TAIL } else { 0 };
        let small = if before_tail > 0 { block / PARTS } else { block };
        let mut hash = Sha256::new();
        hash.update(key);
        hash.update((file.path.len() as u64).to_be_bytes());
        hash.update(file.path.as_str());
        for number in [file.bytes, file.modified, block, before_tail, small] {
            hash.update(number.to_be_bytes());
        }
        let mut fingerprint = [0; 28];
        fingerprint.copy_from_slice(&hash.finalize()[..28]);
        Self { fingerprint, bytes: file.bytes, block, before_tail, small }
    }

    /// Number of blocks; a file that is sent in one request has one.
    pub(crate) fn count(&self) -> u64 {
        (self.before_tail + self.rest().div_ceil(self.small)).max(1)
    }

    /// Start and length of a block.
    pub(crate) fn range(&self, index: u64) -> (u64, u64) {
        let Some(small) = index.checked_sub(self.before_tail) else { return (index * self.block, self.block) };
        let start = self.before_tail * self.block + small * self.small;
        (start, self.small.min(self.bytes - start))
    }

    /// Bytes of the tail.
    fn rest(&self) -> u64 {
        self.bytes - self.before_tail * self.block
    }

    /// Id of a block. Another upload, other content, another size or another block size have other ids, so that blocks of
    /// others and stale ones never mix in; all ids have one length, as the store demands.
    pub(crate) fn id(&self, index: u64) -> BlockId {
        let mut bytes = self.fingerprint.to_vec();
        bytes.extend_from_slice(&index.to_be_bytes());
        BlockId(STANDARD.encode(bytes))
    }

    /// Id of the whole file.
    pub(crate) fn whole(&self) -> String {
        self.id(u64::MAX).0
    }
}

fn block_size(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCKS).div_ceil(MIB).saturating_mul(MIB).max(BLOCK)
}

/// `Content-Type` by the extension of the name; the store serves the blob with it.
pub(crate) fn content_type(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
        Some("json") => "application/json",
        Some("txt" | "jinja" | "merges" | "vocab") => "text/plain; charset=utf-8",
        Some("md") => "text/markdown; charset=utf-8",
        Some("py") => "text/x-python; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(bytes: u64) -> SourceFile {
        SourceFile { path: "a".into(), bytes, modified: 7 }
    }

    #[test]
    fn no_file_has_more_blocks_than_the_store_takes() {
        for (bytes, block, count) in [
            (0, BLOCK, 1),
            (1, BLOCK, 1),
            (BLOCK, BLOCK, 1),
            (BLOCK + 1, BLOCK, 2),
            (BLOCK * LONG - 1, BLOCK, LONG),
            (BLOCK * LONG, BLOCK, 48 + 64),
            (BLOCK * LONG + 1, BLOCK, 48 + 65),
            (BLOCK * BLOCKS, BLOCK, BLOCKS - TAIL + 64),
            (BLOCK * BLOCKS + 1, BLOCK + MIB, 41_659),
            (150 << 40, 3151 * MIB, 49_966),
        ] {
            let layout = BlockLayout::of(&shape(bytes), "");
            assert!(layout.count() <= MOST_BLOCKS, "{bytes}");
            assert_eq!((layout.block / MIB, layout.count()), (block / MIB, count), "{bytes}");
            let ranges = (0..layout.count()).map(|index| layout.range(index));
            assert_eq!(ranges.fold(0, |end, (start, length)| if start == end { start + length } else { 0 }), bytes);
        }
    }

    #[test]
    fn the_end_of_a_long_file_is_in_small_blocks() {
        let layout = BlockLayout::of(&shape(512 * MIB), "");
        let sizes: Vec<u64> = (0..layout.count()).map(|index| layout.range(index).1 / 1024).collect();
        assert_eq!((sizes[0], sizes[85], sizes[86]), (5120, 5120, 1280));
        assert_eq!((sizes.len(), sizes.last()), (86 + 66, Some(&768)));
    }

    #[test]
    fn an_id_belongs_to_one_content_and_one_place() {
        let layout = BlockLayout::of(&shape(100 * MIB), "key");
        assert_eq!(layout.id(0).as_str().len(), 48);
        let others = [
            BlockLayout::of(&SourceFile { path: "b".into(), ..shape(100 * MIB) }, "key"),
            BlockLayout::of(&SourceFile { modified: 8, ..shape(100 * MIB) }, "key"),
            BlockLayout::of(&shape(100 * MIB + 1), "key"),
            BlockLayout::of(&shape(100 * MIB), "other"),
        ];
        let mut ids: Vec<String> = others.iter().map(|other| other.id(0).to_string()).collect();
        ids.extend([layout.id(0).to_string(), layout.id(1).to_string(), layout.whole()]);
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }
}
