//! The journal of an upload: what was sent where, so that the same command goes on where it was broken off (cli.md 7).
//!
//! Holds no secret: URLs stand in it without their query. Written whole and renamed into place, so that a kill at any
//! moment leaves the old one or the new one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use url::Url;

use super::directory::{DirectoryError, UploadDirectory};
use super::plan::{Plan, PlannedFile};
use super::selection::Selection;
use crate::model::Registration;
use crate::native::FileShape;

const JOURNAL: &str = "journal.json";
const SCHEMA: u32 = 2;

/// How far an upload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// The service gave a place to write to; nothing was sent.
    Planned,
    /// Files may be on their way.
    Uploading,
    /// All files arrived; nothing was registered.
    Uploaded,
    /// The registration was asked for.
    Registering,
}

impl Stage {
    /// True once all files arrived.
    #[must_use]
    pub fn is_complete(self) -> bool {
        matches!(self, Self::Uploaded | Self::Registering)
    }

    /// The word that stands in the journal.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Uploading => "uploading",
            Self::Uploaded => "uploaded",
            Self::Registering => "registering",
        }
    }
}

/// What is uploaded, and as what: as much as it takes to go on without the command that began it.
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
    /// Which entries of a directory go.
    pub selection: Selection,
    /// The files are looked at before they go.
    pub checked: bool,
}

/// One file as it was when it was planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Size in bytes.
    pub bytes: u64,
    /// Modification time in nanoseconds since 1970.
    pub modified: u64,
}

/// The journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Journal {
    schema: u32,
    /// What is uploaded.
    pub spec: UploadSpec,
    /// What is registered, and where the files go.
    pub registration: Registration,
    /// The service's id of the pending upload.
    pub pending_upload_id: Option<String>,
    /// Files by their name in the container; empty for a remote source.
    pub files: BTreeMap<String, Stamp>,
    /// Names of the files that arrived whole before the present run, as they stand in `files`.
    pub complete: BTreeSet<String>,
    /// Names of files that were sent once and changed since: what lies there may be the old content.
    pub stale: BTreeSet<String>,
    /// The present run of AzCopy: its plan tells what arrived since. Each run has a directory of its own, so that
    /// what an older run delivered is never taken for a file that has changed since. That directory also holds the
    /// ids of AzCopy's job and process.
    pub run: u32,
    /// How far it is.
    pub stage: Stage,
    /// Where the service tells of the registration, once it accepted one.
    pub operation: Option<Url>,
    /// When it began, RFC 3339.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it was last written, RFC 3339.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

impl Journal {
    /// A journal that begins now.
    #[must_use]
    pub fn begin(spec: UploadSpec, registration: Registration, files: BTreeMap<String, Stamp>) -> Self {
        let now = OffsetDateTime::now_utc();
        Self {
            schema: SCHEMA,
            spec,
            registration,
            pending_upload_id: None,
            files,
            complete: BTreeSet::new(),
            stale: BTreeSet::new(),
            run: 1,
            stage: Stage::Planned,
            operation: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// Where the files go.
    #[must_use]
    pub fn blob_uri(&self) -> &Url {
        &self.registration.blob_uri
    }

    /// The files as the native engine names them.
    #[must_use]
    pub fn shapes(&self) -> Vec<FileShape> {
        let shape = |(path, stamp): (&String, &Stamp)| FileShape {
            path: path.clone(),
            bytes: stamp.bytes,
            modified: stamp.modified,
        };
        self.files.iter().map(shape).collect()
    }

    /// Bytes of all files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.values().map(|stamp| stamp.bytes).sum()
    }

    /// The journal of the next run: the files as they are now, and of them those that arrived whole and are still as
    /// they were then. `delivered` is what the present run's plan says.
    #[must_use]
    pub fn next_run(mut self, now: BTreeMap<String, Stamp>, delivered: &BTreeSet<String>) -> Self {
        let arrived = self.complete.union(delivered);
        let whole = arrived.filter(|name| now.contains_key(*name) && now.get(*name) == self.files.get(*name));
        self.complete = whole.cloned().collect();
        let changed = self.files.iter().filter(|(name, stamp)| now.get(*name) != Some(stamp)).map(|(name, _)| name);
        self.stale = self.stale.iter().chain(changed).filter(|name| !self.complete.contains(*name)).cloned().collect();
        self.files = now;
        self.run += 1;
        self.stage = Stage::Planned;
        self
    }

    /// Files of the present run that the container holds in full size, for when AzCopy cannot tell what it delivered.
    /// Of a file that changed since it was sent the size says nothing.
    #[must_use]
    pub fn fully_there(&self, there: Option<&BTreeMap<String, u64>>) -> BTreeSet<String> {
        let there = there.into_iter().flatten();
        let whole = there.filter(|(name, bytes)| {
            !self.stale.contains(*name) && self.files.get(*name).is_some_and(|stamp| stamp.bytes == **bytes)
        });
        whole.map(|(name, _)| name.clone()).collect()
    }

    /// The same without files that the container does not hold in their full size: `there` is what it lists.
    #[must_use]
    pub fn only_what_is_there(mut self, there: &BTreeMap<String, u64>) -> Self {
        let files = &self.files;
        self.complete.retain(|name| files.get(name).is_some_and(|stamp| there.get(name) == Some(&stamp.bytes)));
        self
    }

    /// The planned files that did not arrive yet.
    #[must_use]
    pub fn missing<'a>(&self, files: &'a [PlannedFile]) -> Vec<&'a PlannedFile> {
        files.iter().filter(|file| !self.complete.contains(&file.path)).collect()
    }
}

