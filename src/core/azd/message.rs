//! Errors that the `azd` program writes to stderr under `-o json`. Pure.

use serde_json::{Deserializer, Value};

use crate::redact::clean;

/// Failure with the message of azd, sanitized.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AzdMessage {
    /// Error message.
    pub message: String,
    /// Suggestion of azd, links included.
    pub suggestion: Option<String>,
}

impl AzdMessage {
    /// Parses both of azd's error formats; other text is used unchanged.
    #[must_use]
    pub fn read(stderr: &str, stdout: &str) -> Self {
        read(stderr, stdout)
    }
}

fn read(stderr: &str, stdout: &str) -> AzdMessage {
    let mut messages: Vec<String> = Vec::new();
    let mut suggestion = None;
    for value in objects(stderr) {
        // Console messages have the text in `data`; errors with a suggestion have it at the top level.
        let message = text(&value["data"], "message").or_else(|| text(&value, "message"));
        if let Some(message) = message.or_else(|| text(&value, "error")) {
            messages.push(message);
        }
        suggestion = with_links(text(&value, "suggestion"), &value["links"]).or(suggestion);
    }
    if messages.is_empty() {
        let raw = if stderr.trim().is_empty() { stdout } else { stderr };
        messages.push(raw.to_owned());
    }
    let message = clean(&one_line(&messages.join(" ")));
    AzdMessage { message, suggestion: suggestion.map(|text| clean(&one_line(&text))) }
}

/// All JSON objects in a text, on one or more lines; skips the text between them.
fn objects(text: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let mut stream = Deserializer::from_str(&rest[start..]).into_iter::<Value>();
        let end = match stream.next() {
            Some(Ok(value)) => {
                found.push(value);
                stream.byte_offset()
            }
            Some(Err(_)) | None => 1,
        };
        rest = &rest[start + end..];
    }
    found
}

fn text(value: &Value, key: &str) -> Option<String> {
    value[key].as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

fn with_links(suggestion: Option<String>, links: &Value) -> Option<String> {
    let links: Vec<&str> = links.as_array().into_iter().flatten().filter_map(|link| link["url"].as_str()).collect();
    if links.is_empty() {
        return suggestion;
    }
    Some(format!("{} {}", suggestion.unwrap_or_default(), links.join(" ")))
}

/// Message on one line, without azd's own `ERROR:` prefix.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.strip_prefix("ERROR: ").unwrap_or(&line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_of_azd_are_parsed() {
        for (stderr, message, suggestion) in [
            (
                r#"{"type":"consoleMessage","timestamp":"t","data":{"message":"\nERROR: not logged in, run `azd auth login` to login\n"}}"#,
                "not logged in, run `azd auth login` to login",
                None,
            ),
            (
                r#"{"error":"e","message":"fetching token: expired","suggestion":"Run azd auth login --tenant-id T.","links":[]}"#,
                "fetching token: expired",
                Some("Run azd auth login --tenant-id T."),
            ),
            (
                "{\n  \"error\": \"only this\",\n  \"suggestion\": \"Do it.\",\n  \"links\": [{\"url\": \"https://aka.ms/x\", \"title\": \"X\"}]\n}",
                "only this",
                Some("Do it. https://aka.ms/x"),
            ),
            (
                "{\"data\":{\"message\":\"ERROR: first\"}}\nnoise {not json}\n{\"data\":{\"message\":\"second\"}}\n",
                "first second",
                None,
            ),
            ("plain words, Bearer CANARY", "plain words, Bearer ***", None),
        ] {
            let parsed = read(stderr, "");
            assert_eq!((parsed.message.as_str(), parsed.suggestion.as_deref()), (message, suggestion), "{stderr}");
        }
    }

    #[test]
    fn an_error_on_standard_output_is_parsed_if_there_is_no_other() {
        assert_eq!(read(" \n", "\nERROR: unknown flag").message, "unknown flag");
    }

    #[test]
    fn a_suggestion_survives_without_links() {
        let parsed = read(r#"{"message":"m","suggestion":"s"}"#, "");
        assert_eq!(parsed.suggestion.as_deref(), Some("s"));
    }
}
