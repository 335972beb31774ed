//! What a failed command tells the person, and with which exit code it ends.
//!
//! Modules below `commands` have typed errors of their own; every one of them is translated in
//! `error/`, and nowhere else.

mod arm;
mod from;
mod kind;
mod native;
mod project;
mod report;
mod service;
mod table;
#[cfg(test)]
mod transcripts;
mod upload;

pub use table::{ROWS, Row};

use std::process::ExitCode;

pub use kind::ErrorKind;

use crate::console::ErrorPage;
use azure_ai_models_core::model::{ModelName, ModelVersion};
use azure_ai_models_core::redact::clean;

/// A failed command. Its texts are cleaned of secrets, whoever wrote them: an error may quote a mistyped argument.
#[derive(Debug)]
pub struct CliError {
    kind: ErrorKind,
    // Boxed, since every command returns one and few commands fail.
    told: Box<Told>,
}

/// What the person is told.
#[derive(Debug)]
struct Told {
    code: String,
    message: String,
    suggestion: Option<String>,
    links: Vec<(String, String)>,
    status: Option<u16>,
    request_id: Option<String>,
    time: Option<String>,
    culprit: Culprit,
}

/// Whose failure it is, for azd's statistics.
#[derive(Debug)]
enum Culprit {
    /// This program's, or the person's.
    Local,
    /// AzCopy's.
    Tool,
    /// The service's at this host.
    Service(String),
}

impl CliError {
    /// A failure of this kind; its code is the kind's word until a better one is known.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let told = Told {
            code: kind.as_str().to_owned(),
            message: clean(&message.into()),
            suggestion: None,
            links: Vec::new(),
            status: None,
            request_id: None,
            time: None,
            culprit: Culprit::Local,
        };
        Self { kind, told: Box::new(told) }
    }

    /// Wrong usage.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// A failure of no special kind.
    #[must_use]
    pub fn failure(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failure, message)
    }

    /// The person ended the command.
    #[must_use]
    pub fn interrupted() -> Self {
        Self::new(ErrorKind::Interrupted, "Interrupted.")
    }

    /// Something is there that stands in the way.
    #[must_use]
    pub fn conflict() -> Self {
        Self::new(ErrorKind::Conflict, "it exists already").with_code("version_taken")
    }

    /// An answer of the service that makes no sense.
    #[must_use]
    pub fn odd_answer(what: &str) -> Self {
        Self::new(ErrorKind::Service, format!("Foundry answered with {what}")).with_code("bad_answer")
    }

    /// A model, or one version of it, of which the service says that it is not there.
    #[must_use]
    pub fn model_not_found(name: &ModelName, version: Option<&ModelVersion>, list: &str, error: Self) -> Self {
        let mut told = *error.told;
        let here = Self::no_such_model(name, version, list);
        told.message = here.told.message;
        told.suggestion = here.told.suggestion;
        Self { kind: here.kind, told: Box::new(told) }
    }

    /// A model, or one version of it, that is not in any list; `list` is the command that shows what there is.
    #[must_use]
    pub fn no_such_model(name: &ModelName, version: Option<&ModelVersion>, list: &str) -> Self {
        let what = match version {
            Some(version) => format!("model '{name}' has no version {version} in this project"),
            None => format!("there is no model '{name}' in this project"),
        };
        Self::new(ErrorKind::NotFound, what)
            .with_code("ModelNotFound")
            .with_suggestion(format!("See what there is: {list}"))
    }

    /// The same with a code that scripts can rely on.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.told.code = code.into();
        self
    }

    /// The same of another kind.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// The same under another headline.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.told.message = clean(&message.into());
        self
    }

    /// The same with a way out.
    #[must_use]
    pub fn with_suggestion(mut self, suggestion: impl Into<String>) -> Self {
        self.told.suggestion = Some(clean(&suggestion.into()));
        self
    }

    /// The same with a page to read.
    #[must_use]
    pub fn with_link(mut self, title: &str, url: &str) -> Self {
        self.told.links.push((title.to_owned(), url.to_owned()));
        self
    }

    /// The same with what the service's answer says of itself.
    #[must_use]
    pub fn with_answer(mut self, status: u16, request_id: Option<String>, time: Option<String>) -> Self {
        self.told.status = Some(status);
        self.told.request_id = request_id;
        self.told.time = time;
        self
    }

    /// The same as a failure of AzCopy.
    fn of_tool(mut self) -> Self {
        self.told.culprit = Culprit::Tool;
        self
    }

    /// True for a 404 about a model; any other 404 means that the service has no such route (cli.md 13).
    #[must_use]
    pub fn speaks_of_a_model(&self) -> bool {
        const CODES: [&str; 4] = ["ModelNotFound", "ModelVersionNotFound", "NotFound", "ResourceNotFound"];
        self.told.status == Some(404) && CODES.iter().any(|code| code.eq_ignore_ascii_case(&self.told.code))
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The word that scripts can rely on.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.told.code
    }

    /// True when the person ended the command.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.kind == ErrorKind::Interrupted
    }

    /// What failed.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.told.message
    }

    /// The way out, if one is known.
    #[must_use]
    pub fn suggestion(&self) -> Option<&str> {
        self.told.suggestion.as_deref()
    }

    /// The status of the service's answer, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.told.status
    }

    /// What the console shows of it.
    #[must_use]
    pub fn page(&self) -> ErrorPage<'_> {
        ErrorPage {
            kind: self.kind.as_str(),
            code: &self.told.code,
            message: &self.told.message,
            status: self.told.status,
            request_id: self.told.request_id.as_deref(),
            time: self.told.time.as_deref(),
            suggestion: self.told.suggestion.as_deref(),
            links: &self.told.links,
        }
    }

    /// How the process ends.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.kind.exit_code())
    }
}
