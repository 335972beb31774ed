//! Native engine: transfers by this program itself.

use std::collections::BTreeSet;
use std::path::Path;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::{TransferEngine, TransferError, TransferJob, TransferSettings};
use crate::hub::HubTransfer;
use crate::model::{BlobPath, TransferEvent};
use crate::native::{self, FileOrigin, NativeError, TransferControls, Transferred};
use crate::source::UploadSource;

/// Native engine: resumes within a file, and imports from the Hub.
#[derive(Clone, Debug)]
pub struct NativeEngine {
    /// Number of concurrent requests; `None` to adapt it to the line.
    pub parallel: Option<u32>,
    /// Computes the SHA-256 of each file.
    pub hash: bool,
    /// Reads the files of an import.
    pub hub: Option<HubTransfer>,
}

impl TransferEngine for NativeEngine {
    fn transfer<'a>(
        &'a self,
        job: TransferJob<'a>,
        on: &'a mut dyn FnMut(TransferEvent),
    ) -> LocalBoxFuture<'a, Result<Transferred, TransferError>> {
        async move {
            let origin = match (job.source, &self.hub) {
                (UploadSource::Local { directory, .. }, _) => FileOrigin::Directory(directory),
                (UploadSource::Hub(source), Some(transfer)) => FileOrigin::Hub(source, transfer),
                // Rejected before an upload begins.
                (UploadSource::Hub(_) | UploadSource::Remote { .. }, _) => return Ok(Transferred::default()),
            };
            let record = job.directory.record(job.key).await.map_err(NativeError::Record)?;
            let settings = job.settings;
            let controls = TransferControls {
                timings: &settings.timings,
                stall_limit: settings.stall_limit,
                limit_rate: settings.limit_rate,
                parallel: self.parallel,
                hash: self.hash,
                cancel: &settings.cancel,
                reporter: &settings.reporter,
            };
            Ok(native::send(job.store, &controls, &record, (origin, job.missing), on).await?)
        }
        .boxed_local()
    }

    fn arrived<'a>(
        &'a self,
        run_directory: &'a Path,
        _source: &'a UploadSource,
        _settings: &'a TransferSettings,
    ) -> LocalBoxFuture<'a, Option<BTreeSet<BlobPath>>> {
        // The upload used AzCopy before, which may no longer be installed.
        let arrived = (!run_directory.is_dir()).then(BTreeSet::new);
        std::future::ready(arrived).boxed_local()
    }

    fn keeps_partial_files(&self) -> bool {
        true
    }

    fn stops_at_once(&self) -> bool {
        true
    }
}
