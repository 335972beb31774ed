//! The state machine of one upload: open (journal, lock), resume state, location, transfer, verify, complete.
//!
//! One loop: a transfer completes, has its SAS rejected, or fails. A new location is requested for as long as files
//! arrive with it, and uploaded files are always compared with the listing of the store.

mod detached;
mod proving;

use std::io;
use std::path::Path;
use std::sync::Arc;

use futures_util::FutureExt;
use time::OffsetDateTime;
use url::Url;

use super::directory::{DirectoryError, UploadDirectory, blocking};
use super::engine::{TransferEngine, TransferJob, TransferSettings};
use super::error::{ChangedFile, IncompleteUpload, TransferFailure, UploadError};
use super::event::UploadEvent;
use super::journal::{Journal, Stage};
use super::lifetime::lifetime_warning;
use super::location::usable_location;
use super::request::UploadRequest;
use super::resume::{ResumeState, ResumeTotals, changed};
use super::sharing::shared;
use super::strays::strays;
use super::ticks::with_ticks;
use crate::azcopy::wait_for_orphan;
use crate::cancel::Hold;
use crate::foundry::FoundryClient;
use crate::model::{ArrivedFile, BlobPath, Registration, Report};
use crate::native::{Record, Transferred, arrived_files};
use crate::source::{UploadSource, stat_file};
use crate::store::{BlobListing, BlobStore, ListedBlob, RenewLocation, UploadLocation};

/// One upload, under its journal and its lock.
pub struct Session {
    foundry: FoundryClient,
    settings: TransferSettings,
    request: UploadRequest,
    /// `None` only while the session ends.
    directory: Option<UploadDirectory>,
    /// The journal as it was last read or written.
    journal: Option<Journal>,
    resume: Option<ResumeState>,
    /// The store that this upload was sent to.
    store: Option<BlobStore>,
    /// Files of a detached upload of this version.
    detached: DetachedRole,
    /// Number of the last run; no later run has the number of one whose directory may still be there.
    last_run: u32,
    /// The user knows that the journal cannot be written.
    has_warned_stale_journal: bool,
}

/// Role of a session towards the files of a detached upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DetachedRole {
    /// This session is one: its directory stays.
    This,
    /// An earlier one may have left files, which are removed when this one writes its journal.
    Earlier,
    /// There are none.
    Forgotten,
}

/// Failed transfer, and the state that its run left.
struct FailedTransferState {
    failure: TransferFailure,
    state: ResumeState,
    /// Held until the kept content is known: an interrupted upload reports its progress.
    hold: Option<Hold>,
}

impl Session {
    /// Locks the upload, reads the state of an earlier attempt, and waits until an AzCopy of that attempt has ended.
    ///
    /// # Errors
    /// [`DirectoryError::InUse`] where another process uploads the same version.
    pub async fn open(
        config_dir: &Path,
        foundry: FoundryClient,
        settings: TransferSettings,
        request: UploadRequest,
    ) -> Result<Self, DirectoryError> {
        let endpoint = foundry.endpoint().to_string();
        let directory = UploadDirectory::open(config_dir, &endpoint, request.name.as_str(), request.version.as_str())?;
        let journal = directory.journal().await;
        let last_run = journal.as_ref().map_or_else(|| directory.highest_run(), |journal| journal.run);
        wait_for_orphan(&directory.run_path(last_run), settings.timings.cancel_grace).await;
        let directory = Some(directory);
        // The registered upload is complete: the next upload of this version is another one.
        let journal = journal.filter(|journal| journal.stage != Stage::Done);
        let (resume, store, detached) = (None, None, DetachedRole::Earlier);
        Ok(Self {
            foundry,
            settings,
            request,
            directory,
            journal,
            resume,
            store,
            detached,
            last_run,
            has_warned_stale_journal: false,
        })
    }

    /// True if all files arrived in an earlier attempt and are still the same: only the registration is missing.
    #[must_use]
    pub fn is_uploaded(&self) -> bool {
        self.journal.as_ref().is_some_and(|journal| {
            journal.stage.is_complete() && self.request.is_same_source(journal) && journal.files == self.request.files()
        })
    }

    /// Determines what an earlier attempt delivered, with either engine.
    pub async fn find_delivered(&mut self, engine: &dyn TransferEngine) {
        if let Some(journal) = self.journal.clone() {
            self.resume = Some(self.resume_state(engine, journal).await);
        }
    }

