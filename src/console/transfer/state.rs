//! Progress and rate of an upload as text. Pure: time and width are arguments.

use std::time::Duration;

use serde_json::{Value, json};

use crate::console::speed::Speed;
use crate::console::width::columns;
use azure_ai_models_core::model::TransferProgress;
use azure_ai_models_core::units;

/// Width of the bar itself in columns, if there is room.
const BAR: usize = 30;

/// Progress and rate of an upload. Pure: time is an argument.
#[derive(Debug, Default)]
pub(super) struct TransferState {
    progress: TransferProgress,
    /// Bytes sent in this run.
    sent: u64,
    speed: Speed,
}

impl TransferState {
    /// Records the progress at `now`, the time since the start. Bytes and files never decrease.
    pub(super) fn advance(&mut self, now: Duration, mut progress: TransferProgress) {
        progress.bytes = progress.bytes.max(self.progress.bytes);
        progress.files = progress.files.max(self.progress.files);
        self.progress = progress;
        self.sent = self.sent.max(progress.bytes.saturating_sub(progress.found));
        self.speed.add(now, self.sent);
    }

    /// Percentage from 0 to 99.9; `None` while the total is unknown.
    pub(super) fn percent(&self) -> Option<f64> {
        let total = self.progress.total_bytes.filter(|total| *total > 0)?;
        #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
        let percent = self.progress.bytes as f64 / total as f64 * 100.0;
        Some(percent.min(99.9))
    }

    /// Total: `12 files, 8.6 GB`, or the known part of it.
    pub(super) fn whole(&self) -> String {
        match (self.progress.total_files, self.progress.total_bytes) {
            (Some(files), Some(bytes)) => format!("{}, {}", units::count(files, "file", "files"), units::bytes(bytes)),
            _ => "from the blob store".to_owned(),
        }
    }

    fn amount(&self) -> String {
        match self.progress.total_bytes {
            Some(total) => format!("({} / {})", units::bytes(self.progress.bytes), units::bytes(total)),
            None => format!("({})", units::bytes(self.progress.bytes)),
        }
    }

    fn eta(&self, now: Duration) -> Option<String> {
        let left = self.progress.total_bytes?.saturating_sub(self.progress.bytes);
        Some(units::duration(self.speed.eta(now, left)?))
    }

    /// The bar, with as many parts as fit: the remaining time is dropped first, then the elapsed time, the rate, the
    /// amount.
    pub(super) fn line(&self, now: Duration, width: usize) -> String {
        let head = self.percent().map_or_else(|| "      ".to_owned(), |percent| format!("{percent:5.1}%"));
        let rate = self.speed.rate(now).map(|rate| format!(" | {}", units::rate(rate))).unwrap_or_default();
        let elapsed = format!(" | Elapsed: {}", units::duration(now));
        let eta = self.eta(now).map(|eta| format!(" | ETA: {eta}")).unwrap_or_default();
        fitted(self.percent().unwrap_or_default(), &head, &[format!(" {}", self.amount()), rate, elapsed, eta], width)
    }

    /// Line without a bar: `  42% (1.0 GB / 2.4 GB), 80.0 MB/s, ETA 18s`.
    pub(super) fn plain(&self, now: Duration) -> String {
        let percent = self.percent().map(|percent| format!("{}% ", percent.floor())).unwrap_or_default();
        let rate = self.speed.rate(now).map(|rate| format!(", {}", units::rate(rate))).unwrap_or_default();
        let eta = self.eta(now).map(|eta| format!(", ETA {eta}")).unwrap_or_default();
        format!("  {percent}{}{rate}{eta}", self.amount())
    }

    /// Status line: `[1m 30s] Still uploading... 42% complete`.
    pub(super) fn status(&self, now: Duration, verb: &str) -> String {
        let far =
            self.percent().map_or_else(|| units::bytes(self.progress.bytes), |percent| format!("{}%", percent.floor()));
        format!("[{}] Still {verb}ing... {far} complete", units::duration(now))
    }

    /// Fields of `upload.progress`.
    pub(super) fn fields(&self, now: Duration) -> Value {
        let eta =
            self.progress.total_bytes.and_then(|total| self.speed.eta(now, total.saturating_sub(self.progress.bytes)));
        let mut fields = json!({
            "bytes": self.progress.bytes,
            "totalBytes": self.progress.total_bytes,
            "files": self.progress.files,
            "totalFiles": self.progress.total_files,
            "bytesPerSecond": self.speed.rate(now).map(units::whole),
            "etaSeconds": eta.map(|eta| eta.as_secs()),
        });
        if let Some(remote) = self.progress.remote {
            fields["bytesRemote"] = remote.into();
            fields["bytesSent"] = self.progress.bytes.saturating_sub(self.progress.found + remote).into();
        }
        fields
    }

    /// Line at the end, with the average rate of the bytes sent in this run.
    pub(super) fn full_text(&self, bytes: u64, elapsed: Duration) -> String {
        format!("100.0%{}", self.full(bytes, elapsed).concat())
    }

