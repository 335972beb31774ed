//! The only owner of standard output and standard error.
//!
//! Callers specify the kind of a line; the console decides on the stream, the visibility and the style.

mod byte_progress;
pub(crate) mod catalog_page;
mod create_pages;
pub(crate) mod deployments_page;
pub(crate) mod deployments_table;
pub(crate) mod doctor_page;
pub(crate) mod download_page;
mod error_page;
mod event;
mod findings;
mod init_page;
mod json;
mod model_page;
pub(crate) mod product;
mod progress;
mod prompt;
mod record;
pub(crate) mod render;
mod replay;
mod settings;
mod speed;
mod style;
mod table;
mod terminal;
mod transfer;
mod uploads_page;
pub(crate) mod verify_page;
mod views;
mod width;

pub(crate) use byte_progress::ByteProgressView;
pub(crate) use error_page::ErrorPage;
pub(crate) use event::ProgressEvent;
pub(crate) use init_page::InitPage;
pub(crate) use progress::{ProgressMode, StatusView};
#[cfg(feature = "test-fakes")]
pub(crate) use prompt::panic_on_demand;
pub(crate) use prompt::restore_terminal_on_panic;
pub(crate) use replay::Replay;
pub(crate) use settings::{Settings, colour};
pub(crate) use table::TableStyle;
pub(crate) use terminal::follows_escapes;
pub(crate) use transfer::TransferView;

use std::io::{self, Write};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use ::console::Term;
use indicatif::MultiProgress;
use thiserror::Error;

use serde_json::{Value, json};

use self::progress::ProgressFormat;
use self::record::Message;
use self::style::Style;
use azure_ai_models_core::display::printable_lines;
use azure_ai_models_core::redact::mask_known;
use azure_ai_models_core::upload::detached::EventLog;

/// Minimum size of a piece of a long text, in bytes.
const PIECE: usize = 64 * 1024;

