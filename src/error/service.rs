//! Error messages for error responses of the service, and for missing responses.

use azure_ai_models_core::foundry::{DeleteError, ListError, OperationFailure, RegisterError, UpdateError};
use azure_ai_models_core::http::{ErrorDetail, HttpError, NetworkFault, ResponseFlaw, ServiceError};
use azure_ai_models_core::model::{ModelName, ModelVersion};
use azure_ai_models_core::units;

use super::table::{RefusalRow, is_any_conflict, row_of, row_of_code};
use super::{CliError, ErrorCode, ErrorKind};

impl From<HttpError> for CliError {
    fn from(error: HttpError) -> Self {
        let suggestion = Suggestion::of(&error);
        failed_request(error).suggest(suggestion)
    }
}

/// Suggestion for a failure, and links to documentation.
struct Suggestion {
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

/// Suggestion when the service refuses to create a version for a reason other than the version.
const RESOLVE: &str = "Fix the problem named in the message, then run the same command again.";

impl Suggestion {
    /// Suggestion for a request that makes a version.
    fn of_creation(error: &HttpError) -> Self {
        match error.service() {
            Some(error) if is_any_conflict(error) => Self { text: RESOLVE.to_owned(), links: &[] },
            _ => Self::of(error),
        }
    }
}

impl CliError {
    /// A conflict that keeps a version from being made, and is not about the version.
    pub(super) fn refused_creation(error: HttpError) -> Self {
        let suggestion = Suggestion::of_creation(&error);
        failed_request(error).suggest(suggestion)
    }

    fn suggest(self, Suggestion { text, links }: Suggestion) -> Self {
        links.iter().fold(self.with_suggestion(text), |error, (title, url)| error.with_link(title, url))
    }
}

/// A failed request without a suggestion.
fn failed_request(error: HttpError) -> CliError {
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

/// Refusal of a service with this message, without a suggestion.
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

/// A model, or one version of it, that a request was about.
pub(crate) struct MissingModel<'a> {
    pub(crate) name: &'a ModelName,
    pub(crate) version: Option<&'a ModelVersion>,
    /// Command that shows what there is.
    pub(crate) list: &'a str,
}

impl MissingModel<'_> {
    pub(super) fn message(&self) -> String {
        let Self { name, version, .. } = self;
        match version {
            Some(version) => format!("model '{name}' has no version {version} in this project"),
            None => format!("model '{name}' not found in this project"),
        }
    }

    pub(super) fn suggestion(&self) -> String {
        format!("To see what exists: {}", self.list)
    }
}

