//! Every translation from a module's error to what a person is told. One place, so that one look tells them all.

use std::io;
use std::path::Path;

use crate::azcopy::{Failure, InstallError, LocateError, RunError, VerifyError};
use crate::cli::UsageError;
use crate::console::WriteError;
use crate::credential::CredentialError;
use crate::env::var;
use crate::foundry::{DeleteError, ListError, RegisterError};
use crate::http::{Fault, HttpError, ServiceError};
use crate::model::{Finding, SourceError};
use crate::project::FindError;
use crate::units;
use crate::upload::{self, CheckError, DirectoryError, PlanError, UploadError};

use super::{CliError, ErrorKind};

/// Heads every upload that broke (the customer's words).
const BROKEN_UPLOAD: &str = "Upload interrupted. Run the same command to resume.";

impl From<UsageError> for CliError {
    fn from(error: UsageError) -> Self {
        Self::usage(error.message).with_suggestion(error.suggestion)
    }
}

impl From<WriteError> for CliError {
    fn from(error: WriteError) -> Self {
        Self::failure(error.to_string()).with_code("write_failed")
    }
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        Self::failure(format!("the system does not let the program start: {error}"))
    }
}

impl From<FindError> for CliError {
    fn from(error: FindError) -> Self {
        let suggestion = error.suggestion();
        let (code, message) = match &error {
            FindError::NotConfigured => ("project_not_configured", error.to_string()),
            FindError::Invalid { error: why, .. } => ("bad_endpoint", format!("{error}: {why}")),
        };
        Self::usage(message).with_code(code).with_suggestion(suggestion)
    }
}

impl From<SourceError> for CliError {
    fn from(error: SourceError) -> Self {
        Self::usage(error.to_string()).with_code("bad_source").with_suggestion(error.suggestion())
    }
}

impl From<CredentialError> for CliError {
    fn from(error: CredentialError) -> Self {
        let (kind, code) =
            if error.is_usage() { (ErrorKind::Usage, "bad_credential") } else { (ErrorKind::Auth, "not_signed_in") };
        Self::new(kind, error.to_string()).with_code(code).with_suggestion(error.suggestion())
    }
}

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
            HttpError::Setup { .. } => Self::failure(message)
                .with_code("https_setup")
                .with_suggestion("Check the system's certificates, and HTTPS_PROXY and SSL_CERT_FILE."),
        }
    }
}

