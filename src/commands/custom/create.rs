//! `custom create`: uploads weights and registers them.
//!
//! The order of the steps is fixed: what can fail without the network fails first, and nothing is
//! registered that did not arrive whole.

mod args;
mod command_line;
mod content;
mod detach;
mod dry_run;
mod engine_args;
mod import;
mod lora;
mod plan;
mod questions;
mod register;
mod spec;
mod version;
mod view;

pub(super) use self::args::CreateArgs;
pub(super) use self::detach::DetachArgs;
pub(super) use self::engine_args::{EngineArgs, EngineName};

pub(super) use self::spec::{CreateSpec, EngineChoice, VersionChoice};

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use azure_ai_models_core::foundry::{DEFAULT_API_VERSION, FoundryClient, RegisteredModel, api_version};
use azure_ai_models_core::hub::{HubReader, HubTransfer};
use azure_ai_models_core::model::{
    ArrivedFile, CONTENT_DIGEST, CustomModel, Finding, ModelDetails, ModelVersion, Source, WeightType,
};
use azure_ai_models_core::source::{FileSums, Selection, UploadSource};
use azure_ai_models_core::store::source_blobs;
use azure_ai_models_core::units;
use azure_ai_models_core::upload::{
    AzCopyEngine, DirectoryError, NativeEngine, Session, TransferEngine, TransferSettings, UploadError, UploadEvent,
    UploadRequest,
};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::OnceCell;

use self::lora::AdapterConfig;
use self::version::next_free;
use self::view::{STARTING_OVER, UploadView, kept_sentence};
use super::selection::{self, CheckMode, CheckedPlan};
use super::{hub, running};
use crate::app::App;
use crate::commands::connect;
use crate::commands::custom::engine;
use crate::commands::deployments::create::{DeploymentSection, PreparedDeployment};
use crate::console::product::{self, JsonPieces, Product};
use crate::console::{TableStyle, render};
use crate::error::{CliError, ErrorCode, VersionConflict};

/// Steps that the user sees: location, upload, registration.
const STEPS: u8 = 3;

/// Examples of the summary.
pub(super) const SUMMARY: &str = "\
Examples:
  azd ai models custom create --name my-model --source ./model-weights
  azd ai models custom create -n my-adapter --source ./adapter --weight-type LoRA --base-model FW-GLM-4.7
  azd ai models custom create --name my-model --source hf://org/repo";

pub(super) const EXAMPLES: &str = "\
Examples:
  A directory with the weights:
    azd ai models custom create --name my-model --source ./model-weights

  Show what would be sent, and check the files:
    azd ai models custom create --name my-model --source ./model-weights --dry-run

  A second version, trained from a base model:
    azd ai models custom create -n my-model --version 2 --source ./weights --base-model FW-GLM-4.7

  A LoRA adapter:
    azd ai models custom create -n my-adapter --source ./adapter --weight-type LoRA --base-model FW-GLM-4.7

  Without the files of other formats:
    azd ai models custom create -n my-model --source ./weights --exclude \"*.bin\" --exclude original/

  A blob URL with a SAS, from a file because shells cut URLs at '&':
    azd ai models custom create --name my-model --source-file source-url.txt

  A Hugging Face repository, without a copy on this machine:
    azd ai models custom create --name my-model --source hf://org/repo

  Upload, register and deploy:
    azd ai models custom create -n my-model --source ./weights --base-model FW-GLM-4.7 --deploy

  In the background, so that the terminal can be closed:
    azd ai models custom create --name my-model --source ./model-weights --detach

  In two steps, to review the plan first:
    azd ai models custom create -n my-model --source ./weights --dry-run --with-hashes -o json > plan.json
    azd ai models custom create --plan plan.json

  In a pipeline, a new version only if the content changed:
    azd ai models custom create -n my-model --version auto --source ./weights --if-changed --no-prompt

  In a pipeline, a new version for each run:
    azd ai models custom create -n my-model --version auto --source ./weights --no-prompt -o json";

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

/// Creates a model from the spec; used by `uploads resume` too.
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
    /// Plan and findings. An unfinished import to this project endpoint is pinned to its commit.
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