/// The planned files as they are now.
///
/// # Errors
/// When one of them cannot be looked at any more.
pub fn stamps(plan: &Plan) -> io::Result<BTreeMap<String, Stamp>> {
    let Plan::Local { directory, files, .. } = plan else { return Ok(BTreeMap::new()) };
    files.iter().map(|file| Ok((file.path.clone(), stamp(directory, file)?))).collect()
}

fn stamp(directory: &Path, file: &PlannedFile) -> io::Result<Stamp> {
    let metadata = fs::metadata(directory.join(&file.path))?;
    let since = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Stamp { bytes: metadata.len(), modified: u64::try_from(since.as_nanos()).unwrap_or(u64::MAX) })
}

impl UploadDirectory {
    /// The journal of an earlier try; `None` when there is none that can be read.
    #[must_use]
    pub fn journal(&self) -> Option<Journal> {
        read_journal(self.path())
    }

    /// Writes the journal.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn write_journal(&self, journal: &mut Journal) -> Result<(), DirectoryError> {
        journal.updated_at = OffsetDateTime::now_utc();
        let path = self.path().join(JOURNAL);
        let next = self.path().join("journal.next");
        let write = || -> io::Result<()> {
            let mut out = super::directory::private_file(&next)?;
            out.write_all(&serde_json::to_vec(journal)?)?;
            out.sync_all()?;
            fs::rename(&next, &path)
        };
        write().map_err(|why| DirectoryError::Io { path, why })
    }
}

pub(super) fn read_journal(directory: &Path) -> Option<Journal> {
    let text = fs::read(directory.join(JOURNAL)).ok()?;
    serde_json::from_slice(&text).ok().filter(|journal: &Journal| journal.schema == SCHEMA)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ModelDetails;

    fn stamps_of(files: &[(&str, u64)]) -> BTreeMap<String, Stamp> {
        files.iter().map(|(name, modified)| ((*name).to_owned(), Stamp { bytes: 1, modified: *modified })).collect()
    }

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn journal() -> Journal {
        let spec = UploadSpec {
            endpoint: "https://e".into(),
            name: "m".into(),
            version: "1".into(),
            source: "dir".into(),
            selection: Selection::new(vec!["*.json".parse().expect("a glob")], Vec::new(), false),
            checked: true,
        };
        let blob_uri = Url::parse("https://h/c").expect("a URL");
        let base_model = Some("FW-X".parse().expect("a base model"));
        let details = ModelDetails { base_model, ..ModelDetails::default() };
        Journal::begin(spec, Registration { blob_uri, details }, stamps_of(&[("a", 1), ("b", 1), ("c", 1)]))
    }

    #[test]
    fn what_arrived_whole_and_is_unchanged_is_not_sent_again() {
        let mut first = journal();
        first.complete = names(&["a"]);
        let next = first.next_run(stamps_of(&[("a", 1), ("b", 2), ("c", 1), ("new", 1)]), &names(&["b", "c", "gone"]));
        assert_eq!((next.complete.clone(), next.run), (names(&["a", "c"]), 2));
        let files = ["a", "b", "c", "new"].map(|path| PlannedFile { path: path.into(), bytes: 1 });
        let missing: Vec<&str> = next.missing(&files).iter().map(|file| file.path.as_str()).collect();
        assert_eq!(missing, ["b", "new"]);
        // b was delivered with its old content in run 1: run 2 knows nothing of that.
        let third = next.next_run(stamps_of(&[("a", 1), ("b", 2), ("c", 1), ("new", 1)]), &names(&[]));
        assert!(!third.complete.contains("b"));
    }

    #[test]
    fn a_file_that_the_container_lost_or_holds_in_part_is_missing() {
        let mut journal = journal();
        journal.complete = names(&["a", "b", "c"]);
        let there = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 0), ("stranger".to_owned(), 1)]);
        assert_eq!(journal.only_what_is_there(&there).complete, names(&["a"]));
    }

    #[test]
    fn a_size_proves_nothing_of_a_file_that_changed() {
        let now = stamps_of(&[("a", 2), ("b", 1), ("c", 1)]);
        let second = journal().next_run(now.clone(), &names(&[]));
        let there = now.keys().map(|name| (name.clone(), 1)).chain([("d".to_owned(), 1)]).collect();
        assert_eq!(second.fully_there(Some(&there)), names(&["b", "c"]));
        let third = second.next_run(now, &names(&["a"]));
        assert_eq!(third.fully_there(Some(&there)), names(&["a", "b", "c"]));
        assert_eq!(third.fully_there(None), names(&[]));
    }

    #[test]
    fn a_journal_survives_a_kill_at_any_moment() {
        let home = tempfile::tempdir().expect("a directory");
        let directory = UploadDirectory::open(home.path(), "https://e", "m", "1").expect("made");
        assert_eq!(directory.journal(), None);
        let mut journal = journal();
        directory.write_journal(&mut journal).expect("written");
        // Killed while the next one was written.
        fs::write(directory.path().join("journal.next"), "{\"schema\":1,").expect("written");
        assert_eq!(directory.journal(), Some(journal.clone()));
        fs::write(directory.path().join(JOURNAL), "{").expect("written");
        assert_eq!(directory.journal(), None);
    }
}
