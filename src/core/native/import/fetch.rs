//! Known state and fetched content of a block before it is sent.

use std::collections::HashSet;
use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{ImportContext, SharedRemoteFile};
use crate::model::BlobPath;
use crate::native::error::NativeError;
use crate::native::file::BufferedContent;
use crate::native::pool::PooledBuffer;
use crate::store::{BlobVersion, BlockId, StoredBlocks};

impl ImportContext<'_> {
    /// Ids of stored blocks, and the version of the blob that has all of them.
    pub(super) async fn listed(
        &self,
        path: &BlobPath,
        ids: &[BlockId],
    ) -> Result<(HashSet<BlockId>, Option<BlobVersion>), NativeError> {
        let record = self.files.record;
        let known = || ids.iter().filter(|id| record.contains(id)).cloned().collect();
        if record.is_first_run() {
            return Ok((known(), None));
        }
        let listed = self.files.store.block_list(path).await.map_err(|error| NativeError::of_store(path, error))?;
        Ok(match listed {
            Some(StoredBlocks { committed, version, .. }) if committed == ids => (HashSet::new(), Some(version)),
            Some(blocks) => (blocks.uncommitted, None),
            // The SAS does not permit listing: acknowledged blocks count, until the commit fails.
            None => (known(), None),
        })
    }

    /// Fetches a range into memory, and computes its CRC-64 at the same time.
    pub(super) async fn fetch(
        &self,
        remote: &SharedRemoteFile,
        (start, length): (u64, u64),
        pooled: PooledBuffer,
    ) -> Result<BufferedContent, NativeError> {
        let mut pooled = pooled;
        let buffer =
            pooled.buffer(usize::try_from(length).map_err(|error| NativeError::Record(io::Error::other(error)))?);
        let mut crc = crc64fast_nvme::Digest::new();
        let mut stream = remote.stream(start..start + length);
        let mut at = 0;
        while let Some(piece) = stream.next().await.map_err(NativeError::of_hub)? {
            let bytes = piece.len() as u64;
            if let Some(rate) = &self.files.rate {
                rate.wait(bytes).await;
            }
            buffer[at..at + piece.len()].copy_from_slice(&piece);
            crc.write(&piece);
            at += piece.len();
            self.files.tally.add_received(bytes);
        }
        Ok(BufferedContent { bytes: pooled.filled(), crc64: STANDARD.encode(crc.sum64().to_le_bytes()) })
    }
}
