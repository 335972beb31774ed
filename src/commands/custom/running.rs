//! An upload that another process is running.

use crate::app::App;
use crate::error::CliError;
use azure_ai_models_core::upload::DirectoryError;

/// Error for an upload that another process owns; for a detached one with the commands that attach to it and stop it.
pub(super) fn error(app: &App, error: DirectoryError) -> CliError {
    let DirectoryError::InUse { upload, detached: true, .. } = &error else { return error.into() };
    let command = |word: &str| app.command_line(&["custom", "uploads", word, upload]);
    let (attach, stop, message) = (command("attach"), command("stop"), format!("Upload {upload} is detached."));
    CliError::from(error)
        .and_message(&message)
        .and_suggestion(&format!("To show its progress:\n  {attach}"))
        .and_suggestion(&format!("To stop it:\n  {stop}"))
}
