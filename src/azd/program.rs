//! The `azd` program, where azd does not run us: values of an environment, and what `init` has it make.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::time::Duration;

use azure_identity::Executor;
use thiserror::Error;

use super::executor::{Ending, GroupExecutor};
use crate::env::Env;
use crate::redact::clean;

/// Installation of azd (contracts/azd-host.md 7).
pub const INSTALL_LINK: &str = "https://aka.ms/azd-install";

/// Why `azd` did not do what it was asked.
#[derive(Debug, Error)]
pub enum ProgramError {
    /// It is not on `PATH`.
    #[error("the program 'azd' was not found on PATH")]
    Missing,
    /// It said no.
    #[error("azd: {0}")]
    Failed(String),
    /// It did not end.
    #[error("azd did not end within {} s", .0.as_secs())]
    Slow(Duration),
    /// The system did not start it, or its answer makes no sense.
    #[error("azd cannot be used: {0}")]
    Unusable(String),
}

/// The program, with this process's variables.
pub struct Program {
    executor: GroupExecutor,
    limit: Duration,
}

impl Program {
    /// Under this limit for each run.
    #[must_use]
    pub fn new(env: &Env, limit: Duration) -> Self {
        Self { executor: GroupExecutor::new(env), limit }
    }

    /// The values of an environment, the default one where none is named.
    ///
    /// # Errors
    /// See [`ProgramError`].
    pub async fn values(&self, environment: Option<&str>) -> Result<BTreeMap<String, String>, ProgramError> {
        let mut args = vec!["env", "get-values", "-o", "json", "--no-prompt"];
        if let Some(name) = environment {
            args.extend(["-e", name]);
        }
        let stdout = self.run(&args).await?;
        serde_json::from_slice(&stdout).map_err(|_| ProgramError::Unusable("its values are not JSON".into()))
    }

    /// Runs a command of azd and returns what it wrote to standard output.
    ///
    /// # Errors
    /// See [`ProgramError`].
    pub async fn run(&self, args: &[&str]) -> Result<Vec<u8>, ProgramError> {
        let args: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
        let ran = tokio::time::timeout(self.limit, self.executor.run(OsStr::new("azd"), &args)).await;
        let output = match ran.map_err(|_| ProgramError::Slow(self.limit))? {
            Ok(output) => output,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ProgramError::Missing),
            Err(error) => return Err(ProgramError::Unusable(error.to_string())),
        };
        match self.executor.take_ending() {
            None => Ok(output.stdout),
            Some(Ending::Missing) => Err(ProgramError::Missing),
            Some(Ending::Failed { stdout, stderr }) => Err(ProgramError::Failed(words(&stderr, &stdout))),
        }
    }
}

/// azd's own words, in one line.
fn words(stderr: &str, stdout: &str) -> String {
    let raw = if stderr.trim().is_empty() { stdout } else { stderr };
    let line = raw.split_whitespace().collect::<Vec<_>>().join(" ");
    clean(line.strip_prefix("ERROR: ").unwrap_or(&line))
}
