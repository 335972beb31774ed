//! Registered models of the project to deploy, with the requested version.

use std::str::FromStr;

use time::OffsetDateTime;

use super::Checks;
use super::answers::choose_model;
use super::checks::NO_PERMISSION;
use super::custom::DraftName;
use crate::app::App;
use crate::commands::account::AccountContext;
use crate::commands::base::of_account;
use crate::error::{CliError, ErrorCode, ErrorKind};
use azure_ai_models_core::arm::{AccountModel, DraftModel, NewModel, default_version};
use azure_ai_models_core::foundry::{FoundryClient, ListError};
use azure_ai_models_core::http::HttpError;
use azure_ai_models_core::model::{
    CUSTOM_FORMAT, CustomModel, FIREWORKS_FORMAT, ModelListSeed, ModelName, ModelVersion, OperationProgress, Versioned,
    latest,
};

/// Asks which of the registered models to deploy.
///
/// # Errors
/// When there is none, or the user cancels the prompt.
pub(super) async fn choose_registered(app: &App, foundry: &FoundryClient) -> Result<ModelName, CliError> {
    const QUESTION: &str = "Select a registered model";
    let models = match foundry.list_models(ModelListSeed::default()).await {
        Ok(models) => models,
        // Without permission to list them, the user may still know the name.
        Err(ListError::Http(error)) if matches!(error.status(), Some(401 | 403)) => {
            return app.value(QUESTION, None, ModelName::from_str).await;
        }
        Err(error) => return Err(error.into()),
    };
    if models.is_empty() {
        let create = app.command_line(&["custom", "create", "--name", "NAME", "--source", "DIR"]);
        return Err(CliError::new(ErrorKind::NotFound, "the project has no registered model")
            .with_code(ErrorCode::ModelNotFound)
            .with_suggestion(format!("Register one first:\n  {create}")));
    }
    let rows = models.iter().map(|model| format!("{} (version {})", model.name(), model.version())).collect();
    let chosen = &models[app.choose(QUESTION, rows).await?];
    chosen.name().parse().map_err(|_| CliError::unexpected_response("a model without a valid name"))
}

/// Asks which catalog model of Fireworks gets the draft model.
///
/// # Errors
/// When the user cancels the prompt, or the catalog cannot be read.
pub(super) async fn choose_target(app: &App, context: &AccountContext) -> Result<ModelName, CliError> {
    let catalog = of_account(app, context).await?;
    let name = choose_model(app, context, Some(&catalog), Some(FIREWORKS_FORMAT)).await?;
    name.parse().map_err(CliError::usage)
}

/// Model to deploy, and the model whose SKUs apply.
pub(crate) struct DeployTarget {
    pub(crate) model: NewModel,
    pub(crate) draft: Option<DraftModel>,
    /// Base model, if the model is a registered one.
    pub(crate) base_model: Option<String>,
}

/// Returns the registered model as the target.
pub(super) async fn target(
    checks: &mut Checks<'_>,
    context: &AccountContext,
    name: &ModelName,
    version: Option<&ModelVersion>,
) -> Result<Option<DeployTarget>, CliError> {
    let Some((version, base_model)) = registered(checks, context, "model", name, version).await? else {
        return Ok(None);
    };
    Ok(Some(DeployTarget { model: custom_model(context, name, &version), draft: None, base_model }))
}

/// Reference of a deployment to a registered model.
pub(crate) fn custom_model(context: &AccountContext, name: &ModelName, version: &str) -> NewModel {
    NewModel {
        format: CUSTOM_FORMAT.to_owned(),
        name: name.to_string(),
        version: version.to_owned(),
        source: Some(context.source()),
    }
}