    /// Bytes that are still to be sent, as far as known before the service is queried; zero for a remote source.
    #[must_use]
    pub fn bytes_to_send(&self) -> u64 {
        let same = self.resume.as_ref().filter(|state| self.request.is_same_source(&state.journal));
        let files = self.request.files();
        files.bytes().saturating_sub(same.map_or(0, |state| state.arrived_bytes(&files)))
    }

    /// Discards what an earlier attempt uploaded: the service does not accept it any longer.
    pub fn start_over(&mut self) {
        self.resume = None;
    }

    /// Sends missing content, and proves that everything is in the container.
    ///
    /// # Errors
    /// See [`UploadError`]. What arrived is in the journal.
    pub async fn upload(
        &mut self,
        engine: &dyn TransferEngine,
        on: &mut dyn FnMut(UploadEvent<'_>),
    ) -> Result<(), UploadError> {
        let resume = self.resume.take();
        on(UploadEvent::RequestingLocation);
        let (mut location, mut listing) = self.listed_location().await?;
        let mut store = self.store(&location);
        self.delete_strays(&store, (&location, listing.as_ref(), resume.as_ref()), on).await?;
        on(UploadEvent::LocationReady(&location.blob_uri));
        on(UploadEvent::Uploading);
        let mut journal = self.next_journal(engine, resume, (&location, listing.as_ref()), on).await;
        if let Some(warning) = self.lifetime(&location, &journal) {
            on(UploadEvent::Lifetime(warning));
        }
        let mut arrived_before = None;
        loop {
            self.write(&mut journal).await?;
            self.remove_older_runs(journal.run).await?;
            let FailedTransferState { failure, state, hold } =
                match self.transfer(engine, (&store, listing.as_ref()), &mut journal, on).await? {
                    Ok(()) => break,
                    Err(ended) => ended,
                };
            let arrived = state.arrived().len();
            // A new SAS is requested once, and again whenever files arrived with the last one.
            if !failure.needs_location() || arrived_before.is_some_and(|before| arrived <= before) {
                return Err(self.broken(engine, &state, failure, None).await);
            }
            arrived_before = Some(arrived);
            drop(hold);
            on(UploadEvent::RenewingSas);
            (location, listing) = match self.listed_location().await {
                Ok(listed) => listed,
                Err(why) => return Err(self.broken(engine, &state, failure, Some(why)).await),
            };
            store = self.store(&location);
            journal = self.next_journal(engine, Some(state), (&location, listing.as_ref()), on).await;
        }
        journal.stage = Stage::Uploaded;
        self.write_or_warn(journal).await;
        self.store = Some(store);
        on(UploadEvent::Uploaded);
        Ok(())
    }

    /// Files with their SHA-256 where it was computed, as the upload's record has them.
    pub async fn arrived_files(&self) -> Vec<ArrivedFile> {
        let (Some(directory), Some(journal)) = (&self.directory, &self.journal) else { return Vec::new() };
        let (path, key, files) = (directory.path().to_owned(), journal.key.clone(), journal.files.clone());
        let arrived = blocking(move || arrived_files((&path, &key), &files, |file, _| file));
        arrived.await.unwrap_or_default()
    }

    /// Id of the upload, as `uploads list` shows it.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        Some(self.directory.as_ref()?.path().file_name()?.to_string_lossy().into_owned())
    }

    /// The journal of an upload that was begun.
    #[must_use]
    pub fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    /// Registration to make: the present details, with the address of the files.
    #[must_use]
    pub fn registration(&self) -> Option<Registration> {
        let blob_uri = self.journal.as_ref()?.blob_uri().clone();
        Some(Registration { blob_uri, details: self.request.details.clone() })
    }

    /// Sets a tag of the model that is registered, or removes it.
    pub fn set_tag(&mut self, key: &str, value: Option<String>) {
        let tags = &mut self.request.details.tags;
        match value {
            Some(value) => drop(tags.insert(key.to_owned(), value)),
            None => drop(tags.remove(key)),
        }
    }

    /// Records that the registration is requested. True if an earlier attempt had requested it already.
    pub async fn begin_registration(&mut self) -> bool {
        let Some(mut journal) = self.journal.clone() else { return false };
        let was_asked_for = journal.stage == Stage::Registering;
        journal.stage = Stage::Registering;
        journal.registration.details = self.request.details.clone();
        self.write_or_warn(journal).await;
        was_asked_for
    }

