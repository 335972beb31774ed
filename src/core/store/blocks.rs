//! Blocks of a file: their sizes, their ids, and the content type of the resulting blob. Pure.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::model::SourceFile;

/// Maximum number of blocks in a blob.
const MAX_BLOCKS: u64 = 50_000;
/// Number of blocks at the end of a long file that are sent in smaller ones: while the last blocks are in flight, other
/// connections are idle.
/// connections are idle.
const TAIL: u64 = 16;
/// Number of smaller blocks that replace each block of the tail.
const PARTS: u64 = 4;
/// Minimum number of blocks of a file with a tail.
const MIN_BLOCKS_WITH_TAIL: u64 = 4 * TAIL;
/// Maximum number of blocks of a file if all were of the same size.
const BLOCKS: u64 = MAX_BLOCKS - (TAIL + 1) * PARTS;
const MIB: u64 = 1 << 20;
/// Minimum block size of a file with several blocks. An interruption loses the blocks in flight, and the last blocks
/// leave connections idle: both cost less with small blocks. Azure stores blocks of more than 4 MiB faster than smaller
/// ones (its "high-throughput block blobs").
pub(crate) const BLOCK: u64 = 5 * MIB;
/// Minimum block size of a file that is streamed from the Hub: each block is a request there too.
pub(crate) const STREAMED_BLOCK: u64 = 8 * MIB;
/// Size of the first block that the store fetches itself: it shows whether the store can.
const PROBE_BLOCK: u64 = 8 * MIB;
/// Minimum size of the other blocks that the store fetches: each costs a request, but no memory on this machine.
const COPIED_BLOCK: u64 = 128 * MIB;

/// Base64 block id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BlockId(String);

impl BlockId {
    /// Base64 text of the id.
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

/// Blocks of one file: a number of blocks of one size, and the rest in blocks of another size.
#[derive(Clone, Debug)]
pub(crate) struct BlockLayout {
    fingerprint: [u8; 28],
    bytes: u64,
    /// Number and size of the first blocks.
    head: (u64, u64),
    /// Size of the other blocks, except for the last.
    size: u64,
    /// Number of contents of this file that were discarded.
    generation: u32,
}

impl BlockLayout {
    /// Blocks of a file as the upload with this key sends it.
    pub(crate) fn of(file: &SourceFile, key: &str) -> Self {
        let block = block_size(file.bytes, BLOCK);
        let before_tail = if file.bytes >= MIN_BLOCKS_WITH_TAIL * block { file.bytes / block - TAIL } else { 0 };
        let size = if before_tail > 0 { block / PARTS } else { block };
        Self::with((before_tail, block), size, file, key)
    }

    /// Blocks of a file that is streamed from the Hub.
    pub(crate) fn streamed(file: &SourceFile, key: &str) -> Self {
        let block = block_size(file.bytes, STREAMED_BLOCK);
        Self::with((0, block), block, file, key)
    }

    /// Blocks of a file that the store fetches itself: a small one first, then large ones.
    pub(crate) fn copied(file: &SourceFile, key: &str) -> Self {
        let first = u64::from(file.bytes > PROBE_BLOCK);
        Self::with((first, PROBE_BLOCK), block_size(file.bytes, COPIED_BLOCK), file, key)
    }

    fn with(head: (u64, u64), size: u64, file: &SourceFile, key: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(key);
        hash.update((file.path.len() as u64).to_be_bytes());
        hash.update(file.path.as_str());
        for number in [file.bytes, file.modified, head.0, head.1, size] {
            hash.update(number.to_be_bytes());
        }
        let mut fingerprint = [0; 28];
        fingerprint.copy_from_slice(&hash.finalize()[..28]);
        Self { fingerprint, bytes: file.bytes, head, size, generation: 0 }
    }

    /// Uses other ids for these blocks, after this number of discarded contents.
    pub(crate) fn generation(self, generation: u32) -> Self {
        Self { generation, ..self }
    }

    /// Number of blocks; a file that is sent in one request has one.
    pub(crate) fn count(&self) -> u64 {
        let (number, size) = self.head;
        (number + (self.bytes - number * size).div_ceil(self.size)).max(1)
    }

    /// Start and length of a block.
    pub(crate) fn range(&self, index: u64) -> (u64, u64) {
        let (number, size) = self.head;
        let Some(index) = index.checked_sub(number) else { return (index * size, size) };
        let start = number * size + index * self.size;
        (start, self.size.min(self.bytes - start))
    }

