//! `custom delete`: one version of a model, confirmed by typing its name.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::deployed::refuse_deployed;
use super::existing::one_version;
use crate::app::{AcceptedAnswer, App, Confirm};
use crate::commands::connect;
use crate::console::TableStyle;
use crate::console::product::{self, JsonPieces, Product};
use crate::error::CliError;
use azure_ai_models_core::model::{ModelName, ModelVersion};
use azure_ai_models_core::notices::with_notices;
use azure_ai_models_core::units;

pub(super) const EXAMPLES: &str = "\
Examples:
  azd ai models custom delete --name my-model
  azd ai models custom delete --name my-model --version 2
  azd ai models custom delete --name my-model --version 2 --force --no-prompt --timeout 5m
  azd ai models custom delete --name my-model --version 2 --force --if-exists";

/// Options of `custom delete`.
#[derive(Args, Debug)]
pub(crate) struct DeleteArgs {
    /// Model name
    #[arg(short, long, value_name = "NAME")]
    name: ModelName,

    /// Model version [default: the only version]
    #[arg(long, value_name = "VERSION")]
    version: Option<ModelVersion>,

    /// Delete without a prompt
    #[arg(short, long)]
    force: bool,

    /// Succeed if the model or version does not exist
    #[arg(long)]
    if_exists: bool,

    /// Time limit, such as 90s, 30m or 1h30m [default: 30m]
    #[arg(long, value_name = "DURATION", value_parser = units::parse_duration)]
    timeout: Option<Duration>,
}

#[derive(Serialize)]
struct DeletedModel<'a> {
    name: &'a str,
    /// `None` if no version was given and the model does not exist.
    version: Option<&'a str>,
    deleted: bool,
}

impl Product for DeletedModel<'_> {
    fn json(&self) -> JsonPieces<'_> {
        product::document(self)
    }

    fn text(&self, _: TableStyle) -> String {
        String::new()
    }
}

/// Deletes one version, after the user typed the name of the model, and waits until it is gone.
///
/// # Errors
/// Conflict if a deployment uses it; not found, unless `--if-exists` is given.
pub(super) async fn delete(app: &App, args: DeleteArgs) -> Result<(), CliError> {
    let confirm = Confirm {
        action: "the deletion",
        unattended: "Use --force to delete without a prompt.",
        question: "Type the model name to confirm",
        accepts: AcceptedAnswer::Text(args.name.as_str()),
        declined: "Deletion cancelled.",
    };
    // Before any request, unless a missing model is an accepted result: without an answer nothing may be deleted.
    if !args.force && !args.if_exists {
        app.can_confirm(&confirm)?;
    }
    let foundry = connect::foundry(app).await?;
    // Checked first: the service responds with 200 for versions that never existed.
    let version = match one_version(app, &foundry, &args.name, args.version.as_ref(), "delete").await {
        Err(error) if args.if_exists && error.is_model_missing() => return report_missing(app, &args),
        found => found?,
    };
    if !args.force {
        app.can_confirm(&confirm)?;
    }
    refuse_deployed(app, &foundry, &args.name, &version).await?;
    if !args.force {
        let name = &args.name;
        app.console.status(&format!("Delete custom model '{name}' (version {version})? This action cannot be undone."));
        app.confirm(&confirm).await?;
    }
    let limit = args.timeout.map_or(app.timings.register, |timeout| app.timings.scaled(timeout));
    let say = |elapsed| {
        let (elapsed, most) = (units::duration(elapsed), units::duration(limit));
        app.console.notice(&format!("Deleting the model ({elapsed} of up to {most})..."));
    };
    let pauses = (app.timings.wait_notice, app.timings.status_line);
    with_notices(pauses, say, foundry.delete(&args.name, &version, limit)).await?;
    app.console.done(&format!("Model '{}' (version {version}) deleted", args.name));
    app.show(&DeletedModel { name: args.name.as_str(), version: Some(version.as_str()), deleted: true })
}

/// Reports that `--if-exists` found nothing.
fn report_missing(app: &App, args: &DeleteArgs) -> Result<(), CliError> {
    let (name, version) = (args.name.as_str(), args.version.as_ref().map(ModelVersion::as_str));
    let what = version.map_or_else(|| format!("'{name}'"), |version| format!("'{name}' (version {version})"));
    app.console.status(&format!("Custom model {what} not found: nothing to delete."));
    app.show(&DeletedModel { name, version, deleted: false })
}