impl CliError {
    /// Error for a failed request about this model: a 404 means that the model does not exist, any other failure has
    /// its usual message.
    pub(crate) fn about_model(error: HttpError, model: &MissingModel<'_>) -> Self {
        match error {
            HttpError::Service(error) if error.is_model_not_found() => {
                refused(*error, ErrorKind::NotFound, model.message()).with_suggestion(model.suggestion())
            }
            error => error.into(),
        }
    }
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

/// Suggestion where an intermediary answers for a blob store.
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

impl From<ListError> for CliError {
    fn from(error: ListError) -> Self {
        let message = error.to_string();
        match error {
            ListError::Http(error) => error.into(),
            ListError::LeavesProject { .. } | ListError::UserInformation | ListError::Circle | ListError::Endless => {
                Self::new(ErrorKind::Service, message)
                    .with_code(ErrorCode::BadAnswer)
                    .with_suggestion("Nothing was listed because the list is incomplete. Try again later.")
            }
        }
    }
}

impl From<DeleteError> for CliError {
    fn from(error: DeleteError) -> Self {
        let message = error.to_string();
        match error {
            DeleteError::Refused(error) => error.into(),
            DeleteError::Failed(failure) => {
                // One refusal has one exit code, whether the request or the operation reports it.
                let kind = failure.code.as_deref().and_then(row_of_code).map_or(ErrorKind::Failure, |row| row.kind);
                failed_operation(Self::new(kind, message), ErrorCode::DeletionFailed, failure)
            }
            DeleteError::StillThere => Self::new(ErrorKind::Service, message)
                .with_code(ErrorCode::DeletionFailed)
                .with_suggestion("Check again later. If it still exists, delete it again."),
            DeleteError::Unwatchable(error) => Self::from(error).with_headline(&message),
            DeleteError::TimedOut => Self::new(ErrorKind::Service, message)
                .with_code(ErrorCode::DeletionTimeout)
                .with_suggestion("The deletion was accepted. Check again later."),
        }
    }
}

impl From<UpdateError> for CliError {
    fn from(error: UpdateError) -> Self {
        let message = error.to_string();
        match error {
            UpdateError::Http(error) => error.into(),
            UpdateError::NotShown => Self::new(ErrorKind::Service, message)
                .with_code(ErrorCode::NotProved)
                .with_suggestion("Check the model later. If it has not changed, run the same command again."),
        }
    }
}

/// An operation that failed: the service's code, otherwise `code`, all details, and the suggestion for the code.
fn failed_operation(mut error: CliError, code: ErrorCode, failure: OperationFailure) -> CliError {
    for ErrorDetail { message, .. } in failure.details.iter().filter(|detail| !detail.message.is_empty()) {
        error = error.and_message(message);
    }
    let suggestion = failure.code.as_deref().and_then(row_of_code).map(|row| row.suggestion);
    let error = error.with_code(failure.code.map_or(code, ErrorCode::Service));
    match suggestion {
        Some(suggestion) => error.with_suggestion(suggestion),
        None => error,
    }
}

/// Suggestions for a registration whose end is not known.
pub(crate) struct RegistrationSuggestions<'a> {
    /// The service may still be at work.
    pub(crate) timed_out: &'a str,
    /// The service does not know of the registration any longer.
    pub(crate) lost: Option<&'a str>,
}

/// Suggestion when the registration may still succeed.
const STILL_RUNNING: &str = "The service may still be working. Check in a few minutes whether the model exists.";
const CONFLICT: &str = "If the version exists then, use another --version.";

impl From<RegisterError> for CliError {
    fn from(error: RegisterError) -> Self {
        Self::registration(error, &RegistrationSuggestions { timed_out: STILL_RUNNING, lost: None })
    }
}

impl CliError {
    /// A registration that failed, or whose end is not known.
    pub(crate) fn registration(error: RegisterError, suggestions: &RegistrationSuggestions<'_>) -> Self {
        let message = error.to_string();
        let failed = |code| Self::new(ErrorKind::RegistrationFailed, message.clone()).with_code(code);
        match error {
            RegisterError::Refused(error) | RegisterError::Unwatchable(error) => {
                let suggestion = Suggestion::of_creation(&error);
                failed_registration(error, &message).suggest(suggestion)
            }
            RegisterError::NoWay { first, second } => {
                // Both reasons are reported; the suggestion is for the route that exists.
                let suggestion = Suggestion::of_creation(&second);
                let second = failed_request(second);
                failed_registration(first, &message)
                    .and_message(&format!("The fallback request (PUT) failed too: {}", second.message()))
                    .suggest(suggestion)
            }
            RegisterError::Failed(failure) => {
                let error = Self::new(ErrorKind::RegistrationFailed, message);
                failed_operation(error, ErrorCode::RegistrationFailed, failure)
            }
            RegisterError::TimedOut { last_fault: Some(fault), .. } => {
                failed_registration(fault, &format!("{message}\nThe last status request failed"))
                    .with_code(ErrorCode::RegistrationTimeout)
                    .with_suggestion(suggestions.timed_out)
            }
            RegisterError::TimedOut { .. } => {
                failed(ErrorCode::RegistrationTimeout).with_suggestion(suggestions.timed_out)
            }
            RegisterError::Absent { .. } => {
                let error = failed(ErrorCode::RegistrationLost);
                suggestions.lost.into_iter().fold(error, Self::with_suggestion)
            }
            RegisterError::NotProved => failed(ErrorCode::NotProved).with_suggestion(STILL_RUNNING),
            RegisterError::Taken { difference } => {
                failed(ErrorCode::VersionTaken).and_message(&difference).with_suggestion(CONFLICT)
            }
        }
    }

