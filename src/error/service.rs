//! Error messages for error responses of the service, and for missing responses.

use azure_ai_models_core::http::{HttpError, NetworkFault, ResponseFlaw, ServiceError};
use azure_ai_models_core::units;

use super::table::{RefusalRow, is_any_conflict, row_of};
use super::{CliError, ErrorCode, ErrorKind};

impl From<HttpError> for CliError {
    fn from(error: HttpError) -> Self {
        let suggestion = Suggestion::of(&error);
        failed_request(error).suggest(suggestion)
    }
}

/// Suggestion for a failure, and links to documentation.
pub(super) struct Suggestion {
    text: String,
    links: &'static [(&'static str, &'static str)],
}

impl Suggestion {
    /// Suggestion for a failed request.
    fn of(error: &HttpError) -> Self {
        let text = match error {
            HttpError::SignIn(error) => error.suggestion(),
            HttpError::Service(error) => {
                let RefusalRow { suggestion, links, .. } = row_of(error);
                let wait = error.retry_after.map(units::duration).unwrap_or_default();
                let text = suggestion.replace("{wait}", &wait);
                let text = text.replace("{tenant}", error.tenant.as_deref().unwrap_or_default());
                return Self { text, links };
            }
            HttpError::Network { fault, .. } => network_suggestion(*fault).to_owned(),
            HttpError::BadAnswer { what, .. } => flaw_suggestion(what).to_owned(),
            HttpError::Redirect { .. } => {
                "Use the project's own endpoint. Tokens are not sent to other addresses.".to_owned()
            }
            HttpError::Setup { .. } => {
                "Check the system certificates, or SSL_CERT_FILE and SSL_CERT_DIR if they are set.".to_owned()
            }
        };
        Self { text, links: &[] }
    }
}

/// Suggestion if the service refuses to create a version for a reason other than the version.
const RESOLVE: &str = "Fix the problem named in the message, then run the same command again.";

impl Suggestion {
    /// Suggestion for a request that creates a version.
    pub(super) fn of_creation(error: &HttpError) -> Self {
        match error.service() {
            Some(error) if is_any_conflict(error) => Self { text: RESOLVE.to_owned(), links: &[] },
            _ => Self::of(error),
        }
    }
}

impl CliError {
    /// Error for a conflict that prevents the creation of a version, and is not about the version.
    pub(super) fn refused_creation(error: HttpError) -> Self {
        let suggestion = Suggestion::of_creation(&error);
        failed_request(error).suggest(suggestion)
    }

    /// Sets suggestion and links.
    pub(super) fn suggest(self, Suggestion { text, links }: Suggestion) -> Self {
        links.iter().fold(self.with_suggestion(text), |error, (title, url)| error.with_link(title, url))
    }
}

/// Error for a failed request, without a suggestion.
pub(super) fn failed_request(error: HttpError) -> CliError {
    let message = error.to_string();
    match error {
        HttpError::SignIn(error) => {
            let (kind, code) = super::from::class_of(&error);
            CliError::new(kind, error.to_string()).with_code(code)
        }
        HttpError::Service(error) => {
            let row = row_of(&error);
            let message = refusal_message(&error, row);
            refused(*error, row.kind, message)
        }
        HttpError::Network { .. } => CliError::new(ErrorKind::Service, message).with_code(ErrorCode::Network),
        HttpError::BadAnswer { status, request_id, .. } => CliError::new(ErrorKind::Service, message)
            .with_code(ErrorCode::BadAnswer)
            .with_answer(status, request_id, None),
        HttpError::Redirect { .. } => CliError::new(ErrorKind::Service, message).with_code(ErrorCode::Redirect),
        HttpError::Setup { .. } => CliError::failure(message).with_code(ErrorCode::HttpsSetup),
    }
}

/// Error for a rejection by a service with this message, without a suggestion.
pub(super) fn refused(error: ServiceError, kind: ErrorKind, message: impl Into<String>) -> CliError {
    CliError::new(kind, message)
        .with_answer(error.status, error.request_id, error.date)
        .with_code(ErrorCode::of_answer(error.code, error.status))
        .of_service(error.host)
}

