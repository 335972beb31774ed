//! Output and exit of a run, collected for the verdict. No IO, no evaluation.

use std::time::Duration;

use crate::process::Exit;

use super::message::{FailedTransfer, Init, Message, Summary};
use super::text;

/// Maximum number of failed files that are kept; their count is known separately.
const MAX_FAILED_FILES: usize = 1000;
/// Maximum number of remarks that are kept.
const MAX_REMARKS: usize = 20;
/// Maximum size of plain text that is kept of each stream, in bytes.
const MAX_PLAIN_BYTES: usize = 16 * 1024;

/// Data for a verdict.
#[derive(Clone, Debug, Default)]
pub struct AzCopyOutcome {
    /// Job id and log, once AzCopy reported them.
    pub init: Option<Init>,
    /// Last reported numbers, final or not.
    pub last: Option<Summary>,
    /// Numbers of `EndOfJob`.
    pub end: Option<Summary>,
    /// Failed files of all lines, since `EndOfJob` has none.
    pub failed: Vec<FailedTransfer>,
    /// AzCopy's notice that it was rejected (403).
    pub refusal: Option<String>,
    /// Last message of AzCopy before it gave up.
    pub error: Option<String>,
    /// Notices about skipped files.
    pub remarks: Vec<String>,
    /// Beginning of the text on standard output that is not a message.
    pub plain: String,
    /// Beginning of standard error.
    pub stderr: String,
    /// Exit of the process; `None` if it could not be ended.
    pub exit: Option<Exit>,
    /// Duration of the process.
    pub elapsed: Duration,
}

impl AzCopyOutcome {
    /// Adds a message of standard output.
    pub fn message(&mut self, message: Message) {
        match message {
            Message::Init(init) => self.init = Some(init),
            Message::Progress(summary) => self.summary(summary),
            Message::EndOfJob(summary) => {
                if let Some(summary) = summary {
                    self.summary(summary);
                    self.end.clone_from(&self.last);
                }
            }
            Message::Info(text) => self.info(text),
            Message::Error(text) => self.error = Some(text),
            Message::Prompt { .. } => {}
            Message::Other(text) => append(&mut self.plain, &text),
        }
    }

    /// Adds a line of standard error.
    pub fn stderr_line(&mut self, line: &str) {
        append(&mut self.stderr, &text::sanitized(line));
    }

    /// True while plain text of standard output is still kept; later text is discarded.
    pub(super) fn has_room_for_plain(&self) -> bool {
        self.plain.len() < MAX_PLAIN_BYTES
    }

    fn summary(&mut self, mut summary: Summary) {
        for transfer in summary.failed_transfers.drain(..) {
            if self.failed.len() < MAX_FAILED_FILES && !self.failed.contains(&transfer) {
                self.failed.push(transfer);
            }
        }
        self.last = Some(summary);
    }

    fn info(&mut self, text: String) {
        if text.starts_with("Authentication failed") {
            self.refusal.get_or_insert(text);
        } else if ["Skipping ", "Accessing '"].iter().any(|start| text.starts_with(start))
            && self.remarks.len() < MAX_REMARKS
        {
            self.remarks.push(text);
        }
    }
}

fn append(kept: &mut String, line: &str) {
    if kept.len() < MAX_PLAIN_BYTES {
        kept.push_str(line);
        kept.push('\n');
    }
}
