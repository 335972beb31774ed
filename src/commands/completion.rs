//! `completion`: a script with which a shell completes this program's commands and options.

use clap_complete::{Shell, generate};

use crate::app::App;
use crate::error::CliError;
use crate::globals::PROGRAM;

/// Prints the script that completes the commands of clap's tree in one shell.
///
/// # Errors
/// Only when standard output cannot be written.
pub(crate) fn completion(app: &App, mut tree: clap::Command, shell: Shell) -> Result<(), CliError> {
    let mut script = Vec::new();
    generate(shell, &mut tree, PROGRAM, &mut script);
    app.text(&String::from_utf8_lossy(&script))
}
