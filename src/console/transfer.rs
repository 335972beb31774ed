//! The progress of an upload: events in, a bar, plain lines or JSON lines out.
//!
//! Bytes never go back, and 100 % is not shown before the end is proved.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use serde_json::json;

use super::Console;
use super::progress::{Face, bar_line, event_line};
use super::speed::Speed;
use crate::model::{TransferEvent, TransferProgress};
use crate::units;

/// Columns of the bar itself, where there is room.
const BAR: usize = 30;

/// See the module.
pub struct TransferView<'a> {
    console: &'a Console,
    status_line: Duration,
    started: Instant,
    state: State,
    running: bool,
    bar: Option<ProgressBar>,
    next_status: Duration,
    next_tenth: u64,
}

impl<'a> TransferView<'a> {
    pub(super) fn new(console: &'a Console, status_line: Duration) -> Self {
        Self {
            console,
            status_line,
            started: Instant::now(),
            state: State::default(),
            running: false,
            bar: None,
            next_status: status_line,
            next_tenth: 1,
        }
    }

    /// Takes one event in.
    pub fn on(&mut self, event: &TransferEvent) {
        let now = self.started.elapsed();
        match event {
            TransferEvent::Started(progress) => {
                self.started = Instant::now();
                self.running = true;
                self.state.advance(Duration::ZERO, *progress);
                if self.console.face == Face::Bar {
                    self.bar = Some(bar_line(&self.console.bars));
                }
                if self.console.face == Face::Plain {
                    self.console.line(&format!("  Uploading {}...", self.state.whole()));
                }
                self.draw(Duration::ZERO);
            }
            TransferEvent::Progress(progress) => {
                self.state.advance(now, *progress);
                if self.console.face == Face::Json {
                    self.console.line(&self.state.json(now));
                }
                self.tenths(now);
                self.draw(now);
            }
            TransferEvent::Stalled { silent, network_error_percent } => {
                self.stalled(*silent, *network_error_percent);
            }
            TransferEvent::Done { bytes, files, elapsed } => self.done(*bytes, *files, *elapsed),
        }
    }

    /// Lets time pass: the elapsed time moves on, and a status line appears when it is due.
    pub fn tick(&mut self) {
        let now = self.started.elapsed();
        if now >= self.next_status {
            self.next_status = now + self.status_line;
            if matches!(self.console.face, Face::Bar | Face::Plain) {
                self.console.line(&self.state.status(now));
            }
        }
        self.draw(now);
    }

    /// The person wants to end, and `AzCopy` is asked to. The bar goes: the terminal wrote its `^C` into that line.
    pub fn stopping(&mut self) {
        if self.running {
            let again = if self.bar.is_some() { "; press Ctrl+C again to end at once." } else { "..." };
            self.clear_bar();
            self.console.leave_line();
            self.console.talk(&format!("  Stopping AzCopy{again}"));
        }
    }

