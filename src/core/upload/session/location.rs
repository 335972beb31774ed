//! Upload location of a session: requested, listed, and cleared of files of an earlier attempt.

use std::sync::Arc;

use futures_util::FutureExt;
use time::OffsetDateTime;

use super::super::LifetimeWarning;
use super::super::error::UploadError;
use super::super::event::UploadEvent;
use super::super::journal::Journal;
use super::super::lifetime::lifetime_warning;
use super::super::location::usable_location;
use super::super::resume::ResumeState;
use super::super::sharing::shared;
use super::super::strays::strays;
use super::Session;
use crate::model::Report;
use crate::store::{BlobListing, BlobStore, RenewLocation, UploadLocation};

impl Session {
    /// Upload location that accepts content, and its blobs; no list if it is unknown.
    pub(super) async fn listed_location(&self) -> Result<(UploadLocation, Option<BlobListing>), UploadError> {
        let model = (&self.request.name, &self.request.version);
        let list = async |location: &UploadLocation| self.listing(&self.store(location).while_probing()).await;
        usable_location(&self.foundry, self.settings.timings.probe, model, list).await
    }

    /// Requests a location and probes its SAS; if it is rejected, requests another one once.
    pub(super) async fn location(&self) -> Result<UploadLocation, UploadError> {
        let model = (&self.request.name, &self.request.version);
        let nothing = async |_: &UploadLocation| ();
        usable_location(&self.foundry, self.settings.timings.probe, model, nothing).await.map(|(location, ())| location)
    }

    /// Store of this location, which renews its SAS through Foundry.
    pub(super) fn store(&self, location: &UploadLocation) -> BlobStore {
        let (foundry, name, version) = (self.foundry.clone(), self.request.name.clone(), self.request.version.clone());
        let renew: RenewLocation = Arc::new(move || {
            let (foundry, name, version) = (foundry.clone(), name.clone(), version.clone());
            async move { foundry.start_pending_upload(&name, &version).await }.boxed()
        });
        BlobStore::new(self.foundry.shared_http(), Arc::clone(&self.settings.reporter), location, renew)
    }

    /// Blobs in the location; `None` if unknown.
    pub(super) async fn listing(&self, store: &BlobStore) -> Option<BlobListing> {
        match store.list(&shared(&self.request.files(), None, None)).await {
            Ok(listing) => listing,
            Err(why) => {
                (self.settings.reporter)(Report::Debug(format!("the upload location cannot be listed: {why}")));
                None
            }
        }
    }

    /// Deletes blobs from the location that would be registered with the model but are not part of it: files that an
    /// earlier attempt of this upload sent. Other files are not deleted: they end the upload.
    pub(super) async fn delete_strays(
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
                return Err(UploadError::UndeletableFile { path: stray.clone(), why, earlier });
            }
        }
        if !strays.is_empty() {
            on(UploadEvent::StraysDeleted { files: strays.len() as u64 });
        }
        Ok(())
    }

    /// Warning if the SAS may end before the missing bytes are sent.
    pub(super) fn lifetime(&self, location: &UploadLocation, journal: &Journal) -> Option<LifetimeWarning> {
        lifetime_warning(&location.sas, &journal.missing(), self.settings.limit_rate, OffsetDateTime::now_utc())
    }
}