fn network_suggestion(fault: Fault) -> &'static str {
    match fault {
        Fault::Dns => "Check the host name in the project endpoint, and the network.",
        Fault::Refused => "Check that the service runs at that address, and the network.",
        Fault::Tls => "If a company proxy opens TLS, name its certificate with SSL_CERT_FILE.",
        Fault::Proxy { .. } => "Check HTTPS_PROXY and the proxy's user name and password.",
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

impl From<PlanError> for CliError {
    fn from(error: PlanError) -> Self {
        let message = error.to_string();
        if let Some(finding) = upload::of_walk(&error) {
            return Self::new(ErrorKind::CheckFailed, message)
                .with_code(finding.code.as_str())
                .with_suggestion(finding.remedy);
        }
        match error {
            PlanError::Unreadable { path, why } => Self::unreadable(&path, &why),
            PlanError::NothingToSelect(_) => Self::usage(message)
                .with_code("nothing_to_select")
                .with_suggestion("Leave --include and --exclude away, or give the directory."),
            _ => {
                Self::new(ErrorKind::NotFound, message).with_code("source_not_found").with_suggestion("Check the path.")
            }
        }
    }
}

impl From<CheckError> for CliError {
    fn from(error: CheckError) -> Self {
        Self::unreadable(&error.path, &error.why)
    }
}

impl From<DirectoryError> for CliError {
    fn from(error: DirectoryError) -> Self {
        let message = error.to_string();
        match error {
            DirectoryError::InUse { .. } => Self::new(ErrorKind::Conflict, message)
                .with_code("upload_running")
                .with_suggestion("Wait for the other process, or use another --version."),
            DirectoryError::Io { .. } => Self::failure(message)
                .with_code("no_upload_directory")
                .with_suggestion("Make room, or allow writing there, or name another directory with AZD_CONFIG_DIR."),
        }
    }
}

impl From<LocateError> for CliError {
    fn from(error: LocateError) -> Self {
        let kind = match &error {
            LocateError::NoSuchFile { .. } | LocateError::IsDirectory { .. } => ErrorKind::NotFound,
            LocateError::NotExecutable { .. } | LocateError::NotFound { .. } => ErrorKind::Failure,
        };
        Self::new(kind, error.to_string()).with_code("azcopy_not_found").with_suggestion(error.suggestion())
    }
}

impl From<VerifyError> for CliError {
    fn from(error: VerifyError) -> Self {
        let why = std::error::Error::source(&error).map(|why| format!(": {why}")).unwrap_or_default();
        Self::failure(format!("{error}{why}")).with_code("azcopy_unusable").with_suggestion(format!(
            "Install AzCopy v10 from {}, or name another one with --azcopy-path.",
            crate::azcopy::download_url()
        ))
    }
}

impl From<InstallError> for CliError {
    fn from(error: InstallError) -> Self {
        let message = error.to_string();
        let by_hand =
            format!("Install AzCopy v10 from {}, or name it with --azcopy-path.", crate::azcopy::download_url());
        let lost = |code: &str| {
            Self::new(ErrorKind::Service, format!("Could not download AzCopy. Check network and try again.\n{message}"))
                .with_code(code)
                .with_suggestion(format!(
                    "{by_hand}\nA company mirror can be named with {} and {}.",
                    var::AZCOPY_URL,
                    var::AZCOPY_SHA256
                ))
        };
        let refused = |code: &str| {
            Self::failure(format!("The downloaded AzCopy is refused: {message}"))
                .with_code(code)
                .with_suggestion(by_hand.clone())
        };
        match error {
            InstallError::Variable { .. } | InstallError::NoChecksum => Self::usage(message).with_code("bad_variable"),
            InstallError::NoHome => Self::failure(message)
                .with_code("no_home")
                .with_suggestion("Set HOME, or AZD_CONFIG_DIR to a directory of yours."),
            InstallError::Http(HttpError::Setup { .. }) => Self::failure(message)
                .with_code("https_setup")
                .with_suggestion("Check the system's certificates, and HTTPS_PROXY and SSL_CERT_FILE."),
            InstallError::Http(error) => match error.status() {
                Some(status) => lost("download_failed").with_answer(status, None, None),
                None => lost("network"),
            },
            InstallError::Redirect { .. } | InstallError::TooManyRedirects => lost("redirect"),
            InstallError::TooLarge { .. } | InstallError::Archive(_) => refused("bad_archive"),
            InstallError::WrongChecksum { .. } => refused("wrong_checksum"),
            InstallError::Unusable(_) => refused("azcopy_unusable"),
            InstallError::Io { .. } => Self::failure(format!("AzCopy was not installed: {message}"))
                .with_code("azcopy_not_installed")
                .with_suggestion(format!("Free the disk or its permissions. Or: {by_hand}")),
        }
    }
}

impl From<UploadError> for CliError {
    fn from(error: UploadError) -> Self {
        let message = error.to_string();
        match error {
            UploadError::Unreachable(error) => Self::from(error).headed("the blob store cannot be used"),
            UploadError::Refused(refusal) => Self::new(ErrorKind::UploadFailed, message)
                .with_code(refusal.code.unwrap_or_else(|| "sas_refused".into()))
                .with_suggestion("A fresh upload location was refused as well. Check this machine's clock, and the network rules of the project's storage."),
            UploadError::NoFreshSas(error) => Self::from(error).headed("the upload location was refused, and there is no fresh one"),
            UploadError::Directory(error) => error.into(),
            UploadError::AzCopy(error) => error.into(),
        }
    }
}

impl From<RunError> for CliError {
    fn from(error: RunError) -> Self {
        let message = error.to_string();
        match error {
            RunError::Start { source, .. } => {
                Self::failure(format!("{message}: {source}")).with_code("azcopy_unusable")
            }
            RunError::Interrupted { progress, .. } => {
                Self::interrupted().with_code("upload_interrupted").with_message(interrupted_at(progress))
            }
            RunError::Stalled { log, .. } => Self::broken_upload("upload_stalled", &message, log.as_deref()),
            RunError::Failed { failure, log, .. } => Self::broken_upload(code_of(&failure), &message, log.as_deref()),
        }
    }
}

fn code_of(failure: &Failure) -> &str {
    match failure {
        Failure::Refused { code, .. } | Failure::SourceRefused { code, .. } => code.as_deref().unwrap_or("sas_refused"),
        Failure::FailedTransfers { .. } => "files_failed",
        Failure::NothingCopied { .. } => "nothing_copied",
        Failure::CountMismatch { .. } | Failure::SizeMismatch { .. } | Failure::Skipped { .. } => "incomplete_upload",
        _ => "azcopy_failed",
    }
}

/// `Upload interrupted at 28% (33.6 GB of 120 GB sent).`
fn interrupted_at(progress: crate::model::TransferProgress) -> String {
    let bytes = units::bytes(progress.bytes);
    let far = match progress.total_bytes.filter(|total| *total > 0) {
        Some(total) => {
            let percent = u128::from(progress.bytes) * 100 / u128::from(total);
            format!("at {percent}% ({bytes} of {} sent)", units::bytes(total))
        }
        None => format!("({bytes} sent)"),
    };
    format!("Upload interrupted {far}.")
}

impl CliError {
    /// An upload that broke, with AzCopy's own account and its log.
    fn broken_upload(code: &str, why: &str, log: Option<&Path>) -> Self {
        let log = log.map(|log| format!("\nAzCopy's log: {}", log.display())).unwrap_or_default();
        Self::new(ErrorKind::UploadFailed, format!("{BROKEN_UPLOAD}\n{why}{log}")).with_code(code)
    }

    /// The same with one more sentence.
    #[must_use]
    pub fn with_more(self, sentence: &str) -> Self {
        let message = format!("{}\n{sentence}", self.message());
        self.with_message(message)
    }

    /// The same with the command that goes on.
    #[must_use]
    pub fn with_resume(self, command: &str) -> Self {
        self.with_way(&format!("To resume, run the same command again:\n  {command}"))
    }

    /// The same for an upload that is complete: the command registers it without sending anything again.
    #[must_use]
    pub fn with_kept(self, command: &str) -> Self {
        self.with_way(&format!(
            "The upload is complete and kept. To register it, run the same command again; nothing is sent again:\n  {command}"
        ))
    }

    fn with_way(self, way: &str) -> Self {
        let suggestion = match self.suggestion() {
            Some(suggestion) => format!("{suggestion}\n{way}"),
            None => way.to_owned(),
        };
        self.with_suggestion(suggestion)
    }

    fn headed(self, headline: &str) -> Self {
        let message = format!("{headline}: {}", self.message());
        self.with_message(message)
    }

    /// The same with the command to run again.
    #[must_use]
    pub fn with_run_again(self, command: &str) -> Self {
        self.with_way(&format!("Run the same command again:\n  {command}"))
    }

    /// Files that are no model, by what the check found; `None` when none of it is an error.
    #[must_use]
    pub fn check_failed(findings: &[Finding]) -> Option<Self> {
        let mut errors = findings.iter().filter(|finding| finding.is_error());
        let first = errors.next()?;
        let count = units::count(errors.count() as u64 + 1, "error", "errors");
        let failed = Self::new(ErrorKind::CheckFailed, format!("the model check found {count}"));
        Some(failed.with_code(first.code.as_str()).with_suggestion(first.remedy.clone()))
    }

    /// A file or directory that cannot be read.
    #[must_use]
    pub fn unreadable(path: &Path, why: &io::Error) -> Self {
        let shown = path.display();
        match why.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                Self::new(ErrorKind::NotFound, format!("File not found: {shown}")).with_code("source_not_found")
            }
            io::ErrorKind::PermissionDenied => Self::failure(format!("no permission to read {shown}"))
                .with_code("permission_denied")
                .with_suggestion("Change the permissions of the file, or run as a user who may read it."),
            _ => Self::new(ErrorKind::NotFound, format!("cannot read {shown}: {why}")).with_code("source_unreadable"),
        }
    }

    /// A directory that cannot be entered; `origin` is the option or variable that names it.
    #[must_use]
    pub fn bad_directory(path: &Path, origin: &str, why: &io::Error) -> Self {
        let kind = if why.kind() == io::ErrorKind::PermissionDenied { ErrorKind::Failure } else { ErrorKind::NotFound };
        Self::new(kind, format!("cannot change to the directory {}: {why}", path.display()))
            .with_code("bad_directory")
            .with_suggestion(format!("Check the value of {origin}."))
    }
}
