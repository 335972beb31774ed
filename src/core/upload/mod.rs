//! The upload: plan, check, probe, private directory, engine, verdict. Nothing counts as uploaded before the verdict.

mod check;
mod container;
mod directory;
mod journal;
mod kind;
mod lifetime;
mod plan;
mod probe;
mod selection;
mod store;
mod walk;

pub use check::{CheckError, check, of_walk, weight_type};
pub use container::{Blobs, blobs, remove_blob};
pub use directory::{DirectoryError, UploadDirectory};
pub use journal::{Journal, Stage, Stamp, UploadSpec, stamps};
pub use lifetime::{needed_lifetime, sas_end};
pub use plan::{Excluded, Plan, PlanError, PlannedFile, plan};
pub use selection::{ExcludeReason, Pattern, Selection};
pub use store::{Unfinished, unfinished};

use std::path::Path;
use std::time::Duration;

use thiserror::Error;

use crate::azcopy::{self, AzCopy, Cargo, Controls, CopyJob, Failure, RunError};
use crate::cancel::Cancellation;
use crate::env::Timings;
use crate::foundry::{FoundryClient, PendingUpload};
use crate::http::{HttpClient, HttpError};
use crate::model::{ModelName, ModelVersion, Reporter, TransferEvent};
use crate::native::NativeError;

use probe::{Probe, Refusal, probe};

/// Everything that an upload needs.
pub struct Upload<'a> {
    /// The program that copies.
    pub azcopy: &'a AzCopy,
    /// What goes.
    pub plan: &'a Plan,
    /// Of the plan's files those that did not arrive yet; all of them at first.
    pub missing: Vec<&'a PlannedFile>,
    /// Where log, plan and list of files of this run lie.
    pub run_directory: &'a Path,
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
    /// Bytes that arrived in this run.
    pub bytes: u64,
}

/// Why an upload is not complete.
#[derive(Debug, Error)]
pub enum UploadError {
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
    /// The native engine.
    #[error(transparent)]
    Native(#[from] NativeError),
}

impl UploadError {
    /// True where a fresh upload location may go on: the store does not take the SAS any more, or it is for another
    /// place. The native engine renews its SAS itself.
    #[must_use]
    pub fn wants_a_location(&self) -> bool {
        matches!(self, Self::Native(NativeError::Moved))
            || matches!(self, Self::AzCopy(RunError::Failed { failure, .. }) if matches!(**failure, Failure::Refused { .. }))
    }
}

/// Whether the service says with this code that it does not take what was uploaded any more
/// (contracts/foundry-rest.md 1.8).
#[must_use]
pub fn is_gone(code: &str) -> bool {
    ["UploadExpired", "UploadIncomplete", "InvalidBlobUri"].iter().any(|gone| gone.eq_ignore_ascii_case(code))
}

impl Upload<'_> {
    /// Lets AzCopy write to a location that was proved, and judges what arrived.
    ///
    /// # Errors
    /// See [`UploadError`].
    pub async fn run(
        &self,
        pending: &PendingUpload,
        on: &mut dyn FnMut(TransferEvent),
    ) -> Result<Uploaded, UploadError> {
        let job = self.job(pending)?;
        let controls = Controls {
            timings: self.timings,
            stall_limit: self.stall_limit,
            cancel: self.cancel,
            report: self.reporter,
        };
        let finished = azcopy::run(self.azcopy, &job, &controls, on).await?;
        Ok(Uploaded { bytes: finished.bytes })
    }

    fn job(&self, pending: &PendingUpload) -> Result<CopyJob, DirectoryError> {
        let cargo = match self.plan {
            Plan::Local { directory, .. } => Cargo::Files {
                directory: directory.clone(),
                list_file: UploadDirectory::write_list(self.run_directory, &self.missing)?,
                files: self.missing.len() as u64,
                bytes: self.missing.iter().map(|file| file.bytes).sum(),
            },
            Plan::Remote { url } => Cargo::Remote { url: url.clone() },
        };
        let directory = self.run_directory.to_owned();
        Ok(CopyJob { cargo, destination: pending.sas.clone(), directory, cap: self.limit_rate })
    }
}

/// A location that is proved to take what is sent: the one that was given, or one fresh one if its SAS is refused.
///
/// # Errors
/// See [`UploadError`].
pub async fn usable_location(
    foundry: &FoundryClient,
    http: &HttpClient,
    limit: Duration,
    (name, version): (&ModelName, &ModelVersion),
    first: PendingUpload,
) -> Result<PendingUpload, UploadError> {
    let ask = async |pending: &PendingUpload| probe(http, &pending.sas, limit).await.map_err(UploadError::Unreachable);
    match ask(&first).await? {
        Probe::Usable => return Ok(first),
        Probe::Refused(_) => {}
    }
    let fresh = foundry.start_pending_upload(name, version).await.map_err(UploadError::NoFreshSas)?;
    match ask(&fresh).await? {
        Probe::Usable => Ok(fresh),
        Probe::Refused(refusal) => Err(UploadError::Refused(refusal)),
    }
}
