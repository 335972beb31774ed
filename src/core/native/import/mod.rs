//! Transfer of files from the Hugging Face Hub to the store: copied by the store itself if it can, otherwise streamed
//! through this machine's memory. Only the record is written to disk.

mod copy;
mod fetch;
mod ledger;
mod stream;
mod sums;
mod verify;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::{OnceCell, Semaphore, mpsc};

use self::sums::SumRecord;
use super::error::NativeError;
use super::file::{SentFile, UploadContext};
use crate::hub::{Carrier, CopyMode, HubError, HubFile, HubSource, HubTransfer, RemoteFile, SumMismatch, VerifyMode};
use crate::model::{ArrivedFile, ContentHash, Report, SourceFile, TransferEvent};
use crate::store::{BlobVersion, BlockId};
use crate::units;

/// Concurrent calls by which the store copies blocks: each uses almost no resources here.
const COPIES: usize = 16;
/// Concurrent range requests to the Hub, of all files. They need no permits: fetched content waits for a permit to
/// send, so that the line is busy in both directions.
pub(super) const FETCHES: u32 = 16;
/// Attempts to get the correct content of a file: the second one helps after damage in transit.
const CONTENT_ATTEMPTS: u32 = 2;

/// State shared by all files of one import.
pub(super) struct ImportContext<'a> {
    files: &'a UploadContext<'a>,
    source: &'a HubSource,
    transfer: &'a HubTransfer,
    sums: SumRecord,
    carrier: OnceCell<Carrier>,
    /// Block that proved in this run that the store can copy.
    probed: OnceLock<BlockId>,
    copies: Semaphore,
    fetches: Semaphore,
    events: mpsc::UnboundedSender<TransferEvent>,
    unverified_files: AtomicU64,
    unverified_bytes: AtomicU64,
}

/// Result of an uploaded file: its SHA-256 if it is verified, and the version of the blob.
type Arrival = (Option<ContentHash>, BlobVersion);

impl<'a> ImportContext<'a> {
    /// # Errors
    /// When the record of an earlier run cannot be read.
    pub(super) fn begin(
        files: &'a UploadContext<'a>,
        source: &'a HubSource,
        transfer: &'a HubTransfer,
        events: mpsc::UnboundedSender<TransferEvent>,
    ) -> Result<Self, NativeError> {
        let sums = SumRecord::open(files.record.directory()).map_err(NativeError::Record)?;
        let (copies, fetches) = (Semaphore::new(COPIES), Semaphore::new(FETCHES as usize));
        let (unverified_files, unverified_bytes) = Default::default();
        let (carrier, probed) = (OnceCell::new(), OnceLock::new());
        Ok(Self {
            files,
            source,
            transfer,
            sums,
            carrier,
            probed,
            copies,
            fetches,
            events,
            unverified_files,
            unverified_bytes,
        })
    }

    /// Sends the missing content of a file.
    pub(super) async fn send(&self, planned: &SourceFile) -> Result<SentFile, NativeError> {
        let path = &planned.path;
        let unknown = || NativeError::File { path: path.clone(), why: std::io::ErrorKind::NotFound.into() };
        let file = self.source.file(path).ok_or_else(unknown)?;
        let (sha256, version) = self.transfer_file(file, planned).await?;
        let arrived = ArrivedFile { path: path.clone(), bytes: planned.bytes, sha256 };
        let layout = self.files.record.layout(planned);
        self.files.record.file(&layout, arrived, version.clone()).map_err(NativeError::Record)?;
        self.files.tally.add_file();
        Ok(SentFile { file: planned.clone(), sha256, version, is_changed: false })
    }

    /// Transfers a file through the store, or through this machine if the store cannot copy it.
    async fn transfer_file(&self, file: &HubFile, shape: &SourceFile) -> Result<Arrival, NativeError> {
        let remote = self.transfer.reader.file(file);
        let whole = self.files.record.layout(shape).whole();
        if file.sum.is_large_storage() && file.bytes > 0 && self.carrier(&remote, shape).await? == Carrier::Server {
            let is_begun = self.transfer.copy == CopyMode::Auto && self.sums.has_begun(&whole);
            let reason = match is_begun {
                true => "an earlier attempt started to transfer it through this machine".to_owned(),
                false => match self.copied(&remote, shape).await? {
                    Ok(arrival) => return Ok(arrival),
                    Err(reason) => reason,
                },
            };
            self.fall_back_to_streaming(file, reason)?;
        }
        let mut failed = 0;
        loop {
            let sums = match self.streamed(&remote, shape).await? {
                Ok(arrival) => return Ok(arrival),
                Err(sums) => sums,
            };
            // Ids of the discarded blocks are not used again.
            self.sums.discard(&whole).map_err(NativeError::Record)?;
            failed += 1;
            if failed == CONTENT_ATTEMPTS {
                return Err(mismatch(file, sums));
            }
            let text = format!("The content of {} differs from the Hub's checksum. Downloading it again.", file.path);
            self.files.report(Report::Notice(text));
        }
    }

    /// Switches to streaming after the store could not copy a file, if that is allowed.
    fn fall_back_to_streaming(&self, file: &HubFile, reason: String) -> Result<(), NativeError> {
        if self.transfer.copy == CopyMode::Server {
            return Err(NativeError::NotCopied { path: file.path.clone(), reason });
        }
        self.emit(TransferEvent::ImportFile { path: file.path.to_string(), carrier: Carrier::Client, reason });
        Ok(())
    }

    /// Counts a file that was stored without proof of its content.
    fn count_unverified(&self, remote: &RemoteFile) {
        self.unverified_files.fetch_add(1, Ordering::Relaxed);
        self.unverified_bytes.fetch_add(remote.file().bytes, Ordering::Relaxed);
    }

    /// Reports the files that were stored without proof of their content, unless the user does not want any.
    pub(super) fn report_unverified(&self) {
        let (files, bytes) =
            (self.unverified_files.load(Ordering::Relaxed), self.unverified_bytes.load(Ordering::Relaxed));
        if files > 0 && self.transfer.verify != VerifyMode::Off {
            let (noun, bytes) = (if files == 1 { "file" } else { "files" }, units::bytes(bytes));
            self.files.report(Report::Notice(format!(
                "{files} {noun} ({bytes}) copied by the service; checksum not verified. Use --verify full to read back and verify the copies."
            )));
        }
    }

    fn emit(&self, event: TransferEvent) {
        // The receiver is dropped only when the upload ends.
        self.events.send(event).ok();
    }

    fn remote_range(remote: &RemoteFile) -> (u64, u64) {
        (0, remote.file().bytes)
    }
}

/// Error for content that differs from the Hub's checksum.
fn mismatch(file: &HubFile, sums: SumMismatch) -> NativeError {
    NativeError::of_hub(HubError::Mismatch { path: file.repo_path.clone(), sums })
}

/// A file of the import, shared by all its readers.
type SharedRemoteFile = Arc<RemoteFile>;
