//! Options of `create`, and their conversion to one spec, which detects every invalid value or combination.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args, ValueHint};

use super::detach::DetachArgs;
use super::engine_args::{EngineArgs, EngineName};
use super::plan::SavedPlan;
use super::spec::{CreateSpec, VersionChoice};
use crate::app::{App, PromptObstacle};
use crate::commands::custom::selection::SelectionArgs;
use crate::commands::custom::source::{SourceOption, SourceText, absolute};
use crate::commands::deployments::create::{DeployRequest, check_consent};
use crate::commands::headings;
use crate::commands::number::one_or_more;
use crate::commands::progress::ProgressArgs;
use crate::console::ProgressMode;
use crate::error::{CliError, ErrorCode};
use azure_ai_models_core::model::{
    BaseModel, CONTENT_DIGEST, LoraShape, ModelDetails, NewDeploymentName, NewModelName, Source, Tag, WeightType,
};
use azure_ai_models_core::units;

/// Options whose values are in a plan: with `--plan` the command line has none of them.
const PLAN_OPTIONS: [&str; 28] = [
    "name",
    "version",
    "description",
    "tag",
    "base_model",
    "weight_type",
    "publisher",
    "overwrite",
    "include",
    "exclude",
    "no_default_excludes",
    "skip_check",
    "dry_run",
    // Its requirement is not checked where --dry-run conflicts.
    "with_hashes",
    "if_changed",
    "sku_name",
    "sku_capacity",
    "engine",
    "parallel",
    "no_hash",
    "copy",
    "verify",
    "azcopy_path",
    "limit_rate",
    "lora_rank",
    "lora_alpha",
    "lora_target_modules",
    "lora_dropout",
];

/// Options of `custom create`.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("from").required(true).multiple(true).args(["source", "source_file", "plan"]))]
pub(crate) struct CreateArgs {
    /// Model name: 2 to 30 letters, digits or '-', starting with a letter
    #[arg(short, long, help_heading = headings::MODEL, value_name = "NAME", required_unless_present = "plan")]
    pub(super) name: Option<NewModelName>,

    /// File, directory, blob URL or hf://ORG/NAME; '-' reads it from stdin
    #[arg(long, help_heading = headings::SOURCE, value_name = "SOURCE", value_hint = ValueHint::AnyPath)]
    pub(super) source: Option<SourceText>,

    /// Read the source from this file, for example a URL with '&'
    #[arg(long, help_heading = headings::SOURCE, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "source")]
    pub(super) source_file: Option<PathBuf>,

    /// Run the plan in this file, written by '--dry-run -o json'
    ///
    /// Fails if a file of the plan has changed since.
    #[arg(long, help_heading = headings::SOURCE, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = PLAN_OPTIONS)]
    pub(super) plan: Option<PathBuf>,

    /// Model version, or 'auto' for the highest existing version plus 1
    #[arg(long, help_heading = headings::MODEL, value_name = "VERSION", default_value = "1")]
    pub(super) version: VersionChoice,

    /// Model description
    #[arg(long, help_heading = headings::MODEL, value_name = "TEXT", allow_hyphen_values = true)]
    pub(super) description: Option<String>,

    /// Model tag (can be repeated)
    #[arg(long, help_heading = headings::MODEL, value_name = "KEY=VALUE")]
    pub(super) tag: Vec<Tag>,

    /// Base model of the weights: a name such as FW-GLM-4.7, or an azureml:// URI
    #[arg(long, help_heading = headings::MODEL, value_name = "NAME|URI")]
    pub(super) base_model: Option<BaseModel>,

    /// Weight type: FullWeight, LoRA or DraftModel
    #[arg(long, help_heading = headings::MODEL, value_name = "TYPE", default_value_t)]
    pub(super) weight_type: WeightType,

    /// Model publisher
    #[arg(long, help_heading = headings::MODEL, hide_short_help = true, value_name = "ID")]
    pub(super) publisher: Option<String>,

    #[command(flatten)]
    pub(super) lora: LoraArgs,

    /// Replace the version if it exists
    ///
    /// The existing version is deleted before the upload starts.
    #[arg(long, help_heading = headings::UPLOAD)]
    pub(super) overwrite: bool,

    #[command(flatten)]
    pub(super) selection: SelectionArgs,

    /// Skip the model check before the upload
    #[arg(long, help_heading = headings::SOURCE)]
    pub(super) skip_check: bool,

    /// Show what would be sent, without changing anything
    #[arg(long, help_heading = headings::RUN)]
    pub(super) dry_run: bool,

    /// Add the SHA-256 of each local file to the plan of --dry-run (reads every file)
    #[arg(long, help_heading = headings::RUN, hide_short_help = true, requires = "dry_run")]
    pub(super) with_hashes: bool,

    /// Skip the upload if a version with the same content exists (reads every file)
    #[arg(long, help_heading = headings::UPLOAD)]
    pub(super) if_changed: bool,

