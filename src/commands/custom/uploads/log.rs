//! `uploads log`.

use std::fs;

use clap::Args;

use super::find;
use crate::app::App;
use crate::error::{CliError, ErrorCode, ErrorKind};
use azure_ai_models_core::display::printable_lines;

/// Options of `custom uploads log`.
#[derive(Args, Debug)]
pub(crate) struct LogArgs {
    /// Upload ID from 'uploads list', or its first digits
    #[arg(value_name = "ID")]
    id: String,
}

/// Prints the log of a detached upload, regardless of the output format.
pub(super) fn log(app: &App, args: &LogArgs) -> Result<(), CliError> {
    let upload = find(app, &args.id)?;
    let path = upload.files().log();
    if upload.run.is_none() {
        return Err(CliError::new(ErrorKind::NotFound, format!("upload {} is not detached and has no log", upload.id))
            .with_code(ErrorCode::NotDetached));
    }
    let text = fs::read(&path).map_err(|why| CliError::unreadable(&path, &why))?;
    app.text(&printable_lines(&String::from_utf8_lossy(&text)))
}
