//! Body of an error response, in all the formats that Foundry, ARM and storage use.

use serde_json::Value;

use super::{ErrorDetail, ServiceError};
use crate::redact::clean;

/// Maximum length of text quoted from an unknown body.
const MAX_LENGTH: usize = 300;
/// Text reported instead of an HTML page.
pub(super) const HTML: &str = "an HTML page";
/// Maximum number of kept details.
const MAX_DETAILS: usize = 20;
/// Maximum number of examined details, duplicates included.
const MAX_EXAMINED_DETAILS: usize = 1000;

impl ServiceError {
    /// Reads code, message and details from a body.
    pub fn read_body(&mut self, body: &[u8]) {
        let text = String::from_utf8_lossy(body);
        let text = text.trim();
        if let Ok(value) = serde_json::from_str::<Value>(text) {
            let error = if value["error"].is_null() { &value } else { &value["error"] };
            let (ErrorDetail { code, message }, details) = read_error(error);
            self.code = code.or(self.code.take());
            self.message = message;
            self.details = details;
            self.details.extend(policies(error));
            if !self.message.is_empty() || self.code.is_some() {
                return;
            }
        } else if let Some(code) = between(text, "<Code>", "</Code>") {
            // Storage responds with XML.
            self.code = Some(clean(code));
            let message = between(text, "<Message>", "</Message>").unwrap_or_default();
            self.message = clean(message.lines().next().unwrap_or_default());
            let header = between(text, "<HeaderName>", "</HeaderName>").map(|name| clean(name).to_lowercase());
            self.details.extend(header.map(|message| ErrorDetail { code: None, message }));
            let of_source = between(text, "<CopySourceStatusCode>", "</CopySourceStatusCode>");
            self.copy_source_status = self.copy_source_status.or_else(|| of_source?.trim().parse().ok());
            return;
        }
        self.message = if looks_like_html(text) { HTML.into() } else { short(text) };
    }
}

/// Reads an `error` object, also from the response of an operation: the error, and its details and inner errors.
#[must_use]
pub(crate) fn read_error(error: &Value) -> (ErrorDetail, Vec<ErrorDetail>) {
    let mut details = Vec::new();
    collect(error, &mut details, &mut MAX_EXAMINED_DETAILS.clone());
    (detail(error), details)
}

/// True for the beginning of an HTML page.
pub(in crate::http) fn looks_like_html(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(15).collect::<String>().to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html") || start.starts_with("<head")
}

/// Azure Policies named in a rejection.
fn policies(error: &Value) -> impl Iterator<Item = ErrorDetail> {
    const NAMES: [&str; 3] = ["policyAssignmentDisplayName", "policyDefinitionDisplayName", "policyAssignmentName"];
    let listed = error["additionalInfo"].as_array().into_iter().flatten().take(MAX_DETAILS);
    listed.filter_map(|one| {
        let name = NAMES.iter().find_map(|name| as_text(&one["info"][name]))?;
        Some(ErrorDetail { code: None, message: format!("Azure Policy: {}", clean(&name)) })
    })
}

fn detail(value: &Value) -> ErrorDetail {
    let code = ["code", "type"].into_iter().find_map(|key| as_text(&value[key]));
    let message = value.as_str().map(str::to_owned).or_else(|| as_text(&value["message"])).unwrap_or_default();
    // Some services send a space after the code.
    ErrorDetail { code: code.map(|code| clean(code.trim())), message: clean(message.trim()) }
}

fn collect(error: &Value, into: &mut Vec<ErrorDetail>, looks: &mut usize) {
    let listed = error["details"].as_array().into_iter().flatten();
    let inner = ["innererror", "innerError"].into_iter().map(|key| &error[key]);
    for value in listed.chain(inner) {
        if *looks == 0 || into.len() >= MAX_DETAILS {
            return;
        }
        *looks -= 1;
        let found = detail(value);
        if found != ErrorDetail::default() && !into.contains(&found) {
            into.push(found);
        }
        // Inner errors nest; the depth of parsed JSON is bounded.
        if value.is_object() {
            collect(value, into, looks);
        }
    }
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inner, _)| inner)
}

