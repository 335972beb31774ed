//! Output and exit of a run, collected for the verdict. No IO, no judgement.

use std::time::Duration;

use crate::process::Exit;

use super::message::{FailedTransfer, Init, Message, Summary};
use super::text;

/// Failed files that are kept; their number is known without them.
const MAX_FAILED_FILES: usize = 1000;
/// Remarks that are kept.
const MAX_REMARKS: usize = 20;
/// Plain text that is kept of each stream, in bytes.
const MAX_PLAIN_BYTES: usize = 16 * 1024;

/// Everything a verdict needs.
#[derive(Clone, Debug, Default)]
pub struct AzCopyOutcome {
    /// Job and log, once AzCopy named them.
    pub init: Option<Init>,
    /// The last numbers, final or not.
    pub last: Option<Summary>,
    /// The numbers of `EndOfJob`.
    pub end: Option<Summary>,
    /// Gathered over all lines, for `EndOfJob` has none.
    pub failed: Vec<FailedTransfer>,
    /// AzCopy's notice that it was refused (403).
    pub refusal: Option<String>,
    /// Last message of AzCopy before it gave up.
    pub error: Option<String>,
    /// Notices about skipped files.
    pub remarks: Vec<String>,
    /// Start of the text on standard output that was no message.
    pub plain: String,
    /// First part of standard error.
    pub stderr: String,
    /// Exit of the process; `None` if it could not be ended.
    pub exit: Option<Exit>,
    /// From start to end of the process.
    pub elapsed: Duration,
}

impl AzCopyOutcome {
    /// Takes in one message of standard output.
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

    /// Takes in a line of standard error.
    pub fn stderr_line(&mut self, line: &str) {
        append(&mut self.stderr, &text::sanitized(line));
    }

    /// True while plain text of standard output is still kept; what follows is noise.
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
