//! `uploads stop`.

use std::time::Duration;

use clap::Args;
use tokio::time::Instant;

use super::find;
use super::resume::resume_of;
use crate::app::App;
use crate::error::{CliError, ErrorCode, ErrorKind};

/// Interval between checks for its end.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Time for AzCopy to end, with a margin.
const LIMIT: Duration = Duration::from_secs(60);

/// Options of `custom uploads stop`.
#[derive(Args, Debug)]
pub(crate) struct StopArgs {
    /// Upload ID from 'uploads list', or its first digits
    #[arg(value_name = "ID")]
    id: String,
}

/// Asks a detached upload to stop, by a file, and waits for its end. An upload that is not running is not an error.
pub(super) async fn stop(app: &App, args: &StopArgs) -> Result<(), CliError> {
    let upload = find(app, &args.id)?;
    if !upload.running {
        app.console.status(&format!("Upload {} is not running.", upload.id));
        return Ok(());
    }
    let process = upload.pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
    if upload.run.is_none() {
        return Err(CliError::new(ErrorKind::Conflict, format!("upload {} is not detached{process}", upload.id))
            .with_code(ErrorCode::NotDetached)
            .with_suggestion("Press Ctrl+C in the terminal that started it."));
    }
    let files = upload.files();
    files.request_stop().map_err(|why| CliError::failure(format!("the upload cannot be stopped: {why}")))?;
    let begun = Instant::now();
    while upload.is_running_now() && files.result().is_none() {
        if begun.elapsed() > LIMIT {
            return Err(CliError::failure(format!("upload {}{process} has not stopped yet", upload.id))
                .with_code(ErrorCode::StillRunning)
                .with_suggestion(
                    "It stops as soon as possible. If the process hangs, kill it; the upload can then be resumed.",
                ));
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    match files.result().filter(|result| result.error.is_none()) {
        Some(_) => app.console.done(&format!("Upload {} had already ended", upload.id)),
        None => {
            app.console.done(&format!("Upload {} stopped", upload.id));
            app.console.status(&format!("To resume it:\n  {}", resume_of(app, &upload)));
        }
    }
    Ok(())
}
