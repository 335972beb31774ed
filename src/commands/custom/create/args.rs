//! Options of `create`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgGroup, Args, ValueHint};

use super::detach::DetachArgs;
use super::engine_args::EngineArgs;
use super::spec::VersionChoice;
use crate::commands::custom::selection::SelectionArgs;
use crate::commands::custom::source::SourceText;
use crate::commands::headings;
use crate::commands::number::one_or_more;
use crate::commands::progress::ProgressArgs;
use crate::console::ProgressMode;
use azure_ai_models_core::model::{BaseModel, LoraShape, NewDeploymentName, NewModelName, Tag, WeightType};
use azure_ai_models_core::units;

/// Options that `--plan` accepts: how to run the plan, and a source that adds the SAS of its URL. The values of all
/// other options of `create` are stored in the plan, so they conflict with `--plan`.
const ACCEPTED_WITH_PLAN: [&str; 11] = [
    "plan",
    "source",
    "source_file",
    "deploy",
    "yes",
    "no_wait",
    "timeout",
    "progress",
    "detach",
    "notify",
    "no_inhibit",
];

fn exclude_from_plan(option: Arg) -> Arg {
    match ACCEPTED_WITH_PLAN.contains(&option.get_id().as_str()) {
        true => option,
        false => option.conflicts_with("plan"),
    }
}

/// Options of `custom create`.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("from").required(true).multiple(true).args(["source", "source_file", "plan"]))]
#[command(mut_args(exclude_from_plan))]
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
    #[arg(long, help_heading = headings::SOURCE, value_name = "FILE", value_hint = ValueHint::FilePath)]
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
    /// Given values; the service reads the others from adapter_config.json.
    pub(super) fn shape(self) -> LoraShape {
        LoraShape {
            rank: self.lora_rank,
            alpha: self.lora_alpha,
            target_modules: Some(self.lora_target_modules).filter(|modules| !modules.is_empty()),
            dropout: self.lora_dropout,
        }
    }
}

impl CreateArgs {
    /// Progress mode; the console is created before the command runs.
    #[must_use]
    pub(crate) fn progress(&self) -> ProgressMode {
        self.progress.mode()
    }

    /// True with `--detach`.
    pub(super) fn detaches(&self) -> bool {
        self.detach.is_asked_for()
    }

    /// True with `--dry-run`.
    pub(super) fn dry_run(&self) -> bool {
        self.dry_run
    }

    /// True with `--with-hashes`.
    pub(super) fn with_hashes(&self) -> bool {
        self.with_hashes
    }
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

#[cfg(test)]
mod tests {
    use clap::builder::ValueParser;
    use clap::error::ErrorKind;

    use super::*;

    /// A new option either conflicts with --plan by default, or is accepted with it on purpose.
    #[test]
    fn plan_conflicts_with_every_option_that_is_not_accepted_with_it() {
        let with_any_value = |option: Arg| match option.get_action().takes_values() {
            true => option.value_parser(ValueParser::string()),
            false => option,
        };
        let create = CreateArgs::augment_args(clap::Command::new("create")).mut_args(with_any_value);
        let options: Vec<&Arg> = create.get_arguments().collect();
        for accepted in ACCEPTED_WITH_PLAN {
            assert!(options.iter().any(|option| option.get_id() == accepted), "no option has the id '{accepted}'");
        }
        for option in options.iter().filter(|option| option.get_id() != "plan") {
            let long = format!("--{}", option.get_long().expect("an option"));
            let words = ["create", "--plan", "plan.json", &long].into_iter().map(str::to_owned);
            let value = option.get_action().takes_values().then(|| "1".to_owned());
            let conflict = match create.clone().try_get_matches_from(words.chain(value)) {
                Err(error) => error.kind() == ErrorKind::ArgumentConflict,
                Ok(_) => false,
            };
            assert_eq!(conflict, !ACCEPTED_WITH_PLAN.contains(&option.get_id().as_str()), "{long} with --plan");
        }
    }
}
