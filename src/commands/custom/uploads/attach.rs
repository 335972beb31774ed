//! `uploads attach`: shows the events of a detached upload as the foreground would, and ends with its result.

use std::time::Duration;

use clap::Args;

use super::find;
use super::resume::resume_of;
use crate::app::App;
use crate::commands::progress::ProgressArgs;
use crate::console::ProgressMode;
use crate::console::Replay;
use crate::error::{CliError, ErrorCode, ErrorKind};
use crate::globals::OutputFormat;
use azure_ai_models_core::upload::LocalUpload;
use azure_ai_models_core::upload::detached::{DetachedOutcome, EventReader, RecordedProduct, RunResult};

pub(super) const EXAMPLES: &str = "\
Exits with the exit code of the upload.

Examples:
  azd ai models custom uploads attach 3f2a9c0d1e4b5a67
  azd ai models custom uploads attach 3f2a9c0d1e4b5a67 --progress json -o json";

/// Interval between reads of new events.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// Number of log lines shown for an upload that ended without a result.
const LOG_TAIL_LINES: usize = 5;

/// Options of `custom uploads attach`.
#[derive(Args, Debug)]
pub(crate) struct AttachArgs {
    /// Upload ID from 'uploads list', or its first digits
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    progress: ProgressArgs,
}

impl AttachArgs {
    /// Progress mode; the console is created before the command runs.
    pub(super) fn progress(&self) -> ProgressMode {
        self.progress.mode()
    }
}

/// Shows a detached upload until its end, and ends with its result. Ctrl+C ends only the view.
///
/// # Errors
/// Errors of the upload; conflict for an upload that is not detached.
pub(super) async fn attach(app: &App, args: &AttachArgs) -> Result<(), CliError> {
    let upload = find(app, &args.id)?;
    if upload.run.is_none() {
        return Err(not_detached(app, &upload));
    }
    let result = follow(app, &upload).await?;
    match result {
        Some(result) => end(app, &upload, result),
        None => Err(crashed(app, &upload)),
    }
}

/// Shows events until the upload has ended; returns its result, if there is one.
async fn follow(app: &App, upload: &LocalUpload) -> Result<Option<RunResult>, CliError> {
    let _hold = app.cancel.hold();
    let files = upload.files();
    let unreadable = |why| CliError::unreadable(&files.events(), &why);
    let mut reader = EventReader::new(files.events());
    let mut replay = Replay::new(&app.console, app.timings.status_line);
    loop {
        // Read before the events, so that all events of an ended upload are shown.
        let (result, running) = (files.result(), upload.is_running_now());
        for line in reader.read().map_err(unreadable)? {
            replay.on(&line);
        }
        match result {
            Some(result) => return Ok(Some(result)),
            // The upload may have ended between the two reads.
            None if !running => return Ok(files.result()),
            None => replay.tick(),
        }
        if app.cancel.or_cancelled(tokio::time::sleep(POLL_INTERVAL)).await.is_none() {
            replay.stop();
            return Err(view_interrupted(app, upload));
        }
    }
}

/// Error after Ctrl+C, which ends only the view.
fn view_interrupted(app: &App, upload: &LocalUpload) -> CliError {
    let again = app.command_line(&["custom", "uploads", "attach", &upload.id]);
    CliError::new(ErrorKind::Interrupted, "Interrupted. The upload continues.")
        .with_suggestion(format!("To show its progress again:\n  {again}"))
}

/// Ends with the result of the upload.
fn end(app: &App, upload: &LocalUpload, result: RunResult) -> Result<(), CliError> {
    match result {
        RunResult { product: Some(RecordedProduct { text, json }), error: None, .. } => match app.globals.output {
            OutputFormat::Table => {
                app.console.gap();
                app.text(&text)
            }
            OutputFormat::Json => app.text(&json),
            OutputFormat::None => Ok(()),
        },
        RunResult { outcome: DetachedOutcome::Stopped, .. } => {
            let resume = resume_of(app, upload);
            Err(CliError::new(ErrorKind::Interrupted, "The upload was stopped.")
                .with_code(ErrorCode::UploadInterrupted)
                .with_suggestion(format!("To resume it:\n  {resume}")))
        }
        RunResult { error: Some(error), .. } => Err(CliError::from_record(error)),
        RunResult { .. } => Ok(()),
    }
}

fn crashed(app: &App, upload: &LocalUpload) -> CliError {
    let log = upload.files().log_tail(LOG_TAIL_LINES).join("\n");
    let error = CliError::new(
        ErrorKind::UploadFailed,
        "the upload ended without a result: its process was killed, or the machine shut down",
    )
    .with_code(ErrorCode::UploadInterrupted);
    let error = if log.is_empty() { error } else { error.and_message(&format!("Last lines of its log:\n{log}")) };
    if upload.journal.is_none() {
        return error.with_suggestion("Run the same 'custom create' again.");
    }
    error.with_suggestion(format!("To resume it:\n  {}", resume_of(app, upload)))
}

/// Error for an upload in the foreground, which shows itself on its own terminal.
fn not_detached(app: &App, upload: &LocalUpload) -> CliError {
    let process = upload.pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
    let error = CliError::new(ErrorKind::Conflict, format!("upload {} is not detached{process}", upload.id))
        .with_code(ErrorCode::NotDetached);
    if upload.running {
        return error.with_suggestion("Its progress is shown in the terminal that started it.");
    }
    let resume = resume_of(app, upload);
    error.with_suggestion(format!("No process is running it. To resume it in the background:\n  {resume}"))
}
