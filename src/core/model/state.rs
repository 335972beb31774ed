//! What the service's words for a state mean. Pure.

use serde_json::Value;

/// How far a registration or another operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It goes on.
    Running,
    /// It succeeded.
    Done,
    /// It failed or was cancelled.
    Failed,
}

impl Progress {
    /// What a word means. The end states are a closed list; any other word means that it goes on.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "succeeded" | "completed" => Self::Done,
            "failed" | "canceled" | "cancelled" => Self::Failed,
            _ => Self::Running,
        }
    }
}

/// The state in an answer, an operation's or a model's, wherever it stands. Empty where a
/// state is given that is no word; `None` where there is none, for not every service has the field.
#[must_use]
pub fn state_word(body: &Value) -> Option<&str> {
    let given = [body, &body["properties"]]
        .into_iter()
        .flat_map(|place| ["status", "provisioningState", "state"].map(|key| &place[key]))
        .filter(|value| !value.is_null());
    let mut words = given.map(|value| value.as_str().unwrap_or_default());
    words.clone().find(|word| !word.is_empty()).or_else(|| words.next())
}

/// The error that goes with a failed state; null where there is none.
#[must_use]
pub fn state_error(body: &Value) -> &Value {
    if body["error"].is_null() { &body["properties"]["error"] } else { &body["error"] }
}
