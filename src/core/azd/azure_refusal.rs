//! Parser for the page that azd forwards if Azure rejects one of its requests: the error text of the Azure SDK for Go.
//! Pure.
//!
//! ```text
//! listing subscriptions: GET https://management.azure.com/subscriptions
//! --------------------------------------------------------------------------------
//! RESPONSE 403: 403 Forbidden
//! ERROR CODE: AuthorizationFailed
//! --------------------------------------------------------------------------------
//! {
//!   "error": { "code": "AuthorizationFailed", "message": "..." }
//! }
//! --------------------------------------------------------------------------------
//! ```

use std::fmt;

use url::Url;

use super::proto::ServiceErrorDetail;
use crate::redact::clean;

/// Request of azd that Azure rejected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AzureRefusal {
    /// Purpose of the request, such as `listing the resource groups`; empty if unknown.
    pub purpose: String,
    /// HTTP status.
    pub status: u16,
    /// Stable code of the service.
    pub code: Option<String>,
    /// Host that responded; empty if azd does not report it.
    pub host: String,
    /// ARM id that the request was about, such as `/subscriptions/S/resourceGroups/G`; empty if unknown.
    pub scope: String,
    /// Body of the response; empty if there was none.
    pub body: String,
    /// Complete message of azd, sanitized.
    pub page: String,
}

impl fmt::Display for AzureRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
        write!(f, "Azure refused with {}{code}", self.status)
    }
}

impl AzureRefusal {
    /// Parses a page; `None` for any other text.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines().map(str::trim_end);
        let mut request = "";
        let status = loop {
            let line = lines.next()?;
            match line.trim_start().strip_prefix("RESPONSE ").and_then(status_of) {
                Some(status) => break status,
                None if is_ruler(line) || line.is_empty() => {}
                None => request = line,
            }
        };
        let code = lines.next().and_then(|line| line.strip_prefix("ERROR CODE: "));
        let mut lines = lines.skip_while(|line| !is_ruler(line)).skip(1);
        let body: Vec<&str> = lines.by_ref().take_while(|line| !is_ruler(line)).collect();
        let body = body.join("\n");
        let url = request.split_whitespace().rev().find_map(|word| Url::parse(word).ok()).filter(Url::has_host);
        Some(Self {
            purpose: String::new(),
            status,
            code: code.map(|code| clean(code.trim())).filter(|code| !code.is_empty()),
            host: url.as_ref().and_then(Url::host_str).unwrap_or_default().to_owned(),
            scope: url.as_ref().map(|url| scope_of(url.path())).unwrap_or_default(),
            body: if body.trim() == "Response contained no body" { String::new() } else { body },
            page: clean(text),
        })
    }

    /// Rejection that azd reports only by status and code; its message replaces the body.
    pub(super) fn of_detail(detail: ServiceErrorDetail, message: &str) -> Option<Self> {
        let status = u16::try_from(detail.status_code).ok().filter(|status| (400..600).contains(status))?;
        let code = Some(clean(&detail.error_code)).filter(|code| !code.is_empty());
        let (body, page) = (message.to_owned(), clean(message));
        Some(Self { status, code, host: clean(&detail.service_name), body, page, ..Self::default() })
    }
}

/// Parses the status in `403: 403 Forbidden`.
fn status_of(text: &str) -> Option<u16> {
    text.split(':').next()?.trim().parse().ok().filter(|status| (100..600).contains(status))
}

fn is_ruler(line: &str) -> bool {
    line.len() >= 20 && line.bytes().all(|byte| byte == b'-')
}

/// Subscription or resource group in a path.
fn scope_of(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [s, id, g, group, ..]
            if s.eq_ignore_ascii_case("subscriptions") && g.eq_ignore_ascii_case("resourceGroups") =>
        {
            clean(&format!("/subscriptions/{id}/resourceGroups/{group}"))
        }
        [s, id, ..] if s.eq_ignore_ascii_case("subscriptions") => clean(&format!("/subscriptions/{id}")),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULER: &str = "--------------------------------------------------------------------------------";

    fn page(request: &str, status: &str, code: &str, body: &str) -> String {
        format!("{request}\n{RULER}\nRESPONSE {status}\n{code}\n{RULER}\n{body}\n{RULER}\n")
    }

    #[test]
    fn a_page_is_parsed() {
        let body = "{\n  \"error\": {\n    \"code\": \"AuthorizationFailed\",\n    \"message\": \"no\"\n  }\n}";
        let text = page(
            "listing: GET https://management.azure.com/subscriptions/s-1/resourcegroups/rg-ml/resources",
            "403: 403 Forbidden",
            "ERROR CODE: AuthorizationFailed",
            body,
        );
        let refusal = AzureRefusal::read(&text).expect("a page");
        assert_eq!((refusal.status, refusal.code.as_deref()), (403, Some("AuthorizationFailed")));
        assert_eq!(refusal.host, "management.azure.com");
        assert_eq!(refusal.scope, "/subscriptions/s-1/resourceGroups/rg-ml");
        assert_eq!((refusal.body.as_str(), refusal.page.trim_end()), (body, text.trim_end()));
    }

    #[test]
    fn missing_parts_stay_empty() {
        for (text, status, code, body) in [
            (
                page("GET https://h/subscriptions", "404: 404 Not Found", "ERROR CODE UNAVAILABLE", "no JSON"),
                404,
                None,
                "no JSON",
            ),
            (
                page("Request information not available", "500: 500", "ERROR CODE: X", "Response contained no body"),
                500,
                Some("X"),
                "",
            ),
            (format!("GET https://h/\n{RULER}\nRESPONSE 429: 429 Too Many Requests"), 429, None, ""),
        ] {
            let refusal = AzureRefusal::read(&text).expect("a page");
            assert_eq!(
                (refusal.status, refusal.code.as_deref(), refusal.body.as_str()),
                (status, code, body),
                "{text}"
            );
            assert_eq!(refusal.scope, "", "{text}");
        }
    }

    #[test]
    fn other_texts_are_not_parsed_as_a_page() {
        for text in ["", "prompt required", "RESPONSE of azd: none", &format!("{RULER}\nRESPONSE 4x3\n")] {
            assert_eq!(AzureRefusal::read(text), None, "{text:?}");
        }
    }

    #[test]
    fn page_survives_mutation() {
        let seed = page("GET https://h/subscriptions/s", "403: 403 Forbidden", "ERROR CODE: X", "{}");
        crate::fuzz::fuzz("azure-page", &[seed.as_bytes()], |input| {
            let text = String::from_utf8_lossy(input);
            if let Some(refusal) = AzureRefusal::read(&text) {
                assert!((100..600).contains(&refusal.status) && refusal.body.len() <= text.len());
            }
        });
    }
}
