//! Error messages for the errors that have no separate module.

use std::io;
use std::path::Path;

use crate::console::{WriteError, render};
use crate::shell::quoted;
use azure_ai_models_core::azcopy::{InstallError, LocateError, VerifyError};
use azure_ai_models_core::check::{self, CheckError};
use azure_ai_models_core::credential::CredentialError;
use azure_ai_models_core::env::var;
use azure_ai_models_core::http::HttpError;
use azure_ai_models_core::model::{Finding, SourceError};
use azure_ai_models_core::source::PlanError;
use azure_ai_models_core::units;

use super::{CliError, ErrorCode, ErrorKind};

impl From<WriteError> for CliError {
    fn from(error: WriteError) -> Self {
        Self::failure(error.to_string()).with_code(ErrorCode::WriteFailed)
    }
}

impl From<SourceError> for CliError {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::HubEndpoint(error) => error.into(),
            error => Self::usage(error.to_string()).with_code(ErrorCode::BadSource).with_suggestion(error.suggestion()),
        }
    }
}

impl From<CredentialError> for CliError {
    fn from(error: CredentialError) -> Self {
        let (kind, code) = class_of(&error);
        Self::new(kind, error.to_string()).with_code(code).with_suggestion(error.suggestion())
    }
}

/// Kind and code of a failed sign-in.
pub(super) fn class_of(error: &CredentialError) -> (ErrorKind, ErrorCode) {
    if error.is_usage() {
        (ErrorKind::Usage, ErrorCode::BadCredential)
    } else {
        (ErrorKind::Auth, ErrorCode::NotSignedIn)
    }
}

impl From<PlanError> for CliError {
    fn from(error: PlanError) -> Self {
        let message = error.to_string();
        let findings = check::of_walk(&error);
        if let Some(finding) = findings.first() {
            let message = match findings.len() {
                1 => message,
                _ => format!("{message}\n{}", render::error_lines(&findings)),
            };
            return Self::of_finding(finding, message).with_suggestion(finding.suggestion.clone());
        }
        match error {
            PlanError::Several(faults) => {
                let more = units::count(faults.len().saturating_sub(1) as u64, "other entry", "other entries");
                let first = faults.into_iter().next().map_or_else(|| Self::failure(message), Self::from);
                first.and_message(&format!("{more} cannot be read either"))
            }
            PlanError::Unreadable { path, why, exclude } => match exclude {
                Some(glob) => Self::unreadable(&path, &why).and_suggestion(&format!(
                    "If it is not part of the model, exclude it: --exclude {}",
                    quoted(&glob)
                )),
                None => Self::unreadable(&path, &why),
            },
            PlanError::NothingToSelect(_) => Self::usage(message)
                .with_code(ErrorCode::NothingToSelect)
                .with_suggestion("Remove --include and --exclude, or use the directory as the source."),
            _ => Self::new(ErrorKind::NotFound, message)
                .with_code(ErrorCode::SourceNotFound)
                .with_suggestion("Check the path."),
        }
    }
}

impl From<CheckError> for CliError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Unreadable { path, why } => Self::unreadable(&path, &why),
            CheckError::Hub(error) => error.into(),
        }
    }
}

impl From<LocateError> for CliError {
    fn from(error: LocateError) -> Self {
        let kind = match &error {
            LocateError::NoSuchFile { .. } | LocateError::IsDirectory { .. } => ErrorKind::NotFound,
            LocateError::NotExecutable { .. } | LocateError::NotFound { .. } => ErrorKind::Failure,
        };
        Self::new(kind, error.to_string())
            .with_code(ErrorCode::AzcopyNotFound)
            .with_suggestion(error.suggestion())
            .with_tool_origin()
    }
}

impl From<VerifyError> for CliError {
    fn from(error: VerifyError) -> Self {
        let why = std::error::Error::source(&error).map(|why| format!(": {why}")).unwrap_or_default();
        let way = match super::azcopy::variable_in(&why) {
            Some(name) => format!("Correct {name}, or unset it."),
            None => format!(
                "Install AzCopy v10 from {}, or use another one with --azcopy-path.",
                azure_ai_models_core::azcopy::download_url()
            ),
        };
        Self::failure(format!("{error}{why}"))
            .with_code(ErrorCode::AzcopyUnusable)
            .with_suggestion(way)
            .with_tool_origin()
    }
}

