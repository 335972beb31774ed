//! Result of a detached upload, stored by its process for those who attach.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::super::journal::Journal;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DetachedOutcome {
    /// The model is registered, and deployed if requested.
    Succeeded,
    /// Something failed.
    Failed,
    /// `uploads stop` ended it.
    Stopped,
    /// A signal ended it.
    Interrupted,
}

/// End of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunResult {
    /// How it ended.
    pub outcome: DetachedOutcome,
    /// Exit code that the command would have had in the foreground.
    pub exit_code: u8,
    /// When it ended, RFC 3339.
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

/// Failure of a command: what its page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedError {
    /// Word of its kind.
    pub kind: String,
    /// Code that scripts can rely on.
    pub code: String,
    /// Reason of the failure.
    pub message: String,
    /// Status of the service.
    pub status: Option<u16>,
    /// Request id of the service.
    pub request_id: Option<String>,
    /// Date of the service's response.
    pub time: Option<String>,
    /// Remedy.
    pub suggestion: Option<String>,
    /// Pages to read: title and address.
    #[serde(default)]
    pub links: Vec<(String, String)>,
}

impl RunResult {
    /// State of the upload in a list; that of its journal where it can be resumed.
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
