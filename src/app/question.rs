//! Prompts for required values that were not given: by azd if azd runs this program, otherwise on this program's
//! terminal.

use std::fmt;
use std::io;
use std::sync::Arc;

use super::App;
use crate::error::{CliError, ErrorCode};
use crate::globals::OutputFormat;
use azure_ai_models_core::env::var;

/// Attempts to answer: an agent that answers for the user may repeat a wrong answer.
const ATTEMPTS: usize = 5;

/// Reason why the user cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PromptObstacle {
    /// `--no-prompt`, here or in azd.
    NoPrompt,
    /// This variable shows that a coding agent runs the program.
    Agent(&'static str),
    /// Standard input or output is not a terminal.
    NoTerminal,
    /// azd draws its prompts on standard output, which is reserved for JSON.
    Json,
}

impl fmt::Display for PromptObstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Agent(name) => return write!(f, "because {name} is set"),
            Self::NoPrompt => "with --no-prompt",
            Self::NoTerminal => "without a terminal",
            Self::Json => "because azd cannot prompt with -o json",
        })
    }
}

impl App {
    /// Obstacle to a prompt on this program's terminal; `None` if there is none.
    #[must_use]
    pub(crate) fn terminal_prompt_obstacle(&self) -> Option<PromptObstacle> {
        let no_prompt = self.globals.no_prompt.unwrap_or_else(|| self.env.flag(var::AZD_NO_PROMPT));
        match (no_prompt, self.env.agent(), self.env.interactive()) {
            (true, ..) => Some(PromptObstacle::NoPrompt),
            (false, Some(name), _) => Some(PromptObstacle::Agent(name)),
            (false, None, false) => Some(PromptObstacle::NoTerminal),
            (false, None, true) => None,
        }
    }

    /// Obstacle to a prompt, by azd or on this program's terminal; `None` if there is none.
    #[must_use]
    pub(crate) fn prompt_obstacle(&self) -> Option<PromptObstacle> {
        let is_json = self.env.run_by_azd() && self.globals.output == OutputFormat::Json;
        self.terminal_prompt_obstacle().or(is_json.then_some(PromptObstacle::Json))
    }

    /// True if azd can prompt too, which draws on standard output, where JSON belongs.
    #[must_use]
    pub(crate) fn can_choose(&self) -> bool {
        self.prompt_obstacle().is_none()
    }

    /// Asks for one of several choices, and returns its index.
    ///
    /// # Errors
    /// When the user cancels the prompt or cannot be asked.
    pub(crate) async fn choose(&self, question: &str, choices: Vec<String>) -> Result<usize, CliError> {
        match self.host() {
            Some(host) => Ok(host.select(question, &choices, None).await?),
            None => self.select(question, choices).await,
        }
    }

    /// Asks for a value, and repeats the question with the reason after an invalid answer. An empty answer means
    /// `default`.
    ///
    /// # Errors
    /// When the user cancels the prompt, cannot be asked, or gives no valid answer.
    pub(crate) async fn value<T>(
        &self,
        question: &str,
        default: Option<&str>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, CliError> {
        let answer = self.answer(question, default, &|text| parse(text).map(drop)).await?;
        parse(&answer).map_err(CliError::usage)
    }

    /// Asks for a text that passes this check.
    async fn answer(
        &self,
        question: &str,
        default: Option<&str>,
        check: &dyn Fn(&str) -> Result<(), String>,
    ) -> Result<String, CliError> {
        let host = self.host();
        let own = default.map_or_else(|| format!("{question}: "), |default| format!("{question} [{default}]: "));
        let mut last = String::new();
        for _ in 0..ATTEMPTS {
            let answer = match &host {
                Some(host) => host.text(question, default.unwrap_or_default()).await?,
                None => match self.ask(&own).await? {
                    Some(answer) => answer,
                    None => break,
                },
            };
            let answer = Some(answer.trim()).filter(|answer| !answer.is_empty()).or(default).unwrap_or_default();
            match check(answer) {
                Ok(()) => return Ok(answer.to_owned()),
                Err(why) => {
                    self.console.warn(&format!("Invalid answer: {why}"));
                    last = why;
                }
            }
        }
        let why = if last.is_empty() { String::new() } else { format!(": {last}") };
        Err(CliError::usage(format!("no valid answer to '{question}'{why}")).with_code(ErrorCode::MissingAnswer))
    }

    /// Asks for one of several choices on this program's own terminal, and returns its index.
    ///
    /// # Errors
    /// When the user cancels the prompt, or the terminal cannot be used.
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
}
