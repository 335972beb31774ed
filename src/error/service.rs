//! What the service's answers, and the lack of them, mean for the person.

use crate::foundry::{DeleteError, ListError, RegisterError};
use crate::http::{Fault, HttpError, ServiceError};
use crate::units;

use super::{CliError, ErrorKind};

impl From<HttpError> for CliError {
    fn from(error: HttpError) -> Self {
        let message = error.to_string();
        match error {
            HttpError::SignIn(error) => error.into(),
            HttpError::Service(error) => service(*error),
            HttpError::Network { fault, .. } => {
                Self::new(ErrorKind::Service, message).with_code("network").with_suggestion(network_suggestion(fault))
            }
            HttpError::BadAnswer { .. } => Self::new(ErrorKind::Service, message)
                .with_code("bad_answer")
                .with_suggestion("Check the project endpoint; if it is right, try again later."),
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
        Fault::Timeout | Fault::Unreachable | Fault::Reset | Fault::Other => "Check the network and try again.",
    }
}

/// What the service's statuses mean for the person.
fn service(error: ServiceError) -> CliError {
    let mut message = error.to_string();
    for detail in error.details.iter().filter(|detail| !detail.message.is_empty()) {
        message = format!("{message}\n{}", detail.message);
    }
    let of = |kind, what: &str| CliError::new(kind, format!("{what}: {message}"));
    let translated = match error.status {
        401 => of(ErrorKind::Auth, "Foundry does not accept the sign-in").with_suggestion(sign_in(error.tenant.as_deref())),
        403 => of(ErrorKind::Auth, "no permission")
            .with_suggestion("Ask for the role Azure AI User (or Azure AI Developer) on the Foundry project; a role on the subscription alone is not enough.")
            .with_link("Roles", "https://learn.microsoft.com/azure/ai-foundry/concepts/rbac-azure-ai-foundry"),
        404 if error.speaks_of_a_model() => of(ErrorKind::NotFound, "not found")
            .with_suggestion("Check the project endpoint, and the name and version of the model."),
        404 => of(ErrorKind::NotFound, "not found").with_suggestion(
            "Check the project endpoint, which ends with /api/projects/PROJECT, and that this project exists.",
        ),
        409 if error.has_code(&["ModelInUse"]) => CliError::new(ErrorKind::Conflict, message)
            .with_suggestion("Delete the deployments that use the model first."),
        409 | 412 => CliError::new(ErrorKind::Conflict, message)
            .with_suggestion("Look at the model as it is now; somebody else may have changed it."),
        408 | 429 | 503 if error.status != 503 || error.retry_after.is_some() => {
            let wait = error.retry_after.map(|wait| format!(" in {}", units::duration(wait))).unwrap_or_default();
            of(ErrorKind::Service, "Foundry is too busy").with_suggestion(format!("Try again{wait}."))
        }
        500..=599 => of(ErrorKind::Service, &failed(&error))
            .with_suggestion("Try again later; if it stays, give the request id to the support of the service."),
        _ => of(ErrorKind::Failure, "Foundry returned"),
    };
    translated
        .with_answer(error.status, error.request_id, error.date)
        .with_code(error.code.unwrap_or_else(|| format!("http_{}", error.status)))
}

/// Without a code the service's sentence begins with the status already.
fn failed(error: &ServiceError) -> String {
    if error.code.is_some() { format!("Foundry failed ({})", error.status) } else { "Foundry failed".into() }
}

/// The service sometimes names the tenant whose tokens it takes.
fn sign_in(tenant: Option<&str>) -> String {
    match tenant {
        Some(tenant) => format!("Sign in again with 'azd auth login --tenant-id {tenant}', and set AZURE_TENANT_ID to that tenant."),
        None => "Sign in again with 'azd auth login'; a guest account also needs AZURE_TENANT_ID, the tenant of the project.".into(),
    }
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
                Self::failure(message).with_code(failure.code.unwrap_or_else(|| "deletion_failed".into()))
            }
            DeleteError::Unwatchable(error) => Self::from(error).headed(&message),
            DeleteError::TimedOut => Self::new(ErrorKind::Service, message)
                .with_code("deletion_timeout")
                .with_suggestion("The deletion was accepted; look again later."),
        }
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
            RegisterError::Failed(failure) => failed(failure.code.as_deref().unwrap_or("registration_failed")),
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
            RegisterError::NotProved => failed("not_proved").with_suggestion(LOOK_FIRST),
            RegisterError::Taken { .. } => failed("version_taken"),
        };
        if conflict { told.with_suggestion("If the version exists by now, use another --version.") } else { told }
    }
}