    fn clear_bar(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn draw(&self, now: Duration) {
        if let Some(bar) = &self.bar {
            bar.set_message(self.state.line(now, self.console.bar_width()));
        }
    }

    /// Where there is no bar: a line at each tenth.
    fn tenths(&mut self, now: Duration) {
        let Some(percent) = self.state.percent() else { return };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 99.9")]
        let tenth = (percent / 10.0) as u64;
        if self.console.face == Face::Plain && tenth >= self.next_tenth {
            self.next_tenth = tenth + 1;
            self.console.line(&self.state.plain(now));
        }
    }

    fn stalled(&self, silent: Duration, network_error_percent: Option<f64>) {
        match self.console.face {
            Face::Json => {
                let fields = json!({ "seconds": silent.as_secs(), "networkErrorPercent": network_error_percent });
                self.console.line(&event_line("upload.stalled", fields));
            }
            _ => {
                let errors = network_error_percent
                    .filter(|percent| *percent > 0.0)
                    .map(|percent| format!(", network errors {percent:.0} %"))
                    .unwrap_or_default();
                self.console.talk(&format!("  No progress for {} s{errors}. Still trying...", silent.as_secs()));
            }
        }
    }

    fn done(&mut self, bytes: u64, files: u64, elapsed: Duration) {
        self.running = false;
        match self.console.face {
            Face::Bar => {
                self.clear_bar();
                self.console.line(&full_line(bytes, elapsed, self.console.bar_width()));
            }
            Face::Plain => self.console.line(&format!("  {}", full_text(bytes, elapsed))),
            Face::Json => {
                let fields = json!({ "bytes": bytes, "files": files, "seconds": elapsed.as_secs() });
                self.console.line(&event_line("upload.done", fields));
            }
            Face::None => {}
        }
        self.console.talk(&format!("  Completed in {}", units::duration(elapsed)));
    }
}

impl Drop for TransferView<'_> {
    fn drop(&mut self) {
        // What was reached stays on the screen, as a line that ends.
        if self.bar.is_some() {
            self.clear_bar();
            self.console.line(&self.state.line(self.started.elapsed(), self.console.bar_width()));
        }
    }
}

/// How far an upload is, and how fast. Pure: time is given.
#[derive(Debug, Default)]
struct State {
    progress: TransferProgress,
    speed: Speed,
}

impl State {
    fn advance(&mut self, now: Duration, mut progress: TransferProgress) {
        progress.bytes = progress.bytes.max(self.progress.bytes);
        progress.files = progress.files.max(self.progress.files);
        self.progress = progress;
        self.speed.add(now, progress.bytes);
    }

    /// 0 to 99.9; `None` while the total is not known.
    fn percent(&self) -> Option<f64> {
        let total = self.progress.total_bytes.filter(|total| *total > 0)?;
        #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
        let percent = self.progress.bytes as f64 / total as f64 * 100.0;
        Some(percent.min(99.9))
    }

    /// `12 files, 8.6 GB`, or what is known of it.
    fn whole(&self) -> String {
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

    /// The bar, in as much detail as fits: first the time left goes, then the time passed, the rate, the amount.
    fn line(&self, now: Duration, width: usize) -> String {
        let head = self.percent().map_or_else(|| "      ".to_owned(), |percent| format!("{percent:5.1}%"));
        let rate = self.speed.rate(now).map(|rate| format!(" | {}", units::rate(rate))).unwrap_or_default();
        let elapsed = format!(" | Elapsed: {}", units::duration(now));
        let eta = self.eta(now).map(|eta| format!(" | ETA: {eta}")).unwrap_or_default();
        fitted(self.percent().unwrap_or_default(), &head, &[format!(" {}", self.amount()), rate, elapsed, eta], width)
    }

    fn plain(&self, now: Duration) -> String {
        let percent = self.percent().map(|percent| format!("{}% ", percent.floor())).unwrap_or_default();
        let rate = self.speed.rate(now).map(|rate| format!(", {}", units::rate(rate))).unwrap_or_default();
        let eta = self.eta(now).map(|eta| format!(", ETA {eta}")).unwrap_or_default();
        format!("  {percent}{}{rate}{eta}", self.amount())
    }

    fn status(&self, now: Duration) -> String {
        let far =
            self.percent().map_or_else(|| units::bytes(self.progress.bytes), |percent| format!("{}%", percent.floor()));
        format!("[{}] Still uploading... {far} complete", units::duration(now))
    }

    fn json(&self, now: Duration) -> String {
        let eta =
            self.progress.total_bytes.and_then(|total| self.speed.eta(now, total.saturating_sub(self.progress.bytes)));
        event_line(
            "upload.progress",
            json!({
                "bytes": self.progress.bytes,
                "totalBytes": self.progress.total_bytes,
                "files": self.progress.files,
                "totalFiles": self.progress.total_files,
                "bytesPerSecond": self.speed.rate(now).map(units::whole),
                "etaSeconds": eta.map(|eta| eta.as_secs()),
            }),
        )
    }
}

fn full_text(bytes: u64, elapsed: Duration) -> String {
    let size = units::bytes(bytes);
    format!("100.0% ({size} / {size}){} | Elapsed: {} | ETA: done", average(bytes, elapsed), units::duration(elapsed))
}

fn full_line(bytes: u64, elapsed: Duration, width: usize) -> String {
    let size = units::bytes(bytes);
    let parts = [
        format!(" ({size} / {size})"),
        average(bytes, elapsed),
        format!(" | Elapsed: {}", units::duration(elapsed)),
        " | ETA: done".to_owned(),
    ];
    fitted(100.0, "100.0%", &parts, width)
}

fn average(bytes: u64, elapsed: Duration) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = bytes as f64 / elapsed.as_secs_f64().max(0.001);
    format!(" | {}", units::rate(rate))
}

