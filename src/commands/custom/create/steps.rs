//! The three steps of `create`, under a journal: what was sent is never sent again, what is complete is registered.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::OnceCell;

use super::spec::{CreateSpec, EngineChoice};
use crate::app::App;
use crate::cli::OutputFormat;
use crate::commands::custom::engine;
use crate::console::render;
use crate::error::CliError;
use azure_ai_models_core::azcopy::{AzCopy, wait_for_orphan};
use azure_ai_models_core::foundry::FoundryClient;
use azure_ai_models_core::model::{CustomModel, ModelVersion, Source};
use azure_ai_models_core::native::{self, SentFile};
use azure_ai_models_core::upload::{self, DirectoryError, Journal, Plan, Stamp, UploadDirectory};

pub(super) const STEPS: u8 = 3;

/// What is to be done, after everything that could fail without the service was looked at.
pub(super) struct Work<'a> {
    pub(super) app: &'a App,
    pub(super) spec: &'a CreateSpec,
    pub(super) plan: &'a Plan,
    pub(super) foundry: &'a FoundryClient,
    pub(super) config_dir: PathBuf,
    pub(super) stall_limit: Duration,
    azcopy: OnceCell<AzCopy>,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        app: &'a App,
        spec: &'a CreateSpec,
        plan: &'a Plan,
        foundry: &'a FoundryClient,
    ) -> Result<Self, CliError> {
        let (config_dir, stall_limit) = (app.config_dir()?, app.stall_limit()?);
        Ok(Self { app, spec, plan, foundry, config_dir, stall_limit, azcopy: OnceCell::new() })
    }

    /// What sends the bytes; AzCopy is looked for once, and only where something has to be sent.
    pub(super) async fn engine(&self) -> Result<Engine<'_>, CliError> {
        match self.spec.engine {
            EngineChoice::AzCopy => Ok(Engine::AzCopy(self.azcopy().await?)),
            EngineChoice::Native { parallel, hash } => Ok(Engine::Native { parallel, hash }),
        }
    }

    async fn azcopy(&self) -> Result<&AzCopy, CliError> {
        let find = async || {
            let found = self.app.or_interrupted(engine::find(self.app, self.spec.azcopy_path.as_deref())).await;
            let found = found.map_err(|error| match &self.spec.source {
                Source::Local(_) if !error.is_interrupted() => error.with_native_engine(),
                _ => error,
            })?;
            self.app.console.status(&format!("Using azcopy: {} ({})", found.origin(), found.version()));
            Ok(found)
        };
        self.azcopy.get_or_try_init(find).await
    }
}

/// What sends the bytes.
#[derive(Clone, Copy)]
pub(super) enum Engine<'a> {
    AzCopy(&'a AzCopy),
    Native { parallel: Option<u32>, hash: bool },
}

/// One `create` of one version under way.
pub(super) struct Create<'a> {
    pub(super) work: &'a Work<'a>,
    pub(super) version: ModelVersion,
}

/// Why a `create` ended early.
pub(super) enum Stop {
    /// Somebody else has the version, or is about to.
    Taken(CliError),
    /// Anything else.
    Failed(CliError),
}

impl From<CliError> for Stop {
    fn from(error: CliError) -> Self {
        Self::Failed(error)
    }
}

impl From<Stop> for CliError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Taken(error) | Stop::Failed(error) => error,
        }
    }
}

/// The registered model as JSON.
#[derive(Serialize)]
struct Created<'a> {
    #[serde(flatten)]
    model: &'a CustomModel,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<SentFile>>,
}

/// The files as they are when an upload begins.
pub(super) type Files = BTreeMap<String, Stamp>;

impl<'a> Create<'a> {
    pub(super) fn new(work: &'a Work<'a>, version: ModelVersion) -> Self {
        Self { work, version }
    }

