//! Reasons of failed files from AzCopy's log: its messages do not contain them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::message::FailedTransfer;
use super::text;
use crate::paths::is_same_path;
use crate::platform::Platform;

/// Bytes at the end of the log that are read. AzCopy writes about 460 bytes for each block that it sends.
const TAIL: u64 = 8 * 1024 * 1024;

/// Fills in the reasons found in the log. Ignores a log that cannot be read.
pub(super) fn explain(failed: &mut [FailedTransfer], log: &Path, platform: Platform) {
    let Ok(tail) = tail(log) else { return };
    for (source, code, reason) in String::from_utf8_lossy(&tail).lines().filter_map(failure) {
        for transfer in failed.iter_mut().filter(|transfer| is_same_path(&transfer.source, &source, platform)) {
            // A later line belongs to a later attempt.
            transfer.reason = Some(reason.clone());
            if transfer.code == 0 {
                transfer.code = code;
            }
        }
    }
}

/// The most recently written log in this directory.
pub(super) fn newest(directory: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(directory).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    let logs = entries.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    logs.max_by_key(|path| path.metadata().and_then(|metadata| metadata.modified()).ok())
}

fn tail(log: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Parses `2026/11/25 04:04:12 ERR: [P#0-T#4] UPLOADFAILED: SOURCE : 403 : REASON`. The source itself may contain ` :
/// `.
fn failure(line: &str) -> Option<(String, u16, String)> {
    let rest = ["UPLOADFAILED: ", "COPYFAILED: "].iter().find_map(|word| Some(line.split_once(word)?.1))?;
    rest.match_indices(" : ").find_map(|(at, separator)| {
        let (code, reason) = rest[at + separator.len()..].split_once(" : ")?;
        let code = (code.len() == 3).then(|| code.parse().ok()).flatten()?;
        Some((text::sanitized(&rest[..at]), code, text::sanitized(reason.trim())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transfer(source: &str) -> FailedTransfer {
        FailedTransfer { source: source.into(), size: 1, code: 0, reason: None }
    }

    #[test]
    fn reasons_are_found_by_source() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("job.log");
        std::fs::write(
            &log,
            "2026/11/25 04:04:12 ERR: [P#0-T#4] UPLOADFAILED: /m/a : b : 403 : 403 no: https://h/c?sig=CANARY. When \
             Committing block list\n\n   Dst: http://h/c\nERR: [P#0-T#1] UPLOADFAILED: /m/c : 000 : source modified \
             during transfer\nERR: [P#0-T#2] COPYFAILED: https://h/c/d?sig=-REDACTED- : 404 : gone\nUPLOADFAILED: odd\n",
        )
        .unwrap();
        let mut failed = [transfer("/m/a : b"), transfer("/m/c"), transfer("https://h/c/d?***"), transfer("/m/e")];
        explain(&mut failed, &log, Platform::Linux);
        let reasons: Vec<_> = failed.iter().map(|one| (one.code, one.reason.as_deref())).collect();
        assert_eq!(
            reasons,
            [
                (403, Some("403 no: https://h/c?*** When Committing block list")),
                (0, Some("source modified during transfer")),
                (404, Some("gone")),
                (0, None),
            ]
        );
        explain(&mut failed, Path::new("/nonexistent/log"), Platform::Linux);
    }

    #[test]
    fn a_reason_is_found_by_either_spelling_of_a_windows_path() {
        let directory = tempfile::tempdir().expect("a directory");
        let log = directory.path().join("job.log");
        std::fs::write(&log, r"UPLOADFAILED: \\?\C:\m\x : 403 : no").expect("a log");
        for (source, found) in [(r"C:\m\x", true), (r"\\?\C:\m\x", true), (r"C:\m\y", false)] {
            let mut failed = [transfer(source)];
            explain(&mut failed, &log, Platform::Windows);
            assert_eq!(failed[0].reason.is_some(), found, "{source}");
        }
    }
}
