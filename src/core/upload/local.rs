//! Uploads with a directory on this machine, unfinished or ended: the subjects of the `uploads` commands.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;

use super::detached::{DetachedFiles, DetachedOutcome, DetachedRun, RETENTION, RunResult};
use super::directory::{DirectoryError, UploadDirectory, is_locked, owner, run_path, uploads_directory};
use super::journal::{Journal, read_journal};
use crate::native::Record;

/// One upload with a directory on this machine.
#[derive(Clone, Debug)]
pub struct LocalUpload {
    /// First 16 hex digits of SHA-256 over endpoint, name and version.
    pub id: String,
    /// Journal of the upload; `None` while a detached upload has sent nothing.
    pub journal: Option<Journal>,
    /// Process of the last detached run; `None` if none was detached.
    pub run: Option<DetachedRun>,
    /// Result of the last detached run.
    pub result: Option<RunResult>,
    /// True if a process is working on it.
    pub running: bool,
    /// Id of that process, if known.
    pub pid: Option<u32>,
    path: PathBuf,
}

/// Lists all of them, the most recently updated first. Directories without a journal and without a detached run do not
/// count as uploads.
///
/// # Errors
/// When the directory exists and cannot be read.
pub fn local_uploads(config_dir: &Path) -> io::Result<Vec<LocalUpload>> {
    let entries = match fs::read_dir(uploads_directory(config_dir)) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        found.extend(LocalUpload::at(entry?.path()));
    }
    found.sort_by(|left: &LocalUpload, right| right.updated_at().cmp(&left.updated_at()).then(left.id.cmp(&right.id)));
    Ok(found)
}

impl LocalUpload {
    fn at(path: PathBuf) -> Option<Self> {
        let files = DetachedFiles::of(&path);
        let (journal, run, result) = (read_journal(&path), files.run(), files.result());
        if journal.is_none() && run.is_none() {
            return None;
        }
        let id = path.file_name()?.to_string_lossy().into_owned();
        let runs_detached = run.as_ref().filter(|run| result.is_none() && run.is_running());
        let running = is_locked(&path) || runs_detached.is_some();
        let pid = runs_detached.map(|run| run.pid).or_else(|| owner(&path)).filter(|_| running);
        Some(Self { id, journal, run, result, running, pid, path })
    }

    /// Files of its detached run.
    #[must_use]
    pub fn files(&self) -> DetachedFiles {
        DetachedFiles::of(&self.path)
    }

    /// True if a process is working on it at this moment.
    #[must_use]
    pub fn is_running_now(&self) -> bool {
        is_locked(&self.path)
    }

    /// Project endpoint, name, version and source.
    #[must_use]
    pub fn model(&self) -> (&str, &str, &str, &str) {
        match (&self.journal, &self.run) {
            (Some(Journal { spec, .. }), _) => (&spec.endpoint, &spec.name, &spec.version, &spec.source),
            (None, Some(run)) => (&run.endpoint, &run.name, &run.version, &run.source),
            (None, None) => ("", "", "", ""),
        }
    }

    /// Name of its state; `interrupted` if files are missing and no process sends them.
    #[must_use]
    pub fn state(&self) -> &'static str {
        let stage = self.journal.as_ref().map(|journal| journal.stage);
        match (&self.result, stage) {
            (Some(result), _) if !self.running => result.state(self.journal.as_ref()),
            (_, Some(stage)) if self.running || stage.is_complete() => stage.as_str(),
            (_, None) if self.running => "planned",
            _ => "interrupted",
        }
    }

    /// True if a detached run ended without a result: it was killed, or the machine shut down.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        self.run.is_some() && self.result.is_none() && !self.running
    }

    /// Time of creation.
    #[must_use]
    pub fn created_at(&self) -> OffsetDateTime {
        let journal = self.journal.as_ref().map(|journal| journal.created_at);
        journal.or(self.run.as_ref().map(|run| run.started_at)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// Time of the last update.
    #[must_use]
    pub fn updated_at(&self) -> OffsetDateTime {
        let times = [
            self.journal.as_ref().map(|journal| journal.updated_at),
            self.run.as_ref().map(|run| run.started_at),
            self.result.as_ref().map(|result| result.ended_at),
        ];
        times.into_iter().flatten().max().unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// True if the native engine ran last, so that it need not send uploaded blocks again.
    #[must_use]
    pub fn was_native(&self) -> bool {
        // Each AzCopy run has a directory.
        let is_azcopy = |journal: &Journal| run_path(&self.path, journal.run).is_dir();
        self.journal.as_ref().is_some_and(|journal| !is_azcopy(journal)) && Record::exists(&self.path)
    }

    /// Takes over its directory.
    ///
    /// # Errors
    /// See [`DirectoryError`].
    pub fn take(&self) -> Result<UploadDirectory, DirectoryError> {
        UploadDirectory::take(self.path.clone())
    }

    /// Removes the files of a detached run that ended longer than [`RETENTION`] ago. Uploads that can be resumed or
    /// were not detached are kept. Returns true if something was removed.
    pub fn expire(&self, now: OffsetDateTime) -> bool {
        let Some(result) = &self.result else { return false };
        let age = Duration::try_from(now - result.ended_at).unwrap_or_default();
        if self.running || age < RETENTION {
            return false;
        }
        let Ok(directory) = self.take() else { return false };
        match &self.journal {
            Some(_) if result.outcome != DetachedOutcome::Succeeded => self.files().remove().is_ok(),
            _ => directory.remove().is_ok(),
        }
    }
}

/// True while another handle holds the lock at this path.
pub(super) fn holds_lock(path: &Path) -> bool {
    let lock = File::open(path);
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}
