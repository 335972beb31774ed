//! Record of a detached upload: the lines for scripts, and the events that only `uploads attach` needs to show the page
//! of the foreground. Names of the latter begin with `_`.

use serde_json::{Value, json};

use super::Console;
use super::event::{ProgressEvent, private_line};
use super::progress::ProgressFormat;
use azure_ai_models_core::model::TransferProgress;
use azure_ai_models_core::redact::mask_known;

/// Event of a message to the user.
pub(super) const MESSAGE: &str = "_message";
/// Event of a transfer that begins.
pub(super) const STARTED: &str = "_started";
/// Field of `upload.progress`: bytes that an earlier run sent.
pub(super) const FOUND: &str = "_found";

/// Kind of a message, each with its own style.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Message {
    Done,
    Status,
    Notice,
    Warning,
}

impl Console {
    /// Writes a line for readers of JSON lines, here or through `uploads attach`; not even built if there are none.
    pub(super) fn json_line(&self, line: impl FnOnce() -> String) {
        if self.format != ProgressFormat::Json && self.record.is_none() {
            return;
        }
        let line = line();
        if self.format == ProgressFormat::Json {
            self.line(&line);
        }
        self.append(line);
    }

    /// Records a message in its style, only for `uploads attach`.
    pub(super) fn record_message(&self, kind: Message, text: &str) {
        self.record_event(MESSAGE, || json!({ "kind": kind, "text": text }));
    }

    /// Records the start of a transfer, only for `uploads attach`: no public event has its totals.
    pub(super) fn record_started(&self, progress: &TransferProgress) {
        let TransferProgress { bytes, found, total_bytes, files, total_files, remote } = progress;
        self.record_event(STARTED, || {
            json!({
                "bytes": bytes, "totalBytes": total_bytes, "files": files, "totalFiles": total_files,
                "bytesRemote": remote, FOUND: found,
            })
        });
    }

    /// Writes a progress event, whose record also includes the data for the rate.
    pub(super) fn progress_line(&self, event: ProgressEvent, line: impl FnOnce() -> Value, found: u64) {
        if self.format != ProgressFormat::Json && self.record.is_none() {
            return;
        }
        let mut fields = line();
        if self.format == ProgressFormat::Json {
            self.line(&event.line(fields.clone()));
        }
        fields[FOUND] = found.into();
        self.append(event.line(fields));
    }

    fn record_event(&self, name: &'static str, fields: impl FnOnce() -> Value) {
        if self.record.is_some() {
            self.append(private_line(name, fields()));
        }
    }

    fn append(&self, line: String) {
        if let Some(record) = &self.record {
            record.append(&mask_known(line));
        }
    }
}
