//! Rendering of a failure: a page for users, one line of JSON for scripts.

use serde_json::json;

use super::style::Style;
use azure_ai_models_core::display::{printable, printable_json, printable_lines};

/// Data of a failure.
#[derive(Clone, Debug)]
pub(crate) struct ErrorPage<'a> {
    /// Name of its kind.
    pub(crate) kind: &'a str,
    /// True if the user ended the command with Ctrl+C or a signal.
    pub(crate) is_interrupt: bool,
    /// Code that scripts can rely on.
    pub(crate) code: &'a str,
    /// Error message.
    pub(crate) message: &'a str,
    /// HTTP status of the service.
    pub(crate) status: Option<u16>,
    /// Request id, for the service's support.
    pub(crate) request_id: Option<&'a str>,
    /// Time of the service's response.
    pub(crate) time: Option<&'a str>,
    /// Suggestion for the user.
    pub(crate) suggestion: Option<&'a str>,
    /// Links for further reading: title and address.
    pub(crate) links: &'a [(String, String)],
}

impl ErrorPage<'_> {
    /// Page for users: message, suggestion, links, request id.
    pub(super) fn text(&self, style: Style) -> String {
        let mut text = format!("{} {}", style.red("ERROR:"), printable_lines(self.message));
        if let Some(suggestion) = self.suggestion {
            text = format!(
                "{text}\n\n{} {suggestion}",
                style.blue("Suggestion:"),
                suggestion = printable_lines(suggestion)
            );
        }
        if !self.links.is_empty() {
            text.push('\n');
        }
        for (title, url) in self.links {
            text = format!("{text}\n  • {}: {}", printable(title), printable(url));
        }
        if let Some(id) = self.request_id {
            let time = self.time.map(|time| format!(", {time}")).unwrap_or_default();
            text = format!("{text}\n\n{}", style.grey(&printable_lines(&format!("Request id: {id}{time}"))));
        }
        text
    }

    /// Page for a coding agent: the error, and the whole suggestion on one line.
    pub(super) fn hint_text(&self) -> String {
        let mut text = format!("ERROR: {}", printable_lines(self.message));
        let links = self.links.iter().map(|(title, url)| format!("{title}: {url}"));
        let hints: Vec<String> =
            self.suggestion.into_iter().flat_map(str::lines).map(str::to_owned).chain(links).collect();
        let hints: Vec<String> =
            hints.iter().map(|hint| printable(hint.trim())).filter(|hint| !hint.is_empty()).collect();
        if !hints.is_empty() {
            text = format!("{text}\nhint: {}", hints.join(" "));
        }
        if let Some(id) = self.request_id {
            text = format!("{text}\nrequest id: {}", printable(id));
        }
        text
    }

    /// The error object: exactly six keys.
    pub(super) fn object(&self) -> serde_json::Value {
        let links: Vec<String> = self.links.iter().map(|(title, url)| format!("{title}: {url}")).collect();
        let parts: Vec<&str> = self.suggestion.into_iter().chain(links.iter().map(String::as_str)).collect();
        json!({
            "kind": self.kind,
            "code": self.code,
            "message": self.message,
            "status": self.status,
            "requestId": self.request_id,
            "suggestion": if parts.is_empty() { None } else { Some(parts.join("\n")) },
        })
    }

    /// Last line of standard error with `-o json`: `{"error":{...}}`.
    pub(super) fn json(&self) -> String {
        printable_json(json!({ "error": self.object() }).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINKS: &[(String, String)] = &[];

    #[test]
    fn a_page_has_error_and_suggestion() {
        let links = [("Roles".to_owned(), "https://x".to_owned())];
        let page = ErrorPage {
            kind: "auth",
            is_interrupt: false,
            code: "Forbidden",
            message: "no permission",
            status: Some(403),
            request_id: Some("id"),
            time: Some("now"),
            suggestion: Some("Ask for a role."),
            links: &links,
        };
        assert_eq!(
            page.text(Style::new(false)),
            "ERROR: no permission\n\nSuggestion: Ask for a role.\n\n  • Roles: https://x\n\nRequest id: id, now"
        );
        assert_eq!(page.hint_text(), "ERROR: no permission\nhint: Ask for a role. Roles: https://x\nrequest id: id");
        assert_eq!(
            page.json(),
            r#"{"error":{"kind":"auth","code":"Forbidden","message":"no permission","status":403,"requestId":"id","suggestion":"Ask for a role.\nRoles: https://x"}}"#
        );
    }

    #[test]
    fn unknown_fields_are_null_in_json_and_absent_on_the_page() {
        let page = ErrorPage {
            kind: "usage",
            is_interrupt: false,
            code: "usage",
            message: "bad",
            status: None,
            request_id: None,
            time: None,
            suggestion: None,
            links: LINKS,
        };
        assert_eq!(page.text(Style::new(false)), "ERROR: bad");
        assert_eq!(page.hint_text(), "ERROR: bad");
        assert_eq!(
            page.json(),
            r#"{"error":{"kind":"usage","code":"usage","message":"bad","status":null,"requestId":null,"suggestion":null}}"#
        );
    }
}
