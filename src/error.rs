//! Failure of a command: its message, suggestion and exit code.
//!
//! Modules below `commands` have their own typed errors; each of them is converted to a message in `error/`, and
//! nowhere else. The conversion chooses message and suggestion once; callers add facts that only they know, such as the
//! command to repeat.

mod arm;
mod arm_table;
mod azcopy;
mod code;
mod deployments;
mod download;
mod from;
mod hub;
mod inference;
mod kind;
mod model;
mod native;
mod project;
mod reading;
mod record;
mod registration;
mod report;
#[cfg(test)]
mod row;
mod service;
mod sums;
mod table;
#[cfg(test)]
mod transcripts;
mod upload;

pub(crate) use arm_table::ARM_ROWS;
pub(crate) use deployments::DeploySuggestions;
pub(crate) use table::ROWS;

use std::process::ExitCode;

pub(crate) use code::ErrorCode;
pub(crate) use kind::ErrorKind;
pub(crate) use model::MissingModel;
pub(crate) use registration::{RegistrationSuggestions, VersionConflict};

use crate::console::ErrorPage;
use azure_ai_models_core::model::{ModelName, ModelVersion};
use azure_ai_models_core::redact::clean;

/// Failure of a command. Secrets are removed from its texts: an error may quote a mistyped argument.
#[derive(Debug)]
pub(crate) struct CliError {
    kind: ErrorKind,
    // Boxed, since every command returns one and few commands fail.
    details: Box<ErrorDetails>,
}

/// Content of an error.
#[derive(Debug)]
struct ErrorDetails {
    code: ErrorCode,
    message: String,
    suggestion: Option<String>,
    links: Vec<(String, String)>,
    status: Option<u16>,
    request_id: Option<String>,
    time: Option<String>,
    origin: ErrorOrigin,
    /// True for a failure that repeats until its cause is removed.
    is_lasting: bool,
    /// True for a failure that is reported on standard output.
    is_on_stdout: bool,
}

/// Origin of a failure, for azd's statistics.
#[derive(Debug)]
enum ErrorOrigin {
    /// This program, or the user.
    Local,
    /// AzCopy.
    Tool,
    /// Service at this host.
    Service(String),
}

