//! Confirmation prompts before data is lost.

use super::{App, PromptObstacle};
use crate::error::{CliError, ErrorCode};

/// A question whose default is no.
pub(crate) struct Confirm<'a> {
    /// Noun for the message 'cannot confirm the deletion without a terminal'.
    pub(crate) action: &'a str,
    /// Suggestion when the user cannot be asked.
    pub(crate) unattended: &'a str,
    /// Question, without the accepted answers.
    pub(crate) question: &'a str,
    /// Answer that confirms.
    pub(crate) accepts: AcceptedAnswer<'a>,
    /// Message after any other answer.
    pub(crate) declined: &'a str,
}

/// Answer that confirms.
pub(crate) enum AcceptedAnswer<'a> {
    /// `y` or `yes`.
    Yes,
    /// This text, such as the name of the deleted model.
    Text(&'a str),
}

impl Confirm<'_> {
    /// Fails if the question cannot be asked.
    ///
    /// # Errors
    /// A usage error that names the option which answers the question.
    pub(crate) fn can_be_asked(&self, obstacle: Option<PromptObstacle>) -> Result<(), CliError> {
        let Some(obstacle) = obstacle else { return Ok(()) };
        Err(CliError::usage(format!("cannot confirm {} {obstacle}", self.action))
            .with_code(ErrorCode::ConfirmationRequired)
            .with_suggestion(self.unattended))
    }
}

impl App {
    /// Fails if a question cannot be asked. Commands check this before they do anything else.
    ///
    /// # Errors
    /// A usage error that names the option which answers the question.
    pub(crate) fn can_confirm(&self, confirm: &Confirm<'_>) -> Result<(), CliError> {
        confirm.can_be_asked(self.terminal_prompt_obstacle())
    }

    /// Asks for a confirmation.
    ///
    /// # Errors
    /// When the user declines or cannot be asked.
    pub(crate) async fn confirm(&self, confirm: &Confirm<'_>) -> Result<(), CliError> {
        self.can_confirm(confirm)?;
        let question = match confirm.accepts {
            AcceptedAnswer::Yes => format!("{} (y/N) ", confirm.question),
            AcceptedAnswer::Text(_) => format!("{}: ", confirm.question),
        };
        let answer = self.ask(&question).await?;
        let accepted = match (answer.as_deref().map(str::trim), &confirm.accepts) {
            (Some(answer), AcceptedAnswer::Yes) => matches!(answer, "y" | "Y" | "yes" | "Yes" | "YES"),
            (Some(answer), AcceptedAnswer::Text(text)) => answer == *text,
            (None, _) => false,
        };
        if accepted { Ok(()) } else { Err(CliError::cancelled(confirm.declined)) }
    }
}