    /// Writes down where the service reports about the registration; the URL must hold no secret.
    pub async fn record_operation(&mut self, operation: Option<Url>) {
        let Some(mut journal) = self.journal.clone() else { return };
        journal.operation = operation;
        self.write_or_warn(journal).await;
    }

    /// Removes the private directory: nothing is left to resume. That of a detached upload stays, with its result.
    ///
    /// # Errors
    /// When something in it cannot be removed.
    pub async fn finish(mut self) -> io::Result<()> {
        if self.detached == DetachedRole::This {
            return self.mark_done().await;
        }
        self.directory.take().map_or(Ok(()), UploadDirectory::remove)
    }

    fn directory(&self) -> Result<&UploadDirectory, DirectoryError> {
        let ended = || io::Error::other("the upload has ended");
        self.directory.as_ref().ok_or_else(|| DirectoryError::Io { path: "".into(), why: ended() })
    }

    async fn write(&mut self, journal: &mut Journal) -> Result<(), DirectoryError> {
        if self.detached == DetachedRole::Earlier {
            self.directory()?.forget_detached();
            self.detached = DetachedRole::Forgotten;
        }
        self.directory()?.write_journal(journal).await?;
        self.last_run = journal.run;
        self.journal = Some(journal.clone());
        Ok(())
    }

    /// Writes the journal of a complete upload: what arrived is worth more than the record of it, so that a journal that
    /// cannot be written ends nothing.
    async fn write_or_warn(&mut self, mut journal: Journal) {
        if let Err(why) = self.write(&mut journal).await {
            self.journal = Some(journal);
            let message = format!("the state of this upload cannot be saved, so a new run may repeat a step: {why}");
            let is_told = std::mem::replace(&mut self.has_warned_stale_journal, true);
            (self.settings.reporter)(if is_told { Report::Debug(message) } else { Report::Warning(message) });
        }
    }

    /// Removes the directories of older runs: the journal names the present one.
    async fn remove_older_runs(&self, run: u32) -> Result<(), DirectoryError> {
        self.directory()?.remove_runs_but(run).await
    }

    /// Upload location that accepts content, and its blobs; no list where that is not known.
    async fn listed_location(&self) -> Result<(UploadLocation, Option<BlobListing>), UploadError> {
        let model = (&self.request.name, &self.request.version);
        let list = async |location: &UploadLocation| self.listing(&self.store(location).while_probing()).await;
        usable_location(&self.foundry, self.settings.timings.probe, model, list).await
    }

    async fn location(&self) -> Result<UploadLocation, UploadError> {
        let model = (&self.request.name, &self.request.version);
        let nothing = async |_: &UploadLocation| ();
        usable_location(&self.foundry, self.settings.timings.probe, model, nothing).await.map(|(location, ())| location)
    }

    fn store(&self, location: &UploadLocation) -> BlobStore {
        let (foundry, name, version) = (self.foundry.clone(), self.request.name.clone(), self.request.version.clone());
        let renew: RenewLocation = Arc::new(move || {
            let (foundry, name, version) = (foundry.clone(), name.clone(), version.clone());
            async move { foundry.start_pending_upload(&name, &version).await }.boxed()
        });
        BlobStore::new(self.foundry.shared_http(), Arc::clone(&self.settings.reporter), location, renew)
    }

    /// Blobs in the location; `None` if that is not known.
    async fn listing(&self, store: &BlobStore) -> Option<BlobListing> {
        match store.list(&shared(&self.request.files(), None, None)).await {
            Ok(listing) => listing,
            Err(why) => {
                (self.settings.reporter)(Report::Debug(format!("the upload location cannot be listed: {why}")));
                None
            }
        }
    }