impl CliError {
    /// Failure of this kind; its code is that of the kind until a more specific one is set.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let details = ErrorDetails {
            code: ErrorCode::Kind(kind),
            message: clean(&message.into()),
            suggestion: None,
            links: Vec::new(),
            status: None,
            request_id: None,
            time: None,
            origin: ErrorOrigin::Local,
            is_lasting: false,
            is_on_stdout: false,
        };
        Self { kind, details: Box::new(details) }
    }

    /// Usage error.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// General failure.
    pub(crate) fn failure(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failure, message)
    }

    /// Error for `--progress bar` under a coding agent, which this variable indicates.
    pub(crate) fn no_bar(variable: &str) -> Self {
        Self::usage(format!("--progress bar is not for coding agents, and {variable} is set"))
            .with_code(ErrorCode::Contradiction)
            .with_suggestion("Use --progress plain or --progress json.")
    }

    /// Error for a command that the user ended.
    pub(crate) fn interrupted() -> Self {
        Self::new(ErrorKind::Interrupted, "Interrupted.")
    }

    /// Error for a prompt that the user answered with no.
    pub(crate) fn cancelled(message: &str) -> Self {
        Self::failure(message).with_code(ErrorCode::Cancelled)
    }

    /// Error for an unexpected response of the service.
    pub(crate) fn unexpected_response(what: &str) -> Self {
        Self::new(ErrorKind::Service, format!("unexpected response from Foundry: {what}"))
            .with_code(ErrorCode::BadAnswer)
    }

    /// Error for a model, or a version of it, that does not exist; `list` is the command that lists the existing ones.
    pub(crate) fn no_such_model(name: &ModelName, version: Option<&ModelVersion>, list: &str) -> Self {
        let missing = MissingModel { name, version, list };
        Self::new(ErrorKind::NotFound, missing.message())
            .with_code(ErrorCode::ModelNotFound)
            .with_suggestion(missing.suggestion())
    }

    /// Error for a version whose upload is kept on this machine, but which the service does not have.
    pub(crate) fn not_yet_a_model(name: &ModelName, version: &ModelVersion) -> Self {
        let missing = MissingModel { name, version: Some(version), list: "" };
        Self::new(ErrorKind::NotFound, missing.message())
            .with_code(ErrorCode::ModelNotFound)
            .with_suggestion("The upload is kept. Run the same 'custom create' again to resume it.")
    }

    /// Sets the code.
    #[must_use]
    pub(crate) fn with_code(mut self, code: ErrorCode) -> Self {
        self.details.code = code;
        self
    }

    /// Sets the suggestion, which may be set only once.
    #[must_use]
    pub(crate) fn with_suggestion(mut self, suggestion: impl Into<String>) -> Self {
        debug_assert!(self.details.suggestion.is_none(), "{:?} has a suggestion", self.details.code);
        self.details.suggestion = Some(clean(&suggestion.into()));
        self
    }

    /// Adds a line to the suggestion.
    #[must_use]
    pub(crate) fn and_suggestion(mut self, line: &str) -> Self {
        let line = clean(line);
        self.details.suggestion = Some(match self.details.suggestion {
            Some(suggestion) => format!("{suggestion}\n{line}"),
            None => line,
        });
        self
    }

    /// Adds a line to the message.
    #[must_use]
    pub(crate) fn and_message(mut self, line: &str) -> Self {
        self.details.message = format!("{}\n{}", self.details.message, clean(line));
        self
    }

    /// Puts a headline before the message.
    #[must_use]
    fn with_headline(mut self, headline: &str) -> Self {
        self.details.message = format!("{}: {}", clean(headline), self.details.message);
        self
    }

    /// Adds a link for further reading.
    #[must_use]
    fn with_link(mut self, title: &str, url: &str) -> Self {
        self.details.links.push((title.to_owned(), url.to_owned()));
        self
    }

    /// Sets status, request id and date of the service's response.
    #[must_use]
    fn with_answer(mut self, status: u16, request_id: Option<String>, time: Option<String>) -> Self {
        self.details.status = Some(status);
        self.details.request_id = request_id;
        self.details.time = time;
        self
    }

    /// Sets AzCopy as the origin of the failure.
    #[must_use]
    fn with_tool_origin(mut self) -> Self {
        self.details.origin = ErrorOrigin::Tool;
        self
    }

    /// Sets the service at this host as the origin of the failure.
    #[must_use]
    fn of_service(mut self, host: String) -> Self {
        self.details.origin = ErrorOrigin::Service(host);
        self
    }

    /// True if the same command alone would fail in the same way: a suggestion to run it again must name the condition.
    fn is_lasting(&self) -> bool {
        self.details.is_lasting || self.kind == ErrorKind::Auth || self.details.status.is_some_and(is_refusal)
    }

    /// Suppresses the message on standard error: the result on standard output reports the failure.
    #[must_use]
    pub(crate) fn reported(mut self) -> Self {
        self.details.is_on_stdout = true;
        self
    }

    /// True if the failure is already reported.
    pub(crate) fn is_reported(&self) -> bool {
        self.details.is_on_stdout
    }

    /// True if the user lacks a role.
    pub(crate) fn is_forbidden(&self) -> bool {
        self.details.status == Some(403)
    }

    /// True if a prompt was not possible, and has no default.
    pub(crate) fn is_missing_answer(&self) -> bool {
        self.details.code == ErrorCode::MissingAnswer
    }

    /// True if the service does not have the model or version.
    pub(crate) fn is_model_missing(&self) -> bool {
        let code = self.details.code.as_str();
        let is_of_model = matches!(code, "ModelNotFound" | "ModelVersionNotFound" | "NotFound" | "ResourceNotFound");
        self.kind == ErrorKind::NotFound && (self.details.code == ErrorCode::ModelNotFound || is_of_model)
    }

    /// Error message.
    pub(crate) fn message(&self) -> &str {
        &self.details.message
    }

    /// Error page for the console.
    pub(crate) fn page(&self) -> ErrorPage<'_> {
        ErrorPage {
            kind: self.kind.as_str(),
            is_interrupt: self.kind == ErrorKind::Interrupted,
            code: self.details.code.as_str(),
            message: &self.details.message,
            status: self.details.status,
            request_id: self.details.request_id.as_deref(),
            time: self.details.time.as_deref(),
            suggestion: self.details.suggestion.as_deref(),
            links: &self.details.links,
        }
    }

    /// Returns the exit code of the process.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.kind.exit_code())
    }
}

/// True for a status with which a service rejects the request itself.
fn is_refusal(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 408 | 429)
}
