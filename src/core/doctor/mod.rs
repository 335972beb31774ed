//! Checks of the requirements of an upload: azd, sign-in, network, role, AzCopy, and this machine.
//!
//! Each check is a verdict, a pure function of observations. Observations are made at the edge, each under a time
//! limit: `observation::observe`, `SignIn::observe`, `machine::disk`. Knows no command line: the next step is a
//! [`Fix`].

mod certificate;
mod claims;
mod clock;
mod machine;
mod network;
mod observation;
mod project;
mod role;
mod sign_in;
mod speed;
mod tools;

pub use claims::Claims;
pub use clock::clock;
pub use machine::{disk, open_files, uploads};
pub use network::{blob_store, dns, proxy, tls};
pub use observation::{HostObservation, observe};
pub use project::{endpoint, no_endpoint, variables};
pub use role::{RoleRequest, role};
pub use sign_in::{SignIn, sign_in};
pub use speed::speed;
pub use tools::{azcopy, azd};

use crate::platform::Platform;

/// Check of the page; the list is closed, and documented in README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckId {
    /// The `azd` program.
    Azd,
    /// Project endpoint and its source.
    Endpoint,
    /// Variables that are ignored, since an azd environment sets them.
    Variables,
    /// A token for the project.
    SignIn,
    /// Name of the project's host.
    Dns,
    /// Proxy for that host.
    Proxy,
    /// TLS to that host, and the authority behind its certificate.
    Tls,
    /// Clock of this machine.
    Clock,
    /// Right to read the project's models.
    Role,
    /// TLS to a blob store.
    BlobStore,
    /// The AzCopy program.
    AzCopy,
    /// Disk space for the records of uploads.
    Disk,
    /// Limit of open files.
    OpenFiles,
    /// Unfinished uploads.
    Uploads,
    /// Speed of an upload.
    Speed,
}

impl CheckId {
    /// Name on the page and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Azd => "azd",
            Self::Endpoint => "endpoint",
            Self::Variables => "variables",
            Self::SignIn => "sign-in",
            Self::Dns => "dns",
            Self::Proxy => "proxy",
            Self::Tls => "tls",
            Self::Clock => "clock",
            Self::Role => "role",
            Self::BlobStore => "blob-store",
            Self::AzCopy => "azcopy",
            Self::Disk => "disk",
            Self::OpenFiles => "open-files",
            Self::Uploads => "uploads",
            Self::Speed => "speed",
        }
    }
}

/// Result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing to do.
    Ok,
    /// Uploads work, or the check was skipped.
    Warning,
    /// Uploads fail.
    Failed,
}

impl Status {
    /// Name on the page and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

/// Next step for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    /// Shell command, or a sentence if no command helps.
    Text(String),
    /// Arguments of a command of this program.
    Own(Vec<String>),
}

impl Fix {
    /// A command of this program.
    #[must_use]
    pub fn of_program(words: &[&str]) -> Self {
        Self::Own(words.iter().map(ToString::to_string).collect())
    }
}

impl From<String> for Fix {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Fix {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// Completed check. Its message may contain external text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Identity of the check.
    pub id: CheckId,
    /// Status of the check.
    pub status: Status,
    /// Message of the check.
    pub message: String,
    /// Next step for the user.
    pub fix: Option<Fix>,
}

impl Check {
    fn ok(id: CheckId, message: impl Into<String>) -> Self {
        Self { id, status: Status::Ok, message: message.into(), fix: None }
    }

    fn warning(id: CheckId, message: impl Into<String>, fix: impl Into<Fix>) -> Self {
        Self { id, status: Status::Warning, message: message.into(), fix: Some(fix.into()) }
    }

    fn failed(id: CheckId, message: impl Into<String>, fix: impl Into<Fix>) -> Self {
        Self { id, status: Status::Failed, message: message.into(), fix: Some(fix.into()) }
    }

    /// Check that cannot run because another one failed.
    #[must_use]
    pub fn not_checked(id: CheckId, because: CheckId) -> Self {
        let message = format!("not checked: see {}", because.as_str());
        Self { id, status: Status::Warning, message, fix: None }
    }

    /// Check without a subject.
    #[must_use]
    pub fn nothing(id: CheckId, why: &str) -> Self {
        Self::ok(id, format!("not checked: {why}"))
    }

    /// True for a failed check, which blocks the checks that depend on it.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.status == Status::Failed
    }
}

/// Command that sets a variable for the shells of a platform.
fn set_variable(platform: Platform, name: &str, value: &str) -> String {
    match platform {
        // Valid in cmd.exe and PowerShell; effective in new terminals.
        Platform::Windows => format!("setx {name} \"{value}\""),
        Platform::Linux | Platform::MacOs => format!("export {name}={value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_set_in_the_syntax_of_the_platforms_shells() {
        let set = |platform| set_variable(platform, "NO_PROXY", "a.services.ai.azure.com");
        assert_eq!(set(Platform::Linux), "export NO_PROXY=a.services.ai.azure.com");
        assert_eq!(set(Platform::MacOs), set(Platform::Linux));
        assert_eq!(set(Platform::Windows), "setx NO_PROXY \"a.services.ai.azure.com\"");
    }
}
