//! The blob store behind an upload location: the location, its content, and the requests that write block blobs. Knows
//! the protocol and the lifetime of a SAS, but neither files, journals nor engines.

mod acceptance;
mod blocks;
mod client;
mod container;
mod error;
mod location;
mod retry;
mod source_blobs;
mod speed;
mod version;
mod wire;

pub(crate) use blocks::{BLOCK, BlockId, BlockLayout, STREAMED_BLOCK, content_type};
pub use client::StoredFile;
pub(crate) use client::{BlobContent, BlobStore, CopyRefusal, CopySource, RangeError, RenewLocation, SendAttempt};
pub use error::{SasRefusal, StoreError};
pub use location::{BlobListing, ListedBlob, UploadLocation};
pub use source_blobs::source_blobs;
pub use speed::SPEED_PROBE;
pub use version::BlobVersion;
#[cfg(test)]
pub(crate) use version::tests::version;
pub(crate) use wire::StoredBlocks;
