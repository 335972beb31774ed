//! The Hugging Face Hub: addresses, requests, the plan of an import, and files that are read by ranges.
//!
//! Interface between the plan of an import and the transfer of its bytes:
//!
//! - [`plan`] returns a [`HubImport`]: the [`HubSource`] (data: the content to import, `UploadSource::Hub`) and the
//!   [`HubReader`] (behaviour: reads it). The pinned commit ([`HubPin`]) is stored in the journal.
//! - [`HubReader::file`] returns the `RemoteFile` of a [`HubFile`], shared by all its readers:
//!   - `stream(a..b)` and `bytes(a..b)` return the bytes of a range, each once and in order, regardless of the server:
//!     short, empty and stalled responses are requested again from the last byte, and a rejected signed URL is renewed
//!     once. The caller does not notice separate attempts; an error is final.
//!   - `signed_url()` returns the URL of a file in large storage, renewed before it expires, for copies between stores
//!     (`raw()`, `copy_fault()`); `renew(refused)` returns a new one after a 403. `None`: the Hub itself sends the file.
//! - `NativeEngine::hub` ([`HubTransfer`]) passes the reader and the modes to the engine; the transfer reports
//!   `TransferEvent::ImportMode` once and `TransferEvent::ImportFile` for each file whose mode differs.
//! - [`SumState`] verifies a content against [`HubFile::sum`].
//!
//! Of these types, the transfer reaches `RemoteFile` and `SignedUrl` only through [`HubReader::file`].
//!
//! The HTTP library never follows redirects, the token is sent to the Hub only, and nothing is decompressed in transit.

mod address;
mod client;
mod endpoint;
mod error;
mod id;
mod mode;
mod plan;
mod range;
mod reader;
mod remote_file;
mod select;
mod signed_url;
mod similar;
mod source;
mod sum;
#[cfg(test)]
mod tests;
mod token;
mod wire;

pub use address::{HubAddress, HubAddressError};
pub use client::{HubClient, PinnedRevision};
pub use endpoint::{HubEndpoint, HubEndpointError};
pub use error::HubError;
pub use id::{CommitId, RepoId};
pub use mode::{Carrier, CopyMode, HubTransfer, VerifyMode};
pub(crate) use plan::DOCUMENT_BYTES;
pub use plan::{HubImport, plan};
pub use reader::HubReader;
pub(crate) use remote_file::RemoteFile;
pub use signed_url::CopyFault;
pub use source::{HubExcluded, HubFile, HubPin, HubSource};
pub use sum::{HubSum, SumMismatch, SumState};
pub use token::{HubToken, HubTokenError, TokenOrigin, is_on};
