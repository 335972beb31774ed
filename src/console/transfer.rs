//! Progress of an upload or a download: converts events to a bar, plain lines or JSON lines.
//!
//! Bytes never decrease, and 100 % is not shown before the end is verified.

mod state;

use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use serde_json::json;

use self::state::TransferState;
use super::Console;
use super::event::ProgressEvent;
use super::progress::{ProgressFormat, bar_line};
use azure_ai_models_core::hub::Carrier;
use azure_ai_models_core::model::TransferEvent;
use azure_ai_models_core::units;

/// Time since the start of a transfer.
enum Clock {
    /// Clock of this machine.
    Since(Instant),
    /// Times in the events of another process.
    Recorded(Duration),
}

impl Clock {
    fn start(&mut self) {
        *self = match self {
            Self::Since(_) => Self::Since(Instant::now()),
            Self::Recorded(_) => Self::Recorded(Duration::ZERO),
        };
    }

    fn now(&self) -> Duration {
        match self {
            Self::Since(start) => start.elapsed(),
            Self::Recorded(now) => *now,
        }
    }
}

/// Texts for the work, and names of its events.
struct TransferTexts {
    verb: &'static str,
    progress: ProgressEvent,
    file: ProgressEvent,
    stalled: ProgressEvent,
    done: ProgressEvent,
}

const UPLOAD: TransferTexts = TransferTexts {
    verb: "upload",
    progress: ProgressEvent::UploadProgress,
    file: ProgressEvent::UploadFile,
    stalled: ProgressEvent::UploadStalled,
    done: ProgressEvent::UploadDone,
};
const DOWNLOAD: TransferTexts = TransferTexts {
    verb: "download",
    progress: ProgressEvent::DownloadProgress,
    file: ProgressEvent::DownloadFile,
    stalled: ProgressEvent::DownloadStalled,
    done: ProgressEvent::DownloadDone,
};

/// Progress of an upload or a download, from its events.
pub(crate) struct TransferView<'a> {
    console: &'a Console,
    text: &'static TransferTexts,
    status_line: Duration,
    clock: Clock,
    state: TransferState,
    running: bool,
    bar: Option<ProgressBar>,
    next_status: Duration,
    next_tenth: u64,
}

impl<'a> TransferView<'a> {
    /// View of an upload.
    pub(super) fn new(console: &'a Console, status_line: Duration) -> Self {
        Self::with(console, &UPLOAD, status_line)
    }

    /// View of a download.
    pub(super) fn of_download(console: &'a Console, status_line: Duration) -> Self {
        Self::with(console, &DOWNLOAD, status_line)
    }

    fn with(console: &'a Console, text: &'static TransferTexts, status_line: Duration) -> Self {
        Self {
            console,
            text,
            status_line,
            clock: Clock::Since(Instant::now()),
            state: TransferState::default(),
            running: false,
            bar: None,
            next_status: status_line,
            next_tenth: 1,
        }
    }

    /// Sets the time since the start, as recorded in the events of another process.
    pub(super) fn set_recorded(&mut self, now: Duration) {
        self.clock = Clock::Recorded(now);
    }

