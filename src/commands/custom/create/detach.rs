//! `--detach`: steps that can fail early run in the foreground, then a separate process continues.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use serde::Serialize;

use super::spec::{CreateSpec, EngineChoice, VersionChoice};
use super::{CreateFailure, CreateRun};
use crate::app::App;
use crate::commands::custom::source::absolute;
use crate::commands::headings;
use crate::console::product::{self, JsonPieces, Product};
use crate::console::{TableStyle, render};
use crate::detached::{DETACHED_COMMAND, StartReply, Ticket};
use crate::error::{CliError, ErrorCode, ErrorKind};
use azure_ai_models_core::env::var;
use azure_ai_models_core::hub::{CopyMode, VerifyMode};
use azure_ai_models_core::model::{ModelVersion, Source};
use azure_ai_models_core::process::{Detaching, EnvChanges, is_program};
use azure_ai_models_core::units;
use azure_ai_models_core::upload::DirectoryHandover;
use azure_ai_models_core::upload::detached::{DetachedFiles, ResumeHint};

/// Number of log lines reported if the process gave no other reason.
const LOG_TAIL_LINES: usize = 5;

/// Options of a detached upload; used by `create` and `uploads resume`.
#[derive(Args, Debug)]
#[command(next_help_heading = headings::DETACH)]
pub(in crate::commands::custom) struct DetachArgs {
    /// Upload in the background; 'uploads attach' shows the progress
    ///
    /// The terminal can be closed.
    #[arg(long, visible_alias = "background")]
    detach: bool,

    /// Program to run when the detached upload ends
    ///
    /// Runs without arguments. AZURE_AI_MODELS_RESULT is succeeded or failed.
    #[arg(long, hide_short_help = true, value_name = "PROGRAM", requires = "detach", value_hint = ValueHint::ExecutablePath)]
    notify: Option<PathBuf>,

    /// Allow this machine to sleep during a detached upload
    #[arg(long, hide_short_help = true, requires = "detach")]
    no_inhibit: bool,
}

/// Settings of an upload to detach.
#[derive(Clone, Debug)]
pub(in crate::commands::custom) struct DetachRequest {
    /// Absolute path of the program to run at the end.
    notify: Option<PathBuf>,
    /// True to keep the machine awake.
    inhibit: bool,
}

impl DetachArgs {
    /// True with `--detach`.
    pub(in crate::commands::custom) fn is_asked_for(&self) -> bool {
        self.detach
    }

    /// Request of `--detach`; `None` without it.
    pub(in crate::commands::custom) fn request(&self, app: &App) -> Result<Option<DetachRequest>, CliError> {
        if !self.detach {
            return Ok(None);
        }
        let notify = match &self.notify {
            Some(path) => Some(runnable(absolute(app.env.cwd(), path))?),
            None => None,
        };
        Ok(Some(DetachRequest { notify, inhibit: !self.no_inhibit }))
    }
}

/// Checks the program now, since an error would otherwise appear only hours later.
fn runnable(path: PathBuf) -> Result<PathBuf, CliError> {
    if is_program(&path) {
        return Ok(path);
    }
    let (kind, what) = match path.exists() {
        true => (ErrorKind::Usage, "is not an executable program"),
        false => (ErrorKind::NotFound, "does not exist"),
    };
    Err(CliError::new(kind, format!("--notify: {} {what}", path.display()))
        .with_code(ErrorCode::NotifyProgram)
        .with_suggestion("Use the path of an executable file. It runs without a shell and without arguments."))
}

impl CreateSpec {
    /// Options for `uploads resume`, and the complete command if `uploads resume` would omit something.
    pub(super) fn resume_hint(&self) -> ResumeHint {
        let is_whole = self.deploy.is_some() || matches!(self.source, Source::Blob(_));
        ResumeHint { options: self.resume_options(), command: is_whole.then(|| self.resume_command.clone()) }
    }

    /// Options of `uploads resume` that resume the upload as it was started.
    pub(in crate::commands::custom) fn resume_options(&self) -> Vec<String> {
        let native = matches!((self.engine, &self.source), (EngineChoice::Native { .. }, Source::Local(_)));
        let limit_rate = self.limit_rate.map(units::option);
        let options = [
            ("--engine", native.then_some("native")),
            ("--copy", (self.copy != CopyMode::default()).then(|| self.copy.as_str())),
            ("--verify", (self.verify != VerifyMode::default()).then(|| self.verify.as_str())),
            ("--limit-rate", limit_rate.as_deref()),
        ];
        options.iter().filter_map(|(option, value)| Some([*option, (*value)?])).flatten().map(str::to_owned).collect()
    }
}

/// Product of a command that detached an upload.
#[derive(Serialize)]
struct StartedUpload<'a> {
    id: &'a str,
    name: &'a str,
    version: &'a str,
    pid: u32,
    journal: PathBuf,
    log: PathBuf,
    events: PathBuf,
    /// Commands that attach to it and stop it.
    #[serde(skip)]
    commands: [String; 2],
}

impl Product for StartedUpload<'_> {
    fn json(&self) -> JsonPieces<'_> {
        product::document(self)
    }

    fn text(&self, _: TableStyle) -> String {
        render::detached_page(self.id, (self.name, self.version), self.pid, &self.commands)
    }
}

