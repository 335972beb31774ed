//! The model version that a command refers to, with proof that it exists.

use crate::app::App;
use crate::error::{CliError, ErrorCode, MissingModel};
use azure_ai_models_core::foundry::{FoundryClient, ListError};
use azure_ai_models_core::model::{
    CONTENT_DIGEST, ContentHash, CustomModel, ModelName, ModelVersion, latest, newest_first,
};

/// Version with invalid characters.
const UNNAMEABLE: &str = "a version that cannot be named in a request";

/// Message of this program for a 404 about a model; every other failure is unchanged.
pub(super) fn explain_missing(
    app: &App,
    error: impl Into<ListError>,
    name: &ModelName,
    version: Option<&ModelVersion>,
) -> CliError {
    match error.into() {
        ListError::Http(error) => {
            let list = &list_command(app, name, version);
            CliError::about_model(error, &MissingModel { name, version, list })
        }
        error => error.into(),
    }
}

/// A model, or one version of it, that is not in any list.
pub(super) fn no_such_model(app: &App, name: &ModelName, version: Option<&ModelVersion>) -> CliError {
    CliError::no_such_model(name, version, &list_command(app, name, version))
}

/// The command that shows what there is instead.
fn list_command(app: &App, name: &ModelName, version: Option<&ModelVersion>) -> String {
    match version {
        Some(_) => app.command_line(&["custom", "versions", "--name", name.as_str()]),
        None => app.command_line(&["custom", "list"]),
    }
}

/// The named version; without a version, the latest.
pub(super) async fn model(
    app: &App,
    foundry: &FoundryClient,
    name: &ModelName,
    version: Option<&ModelVersion>,
) -> Result<CustomModel, CliError> {
    if let Some(version) = version {
        let found = foundry.get_model(name, version).await;
        return found.map_err(|error| explain_missing(app, error, name, Some(version)));
    }
    let versions = foundry.list_versions(name).await;
    let versions = versions.map_err(|error| explain_missing(app, error, name, None))?;
    latest(&versions).cloned().ok_or_else(|| no_such_model(app, name, None))
}

/// Version of a model in a response of the service.
pub(super) fn version_of(model: &CustomModel) -> Result<ModelVersion, CliError> {
    let version = model.view().version.as_deref().and_then(|version| version.parse().ok());
    version.ok_or_else(|| CliError::unexpected_response(UNNAMEABLE))
}

/// Digest of the content that was registered with the model.
pub(super) fn recorded_digest(model: &CustomModel) -> Option<ContentHash> {
    let tag = model.view().tags.iter().find(|(key, _)| key == CONTENT_DIGEST);
    tag.and_then(|(_, value)| value.parse().ok())
}

/// The named version, or the only one there is; several are an error that lists them. `verb` says what is to be done.
pub(super) async fn one_version(
    app: &App,
    foundry: &FoundryClient,
    name: &ModelName,
    version: Option<&ModelVersion>,
    verb: &str,
) -> Result<ModelVersion, CliError> {
    if let Some(version) = version {
        let found = foundry.get_model(name, version).await;
        found.map_err(|error| explain_missing(app, error, name, Some(version)))?;
        return Ok(version.clone());
    }
    let models = foundry.list_versions(name).await;
    let mut models = models.map_err(|error| explain_missing(app, error, name, None))?;
    newest_first(&mut models);
    let versions: Vec<&str> = models.iter().filter_map(|model| model.view().version.as_deref()).collect();
    match versions.as_slice() {
        [] => Err(no_such_model(app, name, None)),
        [only] => only.parse().map_err(|_| CliError::unexpected_response(UNNAMEABLE)),
        several => {
            Err(CliError::usage(format!("model '{name}' has {} versions: {}", several.len(), several.join(", ")))
                .with_code(ErrorCode::VersionRequired)
                .with_suggestion(format!(
                    "Use --version with the one to {verb}, for example --version {}.",
                    several[0]
                )))
        }
    }
}
