//! The three steps of `create`, under a journal: what was sent is never sent again, what is complete is registered.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use super::CreateArgs;
use crate::app::App;
use crate::azcopy::{AzCopy, wait_for_orphan};
use crate::cancel::Cancellation;
use crate::cli::OutputFormat;
use crate::console::{TransferView, render};
use crate::error::CliError;
use crate::foundry::{FoundryClient, PendingUpload};
use crate::model::{CustomModel, Source, TransferEvent};
use crate::units;
use crate::upload::{self, Journal, Plan, Stage, Told, Upload, UploadDirectory, UploadError};

pub(super) const STEPS: u8 = 3;
/// Between redraws while AzCopy is silent.
const TICK: Duration = Duration::from_millis(200);

/// One `create` under way, after everything that could fail without the service was looked at.
pub(super) struct Create<'a> {
    pub(super) app: &'a App,
    pub(super) args: &'a CreateArgs,
    pub(super) source: &'a Source,
    pub(super) plan: &'a Plan,
    pub(super) stall_limit: Duration,
    pub(super) foundry: &'a FoundryClient,
    pub(super) azcopy: &'a AzCopy,
}

impl Create<'_> {
    pub(super) async fn run(&self, config_dir: &Path) -> Result<(), CliError> {
        let Self { app, args, .. } = *self;
        let name = args.name.as_name();
        let endpoint = self.foundry.endpoint().to_string();
        // Taken before the service is asked: the same upload twice at once ends here.
        let directory = UploadDirectory::open(config_dir, &endpoint, name.as_str(), args.version.as_str())?;
        let earlier = directory.journal();
        if let Some(journal) = &earlier {
            let run = directory.run_path(journal.run);
            let gone = wait_for_orphan(&run, app.timings.cancel_grace);
            app.cancel.or(gone).await.ok_or_else(CliError::interrupted)?;
        }
        app.console.status(&format!("\nCreating custom model: {name} (version {})\n", args.version));
        let now = upload::stamps(self.plan).map_err(|why| CliError::failure(format!("the source changes: {why}")))?;
        let complete = |journal: &Journal| journal.stage != Stage::Uploading && journal.files == now;
        let mut journal = match earlier.filter(|journal| journal.source == self.shown_source()) {
            Some(journal) if complete(&journal) => {
                app.console.status("All files are there already; only the registration is missing.");
                if let Some(model) = self.registered_before(&journal).await? {
                    return self.end(directory, &model);
                }
                journal
            }
            earlier => self.upload(&directory, earlier).await?,
        };
        let model = self.register(&directory, &mut journal).await?;
        self.end(directory, &model)
    }

    /// Removes the journal, which has done its work, and shows the model.
    fn end(&self, directory: UploadDirectory, model: &CustomModel) -> Result<(), CliError> {
        // A directory that stays behind harms nobody.
        if let Err(why) = directory.remove() {
            self.app.console.warn(&format!("The upload's private directory could not be removed: {why}"));
        }
        match self.app.globals.output {
            OutputFormat::Json => self.app.json(model),
            OutputFormat::Table | OutputFormat::None => {
                let deploy = self.app.deploy_command(model);
                self.app.product(&render::created_page(model, self.plan.format(), self.plan.bytes(), &deploy))
            }
        }
    }

    /// Steps 1 and 2: the journal of a complete upload.
    async fn upload(&self, directory: &UploadDirectory, earlier: Option<Journal>) -> Result<Journal, CliError> {
        let Self { app, .. } = *self;
        app.console.step(1, STEPS, "Requesting upload location...");
        let pending = self.location().await?;
        app.console.done("Upload location ready");
        app.console.detail("Blob URI", pending.blob_uri.as_str());
        app.console.status("");
        app.console.step(2, STEPS, "Uploading model files...");
        app.console.detail("Source", &self.source_line());
        let mut journal = self.next_journal(directory, earlier, &pending).await?;
        directory.write_journal(&mut journal)?;
        // The journal names the present run; what older ones left speaks of nothing any more.
        directory.remove_runs_but(journal.run).map_err(|why| CliError::failure(format!("cannot tidy up: {why}")))?;
        self.send(directory, &journal, &pending).await?;
        journal.stage = Stage::Uploaded;
        directory.write_journal(&mut journal)?;
        app.console.done("Upload complete");
        app.console.status("");
        Ok(journal)
    }

    /// Goes on where an earlier try of the same upload into the same container was broken off, or begins anew.
    async fn next_journal(
        &self,
        directory: &UploadDirectory,
        earlier: Option<Journal>,
        pending: &PendingUpload,
    ) -> Result<Journal, CliError> {
        let Self { app, args, .. } = *self;
        let now = upload::stamps(self.plan).map_err(|why| CliError::failure(format!("the source changes: {why}")))?;
        match (earlier, self.plan) {
            (Some(journal), Plan::Local { files, .. }) if journal.blob_uri == pending.blob_uri => {
                let (journal, delivered) = self.after(directory, journal).await;
                // What went there and does not belong to the model any more would be registered with it.
                if let Some(stray) = journal.complete.union(&delivered).find(|name| !now.contains_key(*name)) {
                    return Err(self.stray(stray));
                }
                let next = journal.next_run(now, &delivered);
                let missing = next.missing(files).len();
                if missing < files.len() {
                    let there = files.iter().filter(|file| next.complete.contains(&file.path));
                    app.console.status(&format!(
                        "  Going on with an earlier upload: {} of {} ({}) are there already.",
                        units::grouped(next.complete.len() as u64),
                        units::count(files.len() as u64, "file", "files"),
                        units::bytes(there.map(|file| file.bytes).sum()),
                    ));
                }
                Ok(next)
            }
            (earlier, _) => {
                if earlier.is_some() {
                    app.console.status("  Previous upload may exist but was not registered. Starting fresh upload...");
                }
                let told = Told {
                    description: args.description.clone(),
                    base_model: args.base_model.as_ref().map(|base| base.uri().to_owned()),
                };
                let endpoint = self.foundry.endpoint().to_string();
                let (name, version) = (args.name.as_name().as_str(), args.version.as_str());
                let blob_uri = pending.blob_uri.clone();
                let mut journal = Journal::begin(&endpoint, name, version, self.shown_source(), told, blob_uri);
                // Never the number of a run whose directory may still be there.
                journal.run = earlier.map_or(1, |earlier| earlier.run + 1);
                journal.files = now;
                Ok(journal)
            }
        }
    }

    fn stray(&self, name: &str) -> CliError {
        CliError::conflict()
            .with_code("stray_file")
            .with_message(format!(
                "the upload location of this version already holds {name}, which is not a part of the source any more"
            ))
            .with_suggestion("Use another --version, which gets a location of its own, or bring the file back.")
    }

    /// A journal with what its present run delivered.
    async fn after(&self, directory: &UploadDirectory, journal: Journal) -> (Journal, BTreeSet<String>) {
        let run = directory.run_path(journal.run);
        let Plan::Local { directory: source, .. } = self.plan else { return (journal, BTreeSet::new()) };
        if journal.stage != Stage::Uploading {
            let all = journal.files.keys().cloned().collect();
            return (journal, all);
        }
        let delivered = if run.is_dir() { self.azcopy.delivered(&run, source).await } else { Ok(BTreeSet::new()) };
        let delivered = delivered.unwrap_or_else(|why| {
            self.app.console.debug(&format!("azcopy cannot say what it delivered: {why}"));
            BTreeSet::new()
        });
        (journal, delivered)
    }

    /// Lets AzCopy send what is missing.
    async fn send(
        &self,
        directory: &UploadDirectory,
        journal: &Journal,
        pending: &PendingUpload,
    ) -> Result<(), CliError> {
        let Self { app, args, plan, .. } = *self;
        let missing = match plan {
            Plan::Local { files, .. } => journal.missing(files),
            Plan::Remote { .. } => Vec::new(),
        };
        if missing.is_empty() && matches!(plan, Plan::Local { .. }) {
            return Ok(());
        }
        let run_directory = directory.run(journal.run)?;
        let view = RefCell::new(app.console.transfer_view(app.timings.status_line));
        let upload = Upload {
            azcopy: self.azcopy,
            plan,
            missing,
            run_directory: &run_directory,
            limit_rate: args.limit_rate,
            stall_limit: self.stall_limit,
            timings: &app.timings,
            reporter: &app.reporter(),
            cancel: &app.cancel,
        };
        let mut on = |event: TransferEvent| view.borrow_mut().on(&event);
        let outcome = tokio::select! {
            biased;
            // First, so that the bar is gone when AzCopy is asked to end.
            never = tick(&view, &app.cancel) => match never {},
            outcome = upload.run(pending, &mut on) => outcome,
        };
        drop(view);
        match outcome {
            Ok(_) => Ok(()),
            Err(error) => Err(self.broken(directory, journal, error).await),
        }
    }

    /// A broken upload, with what is kept of it and the command that goes on.
    async fn broken(&self, directory: &UploadDirectory, journal: &Journal, error: UploadError) -> CliError {
        let (journal, delivered) = self.after(directory, journal.clone()).await;
        let whole: BTreeSet<&String> = journal.complete.union(&delivered).collect();
        let files = match self.plan {
            Plan::Local { files, .. } => files.as_slice(),
            Plan::Remote { .. } => &[],
        };
        let kept: Vec<u64> = files.iter().filter(|file| whole.contains(&file.path)).map(|file| file.bytes).collect();
        let kept = match (kept.len(), files.len()) {
            (_, 0) => "The copy starts over.".to_owned(),
            (0, 1) => "AzCopy keeps no half file: this file starts over.".to_owned(),
            (0, _) => "No file is complete yet: the upload starts over.".to_owned(),
            (some, all) => format!(
                "{} of {} ({}) are complete and will not be sent again; the rest starts over.",
                units::grouped(some as u64),
                units::count(all as u64, "file", "files"),
                units::bytes(kept.iter().sum()),
            ),
        };
        CliError::from(error).with_more(&kept).with_resume(&self.args.again(self.app, self.source))
    }

    /// Step 1: a location that takes what is sent.
    async fn location(&self) -> Result<PendingUpload, CliError> {
        let Self { app, args, foundry, .. } = *self;
        let (name, version) = (args.name.as_name(), &args.version);
        let again = || args.again(app, self.source);
        let started = app.cancel.or(foundry.start_pending_upload(name, version)).await;
        let pending = match started {
            Some(Ok(pending)) => pending,
            Some(Err(error)) if error.status() == Some(409) => return Err(self.version_exists(error.into()).await),
            Some(Err(error)) => return Err(error.into()),
            None => return Err(CliError::interrupted().with_run_again(&again())),
        };
        let http = app.http();
        let usable = upload::usable_location(foundry, &http, app.timings.probe, (name, version), pending);
        match app.cancel.or(usable).await {
            Some(Ok(pending)) => Ok(pending),
            Some(Err(error)) => Err(CliError::from(error).with_run_again(&again())),
            None => Err(CliError::interrupted().with_run_again(&again())),
        }
    }

    /// The source as it may be shown and stored: a URL without its query.
    fn shown_source(&self) -> String {
        match (self.source, self.plan) {
            (Source::Blob(url), _) => url.without_query().to_string(),
            (Source::Local(path), _) => self.app.env.cwd().join(path).display().to_string(),
        }
    }

    fn source_line(&self) -> String {
        let shown = match self.source {
            Source::Local(path) => path.display().to_string(),
            Source::Blob(url) => url.to_string(),
        };
        match (self.plan.file_count(), self.plan.bytes()) {
            (Some(files), Some(bytes)) => {
                format!("{shown} ({}, {})", units::count(files, "file", "files"), units::bytes(bytes))
            }
            _ => shown,
        }
    }
}

/// Lets the view move on while AzCopy is silent, until the person wants to end.
async fn tick(view: &RefCell<TransferView<'_>>, cancel: &Cancellation) -> Infallible {
    let mut interval = tokio::time::interval(TICK);
    while cancel.or(interval.tick()).await.is_some() {
        view.borrow_mut().tick();
    }
    view.borrow_mut().stopping();
    std::future::pending().await
}
