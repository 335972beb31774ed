//! State that an incomplete upload leaves behind, and its error.

use std::sync::Arc;

use super::super::directory::blocking;
use super::super::engine::TransferEngine;
use super::super::error::{ChangedFile, IncompleteUpload, TransferFailure, UploadError};
use super::super::journal::Journal;
use super::super::resume::{ResumeState, ResumeTotals};
use super::Session;
use crate::model::{ArrivedFile, BlobPath};
use crate::native::{Record, arrived_files};
use crate::source::{UploadSource, stat_file};
use crate::store::ListedBlob;

impl Session {
    /// Adds the files that its run delivered to a journal, with either engine.
    pub(super) async fn resume_state(&self, engine: &dyn TransferEngine, mut journal: Journal) -> ResumeState {
        if self.request.is_remote() {
            return ResumeState { journal, delivered: Some(Default::default()) };
        }
        if journal.stage.is_complete() {
            let all = journal.files.iter().map(|file| file.path.clone()).collect();
            return ResumeState { journal, delivered: Some(all) };
        }
        let Some(directory) = &self.directory else { return ResumeState { journal, delivered: None } };
        let (path, key, files) = (directory.path().to_owned(), journal.key.clone(), journal.files.clone());
        let arrived = blocking(move || arrived_files((&path, &key), &files, |file, version| (file, version)));
        for (ArrivedFile { path, bytes, .. }, version) in arrived.await.unwrap_or_default() {
            // The list from the start of this run is newer than the record of an earlier run.
            Arc::make_mut(&mut journal.blobs).entry(path.clone()).or_insert(ListedBlob { bytes, version });
            journal.complete.insert(path);
        }
        let delivered = engine.arrived(&directory.run_path(journal.run), &self.request.source, &self.settings).await;
        ResumeState { journal, delivered }
    }

    /// Builds the error of a failed transfer, with the content that a new run need not send, and the files that have
    /// changed.
    pub(super) async fn broken(
        &self,
        engine: &dyn TransferEngine,
        state: &ResumeState,
        failure: TransferFailure,
        no_location: Option<UploadError>,
    ) -> UploadError {
        let whole = state.arrived();
        let kept = self
            .kept(engine.keeps_partial_files(), &state.journal, failure.lost_file(), |path| whole.contains(path))
            .await;
        let changed = self.changed_files(&state.journal);
        UploadError::Incomplete(Box::new(IncompleteUpload {
            failure,
            kept,
            changed,
            no_location: no_location.map(Box::new),
        }))
    }

    /// Files of the source that changed since they were planned. Checks each once, after the transfer.
    pub(super) fn changed_files(&self, journal: &Journal) -> Vec<ChangedFile> {
        let UploadSource::Local { directory, .. } = &*self.request.source else { return Vec::new() };
        let changed = journal.files.iter().filter_map(|file| {
            let now = stat_file(directory, &file.path).ok();
            let is_same = now.as_ref().is_some_and(|now| (now.bytes, now.modified) == (file.bytes, file.modified));
            let changed =
                || ChangedFile { path: file.path.clone(), planned: file.bytes, now: now.map(|now| now.bytes) };
            (!is_same).then(changed)
        });
        changed.collect()
    }

    /// Content of an upload with this journal that need not be sent again, except for a lost file.
    pub(super) async fn kept(
        &self,
        keeps_partial_files: bool,
        journal: &Journal,
        lost: Option<&BlobPath>,
        is_whole: impl Fn(&BlobPath) -> bool,
    ) -> ResumeTotals {
        let files = self.request.files();
        let mut kept = ResumeTotals {
            total_files: files.len() as u64,
            total_bytes: journal.files.bytes(),
            keeps_partial_files,
            ..ResumeTotals::default()
        };
        for file in files.iter().filter(|file| is_whole(&file.path) && lost != Some(&file.path)) {
            kept.files += 1;
            kept.bytes += file.bytes;
        }
        if let (true, Some(directory)) = (kept.keeps_partial_files, &self.directory) {
            let partial: Vec<_> = journal
                .files
                .iter()
                .filter(|file| !is_whole(&file.path) && lost != Some(&file.path))
                .cloned()
                .collect();
            let (path, key) = (directory.path().to_owned(), journal.key.clone());
            let bytes = blocking(move || Ok(Record::partial_bytes((&path, &key), &partial)));
            kept.partial_bytes = bytes.await.unwrap_or_default();
        }
        kept
    }
}

impl TransferFailure {
    /// File that the location does not hold as it was sent.
    pub(super) fn lost_file(&self) -> Option<&BlobPath> {
        match self {
            Self::Incomplete(path) | Self::Replaced(path) => Some(path),
            Self::Engine(_) | Self::Stray(_) | Self::Unproved(_) => None,
        }
    }

    /// True if only a new SAS lets the transfer continue.
    pub(super) fn needs_location(&self) -> bool {
        matches!(self, Self::Engine(error) if error.needs_location())
    }
}
