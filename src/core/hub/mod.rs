//! The Hugging Face Hub: addresses, requests, the plan of an import, and files that are read by ranges.
//!
//! The seam between the plan of an import and the transfer of its bytes:
//!
//! - [`plan`] gives a [`HubImport`]: the [`HubSource`] (data: what is imported, `UploadSource::Hub`) and the
//!   [`HubReader`] (behaviour: reads it). The pinned commit ([`HubPin`]) is in the journal.
//! - [`HubReader::file`] gives the `RemoteFile` of a [`HubFile`], one for all who read it:
//!   - `stream(a..b)` and `bytes(a..b)` send the bytes of a range, each once and in order, whatever the server does
//!     meanwhile: short, empty and stalled responses are requested again from the last byte, a refused signed URL is
//!     renewed once. No two attempts are told apart by the caller; an error is final.
//!   - `signed_url()` gives the URL of a file in large storage, renewed before it ends, for copies between stores
//!     (`raw()`, `copy_fault()`); `renew(refused)` another one after a 403. `None`: the Hub itself sends the file.
//! - `NativeEngine::hub` ([`HubTransfer`]) brings the reader and the modes to the engine; the transfer reports
//!   `TransferEvent::ImportMode` once and `TransferEvent::ImportFile` for each file that differs.
//! - [`SumState`] proves a content against [`HubFile::sum`].
//!
//! Of these the transfer has `RemoteFile` and `SignedUrl` by what [`HubReader::file`] returns.
//!
//! Redirects are never followed by the HTTP library, the token goes to the Hub alone, and nothing is unpacked on the way.

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