/// Bar, head and as many of the parts as fit into the width; one column stays free, so that nothing wraps.
fn fitted(percent: f64, head: &str, parts: &[String], width: usize) -> String {
    let room = width.saturating_sub(1);
    let mut kept = parts.len();
    let tail = |kept: usize| parts[..kept].concat();
    let columns = |text: &str| ::console::measure_text_width(text);
    while kept > 0 && 2 + 4 + 1 + columns(head) + columns(&tail(kept)) > room {
        kept -= 1;
    }
    let text = format!("{head}{}", tail(kept));
    let bar = room.saturating_sub(2 + 1 + columns(&text)).min(BAR);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a part of a short bar"
    )]
    let full = (percent / 100.0 * bar as f64).floor() as usize;
    format!("  {}{} {text}", "━".repeat(full), "─".repeat(bar - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GB: u64 = 1 << 30;

    fn progress(bytes: u64) -> TransferProgress {
        TransferProgress { bytes, total_bytes: Some(10 * GB), files: 1, total_files: Some(4) }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_line_is_the_designs_line() {
        let mut state = State::default();
        for second in 0..=10 {
            state.advance(seconds(second), progress(second * GB / 2));
        }
        assert_eq!(
            state.line(seconds(10), 120),
            "  ━━━━━━━━━━━━━━━───────────────  50.0% (5.0 GB / 10.0 GB) | 512.0 MB/s | Elapsed: 10s | ETA: 10s"
        );
        assert_eq!(state.status(seconds(165)), "[2m 45s] Still uploading... 50% complete");
    }

    #[test]
    fn a_narrow_terminal_never_wraps() {
        let mut state = State::default();
        for second in 0..=10 {
            state.advance(seconds(second), progress(second * GB / 2));
        }
        for width in 1..=120 {
            let line = state.line(seconds(10), width);
            assert!(width < 12 || ::console::measure_text_width(&line) < width, "{width}: {line}");
        }
        assert_eq!(state.line(seconds(10), 45), "  ━━━━━━━━────────  50.0% (5.0 GB / 10.0 GB)");
    }

    #[test]
    fn bytes_never_go_back_and_100_is_kept_for_the_end() {
        let mut state = State::default();
        state.advance(seconds(1), progress(10 * GB));
        state.advance(seconds(2), progress(GB));
        assert_eq!(state.percent(), Some(99.9));
        assert_eq!(full_text(GB, seconds(2)), "100.0% (1.0 GB / 1.0 GB) | 512.0 MB/s | Elapsed: 2s | ETA: done");
    }

    #[test]
    fn an_unknown_total_shows_no_percent_and_no_time_left() {
        let mut state = State::default();
        state.advance(seconds(0), TransferProgress::default());
        state.advance(seconds(5), TransferProgress { bytes: GB, ..TransferProgress::default() });
        let line = state.line(seconds(5), 100);
        assert!(!line.contains('%') && !line.contains("ETA") && line.contains("1.0 GB"), "{line}");
    }
}
