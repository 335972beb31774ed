//! azd project and environments, through the azd that runs this program, otherwise the `azd` program on `PATH`.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;

use super::program::{NO_PROMPT, run_program};
use super::{AzdEnvironment, Host, HostError, ProgramError, RefusalKind, disk, environment_values};
use crate::env::{Env, Timings, var};

/// Client of azd, and the route to it.
#[derive(Debug)]
pub struct Azd<'a> {
    env: &'a Env,
    timings: &'a Timings,
    /// Server of the azd that runs this program.
    host: Option<&'a Host>,
    /// True if azd must not print to standard output, and must not prompt.
    silent: bool,
    /// True if azd may prompt.
    may_ask: bool,
}

/// Failure of azd, through its server or its program.
#[derive(Debug, Error)]
pub enum AzdError {
    /// Failure of the server.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Failure of the program.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

/// A value that azd could not store.
#[derive(Debug)]
pub struct SaveError {
    /// First value that was not stored.
    pub key: String,
    /// Values that were stored.
    pub saved: Vec<String>,
    /// Reason.
    pub why: AzdError,
}

/// A row of `azd env list -o json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EnvironmentRow {
    name: String,
    #[serde(default)]
    is_default: bool,
}

impl<'a> Azd<'a> {
    /// Uses the server if there is one. `silent`: azd must not print to standard output, and must not prompt.
    #[must_use]
    pub fn new(env: &'a Env, timings: &'a Timings, host: Option<&'a Host>, silent: bool) -> Self {
        Self { env, timings, host, silent, may_ask: !silent }
    }

    /// Permits or suppresses azd's own prompts: on a pipe azd would read input that is not meant for it.
    #[must_use]
    pub fn with_questions(mut self, may_ask: bool) -> Self {
        self.may_ask = may_ask && !self.silent;
        self
    }

    /// Checks that azd is available.
    ///
    /// # Errors
    /// See [`AzdError`].
    pub async fn is_available(&self) -> Result<(), AzdError> {
        if self.host.is_none() {
            run_program(self.env, self.timings, &["version", "-o", "json"]).await?;
        }
        Ok(())
    }

    /// True if there is an azd project around the working directory.
    ///
    /// # Errors
    /// See [`AzdError`].
    pub async fn has_project(&self) -> Result<bool, AzdError> {
        match self.host {
            Some(host) => Ok(host.project().await?.is_some()),
            None => Ok(disk::project_root(self.env.cwd()).is_some()),
        }
    }

    /// Lists the environments of the project.
    ///
    /// # Errors
    /// See [`AzdError`].
    pub async fn environments(&self) -> Result<Vec<AzdEnvironment>, AzdError> {
        if let Some(host) = self.host {
            return Ok(host.environments().await?);
        }
        let output = run_program(self.env, self.timings, &["env", "list", "-o", "json", NO_PROMPT]).await?;
        let rows: Vec<EnvironmentRow> = serde_json::from_slice(&output).map_err(|_| ProgramError::Unreadable)?;
        Ok(rows.into_iter().map(|row| AzdEnvironment { name: row.name, is_default: row.is_default }).collect())
    }

    /// Reads the values of an environment, as stored.
    ///
    /// # Errors
    /// See [`AzdError`].
    pub async fn values(&self, environment: &str) -> Result<BTreeMap<String, String>, AzdError> {
        match self.host {
            Some(host) => Ok(host.values(environment).await?),
            None => Ok(environment_values(self.env, self.timings, environment).await?),
        }
    }

    /// Creates an azd project in the working directory. Returns azd's output that the user has not seen yet.
    ///
    /// # Errors
    /// See [`AzdError`].
    pub async fn create_project(&self) -> Result<String, AzdError> {
        self.command(&["init", "--minimal"]).await
    }

    /// Creates an azd environment, with subscription and region if known. Keeps an existing one. Returns azd's output
    /// that the user has not seen yet.
    ///
    /// # Errors
    /// See [`AzdError`].
    pub async fn create_environment(&self, name: &str, target: Option<(&str, &str)>) -> Result<String, AzdError> {
        let mut args = vec!["env", "new", name];
        if let Some((subscription, location)) = target {
            args.extend(["--subscription", subscription, "--location", location]);
        }
        match self.command(&args).await {
            Err(AzdError::Host(HostError::Refused { refusal: RefusalKind::AlreadyExists, .. })) => Ok(String::new()),
            outcome => outcome,
        }
    }

    /// Makes an environment the default one.
    ///
    /// # Errors
    /// See [`AzdError`].
    pub async fn select(&self, environment: &str) -> Result<(), AzdError> {
        match self.host {
            Some(host) => host.select_environment(environment).await?,
            None => drop(run_program(self.env, self.timings, &["env", "select", environment, NO_PROMPT]).await?),
        }
        Ok(())
    }

    /// Stores values in an environment: one by one through the server, all together through the program.
    ///
    /// # Errors
    /// See [`SaveError`].
    pub async fn save(&self, environment: &str, values: &[(&str, &str)]) -> Result<(), SaveError> {
        let Some(host) = self.host else {
            let pairs: Vec<String> = values.iter().map(|(key, value)| format!("{key}={value}")).collect();
            let mut args = vec!["env", "set", "-e", environment, NO_PROMPT];
            args.extend(pairs.iter().map(String::as_str));
            let failed = |why: ProgramError| {
                let key = values.first().map_or_else(String::new, |(key, _)| (*key).to_owned());
                SaveError { key, saved: Vec::new(), why: why.into() }
            };
            return run_program(self.env, self.timings, &args).await.map(drop).map_err(failed);
        };
        let mut saved = Vec::new();
        for (key, value) in values {
            let key = (*key).to_owned();
            if let Err(why) = host.set_value(environment, &key, value).await {
                return Err(SaveError { key, saved, why: why.into() });
            }
            saved.push(key);
        }
        Ok(())
    }

    /// Runs the command within the azd that runs this program, if that may use the terminal and prompts for nothing
    /// that this run would not prompt for; otherwise through the program, which gets no input. azd has no such option
    /// for a single command.
    async fn command(&self, args: &[&str]) -> Result<String, AzdError> {
        let is_agreed = self.may_ask || self.env.flag(var::AZD_NO_PROMPT);
        match self.host.filter(|_| !self.silent && is_agreed) {
            Some(host) => {
                host.run(args).await?;
                Ok(String::new())
            }
            None => {
                let args = [args, &[NO_PROMPT]].concat();
                let output = run_program(self.env, self.timings, &args).await?;
                Ok(String::from_utf8_lossy(&output).trim().to_owned())
            }
        }
    }
}