    pub(super) async fn run(&self) -> Result<(), Stop> {
        let spec = self.work.spec;
        let endpoint = self.work.foundry.endpoint().to_string();
        // Taken before the service is asked: the same upload twice at once ends here.
        let directory =
            UploadDirectory::open(&self.work.config_dir, &endpoint, spec.name.as_str(), self.version.as_str());
        let directory = match directory {
            Ok(directory) => directory,
            Err(error @ DirectoryError::InUse { .. }) => return Err(Stop::Taken(error.into())),
            Err(error) => return Err(Stop::Failed(error.into())),
        };
        match self.steps(&directory).await {
            Ok(Some(model)) => Ok(self.end(directory, &model)?),
            Ok(None) => Ok(()),
            Err(stop) => {
                // Nothing was begun that could be gone on with.
                if directory.journal().is_none() {
                    drop(directory.remove());
                }
                Err(stop)
            }
        }
    }

    /// The registered model; `None` where its registration was accepted and is not waited for.
    async fn steps(&self, directory: &UploadDirectory) -> Result<Option<CustomModel>, Stop> {
        let (app, spec, plan) = (self.work.app, self.work.spec, self.work.plan);
        let earlier = directory.journal();
        if let Some(journal) = &earlier {
            let run = directory.run_path(journal.run);
            let gone = wait_for_orphan(&run, app.timings.cancel_grace);
            app.cancel.or(gone).await.ok_or_else(CliError::interrupted)?;
        }
        let files = upload::stamps(plan).map_err(|why| CliError::failure(format!("the source changes: {why}")))?;
        let complete = earlier.as_ref().is_some_and(|journal| {
            journal.stage.is_complete() && journal.spec.source == spec.shown_source && journal.files == files
        });
        if !complete {
            // Before the headline, since it may have to be downloaded first.
            self.work.engine().await?;
        }
        app.console.status(&format!("\nCreating custom model: {} (version {})\n", spec.name, self.version));
        let Some(mut journal) = earlier.clone().filter(|_| complete) else {
            let mut journal = self.upload(directory, earlier, files).await?;
            return Ok(self.register(directory, &mut journal).await?);
        };
        app.console.status("All files are there already; only the registration is missing.");
        if let Some(model) = self.registered_before(directory, &mut journal).await? {
            return Ok(Some(model));
        }
        match self.register(directory, &mut journal).await {
            Err(error) if upload::is_gone(error.code()) => {
                app.console.status(&format!("\n{} ({})", FRESH, error.code()));
                let mut journal = self.upload(directory, None, files).await?;
                Ok(self.register(directory, &mut journal).await?)
            }
            registered => Ok(registered?),
        }
    }

    /// Shows the model, and removes the journal, which has done its work: whoever did not see the page is shown it by
    /// the same command again.
    fn end(&self, directory: UploadDirectory, model: &CustomModel) -> Result<(), CliError> {
        let (app, plan) = (self.work.app, self.work.plan);
        match app.globals.output {
            OutputFormat::Json => app.json(&Created { model, files: self.sums(&directory) })?,
            OutputFormat::Table | OutputFormat::None => {
                let deploy = app.deploy_command(model);
                app.product(&render::created_page(model, plan.format(), plan.bytes(), &deploy))?;
            }
        }
        // A directory that stays behind harms nobody.
        if let Err(why) = directory.remove() {
            app.console.warn(&format!("The upload's private directory could not be removed: {why}"));
        }
        Ok(())
    }

    /// The files with their sums, where the native engine computed them.
    fn sums(&self, directory: &UploadDirectory) -> Option<Vec<SentFile>> {
        let EngineChoice::Native { hash: true, .. } = self.work.spec.engine else { return None };
        let shapes = directory.journal().map(|journal| journal.shapes()).unwrap_or_default();
        native::whole_files(directory.path(), &shapes).ok()
    }

    pub(super) fn keeps(&self, journal: &Journal) -> bool {
        journal.spec.source == self.work.spec.shown_source
    }
}

/// The customer's words for an upload that begins anew.
pub(super) const FRESH: &str = "Previous upload may exist but was not registered. Starting fresh upload...";
