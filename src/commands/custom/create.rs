//! `custom create`: uploads weights and registers them.
//!
//! The order of the steps is fixed: steps that can fail without the network come first, and nothing is registered that
//! is not completely uploaded.

mod args;
mod command_line;
mod content;
mod created;
mod detach;
mod dry_run;
mod engine_args;
mod examples;
mod failure;
mod import;
mod lora;
mod plan;
mod questions;
mod register;
mod resolve;
mod run;
mod spec;
mod transfer_engine;
mod version;
mod view;

pub(super) use self::args::CreateArgs;
pub(super) use self::detach::DetachArgs;
pub(super) use self::engine_args::{EngineArgs, EngineName};
pub(super) use self::examples::{EXAMPLES, SUMMARY};
pub(super) use self::spec::{CreateSpec, EngineChoice, VersionChoice};

use std::path::PathBuf;
use std::sync::Arc;

use azure_ai_models_core::foundry::{DEFAULT_API_VERSION, FoundryClient, api_version};
use azure_ai_models_core::hub::HubReader;
use azure_ai_models_core::model::{CONTENT_DIGEST, Finding, ModelDetails, Source, WeightType};
use azure_ai_models_core::source::{FileSums, UploadSource};
use azure_ai_models_core::store::source_blobs;
use azure_ai_models_core::upload::{TransferEngine, TransferSettings};
use tokio::sync::OnceCell;

use self::failure::CreateFailure;
use self::lora::AdapterConfig;
use self::view::STARTING_OVER;
use super::hub;
use super::selection::{self, CheckMode, CheckedPlan};
use crate::app::App;
use crate::commands::connect;
use crate::commands::deployments::create::PreparedDeployment;
use crate::console::render;
use crate::error::{CliError, ErrorCode};

/// Number of steps shown to the user: location, upload, registration.
const STEPS: u8 = 3;

/// Uploads and registers one version, or shows the plan with `--dry-run`. Options are checked before the first request.
pub(super) async fn create(app: &App, args: CreateArgs) -> Result<(), CliError> {
    if args.dry_run() && args.detaches() {
        return Err(CliError::usage("--dry-run cannot be combined with --detach: nothing is sent")
            .with_code(ErrorCode::Contradiction)
            .with_suggestion("Remove --detach or --dry-run."));
    }
    if args.dry_run() {
        return dry_run::dry_run(app, args).await;
    }
    if args.detaches() {
        app.require_independent_sign_in();
    }
    let spec = args.into_spec(app).await?;
    check_publisher(app, &spec)?;
    let foundry = connect::foundry(app).await?;
    create_model(app, &spec, &foundry).await
}

/// Creates a model from the spec; also used by `uploads resume`.
pub(super) async fn create_model(app: &App, spec: &CreateSpec, foundry: &FoundryClient) -> Result<(), CliError> {
    let planned = spec.plan(app, Some(&foundry.endpoint().to_string())).await?;
    if let Some(plan) = &spec.plan {
        plan.check_files(app, &planned.source, &planned.newer)?;
    }
    if let UploadSource::Hub(hub) = &planned.source {
        import::describe(app, hub);
    }
    show_findings(app, &planned.findings)?;
    let sums = content::sums(app, spec, &planned).await?;
    if let (Some(plan), Some(sums)) = (&spec.plan, &sums) {
        plan.check_sums(sums)?;
    }
    if let (Some(plan), UploadSource::Remote { url }) = (&spec.plan, &planned.source) {
        let listing = source_blobs(&app.http(), url).await.map_err(|why| CliError::unlisted_source(&why))?;
        plan.check_blobs(&listing)?;
    }
    if let Some(sums) = sums.as_ref().filter(|_| spec.if_changed)
        && let Some(found) = content::same_content(spec, foundry, sums).await?
    {
        return app.show(&found);
    }
    let mut details = match &planned.source {
        UploadSource::Hub(hub) => import::recorded(app, &spec.details, hub),
        UploadSource::Local { .. } | UploadSource::Remote { .. } => spec.details.clone(),
    };
    // A digest of an earlier attempt is replaced once all checksums of this one are known.
    details.tags.remove(CONTENT_DIGEST);
    if let Some(sums) = &sums {
        details.tags.insert(CONTENT_DIGEST.to_owned(), sums.digest().to_string());
    }
    let settings = TransferSettings {
        timings: app.timings.clone(),
        stall_limit: app.stall_limit()?,
        limit_rate: spec.limit_rate,
        cancel: app.cancel.clone(),
        reporter: app.reporter(),
    };
    describe(app, spec, &planned).await;
    let CheckedPlan { source, reader, .. } = planned;
    let (config_dir, source) = (app.config_dir()?, Arc::new(source));
    let deploy = match &spec.deploy {
        Some(request) => {
            let base_model = spec.details.base_model.as_ref().map(|base| base.uri().to_owned());
            Some(Box::pin(request.prepare(app, foundry, &spec.name, base_model)).await?)
        }
        None => None,
    };
    let create = CreateRun {
        app,
        spec,
        source,
        sums,
        details,
        reader,
        foundry,
        config_dir,
        settings,
        engine: OnceCell::new(),
        deploy,
    };
    Box::pin(create.run()).await
}

