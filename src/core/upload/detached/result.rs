//! Result of a detached upload, stored by its process for later `uploads attach` commands.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::super::journal::Journal;

/// Outcome of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DetachedOutcome {
    /// The model is registered, and deployed if requested.
    Succeeded,
    /// Something failed.
    Failed,
    /// Ended by `uploads stop`.
    Stopped,
    /// Ended by a signal.
    Interrupted,
}

/// Result of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunResult {
    /// Outcome of the run.
    pub outcome: DetachedOutcome,
    /// Exit code that the command would have had in the foreground.
    pub exit_code: u8,
    /// Time of the end, RFC 3339.
    #[serde(with = "time::serde::rfc3339")]
    pub ended_at: OffsetDateTime,
    /// Product of the command; `None` if it failed.
    pub product: Option<RecordedProduct>,
    /// Failure of the command; `None` if it succeeded.
    pub error: Option<RecordedError>,
}

/// Product of a command in both of its forms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedProduct {
    /// Text for users.
    pub text: String,
    /// One JSON document.
    pub json: String,
}

/// Failure of a command, with the content of its error page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedError {
    /// Name of its kind.
    pub kind: String,
    /// Code that scripts can rely on.
    pub code: String,
    /// Error message.
    pub message: String,
    /// HTTP status of the service.
    pub status: Option<u16>,
    /// Request id of the service.
    pub request_id: Option<String>,
    /// Date of the service's response.
    pub time: Option<String>,
    /// Suggestion for the user.
    pub suggestion: Option<String>,
    /// Pages to read: title and address.
    #[serde(default)]
    pub links: Vec<(String, String)>,
}

impl RunResult {
    /// State of the upload in a list; the journal's state if it can be resumed.
    #[must_use]
    pub fn state(&self, journal: Option<&Journal>) -> &'static str {
        match self.outcome {
            DetachedOutcome::Succeeded => "done",
            DetachedOutcome::Failed => "failed",
            DetachedOutcome::Stopped | DetachedOutcome::Interrupted => journal
                .filter(|journal| journal.stage.is_complete())
                .map_or("interrupted", |journal| journal.stage.as_str()),
        }
    }
}
