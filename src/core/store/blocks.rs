//! Blocks of a file: their sizes, their ids, and the content type of the blob that they become. Pure.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::model::SourceFile;

/// Maximum number of blocks in a blob.
const BLOCKS: u64 = 50_000;
const MIB: u64 = 1 << 20;
/// Smallest block of a file that has several.
const BLOCK: u64 = 8 * MIB;
/// Smallest block that the store fetches itself, but for the first one: each costs a request, and no memory here.
const COPIED_BLOCK: u64 = 128 * MIB;

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
    /// Size of the first block.
    first: u64,
    /// Size of the others, but for the last.
    block: u64,
    /// Contents of this file that were given up before.
    generation: u32,
}

impl BlockLayout {
    /// Blocks of a file as the upload with this key sends it.
    pub(crate) fn of(file: &SourceFile, key: &str) -> Self {
        let block = block_size(file.bytes);
        Self::with((block, block), file, key)
    }

    /// Blocks of a file that the store fetches itself: a small one first, which shows whether it can, then large ones.
    pub(crate) fn copied(file: &SourceFile, key: &str) -> Self {
        Self::with((BLOCK, block_size(file.bytes).max(COPIED_BLOCK)), file, key)
    }

    fn with((first, block): (u64, u64), file: &SourceFile, key: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(key);
        hash.update((file.path.len() as u64).to_be_bytes());
        hash.update(file.path.as_str());
        for number in [file.bytes, file.modified, block] {
            hash.update(number.to_be_bytes());
        }
        let mut fingerprint = [0; 28];
        fingerprint.copy_from_slice(&hash.finalize()[..28]);
        Self { fingerprint, bytes: file.bytes, first, block, generation: 0 }
    }

    /// The same blocks under other ids, after so many contents were given up.
    pub(crate) fn generation(self, generation: u32) -> Self {
        Self { generation, ..self }
    }

    /// Number of blocks; a file that is sent in one request has one.
    pub(crate) fn count(&self) -> u64 {
        1 + self.bytes.saturating_sub(self.first).div_ceil(self.block)
    }

    /// Start and length of a block.
    pub(crate) fn range(&self, index: u64) -> (u64, u64) {
        if index == 0 {
            return (0, self.first.min(self.bytes));
        }
        let start = self.first + (index - 1) * self.block;
        (start, self.block.min(self.bytes - start))
    }

    /// Id of a block. Another upload, other content, another size or another block size have other ids, so that blocks of
    /// others and stale ones never mix in; all ids have one length, as the store demands.
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
            (BLOCK * BLOCKS, BLOCK, BLOCKS),
            (BLOCK * BLOCKS + 1, BLOCK + MIB, 44_445),
            (150 << 40, 3146 * MIB, 49_996),
        ] {
            let layout = BlockLayout::of(&shape(bytes), "");
            assert!(layout.count() <= BLOCKS, "{bytes}");
            assert_eq!((layout.block / MIB, layout.count()), (block / MIB, count), "{bytes}");
            let (start, length) = layout.range(layout.count() - 1);
            assert_eq!(start + length, bytes);
        }
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
        assert!(BlockLayout::copied(&shape(150 << 40), "").count() <= BLOCKS);
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
        ids.push(layout.clone().generation(1).id(0).to_string());
        ids.push(BlockLayout::copied(&shape(100 * MIB), "key").id(0).to_string());
        ids.extend([layout.id(0).to_string(), layout.id(1).to_string(), layout.whole()]);
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }
}
