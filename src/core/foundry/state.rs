//! State of an operation or of a model in a response, and the URL of an operation. Pure.

use std::fmt;

use serde_json::Value;
use url::Url;

use crate::http::{ErrorDetail, Response, read_error};
use crate::model::{OperationProgress, check_secure, state_error, state_word};
use crate::project::ProjectEndpoint;

/// State of an operation. The final states are a closed list; any other state means that it is running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationState {
    /// Running; the state as reported by the service.
    Running(String),
    /// Succeeded; the state as reported by the service, if there was one.
    Done(Option<String>),
    /// Failed or cancelled.
    Failed(OperationFailure),
}

/// Error of a failed operation as reported by the service, sanitized.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationFailure {
    /// Final state: `Failed`, `Canceled`.
    pub status: String,
    /// Stable code of the service.
    pub code: Option<String>,
    /// Message; empty if there is none.
    pub message: String,
    /// Details and inner errors.
    pub details: Vec<ErrorDetail>,
}

impl fmt::Display for OperationFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.code, self.message.as_str()) {
            (Some(code), "") => write!(f, "{} ({code})", self.status),
            (Some(code), message) => write!(f, "{message} ({code})"),
            (None, "") => f.write_str(&self.status),
            (None, message) => f.write_str(message),
        }
    }
}

/// State in a body: a wrapper `{status, error}` or the model itself. `None` without a state.
pub(super) fn of_body(body: &Value) -> Option<OperationState> {
    let word = state_word(body)?;
    Some(match OperationProgress::of(word) {
        OperationProgress::Done => OperationState::Done(Some(word.to_owned())),
        OperationProgress::Failed => OperationState::Failed(failure(body, word)),
        OperationProgress::Running if word.is_empty() => OperationState::Running("Unknown".to_owned()),
        OperationProgress::Running => OperationState::Running(word.to_owned()),
    })
}

/// State in a successful response. A 200 without a state has ended; the verification decides whether it succeeded.
pub(super) fn of_response(response: &Response) -> OperationState {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    of_body(&body).unwrap_or_else(|| match response.status {
        202 => OperationState::Running("InProgress".into()),
        _ => OperationState::Done(None),
    })
}

fn failure(body: &Value, status: &str) -> OperationFailure {
    let (ErrorDetail { code, message }, details) = read_error(state_error(body));
    OperationFailure { status: status.to_owned(), code, message, details }
}

/// URL of an operation in a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OperationLocation {
    /// No URL.
    Nowhere,
    /// URL that may receive the project's token.
    Trusted(Url),
    /// URL that may not.
    Foreign(String),
}

/// Reads the headers in the order in which services use them, then the body; relative URLs are relative to the request.
pub(super) fn operation_location(endpoint: &ProjectEndpoint, asked: &Url, response: &Response) -> OperationLocation {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let headers = [&response.location, &response.operation_location, &response.azure_async_operation];
    let named = headers.into_iter().find_map(|header| header.as_deref().filter(|text| !text.is_empty()));
    let Some(text) = named.or_else(|| body["location"].as_str().filter(|text| !text.is_empty())) else {
        return OperationLocation::Nowhere;
    };
    match asked.join(text) {
        Ok(url) if is_trusted_host(endpoint, &url) => OperationLocation::Trusted(url),
        Ok(url) => OperationLocation::Foreign(url.host_str().unwrap_or_default().to_owned()),
        Err(_) => OperationLocation::Foreign(String::new()),
    }
}

