//! Request for an upload.

use std::sync::Arc;

use super::journal::{Journal, UploadSpec};
use crate::model::{FileList, ModelDetails, ModelName, ModelVersion};
use crate::paths::is_same_path;
use crate::platform::Platform;
use crate::project::ProjectEndpoint;
use crate::source::{Selection, UploadSource};

/// Source of an upload, and the model to register.
#[derive(Clone, Debug)]
pub struct UploadRequest {
    /// Model name.
    pub name: ModelName,
    /// Model version.
    pub version: ModelVersion,
    /// Files or blobs.
    pub source: Arc<UploadSource>,
    /// Source as stored in the journal: an absolute path, or a URL without its query.
    pub shown_source: String,
    /// Entries of a directory that are uploaded.
    pub selection: Selection,
    /// True if the files were checked.
    pub checked: bool,
    /// Details of the model from the user.
    pub details: ModelDetails,
    /// Name and SKU of a deployment to create afterwards, as options; stored for the command that resumes.
    pub deployment: Vec<String>,
}

impl UploadRequest {
    /// Planned files; none for a remote source, whose files only AzCopy knows.
    pub(super) fn files(&self) -> FileList {
        match &*self.source {
            UploadSource::Local { files, .. } => files.clone(),
            UploadSource::Hub(hub) => hub.list().clone(),
            UploadSource::Remote { .. } => FileList::default(),
        }
    }

    /// True if the source is remote.
    pub(super) fn is_remote(&self) -> bool {
        matches!(*self.source, UploadSource::Remote { .. })
    }

    /// True if the journal belongs to an earlier attempt with the same source.
    pub(super) fn is_same_source(&self, journal: &Journal) -> bool {
        let is_same_import = match &*self.source {
            // Another commit, or another selection of files, is a different import.
            UploadSource::Hub(hub) => journal.spec.hub.as_ref() == Some(&hub.pin) && journal.files == *hub.list(),
            UploadSource::Local { .. } | UploadSource::Remote { .. } => true,
        };
        self.has_source(&journal.spec.source) && is_same_import
    }

    /// True if this is the source of the request, regardless of its spelling.
    pub(super) fn has_source(&self, source: &str) -> bool {
        match &*self.source {
            UploadSource::Local { .. } => is_same_path(source, &self.shown_source, Platform::CURRENT),
            UploadSource::Remote { .. } | UploadSource::Hub(_) => source == self.shown_source,
        }
    }

    /// Part of the request that the journal stores.
    pub(super) fn spec(&self, endpoint: &ProjectEndpoint) -> UploadSpec {
        UploadSpec {
            endpoint: endpoint.to_string(),
            name: self.name.to_string(),
            version: self.version.to_string(),
            source: self.shown_source.clone(),
            selection: self.selection.clone(),
            checked: self.checked,
            hub: match &*self.source {
                UploadSource::Hub(hub) => Some(hub.pin.clone()),
                UploadSource::Local { .. } | UploadSource::Remote { .. } => None,
            },
            deployment: self.deployment.clone(),
        }
    }
}
