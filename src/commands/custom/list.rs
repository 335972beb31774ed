//! `custom list`: the latest version of each model of the project.

use crate::app::App;
use crate::cli::OutputFormat;
use crate::console::render;
use crate::error::CliError;

pub(super) const EXAMPLES: &str = "\
Examples:
  azd ai models custom list
  azd ai models custom list -o json
  azd ai models custom list -e https://my-account.services.ai.azure.com/api/projects/my-project";

pub(super) async fn list(app: &App) -> Result<(), CliError> {
    let models = app.foundry().await?.list_models(None).await?;
    match app.globals.output {
        OutputFormat::Json => app.json(&models),
        OutputFormat::Table | OutputFormat::None => {
            app.product(&render::model_table(&models, "custom model(s)", app.console.table_style()))
        }
    }
}
