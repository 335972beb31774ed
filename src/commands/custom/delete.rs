//! `custom delete`: one version of a model, after the person typed its name.

use clap::Args;
use serde::Serialize;

use super::existing::one_version;
use crate::app::App;
use crate::commands::connect;
use crate::error::{CliError, ErrorCode};
use crate::globals::OutputFormat;
use azure_ai_models_core::model::{ModelName, ModelVersion};

pub(super) const EXAMPLES: &str = "\
Examples:
  azd ai models custom delete --name my-model
  azd ai models custom delete --name my-model --version 2
  azd ai models custom delete --name my-model --version 2 --force --no-prompt";

/// Options of `custom delete`.
#[derive(Args, Debug)]
pub struct DeleteArgs {
    /// Name of the model
    #[arg(short, long, value_name = "NAME")]
    name: ModelName,

    /// Version [default: the only one there is]
    #[arg(long, value_name = "VERSION")]
    version: Option<ModelVersion>,

    /// Delete without asking
    #[arg(short, long)]
    force: bool,
}

#[derive(Serialize)]
struct Deleted<'a> {
    name: &'a str,
    version: &'a str,
    deleted: bool,
}

pub(super) async fn delete(app: &App, args: DeleteArgs) -> Result<(), CliError> {
    // Before any request: without an answer nothing may be deleted.
    if !args.force && !app.can_ask() {
        return Err(CliError::usage("deleting a model needs a confirmation, and nobody can be asked")
            .with_code(ErrorCode::ConfirmationRequired)
            .with_suggestion("Add --force to delete without asking."));
    }
    let foundry = connect::foundry(app).await?;
    // Proved to exist: the service answers 200 for what never existed.
    let version = one_version(app, &foundry, &args.name, args.version.as_ref(), "delete").await?;
    if !args.force {
        confirm(app, &args.name, &version).await?;
    }
    foundry.delete(&args.name, &version, app.timings.register).await?;
    app.console.done(&format!("Model '{}' (version {version}) deleted", args.name));
    match app.globals.output {
        OutputFormat::Json => app.json(&Deleted { name: args.name.as_str(), version: version.as_str(), deleted: true }),
        OutputFormat::Table | OutputFormat::None => Ok(()),
    }
}

async fn confirm(app: &App, name: &ModelName, version: &ModelVersion) -> Result<(), CliError> {
    app.console.status(&format!("Delete custom model '{name}' (version {version})? This action cannot be undone."));
    let answer = app.ask("Type the model name to confirm: ").await?;
    if answer.as_deref().map(str::trim) == Some(name.as_str()) {
        return Ok(());
    }
    Err(CliError::cancelled("Deletion cancelled."))
}
