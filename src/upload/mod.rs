//! The upload: plan, check, probe, private directory, engine, verdict. Nothing counts as uploaded before the verdict.

mod check;
mod directory;
mod kind;
mod plan;
mod probe;
mod selection;
mod walk;

pub use check::{CheckError, check, of_walk, weight_type};
pub use directory::{DirectoryError, UploadDirectory};
pub use plan::{Excluded, Plan, PlanError, PlannedFile, plan};
pub use selection::{ExcludeReason, Pattern, Selection};

use std::time::Duration;

use thiserror::Error;
use url::Url;

use crate::azcopy::{self, AzCopy, Cargo, Controls, CopyJob, RunError};
use crate::cancel::Cancellation;
use crate::env::Timings;
use crate::foundry::{FoundryClient, PendingUpload};
use crate::http::{HttpClient, HttpError};
use crate::model::{ModelName, ModelVersion, Reporter, TransferEvent};

use probe::{Probe, Refusal, probe};

/// Everything that an upload needs.
pub struct Upload<'a> {
    /// The program that copies.
    pub azcopy: &'a AzCopy,
    /// What goes.
    pub plan: &'a Plan,
    /// Where log, plan and list of files lie.
    pub directory: &'a UploadDirectory,
    /// Asked for a fresh SAS.
    pub foundry: &'a FoundryClient,
    /// For the probe.
    pub http: &'a HttpClient,
    /// Highest rate in bytes per second.
    pub limit_rate: Option<u64>,
    /// How long the upload may stand still.
    pub stall_limit: Duration,
    /// Limits and delays.
    pub timings: &'a Timings,
    /// For what is worth saying.
    pub reporter: &'a Reporter,
    /// Set when the person interrupts.
    pub cancel: &'a Cancellation,
}

/// A complete, proved upload.
#[derive(Clone, Debug)]
pub struct Uploaded {
    /// Where the weights are.
    pub blob_uri: Url,
    /// Bytes that arrived.
    pub bytes: u64,
}

/// Why an upload is not complete.
#[derive(Debug, Error)]
pub enum UploadError {
    /// The person interrupted before AzCopy ran.
    #[error("interrupted")]
    Interrupted,
    /// The blob store does not answer.
    #[error("the blob store did not answer")]
    Unreachable(#[source] HttpError),
    /// The blob store refused the SAS, and a fresh one too.
    #[error("{0}")]
    Refused(Refusal),
    /// The service gave no fresh SAS.
    #[error("Foundry gave no fresh upload location")]
    NoFreshSas(#[source] HttpError),
    /// The private directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// AzCopy.
    #[error(transparent)]
    AzCopy(#[from] RunError),
}

impl Upload<'_> {
    /// Proves that the location can be written to, lets AzCopy write, and judges what arrived.
    ///
    /// # Errors
    /// See [`UploadError`].
    pub async fn run(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        pending: PendingUpload,
        on: &mut dyn FnMut(TransferEvent),
    ) -> Result<Uploaded, UploadError> {
        let usable = self.usable_location(name, version, pending);
        let pending = self.cancel.or(usable).await.ok_or(UploadError::Interrupted)??;
        let job = self.job(&pending)?;
        let controls = Controls {
            timings: self.timings,
            stall_limit: self.stall_limit,
            cancel: self.cancel,
            report: self.reporter,
        };
        let finished = azcopy::run(self.azcopy, &job, &controls, on).await?;
        Ok(Uploaded { blob_uri: pending.blob_uri, bytes: finished.bytes })
    }

    fn job(&self, pending: &PendingUpload) -> Result<CopyJob, DirectoryError> {
        let cargo = match self.plan {
            Plan::Local { directory, files, .. } => Cargo::Files {
                directory: directory.clone(),
                list_file: self.directory.write_list(files)?,
                files: files.len() as u64,
                bytes: files.iter().map(|file| file.bytes).sum(),
            },
            Plan::Remote { url } => Cargo::Remote { url: url.clone() },
        };
        let directory = self.directory.path().to_owned();
        Ok(CopyJob { cargo, destination: pending.sas.clone(), directory, cap: self.limit_rate })
    }

    /// The location that was given, or one fresh one if its SAS is refused.
    async fn usable_location(
        &self,
        name: &ModelName,
        version: &ModelVersion,
        first: PendingUpload,
    ) -> Result<PendingUpload, UploadError> {
        match self.probe(&first).await? {
            Probe::Usable => return Ok(first),
            Probe::Refused(_) => {}
        }
        let fresh = self.foundry.start_pending_upload(name, version).await.map_err(UploadError::NoFreshSas)?;
        match self.probe(&fresh).await? {
            Probe::Usable => Ok(fresh),
            Probe::Refused(refusal) => Err(UploadError::Refused(refusal)),
        }
    }

    async fn probe(&self, pending: &PendingUpload) -> Result<Probe, UploadError> {
        probe(self.http, &pending.sas, self.timings.probe).await.map_err(UploadError::Unreachable)
    }
}
