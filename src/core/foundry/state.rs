//! What an answer says about the state of an operation or of a model, and where an operation may be asked for. Pure.

use std::fmt;

use serde_json::Value;
use url::Url;

use crate::http::{ErrorDetail, Response, read_error};
use crate::model::{Progress, check_secure, state_error, state_word};
use crate::project::ProjectEndpoint;

/// The state of an operation. The end states are a closed list; any other word means that it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationState {
    /// It goes on; the service's word.
    Running(String),
    /// It succeeded; the service's word, if it had one.
    Done(Option<String>),
    /// It failed or was cancelled.
    Failed(Failure),
}

/// Why an operation failed, in the service's words, cleaned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// The end state: `Failed`, `Canceled`.
    pub status: String,
    /// The service's stable word.
    pub code: Option<String>,
    /// Its sentence; empty when it gives none.
    pub message: String,
    /// Details and inner errors.
    pub details: Vec<ErrorDetail>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.code, self.message.as_str()) {
            (Some(code), "") => write!(f, "{} ({code})", self.status),
            (Some(code), message) => write!(f, "{message} ({code})"),
            (None, "") => f.write_str(&self.status),
            (None, message) => f.write_str(message),
        }
    }
}

/// The state that a body tells: a wrapper `{status, error}` or the model itself. `None` when it has no word for it.
pub(super) fn of_body(body: &Value) -> Option<OperationState> {
    let word = state_word(body)?;
    Some(match Progress::of(word) {
        Progress::Done => OperationState::Done(Some(word.to_owned())),
        Progress::Failed => OperationState::Failed(failure(body, word)),
        Progress::Running if word.is_empty() => OperationState::Running("Unknown".to_owned()),
        Progress::Running => OperationState::Running(word.to_owned()),
    })
}

/// The state that a successful answer tells. A 200 without any word has ended: whether well, the proof will show.
pub(super) fn of_response(response: &Response) -> OperationState {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    of_body(&body).unwrap_or_else(|| match response.status {
        202 => OperationState::Running("InProgress".into()),
        _ => OperationState::Done(None),
    })
}

fn failure(body: &Value, status: &str) -> Failure {
    let (ErrorDetail { code, message }, details) = read_error(state_error(body));
    Failure { status: status.to_owned(), code, message, details }
}

/// Where an answer says that its operation can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It says nothing.
    Nowhere,
    /// A place that may get the project's token.
    Trusted(Url),
    /// A place that may not.
    Foreign(String),
}

/// Reads the headers in the order in which services use them, then the body; relative addresses are relative to the
/// request.
pub(super) fn operation_place(endpoint: &ProjectEndpoint, asked: &Url, response: &Response) -> Place {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let headers = [&response.location, &response.operation_location, &response.azure_async_operation];
    let named = headers.into_iter().find_map(|header| header.as_deref().filter(|text| !text.is_empty()));
    let Some(text) = named.or_else(|| body["location"].as_str().filter(|text| !text.is_empty())) else {
        return Place::Nowhere;
    };
    match asked.join(text) {
        Ok(url) if trusted(endpoint, &url) => Place::Trusted(url),
        Ok(url) => Place::Foreign(url.host_str().unwrap_or_default().to_owned()),
        Err(_) => Place::Foreign(String::new()),
    }
}

/// The project's own origin, and the hosts of Azure Machine Learning, which run the operations and take the same token.
pub(super) fn trusted(endpoint: &ProjectEndpoint, url: &Url) -> bool {
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
        let failed = |status: &str| OperationState::Failed(Failure { status: status.into(), ..Failure::default() });
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
    fn a_success_without_a_word_depends_on_its_status() {
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
    fn the_token_goes_to_the_project_and_to_azure_machine_learning_alone() {
        let text = "https://a.services.ai.azure.com/api/projects/p";
        let endpoint = ProjectEndpoint::parse(text, None).expect("endpoint");
        let asked = Url::parse(&format!("{text}/models/m/versions/1/createAsync?api-version=v1")).expect("url");
        let trusted = |url: &str| Place::Trusted(Url::parse(url).expect("url"));
        let foreign = |host: &str| Place::Foreign(host.into());
        for (location, place) in [
            ("", Place::Nowhere),
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
            assert_eq!(operation_place(&endpoint, &asked, &response), place, "{location}");
        }
        let in_body = Response { body: br#"{"location":"/b"}"#.to_vec(), ..Response::default() };
        assert_eq!(operation_place(&endpoint, &asked, &in_body), trusted("https://a.services.ai.azure.com/b"));
        let both = Response { operation_location: Some("/h".into()), ..in_body };
        assert_eq!(operation_place(&endpoint, &asked, &both), trusted("https://a.services.ai.azure.com/h"));
    }
}