    /// [`Self::full_text`] with a full bar, fitted to `width` columns.
    pub(super) fn full_line(&self, bytes: u64, elapsed: Duration, width: usize) -> String {
        fitted(100.0, "100.0%", &self.full(bytes, elapsed), width)
    }

    fn full(&self, bytes: u64, elapsed: Duration) -> [String; 4] {
        let size = units::bytes(bytes);
        let sent = bytes.saturating_sub(self.progress.found);
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = sent as f64 / elapsed.as_secs_f64().max(0.001);
        [
            format!(" ({size} / {size})"),
            if sent == 0 { String::new() } else { format!(" | {}", units::rate(rate)) },
            format!(" | Elapsed: {}", units::duration(elapsed)),
            " | ETA: done".to_owned(),
        ]
    }
}

/// Bar, head and as many of the parts as fit into the width; one column is left free, so that nothing wraps.
fn fitted(percent: f64, head: &str, parts: &[String], width: usize) -> String {
    let available = width.saturating_sub(1);
    let mut kept = parts.len();
    let tail = |kept: usize| parts[..kept].concat();
    while kept > 0 && 2 + 4 + 1 + columns(head) + columns(&tail(kept)) > available {
        kept = kept.saturating_sub(1);
    }
    let text = format!("{head}{}", tail(kept));
    let bar = available.saturating_sub(2 + 1 + columns(&text)).min(BAR);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a part of a short bar"
    )]
    let full = (percent / 100.0 * bar as f64).floor() as usize;
    format!("  {}{} {text}", "━".repeat(full), "─".repeat(bar.saturating_sub(full)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GB: u64 = 1 << 30;

    fn progress(bytes: u64) -> TransferProgress {
        TransferProgress {
            bytes,
            total_bytes: Some(10 * GB),
            files: 1,
            total_files: Some(4),
            ..TransferProgress::default()
        }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn copied_bytes_are_shown_separately_from_sent_bytes() {
        let mut state = TransferState::default();
        let progress = TransferProgress { found: GB, remote: Some(2 * GB), ..progress(4 * GB) };
        state.advance(Duration::from_secs(1), progress);
        let line = state.fields(Duration::from_secs(1));
        assert_eq!((&line["bytesRemote"], &line["bytesSent"]), (&(2 * GB).into(), &GB.into()));
        state.advance(Duration::from_secs(2), TransferProgress { remote: None, ..progress });
        assert!(state.fields(Duration::from_secs(2)).get("bytesRemote").is_none());
    }

    #[test]
    fn the_line_matches_the_design() {
        let mut state = TransferState::default();
        for second in 0..=10 {
            state.advance(seconds(second), progress(second * GB / 2));
        }
        assert_eq!(
            state.line(seconds(10), 120),
            "  ━━━━━━━━━━━━━━━───────────────  50.0% (5.0 GB / 10.0 GB) | 512.0 MB/s | Elapsed: 10s | ETA: 10s"
        );
        assert_eq!(state.status(seconds(165), "upload"), "[2m 45s] Still uploading... 50% complete");
    }

    #[test]
    fn a_narrow_terminal_never_wraps() {
        let mut state = TransferState::default();
        for second in 0..=10 {
            state.advance(seconds(second), progress(second * GB / 2));
        }
        for width in 1..=120 {
            let line = state.line(seconds(10), width);
            assert!(width < 12 || columns(&line) < width, "{width}: {line}");
        }
        assert_eq!(state.line(seconds(10), 45), "  ━━━━━━━━────────  50.0% (5.0 GB / 10.0 GB)");
    }

    #[test]
    fn bytes_never_decrease_and_100_percent_is_reserved_for_the_end() {
        let mut state = TransferState::default();
        state.advance(seconds(1), progress(10 * GB));
        state.advance(seconds(2), progress(GB));
        assert_eq!(state.percent(), Some(99.9));
        assert_eq!(state.full_text(GB, seconds(2)), "100.0% (1.0 GB / 1.0 GB) | 512.0 MB/s | Elapsed: 2s | ETA: done");
    }

    #[test]
    fn bytes_of_an_earlier_run_do_not_affect_the_rate() {
        let mut state = TransferState::default();
        state.advance(seconds(0), progress(0));
        state.advance(seconds(1), TransferProgress { found: 5 * GB, ..progress(5 * GB) });
        state.advance(seconds(8), TransferProgress { found: 5 * GB, ..progress(6 * GB) });
        assert_eq!(state.plain(seconds(8)), "  60% (6.0 GB / 10.0 GB), 128.0 MB/s, ETA 32s");
        let full = state.full_text(7 * GB, seconds(16));
        assert_eq!(full, "100.0% (7.0 GB / 7.0 GB) | 128.0 MB/s | Elapsed: 16s | ETA: done");
    }

    #[test]
    fn an_unknown_total_shows_neither_percentage_nor_remaining_time() {
        let mut state = TransferState::default();
        state.advance(seconds(0), TransferProgress::default());
        state.advance(seconds(5), TransferProgress { bytes: GB, ..TransferProgress::default() });
        let line = state.line(seconds(5), 100);
        assert!(!line.contains('%') && !line.contains("ETA") && line.contains("1.0 GB"), "{line}");
    }
}