/// State of one `create`, after everything that can fail without the service was checked.
struct CreateRun<'a> {
    app: &'a App,
    spec: &'a CreateSpec,
    source: Arc<UploadSource>,
    /// Sums of the files, where they were computed before the upload.
    sums: Option<FileSums>,
    /// Details of the model, with the tags of an import.
    details: ModelDetails,
    /// Reads the files of an import.
    reader: Option<Arc<HubReader>>,
    foundry: &'a FoundryClient,
    config_dir: PathBuf,
    settings: TransferSettings,
    engine: OnceCell<Box<dyn TransferEngine>>,
    /// Deployment that the model becomes.
    deploy: Option<PreparedDeployment>,
}

/// Early end of a `create` of one version.
enum CreateFailure {
    /// The service reports that the version exists.
    Taken(CliError),
    /// Another process of this machine uploads the version.
    InUse(CliError),
    /// Anything else.
    Failed(CliError),
}

impl From<CliError> for CreateFailure {
    fn from(error: CliError) -> Self {
        Self::Failed(error)
    }
}

impl From<CreateFailure> for CliError {
    fn from(ended: CreateFailure) -> Self {
        match ended {
            CreateFailure::Taken(error) | CreateFailure::InUse(error) | CreateFailure::Failed(error) => error,
        }
    }
}

/// The registered model, as JSON with its files where the native engine computed their sums.
struct CreatedModel<'a> {
    json: CreatedJson<'a>,
    files: Option<Vec<ArrivedFile>>,
    /// Page of the deployment, where there is one.
    deployed: Option<String>,
    /// End state that the operation reported.
    state: Option<&'a str>,
    source: &'a UploadSource,
    /// Command that deploys the model.
    deploy: String,
}

/// The registered model and its deployment.
#[derive(Serialize)]
struct CreatedJson<'a> {
    #[serde(flatten)]
    model: &'a CustomModel,
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment: Option<Value>,
}

impl Product for CreatedModel<'_> {
    fn json(&self) -> JsonPieces<'_> {
        match &self.files {
            Some(files) => product::document_with(&self.json, "files", files.iter().collect()),
            None => product::document(&self.json),
        }
    }

    fn text(&self, style: TableStyle) -> String {
        if !style.summary {
            return render::name_line(&self.json.model.view().name);
        }
        let next = self.deployed.clone().unwrap_or_else(|| render::deploy_section(&self.deploy));
        render::created_page(self.json.model, self.state, self.source.format(), self.source.bytes(), &next)
    }
}

