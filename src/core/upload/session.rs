//! The state machine of one upload: open (journal, lock), resume state, location, transfer, verify, complete.
//!
//! One loop: a transfer completes, has its SAS rejected, or fails. A new location is requested as long as files are
//! uploaded with it, and uploaded files are always compared with the listing of the store.

mod detached;
mod incomplete;
mod journal;
mod location;
mod proving;
mod registration;

use std::io;
use std::path::Path;

use super::directory::{DirectoryError, UploadDirectory, blocking};
use super::engine::{TransferEngine, TransferJob, TransferSettings};
use super::error::{TransferFailure, UploadError};
use super::event::UploadEvent;
use super::journal::{Journal, Stage};
use super::request::UploadRequest;
use super::resume::ResumeState;
use super::ticks::with_ticks;
use crate::azcopy::wait_for_orphan;
use crate::cancel::Hold;
use crate::foundry::FoundryClient;
use crate::model::ArrivedFile;
use crate::native::{Transferred, arrived_files};
use crate::store::{BlobListing, BlobStore};

/// One upload, with its journal and its lock.
pub struct Session {
    foundry: FoundryClient,
    settings: TransferSettings,
    request: UploadRequest,
    /// `None` only while the session ends.
    directory: Option<UploadDirectory>,
    /// The journal as it was last read or written.
    journal: Option<Journal>,
    resume: Option<ResumeState>,
    /// Store that this upload was sent to.
    store: Option<BlobStore>,
    /// Files of a detached upload of this version.
    detached: DetachedRole,
    /// Number of the last run; a later run never reuses the number of a directory that may still exist.
    last_run: u32,
    /// True once the user was warned that the journal cannot be written.
    has_warned_stale_journal: bool,
}

/// Role of a session towards the files of a detached upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DetachedRole {
    /// This session is detached: its directory is kept.
    This,
    /// An earlier session may have left files, which are removed when this one writes its journal.
    Earlier,
    /// There are none, or they were removed.
    Forgotten,
}

/// Failed transfer, and the state that its run left behind.
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
    /// [`DirectoryError::InUse`] if another process uploads the same version.
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
        // A registered upload is complete: the next upload of this version is a different one.
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

    /// True if all files were uploaded by an earlier attempt and have not changed: only the registration is missing.
    #[must_use]
    pub fn is_uploaded(&self) -> bool {
        self.journal.as_ref().is_some_and(|journal| {
            journal.stage.is_complete() && self.request.is_same_source(journal) && journal.files == self.request.files()
        })
    }

    /// Determines which files an earlier attempt delivered, with either engine.
    pub async fn find_delivered(&mut self, engine: &dyn TransferEngine) {
        if let Some(journal) = self.journal.clone() {
            self.resume = Some(self.resume_state(engine, journal).await);
        }
    }

    /// Bytes that remain to be sent, as far as known before the service is queried; zero for a remote source.
    #[must_use]
    pub fn bytes_to_send(&self) -> u64 {
        let same = self.resume.as_ref().filter(|state| self.request.is_same_source(&state.journal));
        let files = self.request.files();
        files.bytes().saturating_sub(same.map_or(0, |state| state.arrived_bytes(&files)))
    }

    /// Discards what an earlier attempt uploaded: the service no longer accepts it.
    pub fn start_over(&mut self) {
        self.resume = None;
    }

    /// Sends missing content, and verifies that everything is in the container.
    ///
    /// # Errors
    /// See [`UploadError`]. The uploaded content is in the journal.
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
            // A new SAS is requested once, and again whenever files were uploaded with the last one.
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

    /// Files with their SHA-256 if it was computed, according to the upload's record.
    pub async fn arrived_files(&self) -> Vec<ArrivedFile> {
        let (Some(directory), Some(journal)) = (&self.directory, &self.journal) else { return Vec::new() };
        let (path, key, files) = (directory.path().to_owned(), journal.key.clone(), journal.files.clone());
        let arrived = blocking(move || arrived_files((&path, &key), &files, |file, _| file));
        arrived.await.unwrap_or_default()
    }

    /// Id of the upload, as shown by `uploads list`.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        Some(self.directory.as_ref()?.path().file_name()?.to_string_lossy().into_owned())
    }

    /// Journal of an upload that has begun.
    #[must_use]
    pub fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    /// Removes the private directory: nothing is left to resume. The directory of a detached upload is kept, with its
    /// result.
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

    /// Runs the engine, and verifies the uploaded content. A failure includes the kept content.
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
            // The engine ends, and its state is read, before the command may be dropped.
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
                    // A file that changed in transit was sent in its new state.
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
}

impl Drop for Session {
    /// Removes the directory if nothing was begun that could be resumed.
    fn drop(&mut self) {
        if let (None, Some(directory)) = (&self.journal, self.directory.take())
            && !directory.has_detached()
        {
            drop(directory.remove());
        }
    }
}
