//! `custom list`: the latest version of each model of the project, or of those that meet the conditions.

use std::num::NonZeroUsize;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::products::ModelList;
use crate::app::App;
use crate::commands::connect;
use crate::error::CliError;
use azure_ai_models_core::model::{ModelFilter, NamePattern, Tag, WeightType, latest_of_each};
use azure_ai_models_core::units;

pub(super) const EXAMPLES: &str = "\
Examples:
  azd ai models custom list
  azd ai models custom list --name 'support-*' --weight-type LoRA --tag stage=prod
  azd ai models custom list --limit 10 -o json
  azd ai models custom list -e https://my-account.services.ai.azure.com/api/projects/my-project";

/// Options of `custom list`.
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Only models that this training job made
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    source_job_id: Option<String>,

    /// Only models with such a name, for example 'support-*'
    #[arg(short, long, value_name = "GLOB")]
    name: Option<NamePattern>,

    /// Only models of this type: FullWeight, LoRA or DraftModel
    #[arg(long, value_name = "TYPE")]
    weight_type: Option<WeightType>,

    /// Only models with this tag; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    tag: Vec<Tag>,

    /// At most so many, the first by name
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroUsize>,
}

pub(super) async fn list(app: &App, args: ListArgs) -> Result<(), CliError> {
    let ListArgs { source_job_id: source_job, name, weight_type, tag: tags, limit } = args;
    let models = connect::foundry(app).await?.list_models(source_job.as_deref()).await?;
    let filter = ModelFilter { name, weight_type, tags, source_job };
    // A condition is for the latest version: an older one that meets it is not listed in its place.
    let mut models = latest_of_each(models);
    models.retain(|model| filter.takes(model.view()));
    let found = models.len();
    models.truncate(limit.map_or(usize::MAX, NonZeroUsize::get));
    app.show(&ModelList { models: &models, counted: "custom model(s)" })?;
    if models.len() < found {
        let (shown, found) = (units::grouped(models.len() as u64), units::grouped(found as u64));
        app.console.notice(&format!("{shown} of {found} shown; leave --limit away to see all."));
    }
    Ok(())
}
