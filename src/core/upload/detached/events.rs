//! Writer of the events of a detached upload.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::bound::{MAX_EVENTS_BYTES, compacted};
use crate::files::{append_private, create_private, rename};

/// Writes events, one JSON object per line, to a file of bounded size. Events from before the file is known are
/// buffered.
///
/// A full disk loses events, never the upload. The file is open only while an event is written: Windows cannot replace
/// an open file.
#[derive(Debug)]
pub struct EventLog(Mutex<LogState>);

#[derive(Debug)]
enum LogState {
    Waiting(String),
    Open { path: PathBuf, size: usize },
}

impl Default for EventLog {
    fn default() -> Self {
        Self(Mutex::new(LogState::Waiting(String::new())))
    }
}

impl EventLog {
    /// Creates the file, replacing an existing one, with the buffered events.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        let LogState::Waiting(waiting) = &*state else { return Ok(()) };
        // Renamed into place: readers of an earlier run's events keep them.
        let next = next_to(path);
        create_private(&next)?.write_all(waiting.as_bytes())?;
        rename(&next, path)?;
        *state = LogState::Open { path: path.to_owned(), size: waiting.len() };
        Ok(())
    }

    /// Appends an event: one line, without its line end.
    pub fn append(&self, line: &str) {
        match &mut *self.state() {
            LogState::Waiting(waiting) => {
                waiting.push_str(line);
                waiting.push('\n');
            }
            LogState::Open { path, size } => {
                let written = append_private(path).and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
                if written.is_ok() {
                    *size += line.len() + 1;
                }
                if *size > MAX_EVENTS_BYTES {
                    // If the file cannot be replaced now, this is retried when it has grown by the same amount again.
                    *size = compact(path).unwrap_or(MAX_EVENTS_BYTES / 2);
                }
            }
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, LogState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Replaces the file by one without the oldest events. Returns its size in bytes.
fn compact(path: &Path) -> io::Result<usize> {
    let text = compacted(&fs::read_to_string(path)?);
    let next = next_to(path);
    create_private(&next)?.write_all(text.as_bytes())?;
    rename(&next, path)?;
    Ok(text.len())
}

fn next_to(path: &Path) -> PathBuf {
    path.with_extension("next")
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Windows could not replace an open file.
    #[test]
    fn the_file_is_not_held_open() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("events.ndjson");
        let log = EventLog::default();
        log.begin(&path).expect("begun");
        log.append("{}");
        let open = fs::read_dir("/proc/self/fd")
            .expect("descriptors")
            .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
        assert_eq!(open.filter(|target| *target == path).count(), 0);
        assert_eq!(fs::read_to_string(&path).expect("read"), "{}\n");
    }
}