    /// Deploy the model after it is registered [default: the model's name]
    #[arg(long, help_heading = headings::DEPLOYMENT, value_name = "NAME", num_args = 0..=1)]
    pub(super) deploy: Option<Option<NewDeploymentName>>,

    /// SKU of the deployment [default: from the catalog]
    #[arg(long, help_heading = headings::DEPLOYMENT, value_name = "SKU", requires = "deploy", value_parser = NonEmptyStringValueParser::new())]
    pub(super) sku_name: Option<String>,

    /// Capacity of the deployment, 1 or more [default: from the catalog]
    #[arg(long, help_heading = headings::DEPLOYMENT, value_name = "N", requires = "deploy", value_parser = one_or_more::<u64>)]
    pub(super) sku_capacity: Option<u64>,

    /// Answer yes to prompts: large upload, overwrite, billed deployment
    #[arg(short, long, help_heading = headings::RUN)]
    pub(super) yes: bool,

    /// Return when the registration is accepted; 'wait' waits for its result
    ///
    /// With --deploy, returns when the deployment is accepted.
    #[arg(long, help_heading = headings::RUN)]
    pub(super) no_wait: bool,

    /// Time limit of the registration, and of the deployment [default: 30m, 45m]
    #[arg(long, help_heading = headings::RUN, value_name = "DURATION", value_parser = units::parse_duration)]
    pub(super) timeout: Option<Duration>,

    #[command(flatten)]
    pub(super) engine: EngineArgs,

    /// AzCopy program to use [default: the installed one, else a download]
    #[arg(long, help_heading = headings::UPLOAD, hide_short_help = true, value_name = "FILE", value_hint = ValueHint::ExecutablePath)]
    pub(super) azcopy_path: Option<PathBuf>,

    #[command(flatten)]
    pub(super) progress: ProgressArgs,

    /// Maximum upload rate in bytes per second, such as 100M (suffixes K, M, G)
    #[arg(long, help_heading = headings::UPLOAD, hide_short_help = true, value_name = "RATE", value_parser = units::parse_bytes)]
    pub(super) limit_rate: Option<u64>,

    #[command(flatten)]
    pub(super) detach: DetachArgs,
}

/// Shape of an adapter; read by the service from adapter_config.json where it is not given.
#[derive(Args, Debug)]
#[command(next_help_heading = headings::LORA)]
pub(super) struct LoraArgs {
    /// Adapter rank
    #[arg(long, value_name = "N", value_parser = one_or_more::<u32>)]
    pub(super) lora_rank: Option<u32>,

    /// Adapter scaling (alpha)
    #[arg(long, value_name = "N", value_parser = one_or_more::<u32>)]
    pub(super) lora_alpha: Option<u32>,

    /// Modules that the adapter changes, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = module)]
    pub(super) lora_target_modules: Vec<String>,

    /// Training dropout, from 0 up to but not including 1
    #[arg(long, value_name = "F", value_parser = dropout)]
    pub(super) lora_dropout: Option<f64>,
}

impl LoraArgs {
    fn shape(self) -> LoraShape {
        LoraShape {
            rank: self.lora_rank,
            alpha: self.lora_alpha,
            target_modules: Some(self.lora_target_modules).filter(|modules| !modules.is_empty()),
            dropout: self.lora_dropout,
        }
    }
}

impl CreateArgs {
    /// How progress is shown; the console is made before the command runs.
    #[must_use]
    pub(crate) fn progress(&self) -> ProgressMode {
        self.progress.mode()
    }

    /// True with `--detach`.
    pub(super) fn detaches(&self) -> bool {
        self.detach.is_asked_for()
    }

    pub(super) fn dry_run(&self) -> bool {
        self.dry_run
    }

    pub(super) fn with_hashes(&self) -> bool {
        self.with_hashes
    }

    /// Model to create. Reads the source, or the plan, from its file.
    pub(super) async fn into_spec(self, app: &App) -> Result<CreateSpec, CliError> {
        match self.plan.clone() {
            Some(file) => {
                let plan = SavedPlan::read(app.env.cwd(), &file)?;
                plan.arguments(self)?.resolved(app, Some(Arc::new(plan))).await
            }
            None => self.resolved(app, None).await,
        }
    }

