//! One version: its upload, registration and deployment, in this order.

use std::sync::Arc;

use azure_ai_models_core::foundry::RegisteredModel;
use azure_ai_models_core::model::{ModelVersion, Source};
use azure_ai_models_core::units;
use azure_ai_models_core::upload::{DirectoryError, Session, UploadEvent, UploadRequest};

use super::created::{CreatedJson, CreatedModel};
use super::failure::CreateFailure;
use super::view::UploadView;
use super::{CreateRun, EngineChoice};
use crate::commands::custom::running;
use crate::commands::deployments::create::DeploymentSection;
use crate::error::CliError;

impl CreateRun<'_> {
    /// Creates one version: uploads missing files, registers it, and shows it.
    pub(super) async fn create_version(&self, version: &ModelVersion) -> Result<(), CreateFailure> {
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
            // Before the headline, since the engine may have to be downloaded first.
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

    /// Locks the upload before any request to the service: a concurrent upload of the same version ends here.
    pub(super) async fn open(&self, version: &ModelVersion) -> Result<Session, CreateFailure> {
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

    /// Writes the first line: the model and its source.
    pub(super) fn headline(&self, version: &ModelVersion) {
        self.app.console.status(&format!("\nCreating custom model: {} (version {version})\n", self.spec.name));
    }

    /// Runs steps 1 and 2.
    pub(super) async fn upload(&self, session: &mut Session, version: &ModelVersion) -> Result<(), CreateFailure> {
        let engine = self.engine().await?;
        session.find_delivered(engine).await;
        self.confirm_and_overwrite(version, session.bytes_to_send()).await?;
        let (app, again) = (self.app, &self.spec.resume_command);
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

    /// Shows the model and removes the journal. If the page could not be written, running the same command again shows
    /// it.
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
                    // The upload is complete, regardless of the result of the deployment.
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

    /// Description of the source: `./weights (12 files, 8.6 GB)`.
    pub(super) fn source_line(&self) -> String {
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
