//! Options that a plan replaces.

use std::path::Path;
use std::time::Duration;

use super::SavedPlan;
use crate::commands::custom::create::args::{CreateArgs, LoraArgs};
use crate::commands::custom::create::engine_args::EngineArgs;
use crate::commands::custom::create::spec::VersionChoice;
use crate::commands::custom::selection::SelectionArgs;
use crate::commands::custom::source::{SourceText, absolute};
use crate::error::{CliError, ErrorCode};
use azure_ai_models_core::model::{ModelDetails, Source, Tag};

impl SavedPlan {
    /// Arguments stored in the plan, combined with those given on the command line.
    pub(in crate::commands::custom::create) fn arguments(&self, given: CreateArgs) -> Result<CreateArgs, CliError> {
        let broken = |what: &str| {
            CliError::usage(format!("{} contains no valid {what}", self.file.display())).with_code(ErrorCode::BadPlan)
        };
        let ModelDetails { weight_type, base_model, description, tags, lora, publisher } = self.registration.clone();
        let options = &self.options;
        let version: VersionChoice = self.version.parse().map_err(|_| broken("version"))?;
        let is_url_given = given.source.is_some() || given.source_file.is_some();
        let planned = options.deploy.as_ref();
        let mut args = CreateArgs {
            name: Some(self.name.parse().map_err(|_| broken("name"))?),
            version,
            description,
            tag: tags.into_iter().map(|(key, value)| Tag { key, value }).collect(),
            base_model,
            weight_type,
            publisher,
            overwrite: options.overwrite,
            selection: SelectionArgs::of(options.include.clone(), options.exclude.clone(), options.default_excludes),
            skip_check: options.skip_check,
            if_changed: options.if_changed,
            sku_name: planned.and_then(|deploy| deploy.sku_name.clone()),
            sku_capacity: planned.and_then(|deploy| deploy.sku_capacity),
            no_wait: given.no_wait || options.no_wait,
            engine: EngineArgs::of_plan(&self.engine, options).ok_or_else(|| broken("engine"))?,
            lora: LoraArgs {
                lora_rank: lora.rank,
                lora_alpha: lora.alpha,
                lora_target_modules: lora.target_modules.unwrap_or_default(),
                lora_dropout: lora.dropout,
            },
            ..given
        };
        if !is_url_given {
            args.source = Some(SourceText::from(self.source.clone()));
        }
        let timeout = options.timeout_seconds.map(Duration::from_secs);
        args.timeout = match (args.timeout, timeout) {
            (Some(given), Some(planned)) if given != planned => return Err(self.contradiction("--timeout")),
            (given, planned) => given.or(planned),
        };
        if let Some(planned) = planned {
            let name = planned.name.parse().map_err(|_| broken("deployment"))?;
            args.deploy = match args.deploy.take() {
                Some(Some(given)) if given != name => return Err(self.contradiction("--deploy")),
                _ => Some(Some(name)),
            };
        }
        Ok(args)
    }

    fn contradiction(&self, option: &str) -> CliError {
        CliError::usage(format!("{option} contradicts the plan in {}", self.file.display()))
            .with_code(ErrorCode::Contradiction)
            .with_suggestion(format!("Remove {option}, or create another plan."))
    }

    /// Fails if the source given in addition to the plan is a different one: only the SAS of its URL may come from
    /// there.
    pub(in crate::commands::custom::create) fn check_source(
        &self,
        source: &Source,
        cwd: &Path,
    ) -> Result<(), CliError> {
        let given = match source {
            Source::Local(path) => absolute(cwd, path).display().to_string(),
            source => source.shown(cwd),
        };
        if given == self.source {
            return Ok(());
        }
        Err(CliError::usage(format!("the plan is for {}, not for {given}", self.source))
            .with_code(ErrorCode::Contradiction)
            .with_suggestion(
                "Remove --source. Use it only to add the SAS of the plan's URL, which a plan does not contain.",
            ))
    }
}
