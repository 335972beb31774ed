//! `custom uploads`: unfinished and detached uploads of this machine, and the commands that list, follow, stop, resume
//! and discard them.

mod attach;
mod discard;
mod list;
mod log;
mod resume;
mod stop;

use clap::Subcommand;
use time::OffsetDateTime;

use crate::app::App;
use crate::console::ProgressMode;
use crate::error::{CliError, ErrorCode};
use azure_ai_models_core::upload::{self, LocalUpload};

pub(super) const EXAMPLES: &str = "\
Examples:
  azd ai models custom uploads list
  azd ai models custom uploads attach 3f2a9c0d1e4b5a67
  azd ai models custom uploads resume 3f2a9c0d1e4b5a67
  azd ai models custom uploads discard --all --yes

This machine keeps the state of each upload, not its files.";

/// Help of `--engine`, whose default differs from that of `create`.
const RESUME_ENGINE: &str = "Upload engine: azcopy, or native (resumes within a file) [env: AZURE_AI_MODELS_ENGINE] [default: that of the interrupted upload]";

/// Commands for the uploads of this machine.
#[derive(Debug, Subcommand)]
pub(crate) enum UploadsCommand {
    /// List unfinished uploads, and detached ones for 7 days after they end
    #[command(after_help = "\
Examples:
  azd ai models custom uploads list
  azd ai models custom uploads list -o json")]
    List,
    /// Show the progress of a detached upload; Ctrl+C leaves it running
    #[command(after_help = attach::EXAMPLES)]
    Attach(attach::AttachArgs),
    /// Stop a detached upload; 'uploads resume' continues it
    #[command(after_help = "\
Examples:
  azd ai models custom uploads stop 3f2a9c0d1e4b5a67")]
    Stop(stop::StopArgs),
    /// Print the log of a detached upload
    #[command(after_help = "\
Examples:
  azd ai models custom uploads log 3f2a9c0d1e4b5a67")]
    Log(log::LogArgs),
    /// Resume an unfinished upload and register the model
    #[command(mut_arg("engine", |arg| arg.help(RESUME_ENGINE).display_order(0)), after_help = "\
Examples:
  azd ai models custom uploads resume 3f2a9c0d1e4b5a67
  azd ai models custom uploads resume 3f2a9c0d1e4b5a67 --detach")]
    Resume(resume::ResumeArgs),
    /// Discard unfinished uploads without registering their files
    #[command(after_help = "\
Examples:
  azd ai models custom uploads discard 3f2a9c0d1e4b5a67
  azd ai models custom uploads discard --all --yes")]
    Discard(discard::DiscardArgs),
}

impl UploadsCommand {
    /// Progress mode of the command.
    pub(super) fn progress(&self) -> ProgressMode {
        match self {
            Self::Attach(args) => args.progress(),
            Self::Resume(args) => args.progress(),
            _ => ProgressMode::Auto,
        }
    }
}

/// Runs a command of the group.
///
/// # Errors
/// Error of the command.
pub(super) async fn run(app: &App, command: UploadsCommand) -> Result<(), CliError> {
    match command {
        UploadsCommand::List => list::list(app),
        UploadsCommand::Attach(args) => attach::attach(app, &args).await,
        UploadsCommand::Stop(args) => stop::stop(app, &args).await,
        UploadsCommand::Log(args) => log::log(app, &args),
        UploadsCommand::Resume(args) => resume::resume(app, args).await,
        UploadsCommand::Discard(args) => discard::discard(app, args).await,
    }
}

/// All uploads on this machine; also removes expired files of ended ones.
fn all(app: &App) -> Result<Vec<LocalUpload>, CliError> {
    let config_dir = app.config_dir()?;
    let uploads = upload::local_uploads(&config_dir).map_err(|why| CliError::no_uploads(&config_dir, &why))?;
    let now = OffsetDateTime::now_utc();
    let expired = uploads.iter().filter(|upload| upload.expire(now)).count();
    if expired == 0 {
        return Ok(uploads);
    }
    upload::local_uploads(&config_dir).map_err(|why| CliError::no_uploads(&config_dir, &why))
}

/// Only upload whose id has this prefix.
fn find(app: &App, id: &str) -> Result<LocalUpload, CliError> {
    let mut found: Vec<LocalUpload> = all(app)?.into_iter().filter(|one| one.id.starts_with(id)).collect();
    let list = app.command_line(&["custom", "uploads", "list"]);
    match (found.pop(), found.len()) {
        (Some(only), 0) => Ok(only),
        (None, _) => Err(CliError::no_such_upload(id, &list)),
        (Some(_), more) => Err(CliError::usage(format!("{} uploads have an ID that starts with {id}", more + 1))
            .with_code(ErrorCode::AmbiguousUpload)
            .with_suggestion(format!("Use more digits: {list}"))),
    }
}
