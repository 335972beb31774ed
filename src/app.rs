//! Services of one run for the commands, created on first use: environment, console, cancellation, clients.

mod clients;
mod command_line;
mod confirm;
mod question;
mod reports;
mod show;

pub(crate) use confirm::{AcceptedAnswer, Confirm};
pub(crate) use question::PromptObstacle;
use reports::CollectedWarnings;

use std::cell::{Cell, OnceCell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::console::Console;
use crate::detached::Detached;
use crate::error::{CliError, ErrorCode};
use crate::globals::Globals;
use azure_ai_models_core::azd::Host;
use azure_ai_models_core::cancel::Cancellation;
use azure_ai_models_core::env::{Env, Timings, var};
use azure_ai_models_core::http::HttpClient;
use azure_ai_models_core::model::Source;
use azure_ai_models_core::platform::Platform;
use azure_ai_models_core::project::ResolvedProject;
use azure_ai_models_core::units;

/// One run of the program.
pub(crate) struct App {
    /// Process environment.
    pub(crate) env: Env,
    /// Limits and delays.
    pub(crate) timings: Timings,
    /// Global options.
    pub(crate) globals: Globals,
    /// Owner of the standard streams.
    pub(crate) console: Arc<Console>,
    /// Cancellation, set by signals.
    pub(crate) cancel: Cancellation,
    http: OnceCell<Arc<HttpClient>>,
    found: OnceCell<ResolvedProject>,
    trusted: OnceCell<Env>,
    hub: OnceCell<Env>,
    interrupted: RefCell<Option<CliError>>,
    /// Detached upload that this process carries out.
    pub(crate) detached: Option<Rc<Detached>>,
    /// True if tokens must be available after azd has ended.
    needs_independent_sign_in: Cell<bool>,
    /// Warnings about ignored variables of azd environments.
    pub(crate) ignored: Vec<String>,
    collected_warnings: OnceCell<CollectedWarnings>,
}

impl App {
    /// Creates the services of one run, without work that a command may not need.
    #[must_use]
    pub(crate) fn new(env: Env, globals: Globals, console: Arc<Console>, cancel: Cancellation) -> Self {
        let timings = Timings::from_env(&env);
        Self {
            env,
            timings,
            globals,
            console,
            cancel,
            http: OnceCell::new(),
            found: OnceCell::new(),
            trusted: OnceCell::new(),
            hub: OnceCell::new(),
            interrupted: RefCell::default(),
            detached: None,
            needs_independent_sign_in: Cell::new(false),
            ignored: Vec::new(),
            collected_warnings: OnceCell::new(),
        }
    }

    /// Sets the error reported when the command is interrupted from now on; commands set it by phase.
    pub(crate) fn on_interrupt(&self, error: CliError) {
        *self.interrupted.borrow_mut() = Some(error);
    }

    /// Error of a command that was dropped after an interruption.
    #[must_use]
    pub(crate) fn interrupted(&self) -> CliError {
        self.interrupted.borrow_mut().take().unwrap_or_else(CliError::interrupted)
    }

    /// Parses a source. Variables of the Hub matter only for URLs.
    ///
    /// # Errors
    /// When the text is not a valid source.
    pub(crate) fn source(&self, text: &str) -> Result<Source, CliError> {
        let endpoint = text.contains("://").then(|| self.hub_env().get(var::HF_ENDPOINT)).flatten();
        Ok(Source::parse(text, endpoint)?)
    }

    /// Server of azd, if azd runs this program.
    #[must_use]
    pub(crate) fn host(&self) -> Option<Host> {
        Host::from_env(&self.env, &self.timings)
    }

    /// azd's configuration directory, where uploads keep AzCopy's log.
    ///
    /// # Errors
    /// When there is no home directory; the working directory is never used instead.
    pub(crate) fn config_dir(&self) -> Result<PathBuf, CliError> {
        self.env.azd_config_dir().ok_or_else(|| {
            CliError::failure("no home directory found for AzCopy's log").with_code(ErrorCode::NoHome).with_suggestion(
                format!("Set {}, or set AZD_CONFIG_DIR to a writable directory.", Platform::CURRENT.home_variable()),
            )
        })
    }

    /// Warns if other users of this machine may read the files that uploads keep.
    pub(crate) fn warn_of_shared_config_dir(&self) {
        if let Some(directory) = self.env.config_dir_outside_profile(Platform::CURRENT) {
            self.console.warn(&format!(
                "Other users of this computer can read AzCopy's logs and the upload records in {}, which is outside your profile. Restrict its permissions, or set {} to a folder in your profile.",
                directory.display(),
                var::AZD_CONFIG_DIR
            ));
        }
    }

    /// Time without progress after which an upload is ended.
    ///
    /// # Errors
    /// When the variable is not a duration.
    pub(crate) fn stall_limit(&self) -> Result<Duration, CliError> {
        let Some(text) = self.env.get(var::STALL_TIMEOUT) else { return Ok(self.timings.stall_limit) };
        let limit = units::parse_duration(text).map_err(|why| {
            CliError::usage(format!("{}: {why}", var::STALL_TIMEOUT)).with_code(ErrorCode::BadVariable)
        })?;
        Ok(self.timings.scaled(limit))
    }
}
