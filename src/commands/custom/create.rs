//! `custom create`: upload weights and register them (cli.md 7).
//!
//! The order of work is the promise: what can fail without the network fails first, nothing is registered that did
//! not arrive whole.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum, ValueHint};
use url::Url;

mod register;
mod steps;

use self::steps::Create;
use super::engine;
use super::selection::{self, Check, SelectionArgs};
use super::source::{SourceOption, SourceText};
use crate::app::App;
use crate::console::{ProgressMode, render};
use crate::error::CliError;
use crate::model::{BaseModel, Finding, ModelVersion, NewModelName, Registration, Source, WeightType};
use crate::units;

const DEFAULT_VERSION: &str = "1";

pub(super) const EXAMPLES: &str = "\
Examples:
  A directory with the weights:
    azd ai models custom create --name my-model --source ./model-weights

  A second version, trained from a base model:
    azd ai models custom create -n my-model --version 2 --source ./weights --base-model FW-GLM-4.7

  Only the safetensors files and what belongs to them:
    azd ai models custom create -n my-model --source ./weights --exclude '*.bin' --exclude original/

  A blob URL with a SAS, from a file since shells cut URLs at '&':
    azd ai models custom create --name my-model --source-file source-url.txt

  In a pipeline:
    azd ai models custom create -n my-model --source ./weights --no-prompt -o json";

/// Options of `custom create`.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("from").required(true).args(["source", "source_file"]))]
pub struct CreateArgs {
    /// Name of the model: 2 to 30 characters, a letter first, then letters, digits and '-'
    #[arg(short, long, value_name = "NAME")]
    name: NewModelName,

    /// File, directory or blob URL with the weights
    #[arg(long, value_name = "PATH|URL", value_hint = ValueHint::AnyPath)]
    source: Option<SourceText>,

    /// File that holds the source, for URLs with '&'
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    source_file: Option<PathBuf>,

    /// Version of the model
    #[arg(long, value_name = "VERSION", default_value = DEFAULT_VERSION, value_parser = new_version)]
    version: ModelVersion,

    /// Description for people
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    description: Option<String>,

    /// Base model that the weights were trained from: a name such as FW-DeepSeek-v3.1, or an azureml:// URI
    #[arg(long, value_name = "NAME|URI")]
    base_model: Option<BaseModel>,

    #[command(flatten)]
    selection: SelectionArgs,

    /// Upload without the model check
    #[arg(long)]
    skip_check: bool,

    /// AzCopy program to use
    #[arg(long, value_name = "FILE", value_hint = ValueHint::ExecutablePath)]
    azcopy_path: Option<PathBuf>,

    /// How progress is shown: auto, bar, plain, json or none
    #[arg(long, value_name = "HOW", value_enum, default_value_t, hide_possible_values = true)]
    progress: Progress,

    /// Highest upload rate in bytes per second: a number with K, M or G
    #[arg(long, value_name = "RATE", value_parser = units::parse_bytes)]
    limit_rate: Option<u64>,
}

