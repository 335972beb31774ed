//! `custom uploads`: what is unfinished on this machine; go on with it, or give it up.

use clap::{Args, Subcommand};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::create::{CreateSpec, EngineArgs, EngineChoice, VersionChoice, make};
use super::hub;
use crate::app::{Accepts, App, Confirm};
use crate::commands::connect;
use crate::console::TableStyle;
use crate::console::product::{self, JsonPieces, Product};
use crate::console::render::{self, UploadRow};
use crate::error::{CliError, ErrorCode};
use azure_ai_models_core::hub::{CopyMode, VerifyMode};
use azure_ai_models_core::model::Source;
use azure_ai_models_core::units;
use azure_ai_models_core::upload::{self, Journal, Stage, Unfinished};

pub(super) const EXAMPLES: &str = "\
Examples:
  azd ai models custom uploads list
  azd ai models custom uploads resume 3f2a9c0d1e4b5a67
  azd ai models custom uploads discard --all --yes

What is kept here is how far each upload is, not the files: they lie in your folder and in the upload location.";

/// What can be done with unfinished uploads.
#[derive(Debug, Subcommand)]
pub(crate) enum UploadsCommand {
    /// List the unfinished uploads of this machine
    #[command(after_help = "\
Examples:
  azd ai models custom uploads list
  azd ai models custom uploads list -o json")]
    List,
    /// Go on with an unfinished upload, and register the model
    #[command(after_help = "\
Examples:
  azd ai models custom uploads resume 3f2a9c0d1e4b5a67")]
    Resume(ResumeArgs),
    /// Forget unfinished uploads; what was sent is not registered
    #[command(after_help = "\
Examples:
  azd ai models custom uploads discard 3f2a9c0d1e4b5a67
  azd ai models custom uploads discard --all --yes")]
    Discard(DiscardArgs),
}

/// Options of `custom uploads resume`.
#[derive(Args, Debug)]
pub(crate) struct ResumeArgs {
    /// Id of the upload, as 'uploads list' shows it, or its first digits
    #[arg(value_name = "ID")]
    id: String,

    /// Do not ask before a large upload
    #[arg(short, long)]
    yes: bool,

    #[command(flatten)]
    engine: EngineArgs,
}

/// Options of `custom uploads discard`.
#[derive(Args, Debug)]
pub(crate) struct DiscardArgs {
    /// Id of the upload, as 'uploads list' shows it, or its first digits
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    id: Option<String>,

    /// All of them
    #[arg(long)]
    all: bool,

    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Runs one of them.
///
/// # Errors
/// Whatever the command failed with.
pub(super) async fn run(app: &App, command: UploadsCommand) -> Result<(), CliError> {
    match command {
        UploadsCommand::List => list(app),
        UploadsCommand::Resume(args) => resume(app, args).await,
        UploadsCommand::Discard(args) => discard(app, args).await,
    }
}

/// An unfinished upload as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    id: &'a str,
    name: &'a str,
    version: &'a str,
    endpoint: &'a str,
    source: &'a str,
    state: &'a str,
    files: Option<u64>,
    bytes: Option<u64>,
    created_at: String,
    updated_at: String,
}

fn all(app: &App) -> Result<Vec<Unfinished>, CliError> {
    let config_dir = app.config_dir()?;
    upload::unfinished(&config_dir).map_err(|why| CliError::no_uploads(&config_dir, &why))
}

fn list(app: &App) -> Result<(), CliError> {
    app.show(&Uploads { uploads: &all(app)?, now: OffsetDateTime::now_utc() })
}

/// The unfinished uploads, as a list or a table.
struct Uploads<'a> {
    uploads: &'a [Unfinished],
    now: OffsetDateTime,
}

impl Product for Uploads<'_> {
    fn json(&self) -> JsonPieces<'_> {
        let stamp = |time: OffsetDateTime| time.format(&Rfc3339).unwrap_or_default();
        let rows: Vec<Row<'_>> = self
            .uploads
            .iter()
            .map(|Unfinished { id, journal, running }| Row {
                id,
                name: &journal.spec.name,
                version: &journal.spec.version,
                endpoint: &journal.spec.endpoint,
                source: &journal.spec.source,
                state: state(journal, *running),
                files: files(journal),
                bytes: files(journal).map(|_| journal.files.bytes()),
                created_at: stamp(journal.created_at),
                updated_at: stamp(journal.updated_at),
            })
            .collect();
        product::document(&rows)
    }

    fn text(&self, style: TableStyle) -> String {
        let rows: Vec<UploadRow> = self.uploads.iter().map(|upload| row(upload, self.now)).collect();
        render::uploads_table(&rows, style)
    }
}

/// Ids of the uploads that were discarded.
struct Discarded<'a>(Vec<&'a str>);

