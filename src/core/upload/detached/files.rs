//! Files of a detached upload in its private directory.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::RunResult;
use crate::files::{create_private, open_private};
use crate::process::ProcessStamp;

/// Locked by the detached process from its start to its result.
pub(in crate::upload) const DETACHED_LOCK: &str = "detached.lock";
/// [`DetachedRun`]: process, start and options.
pub(in crate::upload) const RUN: &str = "detached.json";
/// [`RunResult`]; there is none after a crash.
pub(in crate::upload) const RESULT: &str = "result.json";
/// Lines of `--progress json` and those of `uploads attach`, bounded in size.
pub(in crate::upload) const EVENTS: &str = "events.ndjson";
/// Standard error of the process, as the foreground would show it.
pub(in crate::upload) const LOG: &str = "log";
const STOP: &str = "stop";

/// Process that carries an upload on, and the upload in a few words: it is known before the upload has a journal.
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
    /// When the process began, RFC 3339.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
}

/// How a detached upload is resumed by a user who finds it interrupted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResumeHint {
    /// Options of `uploads resume` that resume it as it was started.
    pub options: Vec<String>,
    /// Whole command, where `uploads resume` would do less.
    pub command: Option<String>,
}

impl DetachedRun {
    /// This process, which uploads this source as this version.
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

    /// True while the process has not ended; a later one with its id is not this one. False where the system does not
    /// report start times: the lock alone decides then.
    pub(in crate::upload) fn is_running(&self) -> bool {
        self.process.as_deref().and_then(ProcessStamp::parse).is_some_and(|stamp| stamp.is_running())
    }
}

/// Lock on the directory until it is dropped: the result is written after the upload itself has released the directory.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// Paths in the directory of an upload, and what they hold.
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

    /// New log, which replaces an existing one.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create_log(&self) -> io::Result<File> {
        drop(create_private(&self.log())?);
        crate::files::append_private(&self.log())
    }

    /// Process of the last detached run; `None` if there was none.
    #[must_use]
    pub fn run(&self) -> Option<DetachedRun> {
        read(&self.0.join(RUN))
    }

    /// End of the last detached run; `None` if it has not ended, or was killed.
    #[must_use]
    pub fn result(&self) -> Option<RunResult> {
        read(&self.0.join(RESULT))
    }

    /// Writes how the run ended.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write_result(&self, result: &RunResult) -> io::Result<()> {
        self.write(RESULT, result)
    }

    /// Asks the process to end.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn request_stop(&self) -> io::Result<()> {
        create_private(&self.0.join(STOP)).map(drop)
    }

    /// True once the end of the process was requested.
    #[must_use]
    pub fn is_stop_requested(&self) -> bool {
        self.0.join(STOP).exists()
    }

    /// Locks the directory for a run of this process, and removes the files of an earlier run. The directory itself
    /// must be locked already.
    pub(in crate::upload) fn begin(&self, run: &DetachedRun) -> io::Result<RunLock> {
        let file = open_private(&self.0.join(DETACHED_LOCK))?;
        file.lock()?;
        for name in [STOP, RESULT] {
            remove(&self.0.join(name))?;
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
        names.into_iter().chain([self.events(), self.log()]).try_for_each(|path| remove(&path))
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

    /// Written whole and renamed into place: a reader finds the old one or the new one.
    fn write(&self, name: &str, value: &impl Serialize) -> io::Result<()> {
        let next = self.0.join(format!("{name}.next"));
        let mut out = io::BufWriter::new(create_private(&next)?);
        serde_json::to_writer(&mut out, value)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&next, self.0.join(name))
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => Err(why),
        _ => Ok(()),
    }
}
