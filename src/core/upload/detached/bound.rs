//! Size limits for the files of a detached upload. The text of events is handled purely.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::files::append_private;

/// Maximum size of the file of events, in bytes.
pub(super) const MAX_EVENTS_BYTES: usize = 16 << 20;
/// Bytes of events that remain after the oldest are removed.
const RETAINED_EVENTS_BYTES: usize = MAX_EVENTS_BYTES / 2;
/// Maximum size of the log, in bytes.
const MAX_LOG_BYTES: u64 = 8 << 20;
/// Bytes of a log that remain after its beginning is removed.
const RETAINED_LOG_BYTES: u64 = MAX_LOG_BYTES / 2;

/// Removes the beginning of a log that has grown too large; whole lines remain. Its writers append.
///
/// # Errors
/// When it cannot be read or written.
pub fn trim_log(path: &Path) -> io::Result<()> {
    trim(path, MAX_LOG_BYTES, RETAINED_LOG_BYTES)
}

fn trim(path: &Path, most: u64, left: u64) -> io::Result<()> {
    let mut log = File::open(path)?;
    let size = log.metadata()?.len();
    if size <= most {
        return Ok(());
    }
    log.seek(SeekFrom::Start(size - left))?;
    let mut rest = Vec::new();
    log.read_to_end(&mut rest)?;
    let start = rest.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let mut log = append_private(path)?;
    log.set_len(0)?;
    log.write_all(b"[the beginning of this log was removed]\n")?;
    log.write_all(&rest[start..])
}

/// Removes the oldest events: progress events first, then those of files and messages. The schema, the steps and the
/// end remain.
pub(super) fn compacted(text: &str) -> String {
    compacted_to(text, RETAINED_EVENTS_BYTES)
}

fn compacted_to(text: &str, most: usize) -> String {
    let mut lines: Vec<Option<&str>> = text.split_inclusive('\n').map(Some).collect();
    let mut size = text.len();
    for goes in [is_progress, is_detail] {
        for line in &mut lines {
            if size <= most {
                break;
            }
            if let Some(text) = line.filter(|text| goes(text)) {
                size -= text.len();
                *line = None;
            }
        }
    }
    lines.into_iter().flatten().collect()
}

fn is_progress(line: &str) -> bool {
    name(line).is_some_and(|name| name.ends_with(".progress"))
}

fn is_detail(line: &str) -> bool {
    name(line).is_some_and(|name| !matches!(name, "step" | "upload.done" | "done" | "error"))
}

/// Name of an event; `None` for the schema line.
fn name(line: &str) -> Option<&str> {
    line.strip_prefix(r#"{"event":""#)?.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, number: u32) -> String {
        format!("{{\"event\":\"{name}\",\"n\":{number}}}\n")
    }

    #[test]
    fn the_oldest_progress_is_removed_first_and_steps_stay() {
        let schema = "{\"schema\":\"azure.ai.models/progress\",\"version\":1}\n";
        let mut text = format!("{schema}{}", event("step", 1));
        for number in 0..10 {
            text += &event("upload.progress", number);
            text += &event("_message", number);
        }
        text += &event("done", 1);
        let half = text.len() - 5 * event("upload.progress", 0).len();
        let kept = compacted_to(&text, half);
        assert!(kept.starts_with(&format!("{schema}{}", event("step", 1))) && kept.ends_with(&event("done", 1)));
        assert!(!kept.contains(&event("upload.progress", 4)) && kept.contains(&event("upload.progress", 5)), "{kept}");
        assert!(kept.contains(&event("_message", 0)), "{kept}");
        let least = compacted_to(&text, 0);
        assert_eq!(least, format!("{schema}{}{}", event("step", 1), event("done", 1)));
    }

    #[test]
    fn a_log_that_grew_keeps_its_last_whole_lines() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("log");
        std::fs::write(&path, "one\ntwo\nthree\nfour\n").expect("written");
        trim(&path, 100, 10).expect("left alone");
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "one\ntwo\nthree\nfour\n");
        trim(&path, 10, 9).expect("trimmed");
        let text = std::fs::read_to_string(&path).expect("read");
        assert_eq!(text, "[the beginning of this log was removed]\nfour\n");
    }
}
