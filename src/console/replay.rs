//! Replay of the events of a detached upload, through the views of the foreground.

use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Console;
use super::event::ProgressEvent;
use super::progress::{ProgressFormat, StatusView};
use super::record::{FOUND, MESSAGE, Message, STARTED};
use super::transfer::TransferView;
use azure_ai_models_core::display::printable_json;
use azure_ai_models_core::model::{TransferEvent, TransferProgress};

/// Views of a detached upload, fed with its event lines.
pub(crate) struct Replay<'a> {
    console: &'a Console,
    status_line: Duration,
    transfer: Option<ReplayedTransfer<'a>>,
    /// View that is shown, and its event.
    status: Option<(ProgressEvent, StatusView<'a>)>,
}

struct ReplayedTransfer<'a> {
    view: TransferView<'a>,
    started: OffsetDateTime,
}

impl<'a> Replay<'a> {
    /// Shows events on this console, with a status line at this interval.
    pub(crate) fn new(console: &'a Console, status_line: Duration) -> Self {
        Self { console, status_line, transfer: None, status: None }
    }

    /// Shows one event: a line of the file. Ignores lines of other shapes.
    pub(crate) fn on(&mut self, line: &str) {
        let Ok(mut event) = serde_json::from_str::<Value>(line) else { return };
        let Some(name) = event["event"].as_str().map(str::to_owned) else { return };
        if self.console.format == ProgressFormat::Json {
            // The attached command reports the failure.
            let is_shown = !name.starts_with('_') && name != ProgressEvent::Error.name();
            if let (true, Some(fields)) = (is_shown, event.as_object_mut()) {
                fields.shift_remove(FOUND);
                self.console.line(&printable_json(event.to_string()));
            }
            return;
        }
        self.show(&name, &event);
    }

    /// Updates the view while no event is received.
    pub(crate) fn tick(&mut self) {
        if let Some(transfer) = &mut self.transfer {
            transfer.set_time(OffsetDateTime::now_utc());
            transfer.view.tick();
        }
    }

    /// Ends the user's view: the terminal has written `^C` into its line.
    pub(crate) fn stop(&mut self) {
        self.status = None;
        if let Some(mut transfer) = self.transfer.take() {
            transfer.view.stopping(false);
        }
    }

    fn show(&mut self, name: &str, event: &Value) {
        let time = event["time"].as_str().and_then(|time| OffsetDateTime::parse(time, &Rfc3339).ok());
        let seconds = || Duration::from_secs(event["seconds"].as_u64().unwrap_or_default());
        match ProgressEvent::of_name(name) {
            Some(ProgressEvent::Step) => {
                (self.transfer, self.status) = (None, None);
                let number =
                    |key: &str| event[key].as_u64().and_then(|number| number.try_into().ok()).unwrap_or_default();
                let text = format!("{}...", event["name"].as_str().unwrap_or_default());
                self.console.step(number("n"), number("of"), &text);
            }
            None if name == MESSAGE => self.message(event),
            None if name == STARTED => {
                let view = self.console.transfer_view(self.status_line);
                let started = time.unwrap_or_else(OffsetDateTime::now_utc);
                self.transfer = Some(ReplayedTransfer { view, started });
                self.feed(time, &TransferEvent::Started(progress(event)));
            }
            Some(ProgressEvent::UploadProgress) => self.feed(time, &TransferEvent::Progress(progress(event))),
            Some(ProgressEvent::UploadStalled) => {
                let network_error_percent = event["networkErrorPercent"].as_f64();
                self.feed(time, &TransferEvent::Stalled { silent: seconds(), network_error_percent });
            }
            Some(ProgressEvent::UploadDone) => {
                let number = |key: &str| event[key].as_u64().unwrap_or_default();
                let (bytes, files, elapsed) = (number("bytes"), number("files"), seconds());
                self.feed(time, &TransferEvent::Done { bytes, files, elapsed });
                self.transfer = None;
            }
            Some(kind @ (ProgressEvent::RegisterProgress | ProgressEvent::DeployProgress)) => {
                if self.status.as_ref().is_none_or(|(shown, _)| *shown != kind) {
                    let view = match event["name"].as_str() {
                        Some(deployment) => self.console.deploy_view(deployment, self.status_line),
                        None => self.console.register_view(self.status_line),
                    };
                    self.status = Some((kind, view));
                }
                if let Some((_, view)) = &mut self.status {
                    view.on(event["status"].as_str().unwrap_or_default(), seconds());
                }
            }
            _ => self.status = None,
        }
    }

    fn message(&mut self, event: &Value) {
        let kind = serde_json::from_value(event["kind"].clone()).unwrap_or(Message::Status);
        let text = event["text"].as_str().unwrap_or_default();
        match kind {
            Message::Done => {
                self.status = None;
                self.console.done(text);
            }
            Message::Status => self.console.status(text),
            Message::Notice => self.console.notice(text),
            Message::Warning => self.console.warn(text),
        }
    }

    fn feed(&mut self, time: Option<OffsetDateTime>, event: &TransferEvent) {
        if let Some(transfer) = &mut self.transfer {
            transfer.set_time(time.unwrap_or(transfer.started));
            transfer.view.on(event);
        }
    }
}

impl ReplayedTransfer<'_> {
    fn set_time(&mut self, now: OffsetDateTime) {
        self.view.set_recorded(Duration::try_from(now - self.started).unwrap_or_default());
    }
}

fn progress(event: &Value) -> TransferProgress {
    TransferProgress {
        bytes: event["bytes"].as_u64().unwrap_or_default(),
        found: event[FOUND].as_u64().unwrap_or_default(),
        total_bytes: event["totalBytes"].as_u64(),
        files: event["files"].as_u64().unwrap_or_default(),
        total_files: event["totalFiles"].as_u64(),
        remote: event["bytesRemote"].as_u64(),
    }
}