impl CreateSpec {
    /// Plan and findings. An unfinished import to this project endpoint stays pinned to its commit.
    async fn plan(&self, app: &App, endpoint: Option<&str>) -> Result<CheckedPlan, CliError> {
        let check = if self.check { CheckMode::As(Some(self.details.weight_type)) } else { CheckMode::Skipped };
        let pinned = self.plan.as_ref().and_then(|plan| plan.pin());
        if let Some(pin) = pinned {
            hub::check_same_hub(app, pin)?;
        }
        let earlier = match (&self.source, endpoint) {
            (Source::Hub(_), _) if pinned.is_some() => pinned.cloned(),
            (Source::Hub(_), Some(endpoint)) => {
                let version = match &self.version {
                    VersionChoice::Named(version) => Some(version.as_str()),
                    VersionChoice::Auto => None,
                };
                hub::earlier_pin(app, endpoint, (self.name.as_str(), version), &self.shown_source)?
            }
            _ => None,
        };
        let only = self.plan.as_ref().and_then(|plan| plan.only());
        let mut planned =
            selection::plan_and_check(app, &self.source, &self.selection, check, earlier.as_ref(), only).await??;
        lora::hint(&planned.source, self.details.weight_type, &mut planned.findings);
        Ok(planned)
    }
}

/// State of one `create`, after all checks that do not need the service.
struct CreateRun<'a> {
    app: &'a App,
    spec: &'a CreateSpec,
    source: Arc<UploadSource>,
    /// Checksums of the files, if they were computed before the upload.
    sums: Option<FileSums>,
    /// Details of the model, with the tags of an import.
    details: ModelDetails,
    /// Reader of the files of an import.
    reader: Option<Arc<HubReader>>,
    foundry: &'a FoundryClient,
    config_dir: PathBuf,
    settings: TransferSettings,
    engine: OnceCell<Box<dyn TransferEngine>>,
    /// Deployment to create from the model.
    deploy: Option<PreparedDeployment>,
}

/// Reports features of these weights that the service may reject, and the adapter's own description.
async fn describe(app: &App, spec: &CreateSpec, planned: &CheckedPlan) {
    let details = &spec.details;
    if details.weight_type == WeightType::LoRA
        && let Some(config) = AdapterConfig::read(planned).await
    {
        app.console.detail("LoRA", &config.merged_line(&details.lora));
    }
    if details.base_model.is_none() && details.weight_type != WeightType::DraftModel {
        app.console.warn("No --base-model is given: the service may refuse to register or deploy these weights.");
        if let UploadSource::Hub(hub) = &planned.source
            && let Some(base) = &hub.base_model
        {
            app.console.status(&format!(
                "The model card names the base model {base}. If Foundry offers it, use --base-model with its Foundry name."
            ));
        }
    }
}

/// Rejects a publisher if the api-version does not support one.
fn check_publisher(app: &App, spec: &CreateSpec) -> Result<(), CliError> {
    if spec.details.publisher.is_some() && api_version(&app.env).eq_ignore_ascii_case("v1") {
        return Err(CliError::usage("--publisher is not supported by API version v1")
            .with_code(ErrorCode::NoPublisher)
            .with_suggestion(format!("Remove --publisher, or use API version {DEFAULT_API_VERSION}.")));
    }
    Ok(())
}

/// Shows warnings; errors end the command.
fn show_findings(app: &App, findings: &[Finding]) -> Result<(), CliError> {
    for finding in findings.iter().filter(|finding| !finding.is_error()) {
        app.console.warn(&format!("{}. {}", render::finding_line(finding), finding.suggestion));
    }
    CliError::check_stops_create(findings).map_or(Ok(()), Err)
}
