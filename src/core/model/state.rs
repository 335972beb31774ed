//! Classification of the service's state names. Pure.

use serde_json::Value;

/// Progress of a registration or another operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationProgress {
    /// In progress.
    Running,
    /// Succeeded.
    Done,
    /// Failed or cancelled.
    Failed,
}

impl OperationProgress {
    /// Classifies a state name. The final states are a closed list; any other name means that the work is in progress.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "succeeded" | "completed" => Self::Done,
            "failed" | "canceled" | "cancelled" => Self::Failed,
            _ => Self::Running,
        }
    }
}

/// State in a response, of an operation or a model, from any of its fields. Empty if the field is not text; `None` if
/// there is none, since not every service reports it.
#[must_use]
pub fn state_word(body: &Value) -> Option<&str> {
    let given = [body, &body["properties"]]
        .into_iter()
        .flat_map(|place| ["status", "provisioningState", "state"].map(|key| &place[key]))
        .filter(|value| !value.is_null());
    let mut words = given.map(|value| value.as_str().unwrap_or_default());
    words.clone().find(|word| !word.is_empty()).or_else(|| words.next())
}

/// Error of a failed state; null if there is none.
#[must_use]
pub fn state_error(body: &Value) -> &Value {
    if body["error"].is_null() { &body["properties"]["error"] } else { &body["error"] }
}
