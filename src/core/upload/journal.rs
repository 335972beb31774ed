//! Journal of an upload: the files and their target, so that the same command resumes it.
//!
//! Contains no secret: URLs are stored without their query. Written whole and renamed into place, so that a kill at any
//! moment leaves the old journal or the new one.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use url::Url;
use uuid::Uuid;

use super::directory::{DirectoryError, UploadDirectory, blocking};
use crate::files::{create_private, rename};
use crate::hub::HubPin;
use crate::model::{BlobPath, BlobUri, FileList, Registration, SourceFile};
use crate::source::Selection;
use crate::store::BlobListing;

/// File name of the journal.
pub(super) const JOURNAL: &str = "journal.json";
const SCHEMA: u32 = 2;

/// Stage of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// The service assigned a location; nothing was sent.
    Planned,
    /// Files may be in flight.
    Uploading,
    /// All files are uploaded; nothing was registered.
    Uploaded,
    /// The registration was requested.
    Registering,
    /// Registered; the journal of a detached upload is kept for a while.
    Done,
}

impl Stage {
    /// True once all files are uploaded.
    #[must_use]
    pub fn is_complete(self) -> bool {
        matches!(self, Self::Uploaded | Self::Registering)
    }

    /// Name of the stage in the journal.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Uploading => "uploading",
            Self::Uploaded => "uploaded",
            Self::Registering => "registering",
            Self::Done => "done",
        }
    }
}

/// Source and target of an upload: everything needed to resume it without the original command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadSpec {
    /// Project endpoint.
    pub endpoint: String,
    /// Model name.
    pub name: String,
    /// Model version.
    pub version: String,
    /// Path or URL without its query.
    pub source: String,
    /// Selection of entries in a directory.
    pub selection: Selection,
    /// True if the files are checked before they are sent.
    pub checked: bool,
    /// Commit that is imported, if the source is a repository of the Hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hub: Option<HubPin>,
    /// Name and SKU of the deployment to create after the upload, as options of the command that creates it; empty
    /// without one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deployment: Vec<String>,
}

/// Journal of one upload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Journal {
    schema: u32,
    /// Source and target.
    pub spec: UploadSpec,
    /// Registration to make, with the address of the files.
    pub registration: Registration,
    /// Random part of the ids of this upload's blocks: distinguishes them from blocks of other writers. Empty in
    /// journals of older versions.
    #[serde(default)]
    pub key: String,
    /// The service's id of the pending upload.
    pub pending_upload_id: Option<String>,
    /// Files by their name in the container; empty for a remote source.
    pub files: FileList,
    /// Names of the files, from `files`, that were completely uploaded before the current run.
    pub complete: BTreeSet<BlobPath>,
    /// Names of files that were sent before and have changed since: the store may hold the old content.
    pub stale: BTreeSet<BlobPath>,
    /// Blobs of the uploaded files, as the store listed them: a later difference was written by another process. All
    /// blobs of the location for a remote source.
    #[serde(default, serialize_with = "write_blobs", deserialize_with = "read_blobs")]
    pub blobs: Arc<BlobListing>,
    /// Current run of AzCopy, whose plan lists the files uploaded since. Each run has a separate directory, so that a
    /// file that an older run delivered is never taken for one that has changed since. That directory also holds the
    /// ids of AzCopy's job and process.
    pub run: u32,
    /// Stage of the upload.
    pub stage: Stage,
    /// URL of the registration's operation, once the service has accepted it.
    pub operation: Option<Url>,
    /// Time of creation, RFC 3339.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Time of the last write, RFC 3339.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

