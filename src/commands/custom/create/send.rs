//! The two engines behind one door: AzCopy, and this program itself.

use std::cell::RefCell;
use std::convert::Infallible;
use std::time::Duration;

use super::steps::{Create, Engine, Work};
use crate::console::TransferView;
use crate::error::CliError;
use azure_ai_models_core::azcopy::AzCopy;
use azure_ai_models_core::cancel::Cancellation;
use azure_ai_models_core::foundry::PendingUpload;
use azure_ai_models_core::model::TransferEvent;
use azure_ai_models_core::native::{self, Missing, NativeError, Record, Renewed};
use azure_ai_models_core::upload::{self, Journal, Plan, Stage, Stamp, Upload, UploadDirectory, UploadError};

/// Between redraws while the engine is silent.
const TICK: Duration = Duration::from_millis(200);

impl Create<'_> {
    /// Lets the engine send what is missing; the inner error is the upload's own.
    pub(super) async fn send(
        &self,
        engine: Engine<'_>,
        directory: &UploadDirectory,
        journal: &mut Journal,
        pending: &PendingUpload,
    ) -> Result<Result<(), UploadError>, CliError> {
        let app = self.work.app;
        if self.missing(journal).is_empty() && matches!(self.work.plan, Plan::Local { .. }) {
            return Ok(Ok(()));
        }
        journal.stage = Stage::Uploading;
        directory.write_journal(journal)?;
        let view = RefCell::new(app.console.transfer_view(app.timings.status_line));
        let mut on = |event: TransferEvent| view.borrow_mut().on(&event);
        let sent = async {
            match engine {
                Engine::AzCopy(azcopy) => self.send_by_azcopy(azcopy, directory, journal, pending, &mut on).await,
                Engine::Native { parallel, hash } => {
                    self.send_natively((parallel, hash), directory, journal, pending, &mut on).await
                }
            }
        };
        tokio::select! {
            biased;
            // First, so that the bar is gone when the engine is asked to end.
            never = tick(&view, engine, &app.cancel) => match never {},
            sent = sent => Ok(sent),
        }
    }

    async fn send_by_azcopy(
        &self,
        azcopy: &AzCopy,
        directory: &UploadDirectory,
        journal: &Journal,
        pending: &PendingUpload,
        on: &mut dyn FnMut(TransferEvent),
    ) -> Result<(), UploadError> {
        let Work { app, spec, plan, stall_limit, .. } = *self.work;
        let run_directory = directory.run(journal.run)?;
        let upload = Upload {
            azcopy,
            plan,
            missing: self.missing(journal),
            run_directory: &run_directory,
            limit_rate: spec.limit_rate,
            stall_limit,
            timings: &app.timings,
            reporter: &app.reporter(),
            cancel: &app.cancel,
        };
        upload.run(pending, on).await.map(drop)
    }

    async fn send_natively(
        &self,
        (parallel, hash): (Option<u32>, bool),
        directory: &UploadDirectory,
        journal: &mut Journal,
        pending: &PendingUpload,
        on: &mut dyn FnMut(TransferEvent),
    ) -> Result<(), UploadError> {
        let (app, spec, foundry) = (self.work.app, self.work.spec, self.work.foundry);
        let Plan::Local { directory: source, files, .. } = self.work.plan else { return Ok(()) };
        let record = Record::open(directory.path()).map_err(NativeError::Record)?;
        let reporter = app.reporter();
        let controls = native::Controls {
            timings: &app.timings,
            stall_limit: self.work.stall_limit,
            limit_rate: spec.limit_rate,
            parallel,
            hash,
            cancel: &app.cancel,
            reporter: &reporter,
        };
        let missing: Vec<Missing<'_>> =
            journal.missing(files).into_iter().map(|file| Missing { path: &file.path, bytes: file.bytes }).collect();
        let renew = async || {
            let fresh = foundry.start_pending_upload(&spec.name, &self.version).await?;
            Ok(if fresh.blob_uri == pending.blob_uri { Renewed::Here(fresh.sas) } else { Renewed::Elsewhere })
        };
        let http = app.http();
        let location = (pending.sas.clone(), renew);
        let shapes = native::send(&http, &controls, &record, (source, &missing), location, on).await?;
        // A file that changed on the way was sent as it is now.
        journal.files.extend(shapes.into_iter().map(|shape| {
            let stamp = Stamp { bytes: shape.bytes, modified: shape.modified };
            (shape.path, stamp)
        }));
        // A fresh SAS may have taken the place of this one, which then cannot tell.
        let there = app.cancel.or(upload::blobs(&http, &pending.sas)).await.and_then(Result::ok).flatten();
        let Some(there) = there else { return Ok(()) };
        match journal.files.iter().find(|(path, stamp)| there.get(*path) != Some(&stamp.bytes)) {
            Some((path, _)) => Err(NativeError::Incomplete { path: path.clone() }.into()),
            None => Ok(()),
        }
    }
}

/// Lets the view move on while the engine is silent, until the person wants to end.
async fn tick(view: &RefCell<TransferView<'_>>, engine: Engine<'_>, cancel: &Cancellation) -> Infallible {
    let mut interval = tokio::time::interval(TICK);
    while cancel.or(interval.tick()).await.is_some() {
        view.borrow_mut().tick();
    }
    // The native engine ends at once.
    view.borrow_mut().stopping(matches!(engine, Engine::AzCopy(_)));
    std::future::pending().await
}