    /// Deletes blobs from the location that would be registered with the model and are no part of it: files that an
    /// earlier attempt of this upload sent. Other files are not deleted: they end the upload.
    async fn delete_strays(
        &self,
        store: &BlobStore,
        (location, listing, earlier): (&UploadLocation, Option<&BlobListing>, Option<&ResumeState>),
        on: &mut dyn FnMut(UploadEvent<'_>),
    ) -> Result<(), UploadError> {
        let files = self.request.files();
        let earlier = earlier.map(|state| &state.journal);
        // Only AzCopy knows the names of a remote source.
        let is_remote = self.request.is_remote();
        if is_remote && earlier.is_none_or(|journal| self.request.is_same_source(journal)) {
            return Ok(());
        }
        let ours = earlier.filter(|journal| *journal.blob_uri() == location.blob_uri).map(|journal| &journal.files);
        let strays = strays(&files, ours, listing).map_err(UploadError::StrayFile)?;
        for stray in &strays {
            if let Err(why) = store.delete(stray).await {
                if why.is_of_intermediary() {
                    return Err(UploadError::Unreachable(why));
                }
                let why = match why.status() {
                    Some(403) => "the upload SAS does not allow deleting it".to_owned(),
                    _ => format!("it cannot be deleted: {why}"),
                };
                let same_source = earlier.filter(|journal| self.request.has_source(&journal.spec.source));
                let earlier = same_source.map(|journal| Box::new(journal.spec.selection.clone()));
                return Err(UploadError::OwnStray { path: stray.clone(), why, earlier });
            }
        }
        if !strays.is_empty() {
            on(UploadEvent::StraysDeleted { files: strays.len() as u64 });
        }
        Ok(())
    }

    /// The journal of the next run: of the same upload into the same location, or of one that starts over.
    async fn next_journal(
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

    fn lifetime(&self, location: &UploadLocation, journal: &Journal) -> Option<super::LifetimeWarning> {
        lifetime_warning(&location.sas, &journal.missing(), self.settings.limit_rate, OffsetDateTime::now_utc())
    }

    /// Runs the engine, and proves the arrived content. A failure includes the kept content.
    async fn transfer(
        &self,
        engine: &dyn TransferEngine,
        (store, before): (&BlobStore, Option<&BlobListing>),
        journal: &mut Journal,
        on: &mut dyn FnMut(UploadEvent<'_>),
    ) -> Result<Result<(), FailedTransferState>, UploadError> {
        let directory = self.directory()?;
        let missing = journal.missing();
        let failure = if missing.is_empty() && !self.request.is_remote() {
            self.verify(store, journal, &Transferred::default(), before).await.err()
        } else {
            journal.stage = Stage::Uploading;
            directory.write_journal(journal).await?;
            // The engine ends first, and its state is read, before the command may be dropped.
            let hold = self.settings.cancel.hold();
            let job = TransferJob {
                source: &self.request.source,
                missing: &missing,
                store,
                directory,
                key: &journal.key,
                run: journal.run,
                settings: &self.settings,
            };
            let sent = with_ticks(engine, job, &self.settings.cancel, on).await;
            drop(missing);
            on(UploadEvent::TransferEnded);
            match sent {
                Ok(mut sent) => {
                    drop(hold);
                    // A file that changed in transit was sent as it is now.
                    journal.files = journal.files.with(std::mem::take(&mut sent.changed));
                    self.verify(store, journal, &sent, before).await.err()
                }
                Err(error) => {
                    let mut state = self.resume_state(engine, journal.clone()).await;
                    self.keep_writes(store, &mut state).await;
                    return Ok(Err(FailedTransferState {
                        failure: TransferFailure::Engine(error),
                        state,
                        hold: Some(hold),
                    }));
                }
            }
        };
        match failure {
            None => Ok(Ok(())),
            Some(failure) => {
                let state = self.resume_state(engine, journal.clone()).await;
                Ok(Err(FailedTransferState { failure, state, hold: None }))
            }
        }
    }

    /// Adds to a journal what its run delivered, with either engine.
    async fn resume_state(&self, engine: &dyn TransferEngine, mut journal: Journal) -> ResumeState {
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

    async fn broken(
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
        UploadError::Broken(Box::new(IncompleteUpload {
            failure,
            kept,
            changed,
            no_location: no_location.map(Box::new),
        }))
    }

    /// Files of the source that changed since they were planned. Each is read once, after the transfer.
    fn changed_files(&self, journal: &Journal) -> Vec<ChangedFile> {
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

    /// Content of an upload with this journal that is kept, except for a lost file.
    async fn kept(
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

impl Drop for Session {
    /// Nothing was begun that could be resumed: no trace stays.
    fn drop(&mut self) {
        if let (None, Some(directory)) = (&self.journal, self.directory.take())
            && !directory.has_detached()
        {
            drop(directory.remove());
        }
    }
}

impl TransferFailure {
    /// The file that the location does not hold as it was sent.
    fn lost_file(&self) -> Option<&BlobPath> {
        match self {
            Self::Incomplete(path) | Self::Replaced(path) => Some(path),
            Self::Engine(_) | Self::Stray(_) | Self::Unproved(_) => None,
        }
    }

    fn needs_location(&self) -> bool {
        matches!(self, Self::Engine(error) if error.needs_location())
    }
}