impl From<InstallError> for CliError {
    fn from(error: InstallError) -> Self {
        let message = error.to_string();
        let by_hand = format!(
            "Install AzCopy v10 from {}, or use --azcopy-path FILE.",
            azure_ai_models_core::azcopy::download_url()
        );
        let lost = |code| {
            Self::new(ErrorKind::Service, format!("Could not download AzCopy. Check network and try again.\n{message}"))
                .with_code(code)
                .with_suggestion(format!(
                    "{by_hand}\nTo use a company mirror, set {} and {}.",
                    var::AZCOPY_URL,
                    var::AZCOPY_SHA256
                ))
        };
        let refused = |code| {
            Self::failure(format!("the downloaded AzCopy was rejected: {message}"))
                .with_code(code)
                .with_suggestion(by_hand.clone())
        };
        let error = match error {
            InstallError::Variable { .. } | InstallError::NoChecksum => {
                Self::usage(message).with_code(ErrorCode::BadVariable)
            }
            InstallError::NoHome => Self::failure(message)
                .with_code(ErrorCode::NoHome)
                .with_suggestion("Set HOME, or set AZD_CONFIG_DIR to a writable directory."),
            InstallError::Http(HttpError::Setup { .. }) => Self::failure(message)
                .with_code(ErrorCode::HttpsSetup)
                .with_suggestion("Check the system certificates, or SSL_CERT_FILE and SSL_CERT_DIR if they are set."),
            InstallError::Http(error) => match error.status() {
                Some(status) => lost(ErrorCode::DownloadFailed).with_answer(status, None, None),
                None => lost(ErrorCode::Network),
            },
            InstallError::Redirect { .. } | InstallError::TooManyRedirects => lost(ErrorCode::Redirect),
            InstallError::TooLarge { .. } | InstallError::Archive(_) => refused(ErrorCode::BadArchive),
            InstallError::WrongChecksum { .. } => refused(ErrorCode::WrongChecksum),
            InstallError::Unusable(_) => refused(ErrorCode::AzcopyUnusable),
            InstallError::Io { .. } => Self::failure(format!("AzCopy was not installed: {message}"))
                .with_code(ErrorCode::AzcopyNotInstalled)
                .with_suggestion(format!("Check the free disk space and the permissions. Otherwise: {by_hand}")),
        };
        error.with_tool_origin()
    }
}

/// First error that the check found, and the number of errors.
fn first_error(findings: &[Finding]) -> Option<(&Finding, String)> {
    let mut errors = findings.iter().filter(|finding| finding.is_error());
    let first = errors.next()?;
    let count = units::count(errors.count() as u64 + 1, "error", "errors");
    Some((first, format!("the model check found {count}")))
}

impl CliError {
    /// Adds the command to run again to the suggestion.
    #[must_use]
    pub(crate) fn with_run_again(self, command: &str) -> Self {
        let message = match self.is_lasting() {
            true => "After fixing the problem, run the same command again:",
            false => "Run the same command again:",
        };
        self.and_suggestion(&format!("{message}\n  {command}"))
    }

    /// Error for files that are not a valid model, from the findings of the check; `None` if no finding is an error.
    pub(crate) fn check_failed(findings: &[Finding]) -> Option<Self> {
        let (first, message) = first_error(findings)?;
        Some(Self::of_finding(first, message).with_suggestion(first.suggestion.clone()))
    }

    /// Error for files that `create` does not upload, from the findings of the check; `None` if no finding is an error.
    pub(crate) fn check_stops_create(findings: &[Finding]) -> Option<Self> {
        let (first, message) = first_error(findings)?;
        let suggestion = format!("{} To upload the files as they are, use --skip-check.", first.suggestion);
        let message = format!("{message}\n{}", render::error_lines(findings));
        Some(Self::of_finding(first, message).with_suggestion(suggestion))
    }

    fn of_finding(finding: &Finding, message: String) -> Self {
        Self::new(ErrorKind::CheckFailed, message).with_code(ErrorCode::Finding(finding.code))
    }

    /// Error for a file or directory that cannot be read.
    pub(crate) fn unreadable(path: &Path, why: &io::Error) -> Self {
        let shown = path.display();
        match why.kind() {
            // A name that Windows does not permit, such as `mod*`.
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename => {
                Self::new(ErrorKind::NotFound, format!("File not found: {shown}")).with_code(ErrorCode::SourceNotFound)
            }
            io::ErrorKind::PermissionDenied => Self::failure(format!("no permission to read {shown}"))
                .with_code(ErrorCode::PermissionDenied)
                .with_suggestion("Change the file permissions, or run as a user who can read it."),
            _ => Self::new(ErrorKind::NotFound, format!("cannot read {shown}: {why}"))
                .with_code(ErrorCode::SourceUnreadable),
        }
    }

    /// Error for a directory that cannot be entered; `origin` is the option or variable that sets it.
    pub(crate) fn bad_directory(path: &Path, origin: &str, why: &io::Error) -> Self {
        let (kind, message) = match why.kind() {
            io::ErrorKind::PermissionDenied => (ErrorKind::Failure, why.to_string()),
            io::ErrorKind::NotFound => (ErrorKind::NotFound, "it does not exist".to_owned()),
            _ => (ErrorKind::NotFound, why.to_string()),
        };
        Self::new(kind, format!("cannot change to the directory {}: {message}", path.display()))
            .with_code(ErrorCode::BadDirectory)
            .with_suggestion(format!("Check the value of {origin}."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Windows reports a name that no file can have as invalid.
    #[test]
    fn an_impossible_name_is_a_missing_file() {
        for kind in [io::ErrorKind::NotFound, io::ErrorKind::InvalidFilename] {
            let error = CliError::unreadable(Path::new("mod*"), &kind.into());
            assert_eq!(error.message(), "File not found: mod*");
        }
    }
}