/// True for the project's own origin, and the hosts of Azure Machine Learning, which run the operations and accept the
/// same token.
pub(super) fn is_trusted_host(endpoint: &ProjectEndpoint, url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let azureml = host == "api.azureml.ms" || host.ends_with(".api.azureml.ms");
    let of_azureml = azureml && url.port_or_known_default() == Some(443);
    check_secure(url).is_ok() && (endpoint.same_origin(url) || of_azureml)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn end_states_are_a_closed_list() {
        let failed = |status: &str| {
            OperationState::Failed(OperationFailure { status: status.into(), ..OperationFailure::default() })
        };
        let done = |word: &str| Some(OperationState::Done(Some(word.into())));
        let running = |word: &str| Some(OperationState::Running(word.into()));
        for (body, state) in [
            (json!({"status": "Succeeded"}), done("Succeeded")),
            (json!({"status": "COMPLETED"}), done("COMPLETED")),
            (json!({"provisioningState": "succeeded"}), done("succeeded")),
            (json!({"properties": {"state": "Succeeded"}}), done("Succeeded")),
            (json!({"state": "Canceled"}), Some(failed("Canceled"))),
            (json!({"status": "cancelled"}), Some(failed("cancelled"))),
            (json!({"status": "NotStarted"}), running("NotStarted")),
            (json!({"status": "AlmostSucceeded"}), running("AlmostSucceeded")),
            (json!({"name": "m", "properties": {"provisioningState": "Creating"}}), running("Creating")),
            (json!({"name": "m", "blobUri": "u"}), None),
            (json!({"status": {"odd": 1}}), running("Unknown")),
            (json!({"name": "m", "provisioningState": ""}), running("Unknown")),
            (json!({"status": "", "provisioningState": "Succeeded"}), done("Succeeded")),
            (json!({"name": "m", "provisioningState": null}), None),
            (json!(null), None),
            (json!([]), None),
        ] {
            assert_eq!(of_body(&body), state, "{body}");
        }
    }

    #[test]
    fn a_failure_keeps_code_message_and_details() {
        let error =
            json!({"code": "UploadIncomplete", "message": "2 files", "details": [{"code": "X", "message": "y"}]});
        for body in
            [json!({"status": "Failed", "error": error}), json!({"properties": {"state": "Failed", "error": error}})]
        {
            let Some(OperationState::Failed(failure)) = of_body(&body) else { panic!("{body}") };
            assert_eq!(failure.to_string(), "2 files (UploadIncomplete)");
            assert_eq!(failure.details, [ErrorDetail { code: Some("X".into()), message: "y".into() }]);
        }
    }

    #[test]
    fn a_success_without_a_state_depends_on_its_status() {
        for (status, body, state) in [
            (202, "", OperationState::Running("InProgress".into())),
            (202, r#"{"location":"x"}"#, OperationState::Running("InProgress".into())),
            (200, "", OperationState::Done(None)),
            (200, r#"{"name":"m"}"#, OperationState::Done(None)),
            (202, r#"{"status":"Succeeded"}"#, OperationState::Done(Some("Succeeded".into()))),
        ] {
            let response = Response { status, body: body.into(), ..Response::default() };
            assert_eq!(of_response(&response), state, "{status} {body}");
        }
    }

    #[test]
    fn the_token_is_sent_only_to_the_project_and_to_azure_machine_learning() {
        let text = "https://a.services.ai.azure.com/api/projects/p";
        let endpoint = ProjectEndpoint::parse(text, None).expect("endpoint");
        let asked = Url::parse(&format!("{text}/models/m/versions/1/createAsync?api-version=v1")).expect("url");
        let trusted = |url: &str| OperationLocation::Trusted(Url::parse(url).expect("url"));
        let foreign = |host: &str| OperationLocation::Foreign(host.into());
        for (location, place) in [
            ("", OperationLocation::Nowhere),
            ("operations/1", trusted(&format!("{text}/models/m/versions/1/operations/1"))),
            ("/x?api-version=v1", trusted("https://a.services.ai.azure.com/x?api-version=v1")),
            ("https://eastus.api.azureml.ms/x", trusted("https://eastus.api.azureml.ms/x")),
            ("https://api.azureml.ms:443/x", trusted("https://api.azureml.ms/x")),
            ("http://api.azureml.ms/x", foreign("api.azureml.ms")),
            ("https://api.azureml.ms:8443/x", foreign("api.azureml.ms")),
            ("https://evilapi.azureml.ms/x", foreign("evilapi.azureml.ms")),
            ("https://api.azureml.ms.evil.example/x", foreign("api.azureml.ms.evil.example")),
            ("https://b.services.ai.azure.com/x", foreign("b.services.ai.azure.com")),
            ("//evil.example/x", foreign("evil.example")),
            ("https://u:p@a.services.ai.azure.com/x", foreign("a.services.ai.azure.com")),
            ("https://[bad", foreign("")),
        ] {
            let response = Response { location: Some(location.into()), ..Response::default() };
            assert_eq!(operation_location(&endpoint, &asked, &response), place, "{location}");
        }
        let in_body = Response { body: br#"{"location":"/b"}"#.to_vec(), ..Response::default() };
        assert_eq!(operation_location(&endpoint, &asked, &in_body), trusted("https://a.services.ai.azure.com/b"));
        let both = Response { operation_location: Some("/h".into()), ..in_body };
        assert_eq!(operation_location(&endpoint, &asked, &both), trusted("https://a.services.ai.azure.com/h"));
    }
}