    /// Id of a block. Other uploads, contents, file sizes and block sizes have other ids, so that stale blocks and
    /// blocks of other uploads never mix in. All ids have the same length, as the store requires.
    pub(crate) fn id(&self, index: u64) -> BlockId {
        self.numbered((u64::from(self.generation) << 32) + index)
    }

    /// Id of the whole file.
    pub(crate) fn whole(&self) -> String {
        self.numbered(u64::MAX).0
    }

    fn numbered(&self, number: u64) -> BlockId {
        let mut bytes = self.fingerprint.to_vec();
        bytes.extend_from_slice(&number.to_be_bytes());
        BlockId(STANDARD.encode(bytes))
    }
}

fn block_size(bytes: u64, least: u64) -> u64 {
    bytes.div_ceil(BLOCKS).div_ceil(MIB).saturating_mul(MIB).max(least)
}

/// Returns the `Content-Type` for the extension of the name; the store serves the blob with it.
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
    fn no_file_has_more_blocks_than_the_store_accepts() {
        for (bytes, block, count) in [
            (0, BLOCK, 1),
            (1, BLOCK, 1),
            (BLOCK, BLOCK, 1),
            (BLOCK + 1, BLOCK, 2),
            (BLOCK * MIN_BLOCKS_WITH_TAIL - 1, BLOCK, MIN_BLOCKS_WITH_TAIL),
            (BLOCK * MIN_BLOCKS_WITH_TAIL, BLOCK, 48 + 64),
            (BLOCK * MIN_BLOCKS_WITH_TAIL + 1, BLOCK, 48 + 65),
            (BLOCK * BLOCKS, BLOCK, BLOCKS - TAIL + 64),
            (BLOCK * BLOCKS + 1, BLOCK + MIB, 41_659),
            (150 << 40, 3151 * MIB, 49_966),
        ] {
            let layout = BlockLayout::of(&shape(bytes), "");
            assert!(layout.count() <= MAX_BLOCKS, "{bytes}");
            assert_eq!((layout.head.1 / MIB, layout.count()), (block / MIB, count), "{bytes}");
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
    fn a_copied_file_begins_with_a_small_block_and_has_no_gaps() {
        for (bytes, sizes) in [
            (5, vec![5]),
            (8 * MIB, vec![8 * MIB]),
            (8 * MIB + 1, vec![8 * MIB, 1]),
            (300 * MIB, vec![8 * MIB, 128 * MIB, 128 * MIB, 36 * MIB]),
        ] {
            let layout = BlockLayout::copied(&shape(bytes), "");
            let ranges: Vec<_> = (0..layout.count()).map(|index| layout.range(index)).collect();
            assert_eq!(ranges.iter().map(|(_, length)| *length).collect::<Vec<_>>(), sizes);
            assert!(ranges.windows(2).all(|two| two[0].0 + two[0].1 == two[1].0), "{ranges:?}");
        }
        assert!(BlockLayout::copied(&shape(150 << 40), "").count() <= MAX_BLOCKS);
    }

    #[test]
    fn a_streamed_file_has_blocks_of_one_size() {
        let layout = BlockLayout::streamed(&shape(600 * MIB), "");
        assert_eq!((layout.count(), layout.range(0), layout.range(74)), (75, (0, 8 * MIB), (592 * MIB, 8 * MIB)));
        assert!(BlockLayout::streamed(&shape(150 << 40), "").count() <= MAX_BLOCKS);
    }

    #[test]
    fn an_id_belongs_to_one_content_and_one_position() {
        let layout = BlockLayout::of(&shape(100 * MIB), "key");
        assert_eq!(layout.id(0).as_str().len(), 48);
        let others = [
            BlockLayout::of(&SourceFile { path: "b".into(), ..shape(100 * MIB) }, "key"),
            BlockLayout::of(&SourceFile { modified: 8, ..shape(100 * MIB) }, "key"),
            BlockLayout::of(&shape(100 * MIB + 1), "key"),
            BlockLayout::of(&shape(100 * MIB), "other"),
        ];
        let mut ids: Vec<String> = others.iter().map(|other| other.id(0).to_string()).collect();
        ids.push(layout.clone().generation(1).id(0).to_string());
        ids.push(BlockLayout::copied(&shape(100 * MIB), "key").id(0).to_string());
        ids.push(BlockLayout::streamed(&shape(100 * MIB), "key").id(0).to_string());
        ids.extend([layout.id(0).to_string(), layout.id(1).to_string(), layout.whole()]);
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }
}