impl CreateRun<'_> {
    /// Checks everything that can fail early, and starts the detached process.
    pub(super) async fn detach_version(
        &self,
        version: &ModelVersion,
        request: &DetachRequest,
    ) -> Result<(), CreateFailure> {
        let mut session = self.open(version).await?;
        if !session.is_uploaded() {
            let engine = self.engine().await?;
            self.headline(version);
            session.find_delivered(engine).await;
            self.confirm_and_overwrite(version, session.bytes_to_send()).await?;
            self.app.on_interrupt(CliError::interrupted().with_run_again(&self.spec.resume_command));
            match session.check_location().await {
                Ok(location) => {
                    self.app.console.done("Upload location ready");
                    self.app.console.detail("Blob URI", location.as_str());
                    self.app.console.status("");
                }
                Err(error) => return Err(self.not_uploaded(version, error).await),
            }
        }
        match session.hand_over() {
            Some(directory) => Ok(self.start(version, request, directory).await?),
            None => Err(CliError::failure("no upload to detach").into()),
        }
    }

    async fn start(
        &self,
        version: &ModelVersion,
        request: &DetachRequest,
        directory: DirectoryHandover,
    ) -> Result<(), CliError> {
        let (app, spec) = (self.app, self.spec);
        let files = DetachedFiles::of(directory.path());
        let cannot = |why: std::io::Error| CliError::failure(format!("cannot start the detached process: {why}"));
        let program = std::env::current_exe().map_err(cannot)?;
        let log = files.create_log().map_err(cannot)?;
        let ticket = Ticket {
            source: match &spec.source {
                Source::Blob(url) => Some(url.expose().to_string()),
                Source::Local(_) | Source::Hub(_) => None,
            },
            by_azd: app.env.run_by_azd(),
            notify: request.notify.clone(),
            inhibit: request.inhibit,
        };
        let input = serde_json::to_vec(&ticket).map_err(|why| cannot(why.into()))?;
        let args = self.detached_args(version);
        let mut process = Detaching::start(&program, &args, &self.variables(), log).map_err(cannot)?;
        let line = process.ask(&input).await.map_err(cannot)?;
        let (pid, warnings) = match serde_json::from_str(&line) {
            Ok(StartReply::Ready { pid, warnings }) => (pid, warnings),
            Ok(StartReply::Failed(record)) => return Err(CliError::from_record(record)),
            Err(_) => {
                let log = files.log_tail(LOG_TAIL_LINES).join("\n");
                let error = format!("the detached process ended before the upload began ({})", process.end().await);
                return Err(CliError::failure(error).and_message(&log));
            }
        };
        process.release();
        let id = directory.keep();
        warnings.iter().for_each(|text| app.console.warn(text));
        let command = |word: &str| app.command_line(&["custom", "uploads", word, &id]);
        app.show(&StartedUpload {
            id: &id,
            name: spec.name.as_str(),
            version: version.as_str(),
            pid,
            journal: files.journal(),
            log: files.log(),
            events: files.events(),
            commands: [command("attach"), command("stop")],
        })
    }

    /// Arguments of the process: this very version, from a path that is valid in any directory, with all consent given.
    fn detached_args(&self, version: &ModelVersion) -> Vec<OsString> {
        let (app, spec) = (self.app, self.spec);
        let source = match &spec.source {
            Source::Local(_) => Source::Local(spec.shown_source.clone().into()),
            source => source.clone(),
        };
        let engine = match spec.engine {
            // Explicit, since the environment of the process may select another engine.
            EngineChoice::AzCopy => Some("azcopy"),
            EngineChoice::Native { .. } => None,
        };
        let azcopy_path = spec.azcopy_path.as_deref().map(|path| absolute(app.env.cwd(), path));
        let version = VersionChoice::Named(version.clone());
        // The files have already been compared with the plan.
        let this = CreateSpec { source, source_file: None, version, azcopy_path, plan: None, ..spec.clone() };
        let mut args = vec![DETACHED_COMMAND.to_owned()];
        args.extend(this.arguments());
        args.extend(engine.into_iter().flat_map(|engine| ["--engine".to_owned(), engine.to_owned()]));
        args.extend(["--yes", "--no-prompt", "--progress", "plain"].map(str::to_owned));
        let endpoint = self.foundry.endpoint().to_string();
        let options = [
            ("--project-endpoint", Some(endpoint.as_str())),
            ("--environment", app.globals.environment.as_deref()),
            ("--subscription", app.globals.subscription.as_deref()),
        ];
        for (option, value) in options {
            args.extend(value.into_iter().flat_map(|value| [option.to_owned(), value.to_owned()]));
        }
        if app.console.is_debug() {
            args.push("--debug".to_owned());
        }
        args.into_iter().map(OsString::from).collect()
    }

    /// Environment of the detached process: without the variables of the azd that runs this process, whose server ends
    /// with it, and with the values that this server reported about the project.
    fn variables(&self) -> EnvChanges {
        let app = self.app;
        let names = [
            var::AZURE_SUBSCRIPTION_ID,
            var::AZURE_RESOURCE_GROUP_NAME,
            var::AZURE_ACCOUNT_NAME,
            var::AZURE_PROJECT_NAME,
            var::AZURE_AI_PROJECT_ID,
        ];
        let mut set = vec![(var::AZURE_PROJECT_ENDPOINT.to_owned(), self.foundry.endpoint().to_string())];
        if let Some(found) = app.project() {
            let known = names.iter().filter_map(|name| Some((*name, found.value(app.trusted_env(), name)?.to_owned())));
            let tenant = found.tenant.clone().map(|tenant| (var::AZURE_TENANT_ID, tenant));
            set.extend(known.chain(tenant).map(|(name, value)| (name.to_owned(), value)));
        }
        // Values of another project would be wrong.
        let unknown = names.iter().filter(|name| !set.iter().any(|(known, _)| known == *name));
        let remove = var::AZD_RUN_VARIABLES.iter().chain(unknown).map(|name| (*name).to_owned()).collect();
        EnvChanges { set, remove }
    }
}
