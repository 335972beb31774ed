//! `uploads resume`: resumes an upload from its journal.

use clap::Args;

use super::find;
use crate::app::App;
use crate::commands::custom::create::{CreateSpec, DetachArgs, EngineArgs, EngineName, VersionChoice, create_model};
use crate::commands::custom::{hub, running};
use crate::commands::progress::ProgressArgs;
use crate::commands::{connect, headings};
use crate::console::ProgressMode;
use crate::error::{CliError, ErrorCode};
use azure_ai_models_core::model::Source;
use azure_ai_models_core::upload::detached::DetachedOutcome;
use azure_ai_models_core::upload::{Journal, LocalUpload, Stage};

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
    progress: ProgressArgs,

    #[command(flatten)]
    detach: DetachArgs,
}

impl ResumeArgs {
    /// Progress mode; the console is created before the command runs.
    pub(super) fn progress(&self) -> ProgressMode {
        self.progress.mode()
    }
}

/// Resumes an upload from its journal.
pub(super) async fn resume(app: &App, args: ResumeArgs) -> Result<(), CliError> {
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
        limit_rate: args.engine.limit_rate(),
        detach,
        if_changed: false,
        plan: None,
        resume_command: String::new(),
    };
    spec.resume_command = resume_line(app, &id, &spec.resume_options(), spec.detach.is_some());
    let foundry = connect::foundry_at(app, Some(&upload.endpoint)).await?;
    create_model(app, &spec, &foundry).await
}

/// Command `... custom uploads resume ID`, with these options.
fn resume_line(app: &App, id: &str, options: &[String], detach: bool) -> String {
    let mut arguments = vec!["custom", "uploads", "resume", id];
    arguments.extend(options.iter().map(String::as_str));
    arguments.extend(detach.then_some("--detach"));
    app.command_line(&arguments)
}

/// Command that resumes a detached upload with its original options.
pub(super) fn resume_of(app: &App, upload: &LocalUpload) -> String {
    let hint = upload.run.as_ref().map(|run| run.resume.clone()).unwrap_or_default();
    hint.command.unwrap_or_else(|| resume_line(app, &upload.id, &hint.options, true))
}

/// Error for an upload that has nothing left to send, or has not begun.
pub(super) fn not_resumable(app: &App, id: &str, is_done: bool) -> CliError {
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
