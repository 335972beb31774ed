//! `custom show`: one version of a model; without a version, the latest.

use clap::Args;

use super::existing::{explain_missing, no_such_model};
use super::products::ModelPage;
use super::web;
use crate::app::App;
use crate::commands::connect;
use crate::error::CliError;
use azure_ai_models_core::model::{ModelName, ModelVersion, latest};

pub(super) const EXAMPLES: &str = "\
To show a catalog model, use 'base show'.

Examples:
  azd ai models custom show --name my-model
  azd ai models custom show --name my-model --version 2 -o json
  azd ai models custom show --name my-model --web";

/// Options of `custom show`.
#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// Model name
    #[arg(short, long, value_name = "NAME")]
    name: ModelName,

    /// Model version [default: the latest]
    #[arg(long, value_name = "VERSION")]
    version: Option<ModelVersion>,

    /// Print the URL of the project in the Foundry portal and open it in the browser
    #[arg(long)]
    web: bool,
}

pub(super) async fn show(app: &App, args: ShowArgs) -> Result<(), CliError> {
    let foundry = connect::foundry(app).await?;
    let model = match &args.version {
        Some(version) => foundry
            .get_model(&args.name, version)
            .await
            .map_err(|error| explain_missing(app, error, &args.name, Some(version)))?,
        None => {
            let versions = foundry
                .list_versions(&args.name)
                .await
                .map_err(|error| explain_missing(app, error, &args.name, None))?;
            latest(&versions).cloned().ok_or_else(|| no_such_model(app, &args.name, None))?
        }
    };
    if args.web {
        return web::web(app, &foundry, &model).await;
    }
    app.show(&ModelPage { app, model: &model })
}
