//! Services of one run for the commands, created on first use: environment, console, cancellation, clients.

mod command_line;
mod confirm;
mod question;
mod reports;

pub(crate) use confirm::{AcceptedAnswer, Confirm};
pub(crate) use question::PromptObstacle;
use reports::KeptWarnings;

use std::cell::{Cell, OnceCell, RefCell};
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::console::Console;
use crate::console::product::{JsonPieces, Product};
use crate::console::render;
use crate::detached::Detached;
use crate::error::{CliError, ErrorCode};
use crate::globals::{Globals, OutputFormat};
use azure_ai_models_core::azd::Host;
use azure_ai_models_core::cancel::Cancellation;
use azure_ai_models_core::credential::{Audience, CredentialError, TokenSource, TokenTarget};
use azure_ai_models_core::env::{Env, Timings, var};
use azure_ai_models_core::foundry::{FoundryClient, api_version};
use azure_ai_models_core::http::HttpClient;
use azure_ai_models_core::model::{CustomModel, Source, is_loopback};
use azure_ai_models_core::platform::Platform;
use azure_ai_models_core::project::{self, FindError, ProjectLookup, ProjectSearch, ResolvedProject};
use azure_ai_models_core::units;
use azure_ai_models_core::upload::detached::RecordedProduct;
use url::Url;

/// One run of the program.
pub(crate) struct App {
    /// Process environment.
    pub(crate) env: Env,
    /// Limits and delays.
    pub(crate) timings: Timings,
    /// Global options.
    pub(crate) globals: Globals,
    /// The one owner of the streams.
    pub(crate) console: Arc<Console>,
    /// Set by signals.
    pub(crate) cancel: Cancellation,
    http: OnceCell<Arc<HttpClient>>,
    found: OnceCell<ResolvedProject>,
    trusted: OnceCell<Env>,
    hub: OnceCell<Env>,
    interrupted: RefCell<Option<CliError>>,
    /// This process carries a detached upload on.
    pub(crate) detached: Option<Rc<Detached>>,
    /// Tokens must be available after azd has ended.
    needs_independent_sign_in: Cell<bool>,
    /// Warnings about variables of azd environments that do not count.
    pub(crate) ignored: Vec<String>,
    kept_warnings: OnceCell<KeptWarnings>,
}

