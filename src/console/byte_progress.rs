//! Progress of work that is counted only in bytes: the download of AzCopy, SHA-256 of local files, and files that are
//! read back.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use serde_json::json;

use super::Console;
use super::event::ProgressEvent;
use super::progress::{ProgressFormat, bar_line};
use azure_ai_models_core::units;

/// Number of lines without a bar; in JSON there is one per percent.
const PARTS: u64 = 4;

/// Shows processed bytes out of a total, which a server may not report.
pub(crate) struct ByteProgressView<'a> {
    console: &'a Console,
    /// Title of the work.
    title: &'static str,
    event: ProgressEvent,
    status_line: Duration,
    last_line: Instant,
    bar: Option<ProgressBar>,
    bytes: u64,
    shown_part: u64,
}

impl<'a> ByteProgressView<'a> {
    /// View of the download of AzCopy.
    pub(super) fn of_azcopy(console: &'a Console, status_line: Duration) -> Self {
        Self::new(console, "Downloading AzCopy", ProgressEvent::DownloadProgress, status_line)
    }

    /// View of the computation of checksums.
    pub(super) fn of_sums(console: &'a Console, status_line: Duration) -> Self {
        Self::new(console, "Computing SHA-256", ProgressEvent::HashProgress, status_line)
    }

    /// View of files that are read back.
    pub(super) fn of_read_back(console: &'a Console, status_line: Duration) -> Self {
        Self::new(console, "Reading back", ProgressEvent::VerifyProgress, status_line)
    }

    fn new(console: &'a Console, title: &'static str, event: ProgressEvent, status_line: Duration) -> Self {
        Self { console, title, event, status_line, last_line: Instant::now(), bar: None, bytes: 0, shown_part: 0 }
    }

    /// Reports the bytes done so far.
    pub(crate) fn on(&mut self, bytes: u64, total: Option<u64>) {
        // A new attempt starts over.
        if bytes < self.bytes {
            self.shown_part = 0;
        }
        self.bytes = bytes;
        match self.console.format {
            ProgressFormat::Bar => {
                let bar = self.bar.get_or_insert_with(|| bar_line(&self.console.bars));
                bar.set_message(line(self.title, bytes, total));
            }
            ProgressFormat::Plain => {
                if self.due(bytes, total, PARTS) {
                    self.console.line(&line(self.title, bytes, total));
                }
            }
            ProgressFormat::Json => {
                if bytes == 0 || self.due(bytes, total, 100) {
                    let fields = json!({ "bytes": bytes, "totalBytes": total });
                    self.console.line(&self.event.line(fields));
                }
            }
            ProgressFormat::None => {}
        }
    }

    /// True if a further part is complete, or nothing was printed for a long time.
    fn due(&mut self, bytes: u64, total: Option<u64>, parts: u64) -> bool {
        let part = total.filter(|total| *total > 0).map_or(0, |total| share(bytes, total, parts));
        let due = part > self.shown_part || self.last_line.elapsed() >= self.status_line;
        if due {
            self.shown_part = part;
            self.last_line = Instant::now();
        }
        due
    }
}

impl Drop for ByteProgressView<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn share(bytes: u64, total: u64, parts: u64) -> u64 {
    u64::try_from(u128::from(bytes) * u128::from(parts) / u128::from(total)).unwrap_or(parts).min(parts)
}

fn line(title: &str, bytes: u64, total: Option<u64>) -> String {
    match total.filter(|total| *total > 0) {
        Some(total) => {
            let percent = share(bytes, total, 100);
            format!("  {title}... {percent}% ({} / {})", units::bytes(bytes), units::bytes(total))
        }
        None => format!("  {title}... ({})", units::bytes(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_shows_the_progress() {
        assert_eq!(
            line("Downloading AzCopy", 10 << 20, Some(30 << 20)),
            "  Downloading AzCopy... 33% (10.0 MB / 30.0 MB)"
        );
        assert_eq!(
            line("Downloading AzCopy", 30 << 20, Some(30 << 20)),
            "  Downloading AzCopy... 100% (30.0 MB / 30.0 MB)"
        );
        for total in [None, Some(0)] {
            assert_eq!(line("Downloading AzCopy", 5, total), "  Downloading AzCopy... (5 B)");
        }
    }
}