/// Message of the service under the headline of its row.
fn refusal_message(error: &ServiceError, row: &RefusalRow) -> String {
    let mut message = error.to_string();
    for detail in error.details.iter().filter(|detail| !detail.message.is_empty()) {
        message = format!("{message}\n{}", detail.message);
    }
    if row.headline.is_empty() {
        return message;
    }
    // Without a code the message already begins with the status.
    let status = if error.code.is_some() { format!(" ({})", error.status) } else { String::new() };
    format!("{}: {message}", row.headline.replace("{status}", &status))
}

fn network_suggestion(fault: NetworkFault) -> &'static str {
    match fault {
        NetworkFault::Dns => "Check the host name in the project endpoint, and the network.",
        NetworkFault::Refused => "Check that the service is running at that address, and check the network.",
        NetworkFault::Tls | NetworkFault::Untrusted => {
            "If a company proxy inspects TLS, set SSL_CERT_FILE to its certificate."
        }
        NetworkFault::Proxy { status: Some(407) } => {
            "Add the proxy's user name and password to HTTPS_PROXY, as USER:PASSWORD@ before the host."
        }
        NetworkFault::Proxy { .. } => {
            "Ask the administrator of the proxy in HTTPS_PROXY to allow this host, or add the host to NO_PROXY."
        }
        NetworkFault::ProxyDown => "Check the proxy in HTTPS_PROXY. To bypass it for a host, add the host to NO_PROXY.",
        NetworkFault::Timeout => "Check the network; a proxy or firewall may block the connection. Then try again.",
        NetworkFault::Unreachable => {
            "Check that this machine is connected to the network, and to a VPN if the project requires one."
        }
        NetworkFault::Reset => "Check the network and try again.",
        NetworkFault::Other => "Try again. Use --debug to trace the requests.",
    }
}

/// Suggestion if an intermediary responds in place of a blob store.
pub(super) const INTERMEDIARY: &str = "The response came from a proxy or gateway, or from a network that requires a sign-in in a browser. Sign in there, or check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.";

fn flaw_suggestion(flaw: &ResponseFlaw) -> &'static str {
    match flaw {
        ResponseFlaw::Html => {
            "The response came from a proxy or gateway, not from Foundry. Check the host name in the project endpoint, HTTPS_PROXY, and whether this network requires a sign-in in a browser."
        }
        ResponseFlaw::Empty | ResponseFlaw::NotJson => "Check the project endpoint. If it is correct, try again later.",
        ResponseFlaw::Shape(_) => {
            "Check AZURE_AI_MODELS_API_VERSION if it is set. Otherwise, update this extension: it may be too old for the service."
        }
        ResponseFlaw::Intermediary(_) => INTERMEDIARY,
        ResponseFlaw::TooBig => "Check the project endpoint: Foundry does not send such a response.",
    }
}

#[cfg(test)]
mod tests {
    use azure_ai_models_core::http::Intermediary;

    use super::super::row::row;
    use super::*;

    #[test]
    fn every_kind_of_missing_response_has_its_own_message() {
        let mut rows = String::new();
        let proxy = |status| NetworkFault::Proxy { status };
        for fault in [
            NetworkFault::Dns,
            NetworkFault::Refused,
            NetworkFault::Tls,
            NetworkFault::Untrusted,
            proxy(Some(407)),
            proxy(None),
            NetworkFault::ProxyDown,
            NetworkFault::Timeout,
            NetworkFault::Unreachable,
            NetworkFault::Reset,
            NetworkFault::Other,
        ] {
            let message = "words below".to_owned();
            row(&mut rows, HttpError::Network { host: "h:443".into(), fault, connecting: true, message });
        }
        let intermediary = Intermediary {
            line: "Sign in".to_owned(),
            content_type: "text/html".to_owned(),
            server: "Via: 1.1 gateway".to_owned(),
        };
        let flaws = [
            ResponseFlaw::Html,
            ResponseFlaw::Empty,
            ResponseFlaw::NotJson,
            ResponseFlaw::Shape("missing field `name`".into()),
            ResponseFlaw::TooBig,
            ResponseFlaw::Intermediary(Box::new(intermediary)),
        ];
        for what in flaws {
            row(&mut rows, HttpError::BadAnswer { host: "h:443".into(), status: 200, what, request_id: None });
        }
        insta::assert_snapshot!(rows);
    }
}