/// A version to be made. `auto` is kept for a version that the program chooses.
fn new_version(text: &str) -> Result<ModelVersion, String> {
    if text.eq_ignore_ascii_case("auto") {
        return Err("'auto' cannot name a version; give a number such as 2".into());
    }
    text.parse()
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Progress {
    /// A bar on a terminal, plain lines elsewhere.
    #[default]
    Auto,
    /// A bar.
    Bar,
    /// Plain lines.
    Plain,
    /// One JSON object a line, on standard error.
    Json,
    /// Nothing.
    None,
}

impl From<Progress> for ProgressMode {
    fn from(progress: Progress) -> Self {
        match progress {
            Progress::Auto => Self::Auto,
            Progress::Bar => Self::Bar,
            Progress::Plain => Self::Plain,
            Progress::Json => Self::Json,
            Progress::None => Self::None,
        }
    }
}

impl CreateArgs {
    /// How progress is shown; the console is made before the command runs.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress
    }

    fn source_option(&self) -> SourceOption {
        match (&self.source, &self.source_file) {
            (_, Some(file)) => SourceOption::File(file.clone()),
            (source, None) => SourceOption::Text(source.clone().unwrap_or_default()),
        }
    }

    fn registration(&self, blob_uri: Url) -> Registration {
        Registration {
            blob_uri,
            weight_type: WeightType::FullWeight,
            base_model: self.base_model.clone(),
            description: self.description.clone(),
            tags: BTreeMap::new(),
        }
    }

    /// The command as the person would type it again; a source URL stands there without its query, which is said.
    fn again(&self, app: &App, source: &Source) -> String {
        let mut args = vec!["custom".to_owned(), "create".into(), "--name".into(), self.name.to_string()];
        let mut add = |option: &str, value: Option<String>| {
            match value {
                // A value that looks like an option is one, unless it is tied to its own.
                Some(value) if value.starts_with('-') => args.push(format!("{option}={value}")),
                Some(value) => args.extend([option.to_owned(), value]),
                None => {}
            }
        };
        match (&self.source_file, source) {
            (Some(file), _) => add("--source-file", Some(file.display().to_string())),
            (None, Source::Local(path)) => add("--source", Some(path.display().to_string())),
            (None, Source::Blob(url)) => add("--source", Some(url.without_query().to_string())),
        }
        add("--version", (self.version.as_str() != DEFAULT_VERSION).then(|| self.version.to_string()));
        add("--description", self.description.clone());
        add("--base-model", self.base_model.as_ref().map(ToString::to_string));
        for (option, pattern) in self.selection.again() {
            add(option, Some(pattern));
        }
        add("--azcopy-path", self.azcopy_path.as_ref().map(|path| path.display().to_string()));
        add("--limit-rate", self.limit_rate.map(units::option));
        add("--project-endpoint", app.globals.endpoint.clone());
        add("--environment", app.globals.environment.clone());
        add("--cwd", app.globals.cwd.as_ref().map(|path| path.display().to_string()));
        args.extend(self.selection.no_default_excludes.then(|| "--no-default-excludes".to_owned()));
        args.extend(self.skip_check.then(|| "--skip-check".to_owned()));
        let line = app.command_line(&args.iter().map(String::as_str).collect::<Vec<_>>());
        match source {
            Source::Blob(url) if self.source_file.is_none() && url.expose().query().is_some() => {
                format!("{line}\nThe source URL stands there without its SAS; add it.")
            }
            _ => line,
        }
    }
}

pub(super) async fn create(app: &App, args: CreateArgs) -> Result<(), CliError> {
    let source = args.source_option().resolve(app.env.cwd())?;
    let check = if args.skip_check { Check::Skipped } else { Check::As(None) };
    let (plan, findings) = selection::look(app, &source, &args.selection, check).await??;
    show_findings(app, &findings)?;
    let config_dir = app.config_dir()?;
    let stall_limit = app.stall_limit()?;
    let foundry = app.or_interrupted(app.foundry()).await?;
    let azcopy = app.or_interrupted(engine::find(app, args.azcopy_path.as_deref())).await?;
    app.console.status(&format!("Using azcopy: {} ({})", azcopy.origin(), azcopy.version()));
    if args.base_model.is_none() {
        app.console.warn("No --base-model was given; the service may refuse to register or deploy these weights.");
    }
    let create =
        Create { app, args: &args, source: &source, plan: &plan, stall_limit, foundry: &foundry, azcopy: &azcopy };
    create.run(&config_dir).await
}

/// Warnings are shown, errors end the command.
fn show_findings(app: &App, findings: &[Finding]) -> Result<(), CliError> {
    for finding in findings.iter().filter(|finding| !finding.is_error()) {
        app.console.warn(&format!("{}. {}", render::finding_line(finding), finding.remedy));
    }
    let Some(failed) = CliError::check_failed(findings) else { return Ok(()) };
    let lines = render::error_lines(findings);
    let message = format!("{}\n{lines}", failed.message());
    let suggestion = failed.suggestion().unwrap_or_default();
    let suggestion = format!("{suggestion} To upload the files as they are, use --skip-check.");
    Err(failed.with_message(message).with_suggestion(suggestion))
}
