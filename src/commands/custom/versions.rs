//! `custom versions`: every version of one model.

use clap::Args;

use super::existing::{explain_missing, no_such_model};
use super::products::ModelList;
use crate::app::App;
use crate::commands::connect;
use crate::console::render::RowKind;
use crate::error::CliError;
use crate::globals::OutputFormat;
use azure_ai_models_core::model::{ModelListSeed, ModelName, newest_first};

pub(super) const EXAMPLES: &str = "\
Examples:
  azd ai models custom versions --name my-model
  azd ai models custom versions --name my-model -o json";

/// Options of `custom versions`.
#[derive(Args, Debug)]
pub(crate) struct VersionsArgs {
    /// Model name
    #[arg(short, long, value_name = "NAME")]
    name: ModelName,
}

/// Lists all versions of a model, newest first.
///
/// # Errors
/// Not found if there is no version.
pub(super) async fn versions(app: &App, args: VersionsArgs) -> Result<(), CliError> {
    let with_documents = app.globals.output == OutputFormat::Json;
    let mut models = connect::foundry(app)
        .await?
        .listed_versions(&args.name, ModelListSeed { with_documents, ..ModelListSeed::default() })
        .await
        .map_err(|error| explain_missing(app, error, &args.name, None))?;
    if models.is_empty() {
        return Err(no_such_model(app, &args.name, None));
    }
    newest_first(&mut models);
    app.show(&ModelList { models: &models, counted: RowKind::Versions })
}