    /// Shows one event.
    pub(crate) fn on(&mut self, event: &TransferEvent) {
        let now = self.clock.now();
        match event {
            TransferEvent::Started(progress) => {
                self.console.record_started(progress);
                self.clock.start();
                self.running = true;
                self.state.advance(Duration::ZERO, *progress);
                if self.console.format == ProgressFormat::Bar {
                    self.bar = Some(bar_line(&self.console.bars));
                }
                if self.console.format == ProgressFormat::Plain {
                    let what = if self.text.verb == UPLOAD.verb { "Uploading" } else { "Downloading" };
                    self.console.line(&format!("  {what} {}...", self.state.whole()));
                }
                self.draw(Duration::ZERO);
            }
            TransferEvent::Progress(progress) => {
                self.state.advance(now, *progress);
                self.console.progress_line(self.text.progress, || self.state.fields(now), progress.found);
                self.tenths(now);
                self.draw(now);
            }
            TransferEvent::Stalled { silent, network_error_percent } => {
                self.stalled(*silent, *network_error_percent);
            }
            TransferEvent::FileDone { path, bytes, sha256 } => {
                let line = || self.text.file.line(json!({ "path": path, "bytes": bytes, "sha256": sha256 }));
                self.console.json_line(line);
            }
            TransferEvent::ImportMode { carrier, reason } => {
                self.console.event(ProgressEvent::ImportMode, json!({ "mode": carrier.as_str(), "reason": reason }));
                let text = match carrier {
                    Carrier::Server => "The blob store copies the files",
                    Carrier::Client => "The files are transferred through this machine",
                };
                self.console.status(&format!("  {text}: {reason}"));
            }
            TransferEvent::ImportFile { path, carrier, reason } => {
                let fields = json!({ "path": path, "mode": carrier.as_str(), "reason": reason });
                self.console.event(ProgressEvent::ImportFile, fields);
                let text = match carrier {
                    Carrier::Server => "copied by the blob store",
                    Carrier::Client => "transferred by this machine",
                };
                self.console.status(&format!("  {path} is {text}: {reason}"));
            }
            TransferEvent::Done { bytes, files, elapsed } => self.done(*bytes, *files, *elapsed),
        }
    }

    /// Updates the elapsed time, and shows a status line when it is due.
    pub(crate) fn tick(&mut self) {
        let now = self.clock.now();
        if now >= self.next_status {
            self.next_status = now + self.status_line;
            if matches!(self.console.format, ProgressFormat::Bar | ProgressFormat::Plain) {
                self.console.line(&self.state.status(now, self.text.verb));
            }
        }
        self.draw(now);
    }

    /// Shows that the user interrupts the transfer; `waits` if the engine needs time to end. Removes the bar: the
    /// terminal wrote its `^C` into that line.
    pub(crate) fn stopping(&mut self, waits: bool) {
        if self.running {
            let again = if self.bar.is_some() { "; press Ctrl+C again to stop immediately." } else { "..." };
            self.clear_bar();
            self.console.end_prompt_line();
            if waits {
                self.console.write_message(&format!("  Stopping{again}"));
            }
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

    /// Writes a line at each tenth if there is no bar.
    fn tenths(&mut self, now: Duration) {
        let Some(percent) = self.state.percent() else { return };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 99.9")]
        let tenth = (percent / 10.0) as u64;
        if self.console.format == ProgressFormat::Plain && tenth >= self.next_tenth {
            self.next_tenth = tenth + 1;
            self.console.line(&self.state.plain(now));
        }
    }

    fn stalled(&self, silent: Duration, network_error_percent: Option<f64>) {
        let fields = json!({ "seconds": silent.as_secs(), "networkErrorPercent": network_error_percent });
        self.console.event(self.text.stalled, fields);
        let errors = network_error_percent
            .filter(|percent| *percent > 0.0)
            .map(|percent| format!(", network errors {percent:.0} %"))
            .unwrap_or_default();
        self.console.write_message(&format!("  No progress for {} s{errors}. Still trying...", silent.as_secs()));
    }

    fn done(&mut self, bytes: u64, files: u64, elapsed: Duration) {
        self.running = false;
        match self.console.format {
            ProgressFormat::Bar => {
                self.clear_bar();
                self.console.line(&self.state.full_line(bytes, elapsed, self.console.bar_width()));
            }
            ProgressFormat::Plain => self.console.line(&format!("  {}", self.state.full_text(bytes, elapsed))),
            ProgressFormat::Json | ProgressFormat::None => {}
        }
        self.console.event(self.text.done, json!({ "bytes": bytes, "files": files, "seconds": elapsed.as_secs() }));
        self.console.write_message(&format!("  Completed in {}", units::duration(elapsed)));
    }
}

impl Drop for TransferView<'_> {
    fn drop(&mut self) {
        // The last state stays on the screen, as a complete line.
        if self.bar.is_some() {
            self.clear_bar();
            self.console.line(&self.state.line(self.clock.now(), self.console.bar_width()));
        }
    }
}
