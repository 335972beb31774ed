//! Error of a service: its body in all the shapes that Foundry, ARM and storage use.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;

use crate::redact::clean;

/// Longest text of an unknown body that is repeated.
const MAX_LENGTH: usize = 300;
/// Text reported instead of an HTML page.
const HTML: &str = "an HTML page";
/// Maximum number of kept details.
const MAX_DETAILS: usize = 20;
/// Maximum number of examined details, duplicates included.
const MAX_EXAMINED_DETAILS: usize = 1000;

/// Error response of a service. Texts are cleaned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceError {
    /// Host that answered.
    pub host: String,
    /// HTTP status.
    pub status: u16,
    /// Stable code of the service.
    pub code: Option<String>,
    /// Message, or a description of the body; empty when there is none.
    pub message: String,
    /// Details and inner errors.
    pub details: Vec<ErrorDetail>,
    /// `x-ms-request-id`, otherwise the id that the request carried.
    pub request_id: Option<String>,
    /// `x-ms-correlation-request-id`, where it differs.
    pub correlation_id: Option<String>,
    /// The answer's `Date`.
    pub date: Option<String>,
    /// How long to wait, in real time.
    pub retry_after: Option<Duration>,
    /// How long the service's rate limit lasts, by its `RateLimit` header, in real time.
    pub rate_limit: Option<Duration>,
    /// Status that a store got from the source of a copy.
    pub copy_source_status: Option<u16>,
    /// The tenant that `WWW-Authenticate` asks a token of.
    pub tenant: Option<String>,
}

/// Further detail of an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorDetail {
    /// Stable code.
    pub code: Option<String>,
    /// Sentence.
    pub message: String,
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.code, self.message.as_str()) {
            (Some(code), "") => write!(f, "{} ({code})", status_line(self.status)),
            (Some(code), message) => write!(f, "{message} ({code})"),
            (None, "") => f.write_str(&status_line(self.status)),
            (None, message) => write!(f, "{}: {message}", status_line(self.status)),
        }
    }
}

impl std::error::Error for ServiceError {}

impl ServiceError {
    /// True if the service's code is one of these, case-insensitively.
    #[must_use]
    pub fn has_code(&self, codes: &[&str]) -> bool {
        self.code.as_deref().is_some_and(|code| codes.iter().any(|one| one.eq_ignore_ascii_case(code)))
    }

    /// True if one of these codes is the service's code or that of one of its details: ARM wraps errors of providers.
    #[must_use]
    pub fn has_code_anywhere(&self, codes: &[&str]) -> bool {
        let details = self.details.iter().filter_map(|detail| detail.code.as_deref());
        self.has_code(codes) || details.into_iter().any(|code| codes.iter().any(|one| one.eq_ignore_ascii_case(code)))
    }

    /// True if the message contains one of these, in any case.
    #[must_use]
    pub fn mentions(&self, words: &[&str]) -> bool {
        let message = self.message.to_lowercase();
        words.iter().any(|word| message.contains(word))
    }

    /// True if the body is an HTML page instead of an error: from a gateway or a portal, not the service.
    #[must_use]
    pub fn is_html(&self) -> bool {
        self.code.is_none() && self.message == HTML
    }

    /// True for a 404 about a model; any other 404 means that the service has no such route.
    #[must_use]
    pub fn is_model_not_found(&self) -> bool {
        self.status == 404 && self.has_code(&["ModelNotFound", "ModelVersionNotFound", "NotFound", "ResourceNotFound"])
    }

    /// True for a 409 whose code means that the version exists; other conflicts have other causes.
    #[must_use]
    pub fn is_version_conflict(&self) -> bool {
        const CODES: [&str; 6] = [
            "ModelVersionConflict",
            "ModelVersionExists",
            "ModelVersionAlreadyExists",
            "VersionAlreadyExists",
            "ModelAlreadyExists",
            "AlreadyExists",
        ];
        self.status == 409 && self.has_code(&CODES)
    }

    /// Takes code, message and details from a body.
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
            // Storage answers in XML.
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

/// Reads an `error` object, also one in the answer of an operation: the error, and its details and inner errors.
#[must_use]
pub(crate) fn read_error(error: &Value) -> (ErrorDetail, Vec<ErrorDetail>) {
    let mut details = Vec::new();
    collect(error, &mut details, &mut MAX_EXAMINED_DETAILS.clone());
    (detail(error), details)
}

/// `429 Too Many Requests`.
pub(super) fn status_line(status: u16) -> String {
    match StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()) {
        Some(reason) => format!("{status} {reason}"),
        None => status.to_string(),
    }
}

pub(super) fn looks_like_html(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(15).collect::<String>().to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html") || start.starts_with("<head")
}

/// The tenant in `Bearer authorization_uri="https://login.microsoftonline.com/TENANT"` and its relatives.
pub(super) fn tenant_of(www_authenticate: &str) -> Option<String> {
    let at = www_authenticate.find("https://login.")?;
    let address = www_authenticate[at..].split(['"', ' ', ',', '\'']).next()?;
    let tenant = address.split('/').nth(3)?;
    let ok = !tenant.is_empty() && tenant.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
    (ok && tenant != "common").then(|| tenant.to_owned())
}

/// Azure Policies that a refusal names.
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
    // Some services send a blank after the code.
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
    // Cleaned before it is cut: half a secret is not recognised.
    let line = clean(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    match line.char_indices().nth(MAX_LENGTH) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> ServiceError {
        let mut error = ServiceError { status, ..ServiceError::default() };
        error.read_body(body.as_bytes());
        error
    }

    #[test]
    fn every_shape_of_an_error_reads_as_one_sentence() {
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
    fn of_many_details_the_first_are_kept() {
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
    fn a_long_unknown_body_is_cut() {
        assert_eq!(read(500, &"ä".repeat(1000)).message.chars().count(), MAX_LENGTH + 3);
    }

    #[test]
    fn the_tenant_is_read_from_the_challenge() {
        for (header, tenant) in [
            (r#"Bearer authorization_uri="https://login.windows.net/11-22", error="x""#, Some("11-22")),
            (
                r#"Bearer authorization="https://login.microsoftonline.com/t.example/oauth2/authorize""#,
                Some("t.example"),
            ),
            (r#"Bearer authorization_uri="https://login.microsoftonline.com/common""#, None),
            ("Bearer", None),
            ("Bearer x=\"https://login.", None),
        ] {
            assert_eq!(tenant_of(header).as_deref(), tenant, "{header}");
        }
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
