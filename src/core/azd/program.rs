//! The `azd` program, for runs that azd did not start.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::time::Duration;

use serde_json::Value;
use thiserror::Error;

use super::AzdMessage;
use crate::env::{Env, Timings, var};
use crate::process::{Programs, find_program};
use crate::redact::clean;
use crate::units;

/// Installation page of azd.
pub const INSTALL: &str = "https://aka.ms/azd-install";

/// azd's option that disables prompts.
pub(super) const NO_PROMPT: &str = "--no-prompt";

/// Failure of the `azd` program.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ProgramError {
    /// Not installed.
    #[error("azd was not found")]
    Missing,
    /// Cannot be started.
    #[error("azd cannot be started: {message}")]
    Start {
        /// Error message of the system.
        message: String,
    },
    /// No response in time.
    #[error("azd did not respond within {}", units::duration(*limit))]
    TimedOut {
        /// Time limit.
        limit: Duration,
    },
    /// Exited with an error.
    #[error("azd failed: {}", message.message)]
    Failed {
        /// Message of azd.
        message: AzdMessage,
    },
    /// Succeeded, but printed something other than values.
    #[error("the response of azd cannot be read")]
    Unreadable,
}

impl ProgramError {
    /// Suggestion for the user.
    #[must_use]
    pub fn suggestion(&self) -> String {
        match self {
            Self::Missing => format!("Install azd: {INSTALL}"),
            Self::Start { .. } => format!("Reinstall azd: {INSTALL}"),
            Self::Failed { message: AzdMessage { suggestion: Some(suggestion), .. } } => suggestion.clone(),
            Self::TimedOut { .. } | Self::Failed { .. } => {
                "Run `azd env get-values` to see the error, or use --project-endpoint URL.".into()
            }
            Self::Unreadable => "Update azd to the latest version.".into(),
        }
    }
}

/// Values of an environment of the project in the working directory, as stored.
///
/// # Errors
/// See [`ProgramError`].
pub async fn environment_values(
    env: &Env,
    timings: &Timings,
    environment: &str,
) -> Result<BTreeMap<String, String>, ProgramError> {
    let args = ["env", "get-values", "-o", "json", NO_PROMPT, "-e", environment];
    let output = run_program(env, timings, &args).await?;
    let values: BTreeMap<String, Value> = serde_json::from_slice(&output).map_err(|_| ProgramError::Unreadable)?;
    let text = |value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(values.into_iter().map(|(name, value)| (name, text(value))).collect())
}

/// Returns path and version of the program.
///
/// # Errors
/// See [`ProgramError`].
pub async fn program_version(env: &Env, timings: &Timings) -> Result<(String, String), ProgramError> {
    let output = run_program(env, timings, &["version", "-o", "json"]).await?;
    let answer: Value = serde_json::from_slice(&output).map_err(|_| ProgramError::Unreadable)?;
    let version = answer["azd"]["version"].as_str().ok_or(ProgramError::Unreadable)?;
    let path = env.get(var::PATH).and_then(|path| find_program(path, "azd")).unwrap_or_default();
    Ok((path.display().to_string(), clean(version)))
}

/// Runs one `azd` command in the working directory to its end, without input. Returns its standard output.
///
/// # Errors
/// See [`ProgramError`].
pub(super) async fn run_program(env: &Env, timings: &Timings, args: &[&str]) -> Result<Vec<u8>, ProgramError> {
    let args: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
    let programs = Programs::new(env);
    let run = programs.output(OsStr::new("azd"), &args, Some(env.cwd()));
    let limit = timings.azd_command;
    let output = match tokio::time::timeout(limit, run).await {
        Ok(Ok(output)) => output,
        Ok(Err(why)) if why.kind() == io::ErrorKind::NotFound => return Err(ProgramError::Missing),
        Ok(Err(why)) => return Err(ProgramError::Start { message: why.to_string() }),
        Err(_) => return Err(ProgramError::TimedOut { limit }),
    };
    if !output.status.success() {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let message = AzdMessage::read(&text(&output.stderr), &text(&output.stdout));
        return Err(ProgramError::Failed { message });
    }
    Ok(output.stdout)
}
