//! Failure to get a token.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use super::CredentialMethod;
use crate::azd;
use crate::env::var;
use crate::units;

/// Failure to get a token. No variant holds a secret; external texts are sanitized on input.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CredentialError {
    /// The user is not signed in to the tool, or the session ended.
    #[error("not signed in to {how}: {message}")]
    NotSignedIn {
        /// The tool.
        how: CredentialMethod,
        /// Message of the tool.
        message: String,
        /// Suggestion of the tool.
        suggestion: Option<String>,
    },
    /// The tool is not installed.
    #[error("{program} is required to sign in, but was not found")]
    ProgramMissing {
        /// Name of the tool.
        program: &'static str,
        /// Installation page.
        link: &'static str,
    },
    /// No response in time.
    #[error("signing in with {how} took longer than {}", units::duration(*limit))]
    TimedOut {
        /// Method of the sign-in.
        how: CredentialMethod,
        /// Time limit.
        limit: Duration,
    },
    /// The tool or the sign-in service rejected the request.
    #[error("{how} did not return a token: {message}")]
    Refused {
        /// Method of the sign-in.
        how: CredentialMethod,
        /// Message of the tool.
        message: String,
        /// Suggestion of the tool.
        suggestion: Option<String>,
    },
    /// The tool or the sign-in service succeeded, but its response contains no token.
    #[error("{how} returned no valid token")]
    Unreadable {
        /// Method of the sign-in.
        how: CredentialMethod,
    },
    /// Usage error: unknown method.
    #[error("'{word}' is not a sign-in method")]
    UnknownMethod {
        /// The value.
        word: String,
    },
    /// Usage error: the emulator's fixed token is only for this machine.
    #[error("the emulator credential requires an endpoint on this machine, not {host}")]
    EmulatorElsewhere {
        /// The endpoint's host.
        host: String,
    },
    /// Usage error: any program on this machine may listen there, and an azd environment may come with a repository.
    #[error("the endpoint on this machine ({host}) comes from an azd environment, so your token is not sent to it")]
    LoopbackNotNamed {
        /// The endpoint's host.
        host: String,
    },
    /// Usage error: the token scope of the endpoint's cloud is not known.
    #[error("no token scope is known for {host}")]
    NoScope {
        /// The endpoint's host.
        host: String,
    },
    /// A variable that the method requires is not set.
    #[error("{how} requires the variable {name}, which is not set")]
    MissingVariable {
        /// The method.
        how: CredentialMethod,
        /// The variable.
        name: &'static str,
    },
    /// A certificate is configured instead of a secret.
    #[error("a service principal with a certificate is not supported")]
    Certificate,
    /// Tenant, scope or environment that the method cannot use.
    #[error("{how} cannot be used: {message}")]
    BadConfiguration {
        /// The method.
        how: CredentialMethod,
        /// Error message.
        message: String,
    },
}

impl CredentialError {
    /// Suggestion for the user.
    #[must_use]
    pub fn suggestion(&self) -> String {
        let text = self.specific_suggestion();
        // Signing in again is the most frequent solution, whatever azd reported.
        if self.is_answer_of_azd() { azd::with_sign_in(text) } else { text }
    }

    fn is_answer_of_azd(&self) -> bool {
        matches!(
            self,
            Self::NotSignedIn { how: CredentialMethod::Azd, .. }
                | Self::TimedOut { how: CredentialMethod::Azd, .. }
                | Self::Refused { how: CredentialMethod::Azd, .. }
                | Self::Unreadable { how: CredentialMethod::Azd }
                | Self::BadConfiguration { how: CredentialMethod::Azd, .. }
        )
    }

    fn specific_suggestion(&self) -> String {
        match self {
            Self::NotSignedIn { suggestion: Some(suggestion), .. }
            | Self::Refused { suggestion: Some(suggestion), .. } => suggestion.clone(),
            Self::NotSignedIn { how: CredentialMethod::AzCli, .. } => "Run `az login`.".into(),
            Self::NotSignedIn { .. } => "Run `azd auth login`.".into(),
            Self::ProgramMissing { program, link } => format!("Install {program}: {link}"),
            Self::TimedOut { how: CredentialMethod::Azd, .. } => "Check the network, then run `azd auth login`.".into(),
            Self::TimedOut { how: CredentialMethod::AzCli, .. } => "Check the network, then run `az login`.".into(),
            Self::TimedOut { .. } => "Check the network and the proxy settings.".into(),
            Self::Refused { how: CredentialMethod::Env, .. } => {
                format!("Check {}, {} and {}.", var::AZURE_TENANT_ID, var::AZURE_CLIENT_ID, var::AZURE_CLIENT_SECRET)
            }
            Self::Refused { how, .. } | Self::BadConfiguration { how, .. } => {
                format!("Check {how}, or choose another sign-in method with {}.", var::CREDENTIAL)
            }
            Self::Unreadable { how: how @ (CredentialMethod::Azd | CredentialMethod::AzCli) } => {
                format!("Update {how} to the latest version.")
            }
            Self::Unreadable { how } => {
                format!("Check {how}, or choose another sign-in method with {}.", var::CREDENTIAL)
            }
            Self::UnknownMethod { .. } => {
                let methods = CredentialMethod::ALL.map(CredentialMethod::word).join(", ");
                format!("Set {} to one of {methods}, or unset it.", var::CREDENTIAL)
            }
            Self::EmulatorElsewhere { .. } => format!("Unset {}, or use a loopback endpoint.", var::CREDENTIAL),
            Self::LoopbackNotNamed { .. } => {
                format!("Use --project-endpoint URL, or set {}=emulator in your own environment.", var::CREDENTIAL)
            }
            Self::NoScope { .. } => format!("Set {} to the token scope of this cloud.", var::SCOPE),
            Self::MissingVariable { name, .. } => format!("Set {name}."),
            Self::Certificate => format!(
                "Unset {} and set {}, or choose another sign-in method with {}.",
                var::AZURE_CLIENT_CERTIFICATE_PATH,
                var::AZURE_CLIENT_SECRET,
                var::CREDENTIAL
            ),
        }
    }

    /// True for an invalid setting, false for a failed sign-in.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::UnknownMethod { .. }
                | Self::EmulatorElsewhere { .. }
                | Self::LoopbackNotNamed { .. }
                | Self::NoScope { .. }
        )
    }
}

impl fmt::Display for CredentialMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Azd => "azd",
            Self::AzCli => "the Azure CLI",
            Self::Workload => "workload identity",
            Self::Managed => "managed identity",
            Self::Env => "the service principal of the environment",
            Self::Emulator => "the emulator",
        })
    }
}
