//! `custom create`: upload weights and register them (cli.md 7).
//!
//! The order of work is the promise: what can fail without the network fails first, nothing is registered that did
//! not arrive whole.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgGroup, Args, ValueEnum, ValueHint};
use url::Url;

use super::engine;
use super::source::SourceOption;
use crate::app::App;
use crate::azcopy::AzCopy;
use crate::cli::OutputFormat;
use crate::console::{ProgressMode, TransferView, render};
use crate::error::CliError;
use crate::foundry::{FoundryClient, PendingUpload, RegisterStatus};
use crate::model::{
    BaseModel, CustomModel, ModelVersion, NewModelName, Registration, Source, TransferEvent, WeightType,
};
use crate::units;
use crate::upload::{self, Plan, Upload, UploadDirectory, Uploaded};

const STEPS: u8 = 3;
const DEFAULT_VERSION: &str = "1";
/// Between redraws while AzCopy is silent.
const TICK: Duration = Duration::from_millis(200);

pub(super) const EXAMPLES: &str = "\
Examples:
  A directory with the weights:
    azd ai models custom create --name my-model --source ./model-weights

  A second version, trained from a base model:
    azd ai models custom create -n my-model --version 2 --source ./weights --base-model FW-GLM-4.7

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
    source: Option<String>,

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

    /// The command as the person would type it again; a source URL stands there without its query.
    fn again(&self, app: &App, source: &Source) -> String {
        let mut args = vec!["custom".to_owned(), "create".into(), "--name".into(), self.name.to_string()];
        let mut add = |option: &str, value: Option<String>| {
            if let Some(value) = value {
                args.extend([option.to_owned(), value]);
            }
        };
        match (&self.source_file, source) {
            (Some(file), _) => add("--source-file", Some(file.display().to_string())),
            (None, Source::Local(path)) => add("--source", Some(path.display().to_string())),
            (None, Source::Blob(url)) => add("--source", Some(url.without_query().to_string())),
        }
        add("--version", (self.version.as_str() != DEFAULT_VERSION).then(|| self.version.to_string()));
        add("--description", self.description.clone());
        add("--base-model", self.base_model.as_ref().map(|base| base.short_name().to_owned()));
        add("--azcopy-path", self.azcopy_path.as_ref().map(|path| path.display().to_string()));
        add("--limit-rate", self.limit_rate.map(|rate| rate.to_string()));
        add("--project-endpoint", app.globals.endpoint.clone());
        add("--environment", app.globals.environment.clone());
        app.command_line(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

pub(super) async fn create(app: &App, args: CreateArgs) -> Result<(), CliError> {
    let source = args.source_option().resolve(app.env.cwd())?;
    let plan = upload::plan(&source, app.env.cwd())?;
    let config_dir = app.config_dir()?;
    let foundry = app.foundry()?;
    let azcopy = app.or_interrupted(engine::find(app, args.azcopy_path.as_deref())).await?;
    app.console.status(&format!("Using azcopy: {} ({})", azcopy.origin(), azcopy.version()));
    if args.base_model.is_none() {
        app.console.warn("No --base-model was given; the service may refuse to register or deploy these weights.");
    }
    let create = Create { app, args: &args, source: &source, plan: &plan, foundry: &foundry, azcopy: &azcopy };
    let uploaded = create.upload(&config_dir).await?;
    let model = create.register(&uploaded).await?;
    create.show(&model, &uploaded)
}

/// One `create` under way, after everything that could fail without the service was looked at.
struct Create<'a> {
    app: &'a App,
    args: &'a CreateArgs,
    source: &'a Source,
    plan: &'a Plan,
    foundry: &'a FoundryClient,
    azcopy: &'a AzCopy,
}

impl Create<'_> {
    /// Steps 1 and 2.
    async fn upload(&self, config_dir: &Path) -> Result<Uploaded, CliError> {
        let Self { app, args, .. } = *self;
        let name = args.name.as_name();
        // Taken before the service is asked: the same upload twice at once ends here.
        let directory = UploadDirectory::create(
            config_dir,
            &self.foundry.endpoint().to_string(),
            name.as_str(),
            args.version.as_str(),
        )?;
        app.console.status(&format!("\nCreating custom model: {name} (version {})\n", args.version));
        app.console.step(1, STEPS, "Requesting upload location...");
        let pending = self.start().await?;
        app.console.done("Upload location ready");
        app.console.detail("Blob URI", pending.blob_uri.as_str());
        app.console.status("");
        app.console.step(2, STEPS, "Uploading model files...");
        app.console.detail("Source", &self.source_line());

        let view = RefCell::new(app.console.transfer_view(app.timings.status_line));
        let upload = Upload {
            azcopy: self.azcopy,
            plan: self.plan,
            directory: &directory,
            foundry: self.foundry,
            http: &app.http(),
            limit_rate: args.limit_rate,
            stall_limit: app.stall_limit()?,
            timings: &app.timings,
            reporter: &app.reporter(),
            cancel: &app.cancel,
        };
        let mut on = |event: TransferEvent| view.borrow_mut().on(&event);
        let outcome = tokio::select! {
            outcome = upload.run(name, &args.version, pending, &mut on) => outcome,
            never = tick(&view) => match never {},
        };
        drop(view);
        let uploaded = outcome.map_err(|error| CliError::from(error).with_run_again(&args.again(app, self.source)))?;
        app.console.done("Upload complete");
        app.console.status("");
        // Kept until now for AzCopy's log; a directory that stays behind harms nobody.
        if let Err(why) = directory.remove() {
            app.console.warn(&format!("The upload's private directory could not be removed: {why}"));
        }
        Ok(uploaded)
    }

    async fn start(&self) -> Result<PendingUpload, CliError> {
        let Self { app, args, .. } = *self;
        let name = args.name.as_name();
        let started = app.cancel.or(self.foundry.start_pending_upload(name, &args.version)).await;
        match started {
            Some(Ok(pending)) => Ok(pending),
            Some(Err(error)) if error.status() == Some(409) => Err(self.version_exists(error.into()).await),
            Some(Err(error)) => Err(error.into()),
            None => Err(CliError::interrupted().with_run_again(&args.again(app, self.source))),
        }
    }

    /// The version is there already: name the next free one, if the service tells.
    async fn version_exists(&self, error: CliError) -> CliError {
        let Self { app, args, .. } = *self;
        let name = args.name.as_name();
        let versions = app.cancel.or(self.foundry.list_versions(name)).await.and_then(Result::ok).unwrap_or_default();
        let next = ModelVersion::after(versions.iter().filter_map(|model| model.view().version.as_deref()));
        let suggestion = match next {
            Some(next) => format!("Use the next free version: --version {next}"),
            None => "Use another --version.".to_owned(),
        };
        error
            .with_message(format!("Model '{name}' (version {}) already exists.", args.version))
            .with_suggestion(suggestion)
    }

    fn source_line(&self) -> String {
        let shown = match self.source {
            Source::Local(path) => path.display().to_string(),
            Source::Blob(url) => url.to_string(),
        };
        match (self.plan.file_count(), self.plan.bytes()) {
            (Some(files), Some(bytes)) => {
                format!("{shown} ({}, {})", units::count(files, "file", "files"), units::bytes(bytes))
            }
            _ => shown,
        }
    }

    /// Step 3.
    async fn register(&self, uploaded: &Uploaded) -> Result<CustomModel, CliError> {
        let Self { app, args, .. } = *self;
        app.console.step(3, STEPS, "Registering model...");
        let registration = args.registration(uploaded.blob_uri.clone());
        let view = RefCell::new(app.console.register_view(app.timings.status_line));
        let mut on = |status: RegisterStatus| view.borrow_mut().on(&status.status, status.elapsed);
        let registered = app
            .cancel
            .or(self.foundry.register(args.name.as_name(), &args.version, &registration, app.timings.register, &mut on))
            .await;
        let again = args.again(app, self.source);
        match registered {
            Some(Ok(model)) => {
                let state = model.view().provisioning_state.as_deref().unwrap_or("Succeeded");
                view.borrow_mut().registered(args.name.as_name().as_str(), args.version.as_str(), state);
                drop(view);
                app.console.done("Model registered successfully!");
                app.console.status("");
                Ok(model)
            }
            Some(Err(error)) => Err(CliError::from(error).with_run_again(&again)),
            None => Err(CliError::interrupted().with_run_again(&again)),
        }
    }

    fn show(&self, model: &CustomModel, uploaded: &Uploaded) -> Result<(), CliError> {
        match self.app.globals.output {
            OutputFormat::Json => self.app.json(model),
            OutputFormat::Table | OutputFormat::None => {
                let deploy = self.app.deploy_command(self.foundry.endpoint(), model);
                self.app.product(&render::created_page(model, self.plan.format(), uploaded.bytes, &deploy))
            }
        }
    }
}

/// Lets the view move on while AzCopy is silent.
async fn tick(view: &RefCell<TransferView<'_>>) -> Infallible {
    let mut interval = tokio::time::interval(TICK);
    loop {
        interval.tick().await;
        view.borrow_mut().tick();
    }
}
