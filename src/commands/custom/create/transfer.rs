//! Step 2: AzCopy sends what is missing, goes on with a fresh SAS when the first one ends, and tells what is kept when
//! it breaks.

use std::collections::BTreeSet;
use std::io;

use super::kept::{Left, changed};
use super::steps::{Create, Engine, FRESH, Files, STEPS, Stop};
use crate::error::CliError;
use azure_ai_models_core::foundry::PendingUpload;
use azure_ai_models_core::model::{Registration, Source};
use azure_ai_models_core::native;
use azure_ai_models_core::units;
use azure_ai_models_core::upload::{Blobs, Journal, Plan, PlannedFile, Stage, UploadDirectory, UploadSpec};

impl Create<'_> {
    /// Steps 1 and 2: the journal of a complete upload.
    pub(super) async fn upload(
        &self,
        directory: &UploadDirectory,
        earlier: Option<Journal>,
        files: Files,
    ) -> Result<Journal, Stop> {
        let app = self.work.app;
        let engine = self.work.engine().await?;
        let left = match earlier {
            Some(journal) => Some(self.after(engine, directory, journal).await),
            None => None,
        };
        self.make_way(self.bytes_to_send(left.as_ref(), &files)).await?;
        app.console.step(1, STEPS, "Requesting upload location...");
        let mut pending = self.location().await?;
        let there = self.blobs(&pending).await?;
        self.clear(&pending, there.as_ref(), left.as_ref().map(|left| &left.journal), &files).await?;
        app.console.done("Upload location ready");
        app.console.detail("Blob URI", pending.blob_uri.as_str());
        app.console.status("");
        app.console.step(2, STEPS, "Uploading model files...");
        app.console.detail("Source", &self.source_line());
        let mut journal = self.next_journal(directory, left, &pending, there.as_ref(), &files);
        self.warn_of_the_end(&pending, &self.missing(&journal));
        let mut arrived_before = None;
        loop {
            directory.write_journal(&mut journal).map_err(CliError::from)?;
            // The journal names the present run; what older ones left speaks of nothing any more.
            directory
                .remove_runs_but(journal.run)
                .map_err(|why| CliError::failure(format!("cannot tidy up: {why}")))?;
            let sent = self.send(engine, directory, &mut journal, &pending).await?;
            let Err(error) = sent else { break };
            let left = self.after(engine, directory, journal).await;
            let arrived = left.arrived().len();
            // A fresh SAS is worth it once, and again whenever files arrived with the last one.
            if !error.wants_a_location() || arrived_before.is_some_and(|before| arrived <= before) {
                return Err(Stop::Failed(self.broken(directory, &left, error)));
            }
            arrived_before = Some(arrived);
            app.console.status("  The upload location's SAS was refused on the way. Asking for a fresh one...");
            pending = match self.location().await.map_err(CliError::from) {
                Ok(pending) => pending,
                Err(why) if why.is_interrupted() => return Err(Stop::Failed(why)),
                Err(why) => {
                    let more = format!("There is no fresh upload location: {}", why.message());
                    return Err(Stop::Failed(self.broken(directory, &left, error).with_more(&more)));
                }
            };
            let there = self.blobs(&pending).await?;
            journal = self.next_journal(directory, Some(left), &pending, there.as_ref(), &files);
        }
        journal.stage = Stage::Uploaded;
        directory.write_journal(&mut journal).map_err(CliError::from)?;
        app.console.done("Upload complete");
        app.console.status("");
        Ok(journal)
    }

    /// Bytes that are still to be sent, as far as is known before the service is asked.
    fn bytes_to_send(&self, left: Option<&Left>, files: &Files) -> u64 {
        let all = self.work.plan.bytes().unwrap_or(0);
        let arrived = left.filter(|left| self.keeps(&left.journal)).map(|left| {
            let known = &left.journal.files;
            let whole = left.arrived().into_iter().filter(|name| files.get(*name) == known.get(*name));
            whole.filter_map(|name| files.get(name)).map(|stamp| stamp.bytes).sum()
        });
        all.saturating_sub(arrived.unwrap_or(0))
    }

    /// Goes on where an earlier try of the same upload into the same container was broken off, or begins anew.
    fn next_journal(
        &self,
        directory: &UploadDirectory,
        left: Option<Left>,
        pending: &PendingUpload,
        there: Option<&Blobs>,
        files: &Files,
    ) -> Journal {
        let (app, spec, plan) = (self.work.app, self.work.spec, self.work.plan);
        let registration = Registration { blob_uri: pending.blob_uri.clone(), details: spec.details.clone() };
        let mut journal = match (left, plan) {
            (Some(left), Plan::Local { files: planned, .. })
                if self.keeps(&left.journal) && *left.journal.blob_uri() == pending.blob_uri =>
            {
                let changed = changed(&left.journal.files, files);
                let mut next = left.next(files, there);
                if let Some(words) = self.going_on(directory, &next, planned) {
                    app.console.status(&format!("  {words}"));
                }
                if let Some(words) = changed {
                    app.console.status(&format!("  {words}"));
                }
                (next.spec, next.registration) = (self.upload_spec(), registration);
                next
            }
            (left, _) => {
                if left.is_some() {
                    app.console.status(&format!("  {FRESH}"));
                }
                let mut journal = Journal::begin(self.upload_spec(), registration, files.clone());
                // Never the number of a run whose directory may still be there.
                journal.run = left.map_or(1, |left| left.journal.run + 1);
                journal
            }
        };
        journal.pending_upload_id.clone_from(&pending.id);
        journal
    }

    fn upload_spec(&self) -> UploadSpec {
        let (spec, foundry) = (self.work.spec, self.work.foundry);
        UploadSpec {
            endpoint: foundry.endpoint().to_string(),
            name: spec.name.to_string(),
            version: self.version.to_string(),
            source: spec.shown_source.clone(),
            selection: spec.selection.clone(),
            checked: spec.check,
        }
    }

    /// A journal with what its present run delivered, whichever engine that was.
    async fn after(&self, engine: Engine<'_>, directory: &UploadDirectory, mut journal: Journal) -> Left {
        let Plan::Local { directory: source, .. } = self.work.plan else {
            return Left { journal, delivered: Some(BTreeSet::new()) };
        };
        if journal.stage.is_complete() {
            let all = journal.files.keys().cloned().collect();
            return Left { journal, delivered: Some(all) };
        }
        let sent = native::whole_files(directory.path(), &journal.shapes()).unwrap_or_default();
        journal.complete.extend(sent.into_iter().map(|file| file.path));
        let run = directory.run_path(journal.run);
        let delivered = match engine {
            Engine::AzCopy(azcopy) if run.is_dir() => azcopy.delivered(&run, source).await,
            // AzCopy was here, and there may be none to ask any more.
            Engine::Native { .. } if run.is_dir() => Err(io::Error::other("another engine was at work")),
            _ => Ok(BTreeSet::new()),
        };
        if let Err(why) = &delivered {
            self.work.app.console.debug(&format!("azcopy cannot say what it delivered: {why}"));
        }
        Left { journal, delivered: delivered.ok() }
    }

    /// The planned files that did not arrive yet.
    pub(super) fn missing(&self, journal: &Journal) -> Vec<&PlannedFile> {
        match self.work.plan {
            Plan::Local { files, .. } => journal.missing(files),
            Plan::Remote { .. } => Vec::new(),
        }
    }

    fn source_line(&self) -> String {
        let (spec, plan) = (self.work.spec, self.work.plan);
        let shown = match &spec.source {
            Source::Local(path) => path.display().to_string(),
            Source::Blob(url) => url.to_string(),
        };
        match (plan.file_count(), plan.bytes()) {
            (Some(files), Some(bytes)) => {
                format!("{shown} ({}, {})", units::count(files, "file", "files"), units::bytes(bytes))
            }
            _ => shown,
        }
    }
}