/// Standard output cannot be written, for a reason other than a closed pipe.
#[derive(Debug, Error)]
#[error("cannot write the result: {0}")]
pub(crate) struct WriteError(#[source] io::Error);

/// Both output streams, with the settings that determine what is written to them.
pub(crate) struct Console {
    settings: Settings,
    style: Style,
    format: ProgressFormat,
    /// Lines appear above a bar while one is shown.
    bars: MultiProgress,
    stderr: Arc<Mutex<io::Stderr>>,
    /// True while a prompt is open, with the cursor after it.
    asking: AtomicBool,
    /// Event log of a detached upload, which `uploads attach` reads.
    record: Option<Arc<EventLog>>,
}

impl Console {
    /// Console for one run.
    #[must_use]
    pub(crate) fn new(settings: Settings, record: Option<Arc<EventLog>>) -> Self {
        let bars = progress::bars();
        // A terminal that cannot move its cursor (TERM is dumb or unset, a console without escape sequences) shows no
        // bar.
        let can_draw = settings.stderr_escapes && !bars.is_hidden() && !settings.agent;
        let format = ProgressFormat::choose(settings.progress, settings.quiet, can_draw);
        let console = Self {
            style: Style::new(settings.colour_stderr),
            format,
            bars,
            stderr: Arc::new(Mutex::new(io::stderr())),
            asking: AtomicBool::new(false),
            record,
            settings,
        };
        console.json_line(|| event::SCHEMA_LINE.to_owned());
        console
    }

    /// Writes the result of a command to standard output. A closed pipe is not an error.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn product(&self, text: &str) -> Result<(), WriteError> {
        let mut stdout = io::stdout().lock();
        // In pieces: masking needs many times the size of its text.
        let written = pieces(text).try_for_each(|piece| stdout.write_all(mask_known(piece.to_owned()).as_bytes()));
        match written.and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(WriteError(error)),
            _ => Ok(()),
        }
    }

    /// Writes the title of a step: `Step 2/3: Uploading model files...`.
    pub(crate) fn step(&self, number: u8, of: u8, text: &str) {
        let fields = || json!({ "n": number, "of": of, "name": text.trim_end_matches('.') });
        self.json_line(|| ProgressEvent::Step.line(fields()));
        self.write_message(&self.style.bold(&format!("Step {number}/{of}: {text}")));
    }

    /// Writes an event for readers of JSON lines; does nothing in other modes.
    pub(crate) fn event(&self, event: ProgressEvent, fields: Value) {
        self.json_line(|| event.line(fields));
    }

    /// Writes a success message: `✓ Upload complete`.
    pub(crate) fn done(&self, text: &str) {
        self.record_message(Message::Done, text);
        self.write_message(&format!("{} {}", self.style.green("✓"), printable_lines(text)));
    }

    /// Writes a status message.
    pub(crate) fn status(&self, text: &str) {
        self.record_message(Message::Status, text);
        self.write_message(&printable_lines(text));
    }

    /// Writes a status message that is recorded elsewhere.
    pub(crate) fn status_unrecorded(&self, text: &str) {
        self.write_message(&printable_lines(text));
    }

    /// Writes a blank line between messages and result if both appear on the same terminal.
    pub(crate) fn gap(&self) {
        if self.settings.stdout_terminal && self.settings.stderr_terminal {
            self.write_message("");
        }
    }

    /// Writes a detail: `  Blob URI: https://...`.
    pub(crate) fn detail(&self, key: &str, value: &str) {
        self.status(&format!("  {key}: {value}"));
    }

    /// Writes a notice, such as a retry or a wait.
    pub(crate) fn notice(&self, text: &str) {
        self.record_message(Message::Notice, text);
        self.write_message(&self.style.grey(&printable_lines(text)));
    }

    /// Writes a warning: `WARNING: ...`.
    pub(crate) fn warn(&self, text: &str) {
        self.record_message(Message::Warning, text);
        self.write_message(&format!("{} {}", self.style.yellow("WARNING:"), printable_lines(text)));
    }

    /// True if trace lines are shown.
    pub(crate) fn is_debug(&self) -> bool {
        self.settings.debug
    }

    /// Writes a trace line.
    pub(crate) fn debug(&self, text: &str) {
        if self.settings.debug {
            self.line(&self.style.grey(&format!("debug: {}", printable_lines(text))));
        }
    }

    /// Reports a failed command whose error azd shows: written here only as a JSON line.
    pub(crate) fn error_shown_by_azd(&self, page: &ErrorPage<'_>) {
        self.json_line(|| ProgressEvent::Error.line(page.object()));
    }

    /// Writes the error of a failed command.
    pub(crate) fn error(&self, page: &ErrorPage<'_>) {
        if page.is_interrupt {
            self.end_prompt_line();
        }
        self.json_line(|| ProgressEvent::Error.line(page.object()));
        self.line(&match (self.settings.json, self.settings.agent) {
            (true, _) => page.json(),
            (false, true) => page.hint_text(),
            (false, false) => page.text(self.style),
        });
    }

    /// Style of tables on standard output.
    #[must_use]
    pub(crate) fn table_style(&self) -> TableStyle {
        let width = self.settings.stdout_terminal.then(|| self.width(&Term::stdout()));
        TableStyle { width, summary: !self.settings.quiet }
    }

    /// Number of terminal columns for the bar.
    fn bar_width(&self) -> usize {
        usize::from(self.width(&Term::stderr()))
    }

    /// Number of columns of a terminal: at most the reported number; `COLUMNS` may be older than its last resize.
    fn width(&self, terminal: &Term) -> u16 {
        let measured = terminal.size_checked().map(|(_, columns)| columns);
        match (measured, self.settings.columns) {
            (Some(measured), Some(asked)) => measured.min(asked),
            (measured, asked) => measured.or(asked).unwrap_or(80),
        }
    }

    /// Writes a message, unless quiet or in JSON mode.
    fn write_message(&self, text: &str) {
        if !self.settings.quiet && self.format != ProgressFormat::Json {
            self.line(text);
        }
    }

    /// Writes one line to standard error, above a bar if there is one. Ignores write errors: stderr may be closed.
    fn line(&self, text: &str) {
        self.write(&format!("{text}\n"));
    }

    fn write(&self, text: &str) {
        let text = mask_known(text.to_owned());
        self.bars.suspend(|| {
            let mut stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
            drop(stderr.write_all(text.as_bytes()));
        });
    }
}

/// Splits a text into pieces of whole lines: no secret spans two lines.
fn pieces(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let end = text.as_bytes().get(PIECE..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n'));
        let (piece, rest) = text.split_at(end.map_or(text.len(), |end| PIECE + end + 1));
        text = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_written_in_pieces_of_whole_lines() {
        let line = format!("{}\n", "ü".repeat(30_000));
        for lines in 0..5 {
            let text = line.repeat(lines) + "end";
            let parts: Vec<&str> = pieces(&text).collect();
            assert_eq!(parts.concat(), text);
            assert!(parts.iter().rev().skip(1).all(|part| part.ends_with('\n')), "{lines} lines");
        }
        assert_eq!(pieces(&line.repeat(4)).count(), 2);
        assert_eq!(pieces("").count(), 0);
    }
}