impl Journal {
    /// Creates a journal that begins now.
    #[must_use]
    pub fn begin(spec: UploadSpec, registration: Registration, files: FileList) -> Self {
        let now = OffsetDateTime::now_utc();
        Self {
            schema: SCHEMA,
            spec,
            registration,
            key: Uuid::new_v4().simple().to_string(),
            pending_upload_id: None,
            files,
            complete: BTreeSet::new(),
            stale: BTreeSet::new(),
            blobs: Arc::default(),
            run: 1,
            stage: Stage::Planned,
            operation: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// Address of the files.
    #[must_use]
    pub fn blob_uri(&self) -> &BlobUri {
        &self.registration.blob_uri
    }

    /// Files that are not uploaded yet.
    #[must_use]
    pub fn missing(&self) -> Vec<SourceFile> {
        self.files.iter().filter(|file| !self.complete.contains(&file.path)).cloned().collect()
    }
}

fn write_blobs<S: Serializer>(blobs: &BlobListing, serializer: S) -> Result<S::Ok, S::Error> {
    blobs.serialize(serializer)
}

fn read_blobs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<BlobListing>, D::Error> {
    BlobListing::deserialize(deserializer).map(Arc::new)
}

impl UploadDirectory {
    /// Reads the journal of an earlier attempt; `None` if there is none that can be read.
    pub async fn journal(&self) -> Option<Journal> {
        let path = self.path().to_owned();
        blocking(move || Ok(read_journal(&path))).await.ok().flatten()
    }

    /// Writes the journal whole and renames it into place.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) async fn write_journal(&self, journal: &mut Journal) -> Result<(), DirectoryError> {
        journal.updated_at = OffsetDateTime::now_utc();
        let path = self.path().join(JOURNAL);
        let (next, target, journal) = (self.path().join("journal.next"), path.clone(), journal.clone());
        let write = move || -> io::Result<()> {
            let mut out = io::BufWriter::new(create_private(&next)?);
            serde_json::to_writer(&mut out, &journal)?;
            out.into_inner()?.sync_all()?;
            rename(&next, &target)
        };
        blocking(write).await.map_err(|why| DirectoryError::Io { path, why })
    }
}

/// Reads the journal in a directory; `None` if there is none, or it has another schema or is damaged: then the upload
/// starts over.
pub(super) fn read_journal(directory: &Path) -> Option<Journal> {
    let text = fs::read(directory.join(JOURNAL)).ok()?;
    serde_json::from_slice(&text).ok().filter(|journal: &Journal| journal.schema == SCHEMA)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::ModelDetails;

    /// Files of one byte by name and modification time.
    pub(in crate::upload) fn files_of(files: &[(&str, u64)]) -> FileList {
        let file = |(path, modified): &(&str, u64)| SourceFile { path: (*path).into(), bytes: 1, modified: *modified };
        FileList::new(files.iter().map(file).collect())
    }

    /// Journal for tests.
    pub(in crate::upload) fn journal() -> Journal {
        let spec = UploadSpec {
            endpoint: "https://e".into(),
            name: "m".into(),
            version: "1".into(),
            source: "dir".into(),
            selection: Selection::new(vec!["*.json".parse().expect("a glob")], Vec::new(), false),
            checked: true,
            hub: None,
            deployment: Vec::new(),
        };
        let blob_uri = "https://h/c".parse().expect("a place");
        let base_model = Some("FW-X".parse().expect("a base model"));
        let details = ModelDetails { base_model, ..ModelDetails::default() };
        Journal::begin(spec, Registration { blob_uri, details }, files_of(&[("a", 1), ("b", 1), ("c", 1)]))
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_journal_survives_a_kill_at_any_moment() {
        let home = tempfile::tempdir().expect("a directory");
        let directory = UploadDirectory::open(home.path(), "https://e", "m", "1").expect("made");
        assert_eq!(directory.journal().await, None);
        let mut journal = journal();
        directory.write_journal(&mut journal).await.expect("written");
        // A kill while the next one was written.
        fs::write(directory.path().join("journal.next"), "{\"schema\":1,").expect("written");
        assert_eq!(directory.journal().await, Some(journal.clone()));
        fs::write(directory.path().join(JOURNAL), "{").expect("written");
        assert_eq!(directory.journal().await, None);
    }
}
