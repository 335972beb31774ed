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

const JOURNAL: &str = "journal.json";
const SCHEMA: u32 = 1;

/// How far an upload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Files may be on their way.
    Uploading,
    /// All files arrived; nothing was registered.
    Uploaded,
    /// The registration was asked for.
    Registering,
}

/// What is registered, as the command that began the upload said it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Told {
    /// Text for people.
    pub description: Option<String>,
    /// Base model, as an azureml URI.
    pub base_model: Option<String>,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Journal {
    schema: u32,
    /// Project endpoint.
    pub endpoint: String,
    /// Model name.
    pub name: String,
    /// Model version.
    pub version: String,
    /// Path or URL without its query.
    pub source: String,
    /// What is registered.
    pub told: Told,
    /// Files by their name in the container; empty for a remote source.
    pub files: BTreeMap<String, Stamp>,
    /// Names of the files that arrived whole before the present run, as they stand in `files`.
    pub complete: BTreeSet<String>,
    /// The present run of AzCopy: its plan tells what arrived since. Each run has a directory of its own, so that
    /// what an older run delivered is never taken for a file that has changed since.
    pub run: u32,
    /// Where they go.
    pub blob_uri: Url,
    /// Where the registration can be asked for, if the service told and it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Url>,
    /// How far it is.
    pub stage: Stage,
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
    pub fn begin(endpoint: &str, name: &str, version: &str, source: String, told: Told, blob_uri: Url) -> Self {
        let now = OffsetDateTime::now_utc();
        Self {
            schema: SCHEMA,
            endpoint: endpoint.to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
            source,
            told,
            files: BTreeMap::new(),
            complete: BTreeSet::new(),
            run: 1,
            blob_uri,
            operation: None,
            stage: Stage::Uploading,
            created_at: now,
            updated_at: now,
        }
    }

    /// The journal of the next run: the files as they are now, and of them those that arrived whole and are still as
    /// they were then. `delivered` is what the present run's plan says.
    #[must_use]
    pub fn next_run(mut self, now: BTreeMap<String, Stamp>, delivered: &BTreeSet<String>) -> Self {
        let arrived = self.complete.union(delivered);
        let whole = arrived.filter(|name| now.contains_key(*name) && now.get(*name) == self.files.get(*name));
        self.complete = whole.cloned().collect();
        self.files = now;
        self.run += 1;
        self.stage = Stage::Uploading;
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
        let text = fs::read(self.path().join(JOURNAL)).ok()?;
        serde_json::from_slice(&text).ok().filter(|journal: &Journal| journal.schema == SCHEMA)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn stamps_of(files: &[(&str, u64)]) -> BTreeMap<String, Stamp> {
        files.iter().map(|(name, modified)| ((*name).to_owned(), Stamp { bytes: 1, modified: *modified })).collect()
    }

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn journal() -> Journal {
        let uri = Url::parse("https://h/c").expect("a URL");
        let mut journal = Journal::begin("https://e", "m", "1", "dir".into(), Told::default(), uri);
        journal.files = stamps_of(&[("a", 1), ("b", 1), ("c", 1)]);
        journal
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
