//! What the service's answers, and the lack of them, mean for the person.

use azure_ai_models_core::foundry::{DeleteError, Failure, ListError, RegisterError};
use azure_ai_models_core::http::{ErrorDetail, Fault, Flaw, HttpError, ServiceError};
use azure_ai_models_core::units;

use super::table::{row_of, way_out_of};
use super::{CliError, Culprit, ErrorKind};

impl From<HttpError> for CliError {
    fn from(error: HttpError) -> Self {
        let message = error.to_string();
        match error {
            HttpError::SignIn(error) => error.into(),
            HttpError::Service(error) => service(*error),
            HttpError::Network { fault, .. } => {
                Self::new(ErrorKind::Service, message).with_code("network").with_suggestion(network_suggestion(fault))
            }
            HttpError::BadAnswer { status, what, request_id, .. } => {
                let told = Self::new(ErrorKind::Service, message).with_code("bad_answer");
                told.with_suggestion(flaw_suggestion(&what)).with_answer(status, request_id, None)
            }
            HttpError::Redirect { .. } => Self::new(ErrorKind::Service, message)
                .with_code("redirect")
                .with_suggestion("Name the project by its own endpoint; a token is not sent to another address."),
            HttpError::Setup { .. } => Self::failure(message).with_code("https_setup").with_suggestion(
                "Check the system's certificates, and SSL_CERT_FILE and SSL_CERT_DIR, which stand in for them.",
            ),
        }
    }
}

fn network_suggestion(fault: Fault) -> &'static str {
    match fault {
        Fault::Dns => "Check the host name in the project endpoint, and the network.",
        Fault::Refused => "Check that the service runs at that address, and the network.",
        Fault::Tls => "If a company proxy opens TLS, name its certificate with SSL_CERT_FILE.",
        Fault::Proxy { status: Some(407) } => {
            "Write the proxy's user name and password into HTTPS_PROXY, as USER:PASSWORD@ before its host."
        }
        Fault::Proxy { .. } => {
            "Ask whoever runs the proxy of HTTPS_PROXY to let this host through, or name the host in NO_PROXY."
        }
        Fault::ProxyDown => "Check the proxy in HTTPS_PROXY; hosts that need none are named in NO_PROXY.",
        Fault::Timeout => "Check the network; a proxy or firewall may swallow the connection. Then try again.",
        Fault::Unreachable => "Check that this machine has a network, or a VPN where the project needs one.",
        Fault::Reset => "Check the network and try again.",
        Fault::Other => "Try again; with --debug every request is traced.",
    }
}

fn flaw_suggestion(flaw: &Flaw) -> &'static str {
    match flaw {
        Flaw::Html => {
            "Somebody between here and Foundry answered. Check the host name in the project endpoint, HTTPS_PROXY, and whether this network wants a sign-in in a browser."
        }
        Flaw::Empty | Flaw::NotJson => "Check the project endpoint; if it is right, try again later.",
        Flaw::Shape(_) => {
            "Check AZURE_AI_MODELS_API_VERSION, if it is set; else this version of the program may be too old for the service."
        }
        Flaw::TooBig => "Check the project endpoint: Foundry sends no such answer.",
    }
}

/// What a refusal means for the person.
fn service(error: ServiceError) -> CliError {
    let row = row_of(&error);
    let mut message = error.to_string();
    for detail in error.details.iter().filter(|detail| !detail.message.is_empty()) {
        message = format!("{message}\n{}", detail.message);
    }
    if !row.headline.is_empty() {
        // Without a code the service's words begin with the status already.
        let status = if error.code.is_some() { format!(" ({})", error.status) } else { String::new() };
        message = format!("{}: {message}", row.headline.replace("{status}", &status));
    }
    let wait = error.retry_after.map(units::duration).unwrap_or_default();
    let way_out = row.way_out.replace("{wait}", &wait).replace("{tenant}", error.tenant.as_deref().unwrap_or_default());
    let mut told = CliError::new(row.kind, message).with_suggestion(way_out);
    for (title, url) in row.links {
        told = told.with_link(title, url);
    }
    let mut told = told
        .with_answer(error.status, error.request_id, error.date)
        .with_code(error.code.unwrap_or_else(|| format!("http_{}", error.status)));
    told.told.culprit = Culprit::Service(error.host);
    told
}

impl From<ListError> for CliError {
    fn from(error: ListError) -> Self {
        let message = error.to_string();
        match error {
            ListError::Http(error) => error.into(),
            ListError::LeavesProject { .. } | ListError::Circle => Self::new(ErrorKind::Service, message)
                .with_code("bad_answer")
                .with_suggestion("Nothing was listed, since the list would not be whole. Try again later."),
        }
    }
}

impl From<DeleteError> for CliError {
    fn from(error: DeleteError) -> Self {
        let message = error.to_string();
        match error {
            DeleteError::Refused(error) => error.into(),
            DeleteError::Failed(failure) => {
                failed_operation(Self::failure(message).with_code("deletion_failed"), failure)
            }
            DeleteError::Unwatchable(error) => Self::from(error).headed(&message),
            DeleteError::TimedOut => Self::new(ErrorKind::Service, message)
                .with_code("deletion_timeout")
                .with_suggestion("The deletion was accepted; look again later."),
        }
    }
}