impl Product for Discarded<'_> {
    fn json(&self) -> JsonPieces<'_> {
        product::document(&self.0)
    }

    fn text(&self, _: TableStyle) -> String {
        String::new()
    }
}

/// A remote source has no list of files.
fn files(journal: &Journal) -> Option<u64> {
    (!journal.files.is_empty()).then_some(journal.files.len() as u64)
}

/// How far an upload is; `interrupted` where files are missing and nobody sends them.
fn state(journal: &Journal, running: bool) -> &'static str {
    if running || journal.stage.is_complete() { journal.stage.as_str() } else { "interrupted" }
}

fn row(Unfinished { id, journal, running }: &Unfinished, now: OffsetDateTime) -> UploadRow {
    let word = state(journal, *running);
    let is_told = !*running || journal.stage == Stage::Uploading;
    UploadRow {
        id: id.clone(),
        name: journal.spec.name.clone(),
        version: journal.spec.version.clone(),
        state: if is_told { word.to_owned() } else { format!("{word} (running)") },
        files: files(journal),
        bytes: files(journal).map(|_| journal.files.bytes()),
        // A clock that was set back makes nothing older than now.
        age: (now - journal.updated_at).try_into().unwrap_or_default(),
        source: journal.spec.source.clone(),
    }
}

/// The one upload whose id begins so.
fn find(app: &App, id: &str) -> Result<Unfinished, CliError> {
    let mut found: Vec<Unfinished> = all(app)?.into_iter().filter(|one| one.id.starts_with(id)).collect();
    let list = app.command_line(&["custom", "uploads", "list"]);
    match (found.pop(), found.len()) {
        (Some(only), 0) => Ok(only),
        (None, _) => Err(CliError::no_such_upload(id, &list)),
        (Some(_), more) => Err(CliError::usage(format!("{} uploads have an id that begins with {id}", more + 1))
            .with_code(ErrorCode::AmbiguousUpload)
            .with_suggestion(format!("Give more digits: {list}"))),
    }
}

async fn resume(app: &App, args: ResumeArgs) -> Result<(), CliError> {
    let Unfinished { id, journal, .. } = find(app, &args.id)?;
    let Journal { spec: upload, registration, .. } = journal;
    let source = app.source(&upload.source)?;
    if let Some(pin) = &upload.hub {
        hub::check_same_hub(app, pin)?;
    }
    if let Source::Blob(_) = source {
        return Err(CliError::usage("the source of this upload is a URL, whose SAS is not kept")
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
    let broken = |what: &str| CliError::failure(format!("the journal of upload {id} holds no valid {what}"));
    let engine = args.engine.choice(app, &source)?;
    let (copy, verify) = (args.engine.copy(), args.engine.verify());
    let mut again = vec!["custom", "uploads", "resume", &id];
    if let (EngineChoice::Native { .. }, Source::Local(_)) = (engine, &source) {
        again.extend(["--engine", "native"]);
    }
    if copy != CopyMode::default() {
        again.extend(["--copy", copy.as_str()]);
    }
    if verify != VerifyMode::default() {
        again.extend(["--verify", verify.as_str()]);
    }
    let spec = CreateSpec {
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
        no_questions: app.no_questions(),
        deploy: None,
        no_wait: false,
        timeout: None,
        given_timeout: None,
        engine,
        copy,
        verify,
        azcopy_path: None,
        limit_rate: None,
        if_changed: false,
        plan: None,
        again: app.command_line(&again),
    };
    let foundry = connect::foundry_at(app, Some(&upload.endpoint)).await?;
    make(app, &spec, &foundry).await
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
        let directory = upload.take(&config_dir)?;
        directory.remove().map_err(|why| CliError::no_uploads(&config_dir, &why))?;
        app.console.done(&format!("Upload {} discarded", upload.id));
        discarded.push(upload.id.as_str());
    }
    app.show(&Discarded(discarded))
}

async fn confirm(app: &App, uploads: &[Unfinished]) -> Result<(), CliError> {
    let what = units::count(uploads.len() as u64, "upload", "uploads");
    let confirm = Confirm {
        action: "discarding an upload",
        unattended: "Add --yes to discard without asking.",
        question: &format!("Discard {what}? What was sent has to be sent again."),
        accepts: Accepts::Yes,
        declined: "Nothing was discarded.",
    };
    app.can_confirm(&confirm)?;
    for Unfinished { id, journal, .. } in uploads {
        let Journal { spec, .. } = journal;
        let size = units::bytes(journal.files.bytes());
        app.console.status(&format!("{id}: {} (version {}), {size}, {}", spec.name, spec.version, spec.source));
    }
    app.confirm(&confirm).await
}
