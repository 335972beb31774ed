//! `custom update`: description and tags of one version.

use clap::Args;

use super::existing::{explain_missing, one_version};
use super::products::ModelDetails;
use crate::app::App;
use crate::commands::connect;
use crate::error::CliError;
use azure_ai_models_core::foundry::UpdateError;
use azure_ai_models_core::model::{ModelChange, ModelName, ModelVersion, Tag};

pub(super) const EXAMPLES: &str = "\
Examples:
  azd ai models custom update --name my-model --description \"Tuned on our tickets\"
  azd ai models custom update --name my-model --version 2 --set-tag stage=prod --remove-tag draft
  azd ai models custom update --name my-model --version 2 --description \"\"";

/// Options of `custom update`.
#[derive(Args, Debug)]
pub(crate) struct UpdateArgs {
    /// Model name
    #[arg(short, long, value_name = "NAME")]
    name: ModelName,

    /// Model version [default: the only version]
    #[arg(long, value_name = "VERSION")]
    version: Option<ModelVersion>,

    /// New description ('' removes it)
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// Add or change a tag (can be repeated)
    #[arg(long, value_name = "KEY=VALUE")]
    set_tag: Vec<Tag>,

    /// Remove a tag (can be repeated)
    #[arg(long, value_name = "KEY", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    remove_tag: Vec<String>,
}

/// Changes description and tags by a merge patch. The version is read first, since a patch may create a missing one.
pub(super) async fn update(app: &App, args: UpdateArgs) -> Result<(), CliError> {
    let UpdateArgs { name, version, description, set_tag, remove_tag } = args;
    let change = ModelChange::new(description, set_tag, remove_tag).map_err(|why| {
        CliError::usage(why)
            .with_suggestion("Use --description, --set-tag KEY=VALUE or --remove-tag KEY, each tag once.")
    })?;
    let foundry = connect::foundry(app).await?;
    // Checked first: a merge patch may create a missing version.
    let version = one_version(app, &foundry, &name, version.as_ref(), "update").await?;
    let updated = foundry.update_model(&name, &version, &change).await;
    let model = updated.map_err(|error| match error {
        UpdateError::Http(error) => explain_missing(app, error, &name, Some(&version)),
        UpdateError::NotApplied => error.into(),
    })?;
    app.console.done(&format!("Model '{name}' (version {version}) updated"));
    app.show(&ModelDetails(&model))
}