/// Returns a catalog model of Fireworks as the target, with the registered model as its draft model.
pub(super) async fn target_with_draft(
    checks: &mut Checks<'_>,
    context: &AccountContext,
    (name, version): (&ModelName, &Option<ModelVersion>),
    (draft, tokens): (&DraftName, u32),
) -> Result<Option<DeployTarget>, CliError> {
    let rows = context.deployments.arm().account_models(context.id()).await?;
    let is_it = |row: &&AccountModel| {
        let view = row.view();
        view.format().eq_ignore_ascii_case(FIREWORKS_FORMAT) && view.name.eq_ignore_ascii_case(name.as_str())
    };
    let versions = rows.iter().filter(is_it);
    let row = match version {
        Some(version) => {
            let mut versions = versions;
            versions.find(|row| row.view().version().eq_ignore_ascii_case(version.as_str()))
        }
        None => default_version(versions, OffsetDateTime::now_utc()),
    };
    let found = registered(checks, context, "draft", &draft.name, draft.version.as_ref()).await?;
    let Some(row) = row else {
        let what = version.as_ref().map(|version| format!(" version '{version}'")).unwrap_or_default();
        let error = CliError::new(
            ErrorKind::NotFound,
            format!("the catalog of the account has no Fireworks model '{name}'{what}"),
        )
        .with_code(ErrorCode::ModelNotFound)
        .with_suggestion("With --draft-model, --model is the catalog model that the draft is for. See 'base list'.");
        checks.fail("model", error);
        return Ok(None);
    };
    let view = row.view();
    checks.pass("model", &format!("{} (version {}) of the catalog", view.name, view.version()));
    let Some((draft_version, _)) = found else { return Ok(None) };
    let model = NewModel {
        format: view.format().to_owned(),
        name: view.name.clone(),
        version: view.version().to_owned(),
        source: None,
    };
    let draft = DraftModel { model: custom_model(context, &draft.name, &draft_version), tokens };
    Ok(Some(DeployTarget { model, draft: Some(draft), base_model: None }))
}

/// Version and base model of a successfully registered model. `None` if a check failed.
async fn registered(
    checks: &mut Checks<'_>,
    context: &AccountContext,
    id: &'static str,
    name: &ModelName,
    version: Option<&ModelVersion>,
) -> Result<Option<(String, Option<String>)>, CliError> {
    let foundry = &context.foundry;
    let found: Result<Option<CustomModel>, ListError> = match version {
        Some(version) => foundry.get_model(name, version).await.map(Some).map_err(ListError::Http),
        None => foundry.list_versions(name).await.map(|versions| latest(&versions).cloned()),
    };
    let status = |error: &ListError| match error {
        ListError::Http(error) => HttpError::status(error),
        _ => None,
    };
    let model = match found {
        Ok(model) => model,
        Err(error) if status(&error) == Some(404) => None,
        Err(error) if matches!(status(&error), Some(401 | 403)) => {
            let Some(version) = version else {
                return Err(CliError::usage("--model-version is required: the registered models cannot be read")
                    .with_code(ErrorCode::VersionRequired)
                    .with_suggestion(
                        "Use --model-version VERSION, or ask for the role Azure AI User on the Foundry project.",
                    ));
            };
            checks.skip(id, NO_PERMISSION);
            return Ok(Some((version.to_string(), None)));
        }
        Err(error) => return Err(error.into()),
    };
    let Some(model) = model else {
        let list = checks.command(&["custom", "list"]);
        checks.fail(id, CliError::no_such_model(name, version, &list));
        return Ok(None);
    };
    let view = model.view();
    let version = view.version.clone().unwrap_or_default();
    let base_model = view.base_model().map(str::to_owned);
    if view.progress() == OperationProgress::Done {
        checks.pass(id, &format!("{name} (version {version}) is registered"));
    } else {
        let state = view.provisioning_state.clone().unwrap_or_default();
        let wait = checks.command(&["custom", "wait", "--name", name.as_str(), "--version", &version]);
        let message = format!("model '{name}' (version {version}) is not registered (state {state})");
        let error = CliError::new(ErrorKind::RegistrationFailed, message)
            .with_code(ErrorCode::RegistrationFailed)
            .with_suggestion(format!("To wait for its registration:\n  {wait}"));
        checks.fail(id, error);
    }
    Ok(Some((version, base_model)))
}
