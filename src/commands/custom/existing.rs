//! Model version that a command refers to, after a check that it exists.

use crate::app::App;
use crate::error::{CliError, ErrorCode, MissingModel};
use azure_ai_models_core::foundry::{FoundryClient, ListError};
use azure_ai_models_core::model::{
    CONTENT_DIGEST, ContentHash, CustomModel, ModelName, ModelVersion, latest, newest_first,
};

/// Version with invalid characters.
const UNNAMEABLE: &str = "a version that cannot be named in a request";

/// Converts a 404 about a model to this program's message; other failures are unchanged.
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

/// Error for a model, or a version of it, that does not exist.
pub(super) fn no_such_model(app: &App, name: &ModelName, version: Option<&ModelVersion>) -> CliError {
    CliError::no_such_model(name, version, &list_command(app, name, version))
}

/// Command that lists the existing ones.
fn list_command(app: &App, name: &ModelName, version: Option<&ModelVersion>) -> String {
    match version {
        Some(_) => app.command_line(&["custom", "versions", "--name", name.as_str()]),
        None => app.command_line(&["custom", "list"]),
    }
}

/// Gets the given version, or by default the latest.
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

/// Returns the given version, or the only existing one; several are an error that lists them. `verb` is the action for
/// the message.
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
