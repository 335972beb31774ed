//! The programs that uploads need: azd and AzCopy. Pure.

use super::{Check, CheckId, set_variable};
use crate::azcopy::{AzCopy, LocateError, VerifyError, download_url};
use crate::azd::ProgramError;
use crate::credential::CredentialMethod;
use crate::env::var;
use crate::platform::Platform;

/// Oldest azd that runs this extension, as in extension.yaml.
const OLDEST_AZD: [u32; 2] = [1, 24];

/// Verdict on the `azd` program by its path and version; it is required if it provides the tokens.
#[must_use]
pub fn azd(version: &Result<(String, String), ProgramError>, method: CredentialMethod) -> Check {
    let id = CheckId::Azd;
    match version {
        Ok((path, version)) if is_old(version) => {
            let [major, minor] = OLDEST_AZD;
            Check::warning(id, format!("{version} ({path}) is older than {major}.{minor}"), install_azd())
        }
        Ok((path, version)) => Check::ok(id, format!("{version} ({path})")),
        Err(error) if method == CredentialMethod::Azd => Check::failed(id, error.to_string(), install_azd()),
        Err(error) => Check::warning(id, format!("{error}; {method} signs in without it"), install_azd()),
    }
}

/// True for a release before the oldest. Development builds have version 0.0.0.
fn is_old(version: &str) -> bool {
    let mut parts = version.split('.').map_while(|part| part.parse::<u32>().ok());
    match (parts.next(), parts.next()) {
        (Some(0), Some(0)) => false,
        (Some(major), Some(minor)) => [major, minor] < OLDEST_AZD,
        _ => false,
    }
}

/// Command that installs azd, or its newest version.
pub(super) fn install_azd() -> &'static str {
    match Platform::CURRENT {
        Platform::Windows => "winget install microsoft.azd",
        Platform::MacOs => "brew install azure/azd/azd",
        Platform::Linux => "curl -fsSL https://aka.ms/install-azd.sh | bash",
    }
}

/// Verdict on AzCopy: its path, and whether it runs.
#[must_use]
pub fn azcopy(found: &Result<Result<AzCopy, VerifyError>, LocateError>) -> Check {
    let id = CheckId::AzCopy;
    match found {
        Err(error) => {
            let message = format!("{error}; 'custom create' downloads it if needed");
            Check::warning(id, message, set_variable(Platform::CURRENT, var::ENGINE, "native"))
        }
        Ok(Err(error)) => {
            let why = std::error::Error::source(error).map(|why| format!(": {why}")).unwrap_or_default();
            Check::failed(id, format!("{error}{why}"), format!("Install AzCopy v10: {}", download_url()))
        }
        Ok(Ok(azcopy)) => Check::ok(id, format!("{} ({})", azcopy.version(), azcopy.path().display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_before_the_oldest_are_old() {
        for (version, expected) in [
            ("1.23.9", true),
            ("1.24.0", false),
            ("1.24.0-beta.1", false),
            ("1.100.0", false),
            ("2.0.0", false),
            ("0.9.0", true),
            ("0.0.0-dev.0", false),
            ("unknown", false),
        ] {
            assert_eq!(is_old(version), expected, "{version}");
        }
    }

    #[test]
    fn azd_is_required_only_if_it_signs_in() {
        let missing = Err(ProgramError::Missing);
        assert!(azd(&missing, CredentialMethod::Azd).is_failed());
        for method in [
            CredentialMethod::AzCli,
            CredentialMethod::Managed,
            CredentialMethod::Env,
            CredentialMethod::Workload,
            CredentialMethod::Emulator,
        ] {
            let check = azd(&missing, method);
            assert_eq!(check.status, super::super::Status::Warning, "{}", check.message);
        }
    }
}
