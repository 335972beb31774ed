//! Verification of copied blobs: read back and compared with the Hub's checksum.

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{ImportContext, SharedRemoteFile};
use crate::hub::{HubSum, SumMismatch, SumState};
use crate::model::SourceFile;
use crate::native::error::NativeError;
use crate::native::file::blocking;

/// Bytes of one read.
const PART: u64 = 8 << 20;
/// Number of concurrent reads.
const PARTS: usize = 4;

impl ImportContext<'_> {
    /// Reads a file back from the store. Returns its checksum; the inner error has both checksums if it is not the
    /// Hub's.
    pub(super) async fn read_back(
        &self,
        remote: &SharedRemoteFile,
        shape: &SourceFile,
    ) -> Result<Result<HubSum, SumMismatch>, NativeError> {
        let (path, bytes) = (&shape.path, shape.bytes);
        let of_store = |error| NativeError::of_store(path, error);
        let starts = (0..bytes.div_ceil(PART)).map(|part| part * PART);
        let ranges = starts.map(|start| (start, PART.min(bytes - start)));
        let parts = stream::iter(ranges).map(|range| async move {
            let pooled = self.files.reserve_buffer(range.1).await?;
            let part = self.files.store.read(path, range).await.map_err(of_store)?;
            Ok::<_, NativeError>((part, pooled))
        });
        let mut parts = std::pin::pin!(parts.buffered(PARTS));
        let mut sum = SumState::new(remote.file().sum, bytes);
        while let Some((part, pooled)) = parts.try_next().await? {
            if let Some(rate) = &self.files.rate {
                rate.wait(part.len() as u64).await;
            }
            self.files.tally.add_read(part.len() as u64);
            sum = blocking(move || {
                sum.update(&part);
                Ok(sum)
            })
            .await
            .map_err(NativeError::Record)?;
            drop(pooled);
        }
        Ok(sum.finish())
    }
}
