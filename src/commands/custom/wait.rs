//! `custom wait`: waits for the registration of a version, including one started elsewhere.

use std::cell::RefCell;
use std::time::Duration;

use clap::Args;

use super::existing::{explain_missing, no_such_model};
use super::products::ModelPage;
use crate::app::App;
use crate::commands::connect;
use crate::error::{CliError, RegistrationSuggestions};
use azure_ai_models_core::foundry::{FoundryClient, RegisterError, RegisterStatus, RegisteredModel};
use azure_ai_models_core::model::{CustomModel, ModelName, ModelVersion};
use azure_ai_models_core::units;
use azure_ai_models_core::upload::{Journal, Stage, UploadDirectory};

pub(super) const EXAMPLES: &str = "\
Examples:
  azd ai models custom wait --name my-model --version 1
  azd ai models custom wait --name my-model --version 1 --timeout 1h30m";

/// Options of `custom wait`.
#[derive(Args, Debug)]
pub(crate) struct WaitArgs {
    /// Model name
    #[arg(short, long, value_name = "NAME")]
    name: ModelName,

    /// Model version
    #[arg(long, value_name = "VERSION")]
    version: ModelVersion,

    /// Time limit, such as 90s, 30m or 1h30m [default: 30m]
    #[arg(long, value_name = "DURATION", value_parser = units::parse_duration)]
    timeout: Option<Duration>,
}

/// Waits until a version is registered. Uses the operation in the journal of an upload on this machine if there is one.
pub(super) async fn wait(app: &App, args: WaitArgs) -> Result<(), CliError> {
    let WaitArgs { name, version, timeout } = &args;
    let foundry = connect::foundry(app).await?;
    let limit = timeout.map_or(app.timings.register, |timeout| app.timings.scaled(timeout));
    let begun = with_local_upload(app, &foundry, &args).await?;
    let operation = begun.as_ref().and_then(|(_, journal)| journal.operation.clone());

    let view = RefCell::new(app.console.register_view(app.timings.status_line));
    let mut on = |status: RegisterStatus| view.borrow_mut().on(&status.status, status.elapsed);
    let ended = foundry.await_model(name, version, operation, limit, &mut on).await;
    drop(view);
    let RegisteredModel { model, .. } = ended.map_err(|error| explain(app, error, &args, begun.is_some()))?;

    forget(app, begun, &model);
    app.console.done(&format!("Model '{name}' (version {version}) is registered"));
    app.console.gap();
    app.show(&ModelPage { app, model: &model })
}

/// Upload directory and journal of a `create` on this machine that requested the registration and no longer waits for
/// it.
async fn with_local_upload(
    app: &App,
    foundry: &FoundryClient,
    args: &WaitArgs,
) -> Result<Option<(UploadDirectory, Journal)>, CliError> {
    // Without a home directory there is no journal, but the model can still be polled.
    let Some(config_dir) = app.env.azd_config_dir() else { return Ok(None) };
    let endpoint = foundry.endpoint().to_string();
    let directory = UploadDirectory::existing(&config_dir, &endpoint, args.name.as_str(), args.version.as_str())?;
    let Some(directory) = directory else { return Ok(None) };
    let journal = directory.journal().await.filter(|journal| journal.stage != Stage::Done);
    Ok(journal.map(|journal| (directory, journal)))
}

/// Removes the files of a registered upload. Files of another upload of this version are kept.
fn forget(app: &App, begun: Option<(UploadDirectory, Journal)>, model: &CustomModel) {
    let Some((directory, journal)) = begun else { return };
    if !model.is_at(journal.blob_uri()) {
        return;
    }
    let path = directory.path().display().to_string();
    if let Err(why) = directory.remove() {
        app.console.warn(&format!("{path} can be deleted: {why}"));
    }
}

fn explain(app: &App, error: RegisterError, args: &WaitArgs, begun: bool) -> CliError {
    let WaitArgs { name, version, .. } = args;
    match error {
        RegisterError::Unwatchable(error) => explain_missing(app, error, name, Some(version)),
        RegisterError::TimedOut { last_status: None, last_fault: Some(fault) } => fault.into(),
        // A 404 that does not name a model may be about the project.
        RegisterError::Absent { last_status: None, last_look }
            if !begun && last_look.service().is_some_and(|error| !error.is_model_not_found()) =>
        {
            explain_missing(app, *last_look, name, Some(version))
        }
        RegisterError::Absent { last_status: None, .. }
        | RegisterError::TimedOut { last_status: None, last_fault: None } => match begun {
            true => CliError::not_yet_a_model(name, version),
            false => no_such_model(app, name, Some(version)),
        },
        error => {
            let again = ["custom", "wait", "--name", name.as_str(), "--version", version.as_str(), "--timeout", "1h"];
            let longer = format!("The service is still working. To wait longer:\n  {}", app.command_line(&again));
            let lost =
                "The service lost it. Run the same 'custom create' again on the machine that uploaded the files.";
            CliError::registration(error, &RegistrationSuggestions { timed_out: &longer, lost: Some(lost) })
        }
    }
}
