//! Journal of a session: the next run, and its writes.

use super::super::directory::DirectoryError;
use super::super::engine::TransferEngine;
use super::super::event::UploadEvent;
use super::super::journal::Journal;
use super::super::resume::{ResumeState, changed};
use super::{DetachedRole, Session};
use crate::model::{Registration, Report};
use crate::store::{BlobListing, UploadLocation};

impl Session {
    /// Replaces the journal on disk. The first write of a run removes the result of an earlier detached one.
    pub(super) async fn write(&mut self, journal: &mut Journal) -> Result<(), DirectoryError> {
        if self.detached == DetachedRole::Earlier {
            self.directory()?.forget_detached();
            self.detached = DetachedRole::Forgotten;
        }
        self.directory()?.write_journal(journal).await?;
        self.last_run = journal.run;
        self.journal = Some(journal.clone());
        Ok(())
    }

    /// Writes the journal of a complete upload: the uploaded files are worth more than their record, so a journal that
    /// cannot be written is only a warning.
    pub(super) async fn write_or_warn(&mut self, mut journal: Journal) {
        if let Err(why) = self.write(&mut journal).await {
            self.journal = Some(journal);
            let message = format!("the state of this upload cannot be saved, so a new run may repeat a step: {why}");
            let has_warned = std::mem::replace(&mut self.has_warned_stale_journal, true);
            (self.settings.reporter)(if has_warned { Report::Debug(message) } else { Report::Warning(message) });
        }
    }

    /// Removes the directories of older runs: the journal names the current one.
    pub(super) async fn remove_older_runs(&self, run: u32) -> Result<(), DirectoryError> {
        self.directory()?.remove_runs_but(run).await
    }

    /// Journal of the next run: of the same upload into the same location, or of one that starts over.
    pub(super) async fn next_journal(
        &self,
        engine: &dyn TransferEngine,
        state: Option<ResumeState>,
        (location, listing): (&UploadLocation, Option<&BlobListing>),
        on: &mut dyn FnMut(UploadEvent<'_>),
    ) -> Journal {
        let files = self.request.files();
        let registration = Registration { blob_uri: location.blob_uri.clone(), details: self.request.details.clone() };
        let is_local = !self.request.is_remote();
        let resumes = |state: &ResumeState| {
            is_local && self.request.is_same_source(&state.journal) && *state.journal.blob_uri() == location.blob_uri
        };
        let mut journal = match state {
            Some(state) if resumes(&state) => {
                let changed = changed(&state.journal.files, &files);
                let mut next = state.next(&files, listing);
                on(UploadEvent::Resuming(
                    self.kept(engine.keeps_partial_files(), &next, None, |path| next.complete.contains(path)).await,
                ));
                if !changed.is_empty() {
                    on(UploadEvent::Changed(&changed));
                }
                (next.spec, next.registration) = (self.request.spec(self.foundry.endpoint()), registration);
                next
            }
            state => {
                if state.is_some() {
                    on(UploadEvent::StartingOver);
                }
                let mut journal = Journal::begin(self.request.spec(self.foundry.endpoint()), registration, files);
                journal.run = self.last_run + 1;
                journal
            }
        };
        journal.pending_upload_id.clone_from(&location.id);
        journal
    }
}
