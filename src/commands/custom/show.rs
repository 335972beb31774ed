//! `custom show`: one version of a model; by default the latest.

use clap::Args;

use super::existing;
use super::products::ModelPage;
use super::web;
use crate::app::App;
use crate::commands::connect;
use crate::error::CliError;
use azure_ai_models_core::model::{ModelName, ModelVersion};

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

/// Shows one version, by default the latest; with `--web` the address of its page in the portal.
pub(super) async fn show(app: &App, args: ShowArgs) -> Result<(), CliError> {
    let foundry = connect::foundry(app).await?;
    let model = existing::model(app, &foundry, &args.name, args.version.as_ref()).await?;
    if args.web {
        return web::web(app, &foundry, &model).await;
    }
    app.show(&ModelPage { app, model: &model })
}
