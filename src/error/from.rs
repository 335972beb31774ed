//! Every translation from a module's error to what a person is told, with `service.rs` and `upload.rs` beside it.

use std::io;
use std::path::Path;

use crate::console::WriteError;
use azure_ai_models_core::azcopy::{InstallError, LocateError, VerifyError};
use azure_ai_models_core::check::{self, CheckError};
use azure_ai_models_core::credential::CredentialError;
use azure_ai_models_core::env::var;
use azure_ai_models_core::http::HttpError;
use azure_ai_models_core::model::{Finding, SourceError};
use azure_ai_models_core::source::PlanError;
use azure_ai_models_core::units;

use super::{CliError, ErrorKind};

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

impl From<PlanError> for CliError {
    fn from(error: PlanError) -> Self {
        let message = error.to_string();
        if let Some(finding) = check::of_walk(&error) {
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

impl From<LocateError> for CliError {
    fn from(error: LocateError) -> Self {
        let kind = match &error {
            LocateError::NoSuchFile { .. } | LocateError::IsDirectory { .. } => ErrorKind::NotFound,
            LocateError::NotExecutable { .. } | LocateError::NotFound { .. } => ErrorKind::Failure,
        };
        Self::new(kind, error.to_string()).with_code("azcopy_not_found").with_suggestion(error.suggestion()).of_tool()
    }
}

impl From<VerifyError> for CliError {
    fn from(error: VerifyError) -> Self {
        let why = std::error::Error::source(&error).map(|why| format!(": {why}")).unwrap_or_default();
        let way = format!(
            "Install AzCopy v10 from {}, or name another one with --azcopy-path.",
            azure_ai_models_core::azcopy::download_url()
        );
        Self::failure(format!("{error}{why}")).with_code("azcopy_unusable").with_suggestion(way).of_tool()
    }
}

impl From<InstallError> for CliError {
    fn from(error: InstallError) -> Self {
        let message = error.to_string();
        let by_hand = format!(
            "Install AzCopy v10 from {}, or name it with --azcopy-path.",
            azure_ai_models_core::azcopy::download_url()
        );
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
        let told = match error {
            InstallError::Variable { .. } | InstallError::NoChecksum => Self::usage(message).with_code("bad_variable"),
            InstallError::NoHome => Self::failure(message)
                .with_code("no_home")
                .with_suggestion("Set HOME, or AZD_CONFIG_DIR to a directory of yours."),
            InstallError::Http(HttpError::Setup { .. }) => {
                Self::failure(message).with_code("https_setup").with_suggestion(
                    "Check the system's certificates, and SSL_CERT_FILE and SSL_CERT_DIR, which stand in for them.",
                )
            }
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
        };
        told.of_tool()
    }
}

impl CliError {
    pub(super) fn with_way(self, way: &str) -> Self {
        let suggestion = match self.suggestion() {
            Some(suggestion) => format!("{suggestion}\n{way}"),
            None => way.to_owned(),
        };
        self.with_suggestion(suggestion)
    }

    pub(super) fn headed(self, headline: &str) -> Self {
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