/// An operation that ended badly: the service's code, all that it says, and what to do about it.
fn failed_operation(mut told: CliError, failure: Failure) -> CliError {
    for ErrorDetail { message, .. } in failure.details.iter().filter(|detail| !detail.message.is_empty()) {
        told = told.with_more(message);
    }
    let Some(code) = failure.code else { return told };
    match way_out_of(&code) {
        Some(way_out) => told.with_suggestion(way_out).with_code(code),
        None => told.with_code(code),
    }
}

/// Where the registration may still come to its end.
const LOOK_FIRST: &str = "The service may still be at work: look whether the model is there in some minutes.";

impl From<RegisterError> for CliError {
    fn from(error: RegisterError) -> Self {
        let message = error.to_string();
        let conflict = error.is_conflict();
        let failed = |code: &str| Self::new(ErrorKind::RegistrationFailed, message.clone()).with_code(code);
        let told = match error {
            RegisterError::Refused(error) | RegisterError::Unwatchable(error) => {
                Self::from(error).headed(&message).with_kind(ErrorKind::RegistrationFailed)
            }
            RegisterError::NoWay { first, second } => {
                let (mut first, second) = (Self::from(first), Self::from(second));
                // The reason is told of both, the way out of the way that exists.
                let way_out = second.suggestion().unwrap_or_default().to_owned();
                let both =
                    format!("{message}: {}\nThe older way (PUT) failed as well: {}", first.message(), second.message());
                first.told.links = second.told.links;
                first.with_message(both).with_kind(ErrorKind::RegistrationFailed).with_suggestion(way_out)
            }
            RegisterError::Failed(failure) => failed_operation(
                Self::new(ErrorKind::RegistrationFailed, message.clone()).with_code("registration_failed"),
                failure,
            ),
            RegisterError::TimedOut { last_fault: Some(fault), .. } => {
                let fault = Self::from(fault);
                let both = format!("{message}\nThe last look at it failed: {}", fault.message());
                fault
                    .with_message(both)
                    .with_kind(ErrorKind::RegistrationFailed)
                    .with_code("registration_timeout")
                    .with_suggestion(LOOK_FIRST)
            }
            RegisterError::TimedOut { .. } => failed("registration_timeout").with_suggestion(LOOK_FIRST),
            RegisterError::Absent { .. } => failed("registration_lost"),
            RegisterError::NotProved => failed("not_proved").with_suggestion(LOOK_FIRST),
            RegisterError::Taken => failed("version_taken"),
        };
        if conflict { told.with_suggestion("If the version exists by now, use another --version.") } else { told }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn row(out: &mut String, error: impl Into<CliError>) {
        let error = error.into();
        let page = error.page();
        let (kind, code, suggestion) = (page.kind, page.code, page.suggestion.expect("a way out"));
        writeln!(out, "{kind} {code}: {}\n    > {suggestion}", page.message).expect("a string");
    }

    #[test]
    fn every_way_to_have_no_answer_has_its_own_words() {
        let mut told = String::new();
        let proxy = |status| Fault::Proxy { status };
        for fault in [
            Fault::Dns,
            Fault::Refused,
            Fault::Tls,
            proxy(Some(407)),
            proxy(None),
            Fault::ProxyDown,
            Fault::Timeout,
            Fault::Unreachable,
            Fault::Reset,
            Fault::Other,
        ] {
            let words = "words below".to_owned();
            row(&mut told, HttpError::Network { host: "h:443".into(), fault, connecting: true, words });
        }
        for what in [Flaw::Html, Flaw::Empty, Flaw::NotJson, Flaw::Shape("missing field `name`".into()), Flaw::TooBig] {
            row(&mut told, HttpError::BadAnswer { host: "h:443".into(), status: 200, what, request_id: None });
        }
        insta::assert_snapshot!(told);
    }

    /// The service tells of a failed registration by its code, with no status.
    #[test]
    fn a_failed_operation_has_the_way_out_of_its_code_and_all_details() {
        let failure = Failure {
            status: "Failed".into(),
            code: Some("UploadIncomplete".into()),
            message: "2 files are missing".into(),
            details: vec![ErrorDetail { code: None, message: "model-00002-of-00003.safetensors".into() }],
        };
        let mut told = String::new();
        row(&mut told, RegisterError::Failed(failure));
        insta::assert_snapshot!(told, @"
        registration_failed UploadIncomplete: the registration failed: 2 files are missing (UploadIncomplete)
        model-00002-of-00003.safetensors
            > Check the folder with 'custom check', then create the model again.
        ");
        let unknown = Failure { status: "Failed".into(), code: Some("New".into()), ..Failure::default() };
        assert_eq!(CliError::from(DeleteError::Failed(unknown)).page().code, "New");
    }
}
