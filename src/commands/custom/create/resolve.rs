//! Conversion of the options to one spec, which detects every invalid value or combination.

use std::sync::Arc;

use super::args::CreateArgs;
use super::engine_args::EngineName;
use super::plan::SavedPlan;
use super::spec::CreateSpec;
use crate::app::{App, PromptObstacle};
use crate::commands::custom::source::{SourceOption, SourceText, absolute};
use crate::commands::deployments::create::{DeployRequest, check_consent};
use crate::error::{CliError, ErrorCode};
use azure_ai_models_core::model::{CONTENT_DIGEST, ModelDetails, NewModelName, Source, WeightType};

impl CreateArgs {
    /// Converts the options to the model to create. Reads the source, or the plan, from its file.
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
        // Reading a pipe may take long, and Ctrl+C must work in the meantime.
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
            limit_rate: self.engine.limit_rate(),
            detach,
            if_changed: self.if_changed,
            plan,
            resume_command: String::new(),
        };
        spec.resume_command = spec.command_line(app);
        Ok(spec)
    }
}

impl CreateArgs {
    /// Deployment to create from the model.
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
            // Every valid name for a new model is a valid name for a deployment.
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