    /// True if the table has a suggestion of its own for a code of the service.
    pub(crate) fn has_suggestion(code: &str) -> bool {
        row_of_code(code).is_some()
    }

    /// The user ended `create` during the registration; `show` is the command that shows the model, `again` the one that
    /// registers it without another upload.
    pub(crate) fn registration_interrupted(show: &str, again: &str) -> Self {
        let message = "Interrupted after the upload. Foundry may still register the model.";
        Self::new(ErrorKind::Interrupted, message)
            .with_code(ErrorCode::RegistrationInterrupted)
            .with_suggestion(format!("To check whether it exists:\n  {show}"))
            .with_kept(again)
    }

    /// The version that `create` makes exists; `next` is the next free one, if it is known.
    pub(crate) fn version_exists(
        conflict: VersionConflict,
        name: &ModelName,
        version: &ModelVersion,
        next: Option<&ModelVersion>,
    ) -> Self {
        let mut message = format!("Model '{name}' already exists. Use --overwrite to replace.");
        let suggestion = match next {
            Some(next) => format!("Use the next free version: --version {next}"),
            None => format!("Use a version other than {version}: --version VERSION"),
        };
        let (kind, answer) = match conflict {
            VersionConflict::Upload(HttpError::Service(error)) => (row_of(&error).kind, Some(error)),
            VersionConflict::Upload(_) => (ErrorKind::Conflict, None),
            VersionConflict::Registration(
                RegisterError::Refused(HttpError::Service(error))
                | RegisterError::NoWay { first: HttpError::Service(error), .. },
            ) => (ErrorKind::RegistrationFailed, Some(error)),
            VersionConflict::Registration(RegisterError::Taken { difference }) => {
                message = format!("{message}\n{difference}");
                (ErrorKind::RegistrationFailed, None)
            }
            VersionConflict::Registration(_) => (ErrorKind::RegistrationFailed, None),
        };
        let error = match answer {
            Some(answer) => refused(*answer, kind, message),
            None => Self::new(kind, message).with_code(ErrorCode::VersionTaken),
        };
        error.with_suggestion(suggestion)
    }
}

/// How `create` learned that its version exists.
pub(crate) enum VersionConflict {
    /// The service gives no upload location for it.
    Upload(HttpError),
    /// The service does not register it.
    Registration(RegisterError),
}

/// A failed request of a registration, without a suggestion.
fn failed_registration(error: HttpError, headline: &str) -> CliError {
    let error = failed_request(error).with_headline(headline);
    CliError { kind: ErrorKind::RegistrationFailed, ..error }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use azure_ai_models_core::http::Intermediary;

    use super::*;

    fn row(out: &mut String, error: impl Into<CliError>) {
        let error = error.into();
        let page = error.page();
        let (kind, code, suggestion) = (page.kind, page.code, page.suggestion.expect("a suggestion"));
        writeln!(out, "{kind} {code}: {}\n    > {suggestion}", page.message).expect("a string");
    }

    #[test]
    fn every_way_to_have_no_answer_has_its_own_words() {
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

    /// The service reports a failed registration by its code, without a status.
    #[test]
    fn a_failed_operation_has_the_suggestion_of_its_code_and_all_details() {
        let failure = OperationFailure {
            status: "Failed".into(),
            code: Some("UploadIncomplete".into()),
            message: "2 files are missing".into(),
            details: vec![ErrorDetail { code: None, message: "model-00002-of-00003.safetensors".into() }],
        };
        let mut rows = String::new();
        row(&mut rows, RegisterError::Failed(failure));
        insta::assert_snapshot!(rows, @"
        registration_failed UploadIncomplete: the registration failed: 2 files are missing (UploadIncomplete)
        model-00002-of-00003.safetensors
            > Check the folder with 'custom check', then create the model again.
        ");
        let unknown =
            OperationFailure { status: "Failed".into(), code: Some("New".into()), ..OperationFailure::default() };
        assert_eq!(CliError::from(DeleteError::Failed(unknown)).page().code, "New");
    }
}
