//! Files of a detached upload in its private directory.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::RunResult;
use crate::files::{create_private, open_private, remove_file, rename};
use crate::process::ProcessStamp;

/// File that the detached process locks from its start until its result is written.
pub(in crate::upload) const DETACHED_LOCK: &str = "detached.lock";
/// File with the [`DetachedRun`]: process, start and options.
pub(in crate::upload) const RUN: &str = "detached.json";
/// File with the [`RunResult`]; missing after a crash.
pub(in crate::upload) const RESULT: &str = "result.json";
/// File with the lines of `--progress json` and `uploads attach`, bounded in size.
pub(in crate::upload) const EVENTS: &str = "events.ndjson";
/// File with the standard error of the process, as the foreground would show it.
pub(in crate::upload) const LOG: &str = "log";
const STOP: &str = "stop";

/// Process that continues an upload, with a summary of the upload: known before the upload has a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DetachedRun {
    /// Id of the process.
    pub pid: u32,
    /// Process id and start time in the system's form; `None` if the system does not report the time.
    process: Option<String>,
    /// Project endpoint.
    pub endpoint: String,
    /// Model name.
    pub name: String,
    /// Model version.
    pub version: String,
    /// Path, URL without its query, or address of the Hub.
    pub source: String,
    /// Options and command that resume the upload.
    pub resume: ResumeHint,
    /// Time at which the process started, RFC 3339.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
}

/// Command or options that resume an interrupted detached upload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResumeHint {
    /// Options of `uploads resume` that resume it as it was started.
    pub options: Vec<String>,
    /// Complete command, if `uploads resume` would omit something.
    pub command: Option<String>,
}

impl DetachedRun {
    /// Run of this process, which uploads this source as this version.
    #[must_use]
    pub fn of_this_process(
        endpoint: String,
        (name, version): (String, String),
        source: String,
        resume: ResumeHint,
    ) -> Self {
        let pid = process::id();
        let process = ProcessStamp::of(pid).map(|stamp| stamp.to_string());
        Self { pid, process, endpoint, name, version, source, resume, started_at: OffsetDateTime::now_utc() }
    }

    /// True while the process has not ended; a later process with the same id does not count. False if the system does
    /// not report start times: then the lock alone decides.
    pub(in crate::upload) fn is_running(&self) -> bool {
        self.process.as_deref().and_then(ProcessStamp::parse).is_some_and(|stamp| stamp.is_running())
    }
}

/// Lock on the directory, held until it is dropped: the result is written after the upload itself has released the
/// directory.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// Paths in the directory of an upload, and their content.
#[derive(Clone, Debug)]
pub struct DetachedFiles(PathBuf);

impl DetachedFiles {
    /// Files of the upload with this directory.
    #[must_use]
    pub fn of(directory: &Path) -> Self {
        Self(directory.to_owned())
    }

    /// Events, one JSON object a line.
    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.0.join(EVENTS)
    }

    /// Path of the log: standard output and standard error of the process.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.0.join(LOG)
    }

    /// Journal of the upload.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.0.join(super::super::journal::JOURNAL)
    }

    /// Creates a new log, which replaces an existing one.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create_log(&self) -> io::Result<File> {
        drop(create_private(&self.log())?);
        crate::files::append_private(&self.log())
    }

    /// Process of the last detached run; `None` if there was none.
    #[must_use]
    pub fn run(&self) -> Option<DetachedRun> {
        read(&self.0.join(RUN))
    }

    /// Result of the last detached run; `None` if it has not ended, or was killed.
    #[must_use]
    pub fn result(&self) -> Option<RunResult> {
        read(&self.0.join(RESULT))
    }

    /// Writes the result of the run.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_result(&self, result: &RunResult) -> io::Result<()> {
        self.write(RESULT, result)
    }

    /// Asks the process to end.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn request_stop(&self) -> io::Result<()> {
        create_private(&self.0.join(STOP)).map(drop)
    }

    /// True once the process was asked to end.
    #[must_use]
    pub fn is_stop_requested(&self) -> bool {
        self.0.join(STOP).exists()
    }

    /// Locks the directory for a run of this process, and removes the files of an earlier run. The caller must already
    /// hold the lock of the directory itself.
    pub(in crate::upload) fn begin(&self, run: &DetachedRun) -> io::Result<RunLock> {
        let file = open_private(&self.0.join(DETACHED_LOCK))?;
        file.lock()?;
        for name in [STOP, RESULT] {
            remove_file(&self.0.join(name))?;
        }
        self.write(RUN, run)?;
        Ok(RunLock { _file: file })
    }

    /// Removes the files of a detached run except its journal.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub(in crate::upload) fn remove(&self) -> io::Result<()> {
        let names = [STOP, RUN, RESULT, DETACHED_LOCK].map(|name| self.0.join(name));
        names.into_iter().chain([self.events(), self.log()]).try_for_each(|path| remove_file(&path))
    }

    /// Last non-empty lines of the log.
    #[must_use]
    pub fn log_tail(&self, lines: usize) -> Vec<String> {
        let text = fs::read(self.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let mut last: Vec<String> =
            text.lines().rev().filter(|line| !line.trim().is_empty()).take(lines).map(str::to_owned).collect();
        last.reverse();
        last
    }

    /// Writes a file whole and renames it into place: a reader finds the old one or the new one.
    fn write(&self, name: &str, value: &impl Serialize) -> io::Result<()> {
        let next = self.0.join(format!("{name}.next"));
        let mut out = io::BufWriter::new(create_private(&next)?);
        serde_json::to_writer(&mut out, value)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        rename(&next, &self.0.join(name))
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upload::detached::DetachedOutcome;

    #[test]
    fn a_new_run_ignores_stop_and_result_of_the_last_one() {
        let directory = tempfile::tempdir().expect("a directory");
        let files = DetachedFiles::of(directory.path());
        files.request_stop().expect("requested");
        let (outcome, ended_at) = (DetachedOutcome::Stopped, OffsetDateTime::UNIX_EPOCH);
        files
            .write_result(&RunResult { outcome, exit_code: 130, ended_at, product: None, error: None })
            .expect("written");
        assert!(files.is_stop_requested() && files.result().is_some());
        let model = ("m".to_owned(), "1".to_owned());
        let run = DetachedRun::of_this_process("e".to_owned(), model, "s".to_owned(), ResumeHint::default());
        let _lock = files.begin(&run).expect("begun");
        assert!(!files.is_stop_requested() && files.result().is_none());
        assert_eq!(files.run(), Some(run));
    }
}