    async fn resolved(self, app: &App, plan: Option<Arc<SavedPlan>>) -> Result<CreateSpec, CliError> {
        let Some(name) = self.name.clone() else { return Err(CliError::usage("--name is required")) };
        if self.tag.iter().any(|tag| tag.key == CONTENT_DIGEST) {
            return Err(CliError::usage(format!(
                "the tag {CONTENT_DIGEST} is reserved: it is computed from the files"
            ))
            .with_code(ErrorCode::Contradiction)
            .with_suggestion("Remove --tag contentDigest. --if-changed sets it."));
        }
        let detach = self.detach.request(app)?;
        let deploy = self.deploy_request(app, &name)?;
        let lora = self.lora.shape();
        if self.weight_type != WeightType::LoRA && !lora.is_empty() {
            return Err(CliError::usage(format!(
                "the --lora options require --weight-type LoRA, not {}",
                self.weight_type
            ))
            .with_code(ErrorCode::LoraOptions)
            .with_suggestion("Use --weight-type LoRA, or remove the --lora options."));
        }
        let piped = self.source.as_ref().is_some_and(SourceText::is_standard_input);
        let handed_over = app.detached.as_ref().and_then(|run| run.ticket.source.clone());
        let option = match (self.source, &self.source_file) {
            _ if handed_over.is_some() => SourceOption::Text(handed_over.unwrap_or_default().into()),
            (_, Some(file)) => SourceOption::File(file.clone()),
            (_, None) if piped => SourceOption::Text(read_source(app).await?),
            (source, None) => SourceOption::Text(source.unwrap_or_default()),
        };
        let cwd = app.env.cwd().to_owned();
        // Reading a pipe may take long, and Ctrl+C must work meanwhile.
        let read = tokio::task::spawn_blocking(move || option.read(&cwd)).await;
        let source = app.source(read.unwrap_or_else(|_| Err(CliError::interrupted()))?.expose())?;
        if let Some(plan) = &plan {
            plan.check_source(&source, app.env.cwd())?;
        }
        if self.if_changed && matches!(source, Source::Blob(_)) {
            return Err(CliError::usage(
                "--if-changed requires the SHA-256 of each file, which a blob store does not provide",
            )
            .with_code(ErrorCode::RemoteSource)
            .with_suggestion("Remove --if-changed, or use a local directory or an hf:// source."));
        }
        let engine = self.engine.choice(app, &source, EngineName::AzCopy)?;
        let details = ModelDetails {
            weight_type: self.weight_type,
            base_model: self.base_model,
            description: self.description,
            tags: self.tag.into_iter().map(|tag| (tag.key, tag.value)).collect(),
            lora,
            publisher: self.publisher,
        };
        let mut spec = CreateSpec {
            name: name.as_name().clone(),
            version: self.version,
            shown_source: match &source {
                Source::Local(path) => absolute(app.env.cwd(), path).display().to_string(),
                source => source.shown(app.env.cwd()),
            },
            source,
            source_file: self.source_file,
            selection: self.selection.selection(),
            check: !self.skip_check,
            details,
            overwrite: self.overwrite,
            yes: self.yes,
            prompt_obstacle: piped.then_some(PromptObstacle::NoTerminal).or_else(|| app.terminal_prompt_obstacle()),
            no_wait: self.no_wait && deploy.is_none(),
            deployment: deploy.as_ref().map(DeployRequest::options).unwrap_or_default(),
            deploy,
            timeout: self.timeout.map(|limit| app.timings.scaled(limit)),
            given_timeout: self.timeout,
            engine,
            copy: self.engine.copy(),
            verify: self.engine.verify(),
            azcopy_path: self.azcopy_path,
            limit_rate: self.limit_rate,
            detach,
            if_changed: self.if_changed,
            plan,
            again: String::new(),
        };
        spec.again = spec.command_line(app);
        Ok(spec)
    }
}

impl CreateArgs {
    /// The deployment that the model becomes.
    fn deploy_request(&self, app: &App, model: &NewModelName) -> Result<Option<DeployRequest>, CliError> {
        let Some(name) = &self.deploy else { return Ok(None) };
        if self.weight_type == WeightType::DraftModel {
            return Err(CliError::usage("a draft model cannot be deployed by itself")
                .with_code(ErrorCode::Contradiction)
                .with_suggestion(
                    "Remove --deploy, then use 'custom deployments create --model MODEL --draft-model NAME'.",
                ));
        }
        let name = match name {
            Some(name) => name.as_name().clone(),
            // Every valid name of a new model is a valid name of a deployment.
            None => model.to_string().parse().map_err(CliError::usage)?,
        };
        if !self.yes && !self.dry_run {
            check_consent(app, false)?;
        }
        let limit = self.timeout.map_or(app.timings.deploy, |limit| app.timings.scaled(limit));
        Ok(Some(DeployRequest {
            name,
            sku_name: self.sku_name.clone(),
            sku_capacity: self.sku_capacity,
            yes: self.yes,
            limit: (!self.no_wait).then_some(limit),
        }))
    }
}

async fn read_source(app: &App) -> Result<SourceText, CliError> {
    let read = app.line().await?.unwrap_or_default();
    if read.trim().is_empty() {
        return Err(CliError::usage("no source on standard input")
            .with_code(ErrorCode::BadSource)
            .with_suggestion("Write a path or URL to it, for example: echo ./weights | ... --source -"));
    }
    Ok(SourceText::piped(&read))
}

fn module(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() { Err("a module name cannot be empty".into()) } else { Ok(name.to_owned()) }
}

fn dropout(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..1.0).contains(&value) => Ok(value),
        _ => Err("must be a number from 0 up to but not including 1".into()),
    }
}
