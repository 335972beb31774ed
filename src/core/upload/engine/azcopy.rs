//! Engine that transfers through AzCopy.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::{TransferEngine, TransferError, TransferJob, TransferSettings};
use crate::azcopy::{self, AzCopy, CopyJob, JobSource, RunControls};
use crate::cancel::Urgency;
use crate::model::{BlobPath, Report, TransferEvent};
use crate::native::Transferred;
use crate::notices::with_notices;
use crate::source::UploadSource;
use crate::units;

/// Engine that runs AzCopy: resumes whole files, and copies between stores.
#[derive(Debug)]
pub struct AzCopyEngine {
    azcopy: AzCopy,
}

impl AzCopyEngine {
    /// Engine with this verified program.
    #[must_use]
    pub fn new(azcopy: AzCopy) -> Self {
        Self { azcopy }
    }
}

impl TransferEngine for AzCopyEngine {
    fn transfer<'a>(
        &'a self,
        job: TransferJob<'a>,
        on: &'a mut dyn FnMut(TransferEvent),
    ) -> LocalBoxFuture<'a, Result<Transferred, TransferError>> {
        async move {
            let directory = job.directory.run(job.run)?;
            let source = match job.source {
                UploadSource::Local { directory: source, .. } => JobSource::Files {
                    directory: source.clone(),
                    list_file: job.directory.write_list(job.run, job.missing).await?,
                    files: job.missing.len() as u64,
                    bytes: job.missing.iter().map(|file| file.bytes).sum(),
                },
                // Rejected before an upload begins: AzCopy cannot read from the Hub.
                UploadSource::Hub(_) => return Ok(Transferred::default()),
                UploadSource::Remote { url } => JobSource::Remote { url: url.clone() },
            };
            let settings = job.settings;
            let controls = RunControls {
                timings: &settings.timings,
                stall_limit: settings.stall_limit,
                cancel: &settings.cancel,
                report: &settings.reporter,
            };
            let copy = CopyJob { source, destination: job.store.sas().await, directory, cap: settings.limit_rate };
            azcopy::run(&self.azcopy, &copy, &controls, on).await?;
            Ok(Transferred::default())
        }
        .boxed_local()
    }

    fn arrived<'a>(
        &'a self,
        run_directory: &'a Path,
        source: &'a UploadSource,
        settings: &'a TransferSettings,
    ) -> LocalBoxFuture<'a, Option<BTreeSet<BlobPath>>> {
        async move {
            let UploadSource::Local { directory, .. } = source else { return Some(BTreeSet::new()) };
            if !run_directory.is_dir() {
                return Some(BTreeSet::new());
            }
            let limit = settings.timings.azcopy_jobs;
            let say = |elapsed| {
                let (elapsed, most) = (units::duration(elapsed), units::duration(limit));
                let message = format!("Waiting for AzCopy to report the uploaded files ({elapsed} of up to {most})...");
                (settings.reporter)(Report::Notice(message));
            };
            let pauses = (settings.timings.wait_notice, settings.timings.status_line);
            let asked = with_notices(pauses, say, self.azcopy.delivered(run_directory, directory, limit));
            let delivered = tokio::select! {
                biased;
                () = settings.cancel.at_least(Urgency::Now) => Err(io::Error::other("there is no time to ask it")),
                delivered = asked => delivered,
            };
            match delivered {
                Ok(names) => Some(names),
                Err(why) => {
                    (settings.reporter)(Report::Debug(format!("azcopy cannot say what it delivered: {why}")));
                    None
                }
            }
        }
        .boxed_local()
    }

    /// False: AzCopy starts over with an incomplete file.
    fn keeps_partial_files(&self) -> bool {
        false
    }

    fn stops_at_once(&self) -> bool {
        false
    }
}
