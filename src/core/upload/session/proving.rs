//! Proof that the blobs of a location were written by the session's own upload.

use std::sync::Arc;

use super::super::error::{IncompleteUpload, TransferFailure, UploadError};
use super::super::journal::{Journal, Stage};
use super::super::proof;
use super::super::resume::ResumeState;
use super::super::sharing::shared;
use super::Session;
use crate::cancel::Urgency;
use crate::model::Report;
use crate::native::Transferred;
use crate::store::{BlobListing, BlobStore};

impl Session {
    /// Checks, right before the registration, that the location still holds what this upload sent: another upload of
    /// this version writes to the same location. Nothing is compared if the location cannot be listed, or if the
    /// service has since assigned another location.
    ///
    /// # Errors
    /// [`UploadError::Incomplete`] if a file differs: the next run sends it again. Otherwise the failure of the check.
    pub async fn prove(&mut self) -> Result<(), UploadError> {
        let Some(mut journal) = self.journal.clone() else { return Ok(()) };
        let store = match self.store.take() {
            Some(store) => store,
            None => match self.location().await {
                Ok(location) if location.blob_uri == *journal.blob_uri() => self.store(&location),
                Ok(_) => {
                    let message =
                        "the service has a different upload location now: the uploaded files are not verified";
                    (self.settings.reporter)(Report::Debug(message.into()));
                    return Ok(());
                }
                // An earlier attempt requested the registration, and the model shows whose registration it is.
                Err(UploadError::Conflict(_)) => return Ok(()),
                Err(error) => return Err(error),
            },
        };
        let listed = store.list(&shared(&journal.files, Some(&journal.blobs), None)).await;
        let failure = match listed {
            Ok(Some(listing)) => proof::unchanged(&journal, &listing, self.request.is_remote()).err(),
            Ok(None) => None,
            Err(why) => Some(TransferFailure::Unproved(why)),
        };
        let Some(failure) = failure else { return Ok(()) };
        if failure.lost_file().is_some() {
            journal.complete = journal.files.iter().map(|file| file.path.clone()).collect();
            journal.stage = Stage::Uploading;
            self.write(&mut journal).await?;
        }
        let kept = self.kept(false, &journal, failure.lost_file(), |_| true).await;
        Err(UploadError::Incomplete(Box::new(IncompleteUpload {
            failure,
            kept,
            changed: Vec::new(),
            no_location: None,
        })))
    }

    /// Difference between the files of the registered model and those that this upload sent, as a sentence: another
    /// upload of this version may have written and registered them. `None` also if the service does not permit reading.
    pub async fn registered_difference(&self) -> Option<String> {
        let journal = self.journal.as_ref()?;
        let blob_uri = journal.blob_uri();
        let listing = match self.foundry.read_location(&self.request.name, &self.request.version, blob_uri).await {
            Ok(location) if location.blob_uri == *blob_uri => self.listing(&self.store(&location)).await?,
            Ok(_) => return None,
            Err(why) => {
                (self.settings.reporter)(Report::Debug(format!("the model's files cannot be compared: {why}")));
                return None;
            }
        };
        let failure = proof::unchanged(journal, &listing, self.request.is_remote()).err()?;
        Some(format!("Its files differ from this upload: {failure}."))
    }

    /// Compares the listing of the store with the sent files, if the SAS in force permits listing, and keeps the
    /// listing.
    pub(super) async fn verify(
        &self,
        store: &BlobStore,
        journal: &mut Journal,
        sent: &Transferred,
        before: Option<&BlobListing>,
    ) -> Result<(), TransferFailure> {
        let listed = store.list(&shared(&journal.files, before, Some(&sent.written))).await;
        let Some(listing) = listed.map_err(TransferFailure::Unproved)? else { return Ok(()) };
        journal.blobs = Arc::new(proof::arrived(journal, &sent.written, before, listing, self.request.is_remote())?);
        Ok(())
    }

    /// Records the versions of blobs that an engine delivered before it failed, if the store reports them in time: the
    /// next run detects writes of other uploads in between.
    pub(super) async fn keep_writes(&self, store: &BlobStore, state: &mut ResumeState) {
        let (Some(delivered), Some(directory)) = (&state.delivered, &self.directory) else { return };
        if delivered.is_empty() {
            return;
        }
        let files = state.journal.files.clone();
        let shared = shared(&files, None, None);
        let listed = tokio::select! {
            biased;
            () = self.settings.cancel.at_least(Urgency::Now) => return,
            listed = tokio::time::timeout(self.settings.timings.probe, store.list(&shared)) => listed,
        };
        let Ok(Ok(Some(listing))) = listed else { return };
        let writes = delivered.iter().filter_map(|path| Some((path.clone(), listing.get(path)?.clone())));
        Arc::make_mut(&mut state.journal.blobs).extend(writes);
        if let Err(why) = directory.write_journal(&mut state.journal).await {
            (self.settings.reporter)(Report::Debug(format!("what arrived is not in the journal: {why}")));
        }
    }
}
