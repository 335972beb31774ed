//! Resolution of `--version auto`: the version to use, and the next free one.

use std::collections::BTreeSet;

use super::spec::VersionChoice;
use super::{CreateFailure, CreateRun};
use crate::error::{CliError, VersionConflict};
use azure_ai_models_core::foundry::{FoundryClient, ListError};
use azure_ai_models_core::http::HttpError;
use azure_ai_models_core::model::{ModelName, ModelVersion};
use azure_ai_models_core::upload;

/// Attempts to find a free version; more concurrent uploads of one model from one machine are a mistake.
const MAX_VERSION_ATTEMPTS: usize = 16;

impl CreateRun<'_> {
    /// Creates the given version; for `auto`, that of an unfinished upload of the same source, otherwise the next free
    /// one, and the following one on a conflict.
    pub(super) async fn run(&self) -> Result<(), CliError> {
        let auto = match &self.spec.version {
            VersionChoice::Named(version) => return self.one_version(version).await.map_err(Into::into),
            VersionChoice::Auto => self.unfinished_version()?,
        };
        let mut taken = BTreeSet::new();
        let mut version = match auto {
            Some(version) => version,
            None => next_free(self.foundry, &self.spec.name, &taken).await?,
        };
        let mut is_retry = false;
        loop {
            let ended = match self.one_version(&version).await {
                Err(ended) if taken.len() < MAX_VERSION_ATTEMPTS => ended,
                ended => return ended.map_err(Into::into),
            };
            let is_listed = match &ended {
                CreateFailure::InUse(_) => true,
                CreateFailure::VersionExists(_) => self.exists(&version).await,
                CreateFailure::Failed(_) => return Err(ended.into()),
            };
            // Limits a service that reports every version as existing to two requests.
            if !is_listed && is_retry {
                return Err(ended.into());
            }
            is_retry = true;
            taken.insert(version.to_string());
            version = next_free(self.foundry, &self.spec.name, &taken).await?;
        }
    }

    async fn one_version(&self, version: &ModelVersion) -> Result<(), CreateFailure> {
        match &self.spec.detach {
            Some(request) => Box::pin(self.detach_version(version, request)).await,
            None => Box::pin(self.create_version(version)).await,
        }
    }

    /// Version of an unfinished upload of this source to this model.
    fn unfinished_version(&self) -> Result<Option<ModelVersion>, CliError> {
        let endpoint = self.foundry.endpoint().to_string();
        let uploads =
            upload::unfinished(&self.config_dir).map_err(|why| CliError::no_uploads(&self.config_dir, &why))?;
        let ours = uploads.into_iter().map(|one| one.journal.spec).find(|spec| {
            spec.endpoint == endpoint && spec.name == self.spec.name.as_str() && spec.source == self.spec.shown_source
        });
        Ok(ours.and_then(|spec| spec.version.parse().ok()))
    }
}

/// Version after the highest existing one, including `taken`; the first one if there is none.
pub(super) async fn next_free(
    foundry: &FoundryClient,
    name: &ModelName,
    taken: &BTreeSet<String>,
) -> Result<ModelVersion, CliError> {
    let models = match foundry.list_versions(name).await {
        Ok(models) => models,
        Err(ListError::Http(error)) if error.status() == Some(404) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let known = models.iter().filter_map(|model| model.view().version.as_deref());
    let next = ModelVersion::after(known.chain(taken.iter().map(String::as_str)));
    Ok(next.unwrap_or_else(ModelVersion::first))
}

impl CreateRun<'_> {
    /// True if a 409 means that the version exists: by its code, otherwise by a GET of the version.
    pub(super) async fn is_taken(&self, version: &ModelVersion, error: &HttpError) -> bool {
        error.service().is_some_and(|error| error.is_version_conflict()) || self.exists(version).await
    }

    async fn exists(&self, version: &ModelVersion) -> bool {
        self.foundry.get_model(&self.spec.name, version).await.is_ok()
    }

    /// Error for an existing version; names the next free one if the service reports it.
    pub(super) async fn version_exists(&self, version: &ModelVersion, conflict: VersionConflict) -> CliError {
        let name = &self.spec.name;
        let next = match self.foundry.list_versions(name).await {
            Ok(models) => ModelVersion::after(models.iter().filter_map(|model| model.view().version.as_deref())),
            Err(_) => None,
        };
        CliError::version_exists(conflict, name, version, next.as_ref())
    }
}