impl App {
    /// Puts one run together. Costs nothing that a command does not use.
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
            kept_warnings: OnceCell::new(),
        }
    }

    /// Sets the error reported when the command is interrupted from now on; commands set it by phase.
    pub(crate) fn on_interrupt(&self, error: CliError) {
        *self.interrupted.borrow_mut() = Some(error);
    }

    /// The failure of a command that was dropped.
    #[must_use]
    pub(crate) fn interrupted(&self) -> CliError {
        self.interrupted.borrow_mut().take().unwrap_or_else(CliError::interrupted)
    }

    /// The one HTTP client.
    #[must_use]
    pub(crate) fn http(&self) -> Arc<HttpClient> {
        Arc::clone(self.http.get_or_init(|| {
            Arc::new(HttpClient::new(&self.env, self.timings.clone(), self.reporter(), self.console.is_debug()))
        }))
    }

    /// Finds the project; `endpoint` stands for the option.
    ///
    /// # Errors
    /// When an endpoint breaks a rule, or azd does not report its environment.
    pub(crate) async fn look_for_project(&self, endpoint: Option<&str>) -> Result<ProjectLookup, FindError> {
        let report = self.reporter();
        let search = ProjectSearch {
            env: &self.env,
            timings: &self.timings,
            option: endpoint,
            environment: self.globals.environment.as_deref(),
            report: &report,
        };
        let outcome = Box::pin(search.run()).await?;
        self.trusted.get_or_init(|| outcome.env);
        Ok(outcome.answer)
    }

    /// Creates a client of the project that this run uses from now on.
    ///
    /// # Errors
    /// When the sign-in configuration breaks a rule.
    pub(crate) fn client_of(&self, project: ResolvedProject) -> Result<FoundryClient, CliError> {
        let found = self.set_project(project);
        self.console.debug(&format!("project endpoint: {} (from {})", found.endpoint, found.source));
        let tokens = self.tokens_for(&found.endpoint.host_url(), Audience::Foundry)?;
        Ok(self.client_with(found, tokens))
    }

    /// A client of this project that signs in with these tokens.
    pub(crate) fn client_with(&self, project: &ResolvedProject, tokens: Arc<TokenSource>) -> FoundryClient {
        FoundryClient::new(self.http(), tokens, project.endpoint.clone(), api_version(self.trusted_env()))
    }

    /// Sets the project of this run.
    pub(crate) fn set_project(&self, project: ResolvedProject) -> &ResolvedProject {
        self.found.get_or_init(|| project)
    }

    /// Creates a token source for another service of this run's project, at this address.
    ///
    /// # Errors
    /// When the way to sign in breaks a rule.
    pub(crate) fn tokens_for(&self, url: &Url, audience: Audience) -> Result<Arc<TokenSource>, CredentialError> {
        let env = self.trusted_env();
        let found = self.found.get();
        let target = TokenTarget {
            host: url.host_str().unwrap_or_default(),
            loopback: is_loopback(url),
            named_by_user: found.is_some_and(|found| found.is_named_by_user(env)),
            audience,
        };
        let tenant = found.and_then(|found| found.tenant.as_deref());
        Ok(Arc::new(TokenSource::new(&self.sign_in_env(), target, tenant, self.timings.clone(), self.reporter())?))
    }

    /// Makes later sign-ins independent of the azd process that started the program, so that one that depends on it
    /// fails now.
    pub(crate) fn require_independent_sign_in(&self) {
        self.needs_independent_sign_in.set(true);
    }

    fn sign_in_env(&self) -> Env {
        let env = self.trusted_env();
        if self.needs_independent_sign_in.get() { env.without(&var::AZD_RUN_VARIABLES) } else { env.clone() }
    }

    /// The project that this run is about, once a client of it was made.
    #[must_use]
    pub(crate) fn project(&self) -> Option<&ResolvedProject> {
        self.found.get()
    }

    /// Environment whose trust-widening variables were set by the user.
    #[must_use]
    pub(crate) fn trusted_env(&self) -> &Env {
        let judge = || project::trusted(&self.env, self.globals.environment.as_deref(), None, &self.reporter());
        self.trusted.get_or_init(judge)
    }

    /// The environment in which the variables of the Hugging Face Hub are the user's own.
    #[must_use]
    pub(crate) fn hub_env(&self) -> &Env {
        let judge = || project::trusted_for_hub(&self.env, self.globals.environment.as_deref(), &self.reporter());
        self.hub.get_or_init(judge)
    }

    /// Understands a source. Variables of the Hub count for addresses alone.
    ///
    /// # Errors
    /// When the text is no source.
    pub(crate) fn source(&self, text: &str) -> Result<Source, CliError> {
        let endpoint = text.contains("://").then(|| self.hub_env().get(var::HF_ENDPOINT)).flatten();
        Ok(Source::parse(text, endpoint)?)
    }

    /// azd's server, when azd runs the program.
    #[must_use]
    pub(crate) fn host(&self) -> Option<Host> {
        Host::from_env(&self.env, &self.timings)
    }

    /// Asks for one of several choices on the program's own terminal, and returns its index.
    ///
    /// # Errors
    /// When the user cancels the question, or the terminal cannot be used.
    pub(crate) async fn select(&self, question: &str, choices: Vec<String>) -> Result<usize, CliError> {
        let (question, console) = (question.to_owned(), Arc::clone(&self.console));
        let _guard = self.console.guard();
        let chosen = tokio::task::spawn_blocking(move || console.select(&question, &choices));
        match chosen.await {
            Ok(Ok(Some(index))) => Ok(index),
            Ok(Err(why)) if why.kind() != io::ErrorKind::Interrupted => {
                Err(CliError::failure(format!("cannot ask on this terminal: {why}")))
            }
            _ => Err(CliError::interrupted()),
        }
    }

    /// Asks for one line; `None` at the end of the input.
    ///
    /// # Errors
    /// When the answer cannot be read.
    pub(crate) async fn ask(&self, question: &str) -> Result<Option<String>, CliError> {
        let question = question.to_owned();
        let console = Arc::clone(&self.console);
        let answer = tokio::task::spawn_blocking(move || console.ask(&question)).await;
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(why)) if why.kind() == io::ErrorKind::FileTooLarge => {
                Err(CliError::usage("standard input contains a line longer than 64 KB")
                    .with_code(ErrorCode::BadSource)
                    .with_suggestion("Write one line to it: an answer, a path or a URL."))
            }
            Ok(Err(why)) => Err(CliError::failure(format!("cannot read the answer: {why}"))),
            Err(_) => Err(CliError::interrupted()),
        }
    }

    /// Reads one line of standard input without a prompt; `None` at its end.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) async fn line(&self) -> Result<Option<String>, CliError> {
        self.ask("").await
    }

    /// Writes a product in the output format of this run.
    ///
    /// # Errors
    /// When standard output cannot be written. A reader that went away is no error.
    pub(crate) fn show(&self, product: &impl Product) -> Result<(), CliError> {
        if let Some(detached) = &self.detached {
            let text = product.text(self.console.table_style());
            let pieces: Result<String, _> = product.json().collect();
            let json = pieces.map_err(|_| CliError::unexpected_response("a model that is not valid JSON"))?;
            self.console.status_unrecorded(&text);
            detached.set_product(RecordedProduct { text, json });
            return Ok(());
        }
        match self.globals.output {
            OutputFormat::Table => self.text(&product.text(self.console.table_style())),
            OutputFormat::Json => self.json(product.json()),
            OutputFormat::None => Ok(()),
        }
    }

    /// Writes a product that is text in any format but `none`.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn text(&self, text: &str) -> Result<(), CliError> {
        match self.globals.output {
            OutputFormat::None => Ok(()),
            OutputFormat::Table | OutputFormat::Json => Ok(self.console.product(text)?),
        }
    }

    /// Writes a product that is JSON in any format.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn json(&self, pieces: JsonPieces<'_>) -> Result<(), CliError> {
        for piece in pieces {
            let piece = piece.map_err(|_| CliError::unexpected_response("a model that is not valid JSON"))?;
            self.console.product(&piece)?;
        }
        Ok(())
    }

    /// azd's configuration directory, where uploads keep AzCopy's log.
    ///
    /// # Errors
    /// When there is no home directory: the working directory is never used instead.
    pub(crate) fn config_dir(&self) -> Result<PathBuf, CliError> {
        self.env.azd_config_dir().ok_or_else(|| {
            CliError::failure("no home directory found for AzCopy's log").with_code(ErrorCode::NoHome).with_suggestion(
                format!("Set {}, or set AZD_CONFIG_DIR to a writable directory.", Platform::CURRENT.home_variable()),
            )
        })
    }

    /// Warns where other users of this machine may read what uploads keep.
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
    /// When the variable holds no duration.
    pub(crate) fn stall_limit(&self) -> Result<Duration, CliError> {
        let Some(text) = self.env.get(var::STALL_TIMEOUT) else { return Ok(self.timings.stall_limit) };
        let limit = units::parse_duration(text).map_err(|why| {
            CliError::usage(format!("{}: {why}", var::STALL_TIMEOUT)).with_code(ErrorCode::BadVariable)
        })?;
        Ok(self.timings.scaled(limit))
    }

    /// The command that deploys a model, with these options for name and SKU; without any, under the model's name.
    #[must_use]
    pub(crate) fn deploy_command(&self, model: &CustomModel, options: &[String]) -> String {
        let view = model.view();
        let version = view.version.as_deref().unwrap_or("VERSION");
        let (create, name) = (["custom", "deployments", "create"], view.name.as_str());
        let options: Vec<&str> = match options {
            [] => vec!["--name", name],
            options => options.iter().map(String::as_str).collect(),
        };
        self.command_line(&[&create[..], &options, &["--model", name, "--model-version", version]].concat())
    }

    /// The page of a model, with what can be done with it now.
    #[must_use]
    pub(crate) fn model_page(&self, model: &CustomModel) -> String {
        let view = model.view();
        let version = view.version.as_deref().unwrap_or("VERSION");
        let wait = self.command_line(&["custom", "wait", "--name", &view.name, "--version", version]);
        render::model_page(model, &self.deploy_command(model, &[]), &wait)
    }
}
