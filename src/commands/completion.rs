//! `completion`: a script with which a shell completes this program's commands and options.

use clap_complete::{Shell, generate};

use crate::app::App;
use crate::cli::{PROGRAM, tree};
use crate::error::CliError;

/// Prints the script for one shell.
///
/// # Errors
/// Only when standard output cannot be written.
pub fn completion(app: &App, shell: Shell) -> Result<(), CliError> {
    let mut script = Vec::new();
    generate(shell, &mut tree(PROGRAM), PROGRAM, &mut script);
    app.product(&String::from_utf8_lossy(&script))
}
