//! Global options and names of the program: the part of the command line that `app` and the commands use.

use std::path::PathBuf;

use clap::ValueEnum;
use thiserror::Error;

/// Command by which users of azd call the program.
pub const AZD_PROGRAM: &str = "azd ai models";
/// Name of the program outside azd.
pub const PROGRAM: &str = "azure-ai-models";

/// Format of the product on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Table for users.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// azd's third value: nothing on standard output.
    None,
}

/// Global options after the dual `-e` was resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Globals {
    /// Endpoint, from `--project-endpoint` or `-e URL`; not yet validated.
    pub(crate) endpoint: Option<String>,
    /// azd environment, from `--environment` or `-e NAME`.
    pub(crate) environment: Option<String>,
    /// Azure subscription, from `--subscription`.
    pub(crate) subscription: Option<String>,
    /// Output format.
    pub(crate) output: OutputFormat,
    /// `--no-prompt`, if given.
    pub(crate) no_prompt: Option<bool>,
    /// `--debug`, if given.
    pub(crate) debug: Option<bool>,
    /// `--quiet`.
    pub(crate) quiet: bool,
    /// `--cwd`.
    pub(crate) cwd: Option<PathBuf>,
}

/// The text is not a valid name of an azd environment.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("'{0}' is not a valid azd environment name: use up to 64 letters, digits, '-', '_', '.', '(' and ')'")]
pub(crate) struct EnvironmentNameError(pub String);

/// Checks a name by azd's own rule.
///
/// # Errors
/// When azd would not accept the name.
pub(crate) fn check_environment_name(name: &str) -> Result<(), EnvironmentNameError> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '(' | ')' | '_' | '.');
    if (1..=64).contains(&name.len()) && name.chars().all(is_allowed) {
        Ok(())
    } else {
        Err(EnvironmentNameError(name.to_owned()))
    }
}
