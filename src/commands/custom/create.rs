//! `custom create`: upload weights and register them (cli.md 7).
//!
//! The order of work is the promise: what can fail without the network fails first, nothing is registered that did
//! not arrive whole.

mod again;
mod args;
mod dry_run;
mod engine_args;
mod kept;
mod location;
mod lora;
mod questions;
mod register;
mod send;
mod spec;
mod steps;
mod transfer;
mod version;

pub(super) use self::args::CreateArgs;
pub(super) use self::engine_args::EngineArgs;

use self::lora::AdapterConfig;
pub(super) use self::spec::{CreateSpec, EngineChoice, VersionChoice};
use self::steps::Work;
use super::selection::{self, Check};
use crate::app::App;
use crate::console::render;
use crate::error::CliError;
use azure_ai_models_core::foundry::{DEFAULT_API_VERSION, FoundryClient, api_version};
use azure_ai_models_core::model::{Finding, WeightType};
use azure_ai_models_core::upload::Plan;

pub(super) const EXAMPLES: &str = "\
Examples:
  A directory with the weights:
    azd ai models custom create --name my-model --source ./model-weights

  What would be sent, and what is wrong with it:
    azd ai models custom create --name my-model --source ./model-weights --dry-run

  A second version, trained from a base model:
    azd ai models custom create -n my-model --version 2 --source ./weights --base-model FW-GLM-4.7

  An adapter:
    azd ai models custom create -n my-adapter --source ./adapter --weight-type LoRA --base-model FW-GLM-4.7

  Only the safetensors files and what belongs to them:
    azd ai models custom create -n my-model --source ./weights --exclude '*.bin' --exclude original/

  A blob URL with a SAS, from a file since shells cut URLs at '&':
    azd ai models custom create --name my-model --source-file source-url.txt

  In a pipeline, each run a version of its own:
    azd ai models custom create -n my-model --version auto --source ./weights --no-prompt -o json";

pub(super) async fn create(app: &App, args: CreateArgs) -> Result<(), CliError> {
    if args.dry_run() {
        return dry_run::dry_run(app, args).await;
    }
    let spec = args.into_spec(app).await?;
    check_publisher(app, &spec)?;
    let foundry = app.foundry().await?;
    make(app, &spec, &foundry).await
}

/// Makes a model of what the spec says; `uploads resume` comes here too.
pub(super) async fn make(app: &App, spec: &CreateSpec, foundry: &FoundryClient) -> Result<(), CliError> {
    let (plan, findings) = spec.plan(app).await?;
    show_findings(app, &findings)?;
    let work = Work::new(app, spec, &plan, foundry)?;
    describe(app, spec, &plan);
    Box::pin(work.run()).await
}

impl CreateSpec {
    /// What goes, and what is wrong with it.
    async fn plan(&self, app: &App) -> Result<(Plan, Vec<Finding>), CliError> {
        let check = if self.check { Check::As(Some(self.details.weight_type)) } else { Check::Skipped };
        let (plan, mut findings) = selection::look(app, &self.source, &self.selection, check).await??;
        lora::hint(&plan, self.details.weight_type, &mut findings);
        Ok((plan, findings))
    }
}

/// What the service may hold against these weights, and what the adapter says of itself.
fn describe(app: &App, spec: &CreateSpec, plan: &Plan) {
    let details = &spec.details;
    if details.weight_type == WeightType::LoRA
        && let Some(config) = AdapterConfig::read(plan)
    {
        app.console.detail("LoRA", &config.over(&details.lora));
    }
    if details.base_model.is_none() && details.weight_type != WeightType::DraftModel {
        app.console.warn("No --base-model was given; the service may refuse to register or deploy these weights.");
    }
}

/// The dialect of the api-version may have no place for a publisher (contracts/foundry-rest.md 1.5).
fn check_publisher(app: &App, spec: &CreateSpec) -> Result<(), CliError> {
    if spec.details.publisher.is_some() && api_version(&app.env).eq_ignore_ascii_case("v1") {
        return Err(CliError::usage("the api-version v1 knows no publisher")
            .with_code("no_publisher")
            .with_suggestion(format!("Leave --publisher away, or use the api-version {DEFAULT_API_VERSION}.")));
    }
    Ok(())
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
