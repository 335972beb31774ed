//! `custom uploads`: unfinished and detached uploads of this machine, and the commands that list, follow, stop, resume
//! and discard them.

mod attach;
mod list;
mod log;
mod stop;

use clap::{Args, Subcommand};
use time::OffsetDateTime;

use super::create::{CreateSpec, DetachArgs, EngineArgs, EngineName, VersionChoice, create_model};
use super::{hub, running};
use crate::app::{AcceptedAnswer, App, Confirm};
use crate::commands::{connect, headings};
use crate::console::product::{self, JsonPieces, Product};
use crate::console::{ProgressMode, TableStyle};
use crate::error::{CliError, ErrorCode};
use azure_ai_models_core::model::Source;
use azure_ai_models_core::units;
use azure_ai_models_core::upload::detached::DetachedOutcome;
use azure_ai_models_core::upload::{self, Journal, LocalUpload, Stage};

pub(super) const EXAMPLES: &str = "\
Examples:
  azd ai models custom uploads list
  azd ai models custom uploads attach 3f2a9c0d1e4b5a67
  azd ai models custom uploads resume 3f2a9c0d1e4b5a67
  azd ai models custom uploads discard --all --yes

This machine keeps the state of each upload, not its files.";

/// Help of `--engine`, whose default is another one than that of `create`.
const RESUME_ENGINE: &str =
    "Upload engine: azcopy, or native (resumes within a file) [env: AZURE_AI_MODELS_ENGINE] [default: as before]";

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
    #[command(mut_arg("engine", |arg| arg.help(RESUME_ENGINE)), after_help = "\
Examples:
  azd ai models custom uploads resume 3f2a9c0d1e4b5a67
  azd ai models custom uploads resume 3f2a9c0d1e4b5a67 --detach")]
    Resume(ResumeArgs),
    /// Discard unfinished uploads without registering their files
    #[command(after_help = "\
Examples:
  azd ai models custom uploads discard 3f2a9c0d1e4b5a67
  azd ai models custom uploads discard --all --yes")]
    Discard(DiscardArgs),
}

impl UploadsCommand {
    /// How progress is shown.
    pub(super) fn progress(&self) -> ProgressMode {
        match self {
            Self::Attach(args) => args.progress(),
            _ => ProgressMode::Auto,
        }
    }
}

/// Options of `custom uploads resume`.
#[derive(Args, Debug)]
pub(crate) struct ResumeArgs {
    /// Upload ID from 'uploads list', or its first digits
    #[arg(value_name = "ID")]
    id: String,

    /// Skip the prompt before a large upload
    #[arg(short, long, help_heading = headings::RUN)]
    yes: bool,

    #[command(flatten)]
    engine: EngineArgs,

    #[command(flatten)]
    detach: DetachArgs,
}

/// Options of `custom uploads discard`.
#[derive(Args, Debug)]
pub(crate) struct DiscardArgs {
    /// Upload ID from 'uploads list', or its first digits
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    id: Option<String>,

    /// Discard all uploads
    #[arg(long)]
    all: bool,

    /// Discard without a prompt
    #[arg(short, long)]
    yes: bool,
}

/// Runs one of them.
///
/// # Errors
/// Whatever the command failed with.
pub(super) async fn run(app: &App, command: UploadsCommand) -> Result<(), CliError> {
    match command {
        UploadsCommand::List => list::list(app),
        UploadsCommand::Attach(args) => attach::attach(app, &args).await,
        UploadsCommand::Stop(args) => stop::stop(app, &args).await,
        UploadsCommand::Log(args) => log::log(app, &args),
        UploadsCommand::Resume(args) => resume(app, args).await,
        UploadsCommand::Discard(args) => discard(app, args).await,
    }
}

/// All uploads of this machine; files of those that ended long ago are removed on the way.
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

/// Ids of the uploads that were discarded.
struct DiscardedUploads<'a>(Vec<&'a str>);

impl Product for DiscardedUploads<'_> {
    fn json(&self) -> JsonPieces<'_> {
        product::document(&self.0)
    }

    fn text(&self, _: TableStyle) -> String {
        String::new()
    }
}

/// The one upload whose id begins so.
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