fn short(text: &str) -> String {
    // Sanitized before it is truncated: half a secret is not recognized.
    let line = clean(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    match line.char_indices().nth(MAX_LENGTH) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn read(status: u16, body: &str) -> ServiceError {
        let mut error = ServiceError { status, ..ServiceError::default() };
        error.read_body(body.as_bytes());
        error
    }

    #[test]
    fn every_error_format_becomes_one_sentence() {
        for (status, body, text) in [
            (
                404,
                r#"{"error":{"code":"ModelNotFound","message":" No such model. "}}"#,
                "No such model. (ModelNotFound)",
            ),
            (
                400,
                r#"{"error":{"type":"invalid_request_error","message":"m","param":null}}"#,
                "m (invalid_request_error)",
            ),
            (400, r#"{"error":"just words"}"#, "400 Bad Request: just words"),
            (400, r#"{"code":7,"message":"m"}"#, "m (7)"),
            (429, "", "429 Too Many Requests"),
            (502, "<!DOCTYPE html><html>CANARY</html>", "502 Bad Gateway: an HTML page"),
            (500, " upstream  broke\nBearer CANARY ", "500 Internal Server Error: upstream broke Bearer ***"),
            (500, r#"{"odd":1}"#, r#"500 Internal Server Error: {"odd":1}"#),
            (
                403,
                "<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code><Message>No.\nRequestId:1</Message></Error>",
                "No. (AuthenticationFailed)",
            ),
            (599, "", "599"),
        ] {
            assert_eq!(read(status, body).to_string(), text, "{body}");
        }
    }

    #[test]
    fn details_and_inner_errors_are_kept_once_each() {
        let error = read(
            400,
            r#"{"error":{"code":"A","message":"a","details":[{"code":"B","message":"b"},{"message":"see https://h/p?sig=CANARY"}],
                "innererror":{"code":"C","innererror":{"code":"B","message":"b"}}}}"#,
        );
        let details: Vec<_> = error.details.iter().map(|d| (d.code.as_deref(), d.message.as_str())).collect();
        assert_eq!(details, [(Some("B"), "b"), (None, "see https://h/p?***"), (Some("C"), "")]);
    }

    #[test]
    fn only_the_first_of_many_details_are_kept() {
        for same in [false, true] {
            let details: Vec<Value> = (0..300_000)
                .map(|n| serde_json::json!({"code": "C", "message": if same { 0 } else { n }.to_string()}))
                .collect();
            let body = serde_json::json!({"error": {"code": "A", "message": "a", "details": details}}).to_string();
            let began = std::time::Instant::now();
            let error = read(400, &body);
            assert_eq!(error.details.len(), if same { 1 } else { MAX_DETAILS });
            assert_eq!(error.details[0].message, "0");
            // Comparing each with all others would take minutes.
            assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        }
    }

    #[test]
    fn a_long_unknown_body_is_truncated() {
        assert_eq!(read(500, &"ä".repeat(1000)).message.chars().count(), MAX_LENGTH + 3);
    }

    #[test]
    fn error_survives_mutation() {
        let seeds: [&[u8]; 3] = [
            br#"{"error":{"code":"C","message":"m","details":[{"code":"D","message":"n","innererror":{"code":"E"}}]}}"#,
            b"<?xml version=\"1.0\"?><Error><Code>ServerBusy</Code><Message>busy\nRequestId:1</Message></Error>",
            b"<!DOCTYPE html><html><title>Sign in</title></html>",
        ];
        crate::fuzz::fuzz("service-error", &seeds, |input| {
            let mut error = ServiceError { status: 400, ..ServiceError::default() };
            error.read_body(input);
            assert!(error.details.len() <= 20, "{}", error.details.len());
        });
    }
}