impl CreateRun<'_> {
    /// Creates one version: uploads missing files, registers it, and shows it.
    async fn create_version(&self, version: &ModelVersion) -> Result<(), CreateFailure> {
        let mut session = self.open(version).await?;
        if let Some(detached) = &self.app.detached {
            let model = (self.spec.name.as_str(), version.as_str());
            detached.begin(self.app, &mut session, model, self.spec.resume_hint()).await?;
        }
        let registered = if session.is_uploaded() {
            self.headline(version);
            self.app.console.status("All files are already uploaded; only the registration is missing.");
            self.register_uploaded(&mut session, version).await?
        } else {
            // Before the headline, since it may have to be downloaded first.
            self.engine().await?;
            self.headline(version);
            self.upload(&mut session, version).await?;
            self.register(&mut session, version).await?
        };
        match registered {
            Some(registered) => Ok(Box::pin(self.show(session, &registered, version)).await?),
            None => Ok(()),
        }
    }

    /// Takes the lock before the service is asked: the same upload twice at a time ends here.
    async fn open(&self, version: &ModelVersion) -> Result<Session, CreateFailure> {
        let request = UploadRequest {
            name: self.spec.name.clone(),
            version: version.clone(),
            source: Arc::clone(&self.source),
            shown_source: self.spec.shown_source.clone(),
            selection: self.spec.selection.clone(),
            checked: self.spec.check,
            details: self.details.clone(),
            deployment: self.spec.deployment.clone(),
        };
        self.app.warn_of_shared_config_dir();
        let opened = Session::open(&self.config_dir, self.foundry.clone(), self.settings.clone(), request);
        match opened.await {
            Ok(session) => Ok(session),
            Err(error @ DirectoryError::InUse { .. }) => Err(CreateFailure::InUse(running::error(self.app, error))),
            Err(error) => Err(CreateFailure::Failed(error.into())),
        }
    }

    fn headline(&self, version: &ModelVersion) {
        self.app.console.status(&format!("\nCreating custom model: {} (version {version})\n", self.spec.name));
    }

    /// Steps 1 and 2.
    async fn upload(&self, session: &mut Session, version: &ModelVersion) -> Result<(), CreateFailure> {
        let engine = self.engine().await?;
        session.find_delivered(engine).await;
        self.confirm_and_overwrite(version, session.bytes_to_send()).await?;
        let (app, again) = (self.app, &self.spec.again);
        app.on_interrupt(CliError::interrupted().with_run_again(again));
        let mut view = UploadView::new(app, self.source_line());
        let mut on = |event: UploadEvent<'_>| {
            if event == UploadEvent::Uploading {
                app.on_interrupt(CliError::interrupted().with_resume(again));
            }
            view.on(event);
        };
        let uploaded = session.upload(engine, &mut on).await;
        drop(view);
        match uploaded {
            Ok(()) => Ok(()),
            Err(error) => Err(self.not_uploaded(version, error).await),
        }
    }

    /// Error of an upload, as it is shown.
    async fn not_uploaded(&self, version: &ModelVersion, error: UploadError) -> CreateFailure {
        match error {
            UploadError::Conflict(error) if self.is_taken(version, &error).await => {
                CreateFailure::Taken(self.version_exists(version, VersionConflict::Upload(error)).await)
            }
            UploadError::OwnStray { path, why, earlier } => {
                let error = UploadError::OwnStray { path, why, earlier: earlier.clone() };
                CreateFailure::Failed(self.undeletable_file_error(version, error, earlier.map(|one| *one)).await)
            }
            error => CreateFailure::Failed(self.upload_failed(error)),
        }
    }

    /// Error of an incomplete upload: what is kept of it, and the command that resumes it.
    fn upload_failed(&self, error: UploadError) -> CliError {
        let again = &self.spec.again;
        match error {
            UploadError::Broken(broken) => {
                let kept = kept_sentence(&broken.kept);
                let cli_error = CliError::from(broken.failure).with_changed_files(&broken.changed);
                let cli_error = cli_error.and_message(&kept).with_resume(again);
                match broken.no_location {
                    Some(why) => {
                        let why = CliError::from(*why);
                        cli_error
                            .and_message(&format!("Foundry did not provide a new upload location: {}", why.message()))
                    }
                    None => cli_error,
                }
            }
            error @ (UploadError::Unreachable(_) | UploadError::SasRejected(_) | UploadError::NoFreshSas(_)) => {
                CliError::from(error).with_run_again(again)
            }
            error => error.into(),
        }
    }

    /// Both ways on where the location keeps a file that is no part of the source any longer; `earlier` is the
    /// selection with which it was.
    async fn undeletable_file_error(
        &self,
        version: &ModelVersion,
        error: UploadError,
        earlier: Option<Selection>,
    ) -> CliError {
        let (app, spec) = (self.app, self.spec);
        let mut cli_error = CliError::from(error);
        if let Some(earlier) = earlier {
            let advice = match earlier == spec.selection {
                true => "Restore the file, then run the same command again (no file is sent again):",
                false => {
                    "To upload it too, run the command without the new --include or --exclude (no file is sent again):"
                }
            };
            let as_before = CreateSpec { selection: earlier, plan: None, ..spec.clone() };
            cli_error = cli_error.and_suggestion(&format!("{advice}\n  {}", as_before.command_line(app)));
        }
        let taken = BTreeSet::from([version.to_string()]);
        let elsewhere = match next_free(self.foundry, &spec.name, &taken).await {
            Ok(next) => {
                CreateSpec { version: VersionChoice::Named(next), plan: None, ..spec.clone() }.command_line(app)
            }
            Err(_) => "--version VERSION".to_owned(),
        };
        cli_error.and_suggestion(&format!("Or use another version (all files are sent again):\n  {elsewhere}"))
    }

    /// Upload engine; AzCopy is located once, and only when something must be sent.
    async fn engine(&self) -> Result<&dyn TransferEngine, CliError> {
        let make = async || -> Result<Box<dyn TransferEngine>, CliError> {
            let engine: Box<dyn TransferEngine> = match self.spec.engine {
                EngineChoice::Native { parallel, hash } => {
                    let (copy, verify) = (self.spec.copy, self.spec.verify);
                    let hub = self.reader.clone().map(|reader| HubTransfer { reader, copy, verify });
                    // The files are hashed already.
                    Box::new(NativeEngine { parallel, hash: hash && self.sums.is_none(), hub })
                }
                EngineChoice::AzCopy => Box::new(AzCopyEngine::new(self.find_azcopy().await?)),
            };
            Ok(engine)
        };
        Ok(&**self.engine.get_or_try_init(make).await?)
    }

    async fn find_azcopy(&self) -> Result<azure_ai_models_core::azcopy::AzCopy, CliError> {
        let found = engine::find(self.app, self.spec.azcopy_path.as_deref()).await;
        let found = found.map_err(|error| match &self.spec.source {
            Source::Local(_) => error.with_native_engine(),
            Source::Blob(_) | Source::Hub(_) => error,
        })?;
        self.app.console.status(&format!("Using azcopy: {} ({})", found.path().display(), found.version()));
        Ok(found)
    }

    /// Shows the model and removes the journal. When the page could not be written, running the same command again
    /// shows it.
    async fn show(
        &self,
        session: Session,
        registered: &RegisteredModel,
        version: &ModelVersion,
    ) -> Result<(), CliError> {
        let (app, RegisteredModel { model, state }) = (self.app, registered);
        let files = match self.spec.engine {
            EngineChoice::Native { hash: true, .. } => Some(self.arrived_files(&session).await),
            EngineChoice::Native { hash: false, .. } | EngineChoice::AzCopy => None,
        };
        let deployed = match &self.deploy {
            Some(deploy) => match Box::pin(deploy.deploy(app, version)).await {
                Ok(deployed) => Some(deployed),
                Err(error) => {
                    // The upload is complete, whatever the result of the deployment.
                    drop(session.finish().await);
                    return Err(error);
                }
            },
            None => None,
        };
        let (state, deploy) = (state.as_deref(), app.deploy_command(model, &self.spec.deployment));
        if deployed.is_none() && !self.spec.deployment.is_empty() {
            app.console.warn("The model is not deployed: 'uploads resume' does not repeat the --deploy of 'create'.");
        }
        let (deployment, deployed) = deployed.map(|DeploymentSection { json, text }| (json, text)).unzip();
        let json = CreatedJson { model, deployment };
        app.show(&CreatedModel { json, files, deployed, state, source: &self.source, deploy })?;
        // A remaining directory does no harm.
        if let Err(why) = session.finish().await {
            app.console.warn(&format!("The directory of this upload could not be removed: {why}"));
        }
        Ok(())
    }

    /// `./weights (12 files, 8.6 GB)`.
    fn source_line(&self) -> String {
        let shown = match &self.spec.source {
            Source::Local(path) => path.display().to_string(),
            Source::Blob(url) => url.to_string(),
            Source::Hub(address) => address.to_string(),
        };
        match (self.source.file_count(), self.source.bytes()) {
            (Some(files), Some(bytes)) => {
                format!("{shown} ({}, {})", units::count(files, "file", "files"), units::bytes(bytes))
            }
            _ => shown,
        }
    }
}

/// Reports what the service may reject about these weights, and the adapter's own description.
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

/// The dialect of the api-version may have no place for a publisher.
fn check_publisher(app: &App, spec: &CreateSpec) -> Result<(), CliError> {
    if spec.details.publisher.is_some() && api_version(&app.env).eq_ignore_ascii_case("v1") {
        return Err(CliError::usage("--publisher is not supported by API version v1")
            .with_code(ErrorCode::NoPublisher)
            .with_suggestion(format!("Remove --publisher, or use API version {DEFAULT_API_VERSION}.")));
    }
    Ok(())
}

/// Warnings are shown, errors end the command.
fn show_findings(app: &App, findings: &[Finding]) -> Result<(), CliError> {
    for finding in findings.iter().filter(|finding| !finding.is_error()) {
        app.console.warn(&format!("{}. {}", render::finding_line(finding), finding.remedy));
    }
    CliError::check_stops_create(findings).map_or(Ok(()), Err)
}