async fn resume(app: &App, args: ResumeArgs) -> Result<(), CliError> {
    let detach = args.detach.request(app)?;
    if detach.is_some() {
        app.require_independent_sign_in();
    }
    let kept = find(app, &args.id)?;
    let id = kept.id.clone();
    if kept.running && kept.run.is_some() {
        kept.take().map_err(|why| running::error(app, why))?;
    }
    let usual = if kept.was_native() { EngineName::Native } else { EngineName::AzCopy };
    let Some(Journal { spec: upload, registration, .. }) = kept.journal.filter(|journal| journal.stage != Stage::Done)
    else {
        return Err(not_resumable(
            app,
            &id,
            kept.result.is_some_and(|result| result.outcome == DetachedOutcome::Succeeded),
        ));
    };
    let source = app.source(&upload.source)?;
    if let Some(pin) = &upload.hub {
        hub::check_same_hub(app, pin)?;
    }
    if let Source::Blob(_) = source {
        return Err(CliError::usage("the source of this upload is a URL, and its SAS is not stored")
            .with_code(ErrorCode::RemoteSource)
            .with_suggestion(format!(
                "Run the same create again with its --source or --source-file:\n  {}",
                app.command_line(&[
                    "custom",
                    "create",
                    "--name",
                    &upload.name,
                    "--version",
                    &upload.version,
                    "--source-file",
                    "FILE"
                ])
            )));
    }
    let broken = |what: &str| CliError::failure(format!("the journal of upload {id} contains no valid {what}"));
    let engine = args.engine.choice(app, &source, usual)?;
    let (copy, verify) = (args.engine.copy(), args.engine.verify());
    let mut spec = CreateSpec {
        name: upload.name.parse().map_err(|_| broken("name"))?,
        version: VersionChoice::Named(upload.version.parse().map_err(|_| broken("version"))?),
        source,
        shown_source: upload.source,
        source_file: None,
        selection: upload.selection,
        check: upload.checked,
        details: registration.details,
        overwrite: false,
        yes: args.yes,
        prompt_obstacle: app.terminal_prompt_obstacle(),
        deploy: None,
        deployment: upload.deployment,
        no_wait: false,
        timeout: None,
        given_timeout: None,
        engine,
        copy,
        verify,
        azcopy_path: None,
        limit_rate: None,
        detach,
        if_changed: false,
        plan: None,
        resume_command: String::new(),
    };
    spec.resume_command = resume_line(app, &id, &spec.resume_options(), spec.detach.is_some());
    let foundry = connect::foundry_at(app, Some(&upload.endpoint)).await?;
    create_model(app, &spec, &foundry).await
}

/// `... custom uploads resume ID`, with these options.
fn resume_line(app: &App, id: &str, options: &[String], detach: bool) -> String {
    let mut arguments = vec!["custom", "uploads", "resume", id];
    arguments.extend(options.iter().map(String::as_str));
    arguments.extend(detach.then_some("--detach"));
    app.command_line(&arguments)
}

/// The command that resumes a detached upload as it was begun.
fn resume_of(app: &App, upload: &LocalUpload) -> String {
    let hint = upload.run.as_ref().map(|run| run.resume.clone()).unwrap_or_default();
    hint.command.unwrap_or_else(|| resume_line(app, &upload.id, &hint.options, true))
}

/// Error for an upload that has nothing left to send, or has not begun.
fn not_resumable(app: &App, id: &str, is_done: bool) -> CliError {
    if is_done {
        let attach = app.command_line(&["custom", "uploads", "attach", id]);
        return CliError::usage(format!("upload {id} is done: its model is registered"))
            .with_code(ErrorCode::NotResumable)
            .with_suggestion(format!("To see the result:\n  {attach}"));
    }
    CliError::usage(format!("upload {id} ended before anything was sent"))
        .with_code(ErrorCode::NotResumable)
        .with_suggestion("Run the same 'custom create' again.")
}

async fn discard(app: &App, args: DiscardArgs) -> Result<(), CliError> {
    let config_dir = app.config_dir()?;
    let uploads = match &args.id {
        Some(id) => vec![find(app, id)?],
        None => all(app)?,
    };
    if !args.yes && !uploads.is_empty() {
        confirm(app, &uploads).await?;
    }
    let mut discarded = Vec::new();
    for upload in &uploads {
        let directory = upload.take().map_err(|why| running::error(app, why))?;
        directory.remove().map_err(|why| CliError::no_uploads(&config_dir, &why))?;
        app.console.done(&format!("Upload {} discarded", upload.id));
        discarded.push(upload.id.as_str());
    }
    app.show(&DiscardedUploads(discarded))
}

async fn confirm(app: &App, uploads: &[LocalUpload]) -> Result<(), CliError> {
    let what = units::count(uploads.len() as u64, "upload", "uploads");
    let confirm = Confirm {
        action: "the discard",
        unattended: "Use --yes to discard without a prompt.",
        question: &format!("Discard {what}? All files must then be sent again."),
        accepts: AcceptedAnswer::Yes,
        declined: "Nothing was discarded.",
    };
    app.can_confirm(&confirm)?;
    for upload in uploads {
        let (_, name, version, source) = upload.model();
        let size = units::bytes(upload.journal.as_ref().map_or(0, |journal| journal.files.bytes()));
        app.console.status(&format!("{}: {name} (version {version}), {size}, {source}", upload.id));
    }
    app.confirm(&confirm).await
}
