//! `custom list`: the latest version of each model of the project that matches the filters.

use std::num::NonZeroUsize;
use std::sync::Arc;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

use super::products::ModelList;
use crate::app::App;
use crate::commands::connect;
use crate::console::render::RowKind;
use crate::error::CliError;
use crate::globals::OutputFormat;
use azure_ai_models_core::model::{
    ListedModel, ModelFilter, ModelListSeed, NamePattern, Tag, WeightType, by_creation, by_name, keep_latest,
};
use azure_ai_models_core::units;

pub(super) const EXAMPLES: &str = "\
Lists the models registered in the project. To list the models of the catalog, use 'base list'.

Examples:
  azd ai models custom list
  azd ai models custom list --name \"support-*\" --weight-type LoRA --tag stage=prod
  azd ai models custom list --limit 10 -o json
  azd ai models custom list -e https://my-account.services.ai.azure.com/api/projects/my-project";

/// Options of `custom list`.
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Show only models created by this training job
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    source_job_id: Option<String>,

    /// Show only models whose name matches, such as 'support-*'
    #[arg(short, long, value_name = "GLOB")]
    name: Option<NamePattern>,

    /// Show only models of this type: FullWeight, LoRA or DraftModel
    #[arg(long, value_name = "TYPE")]
    weight_type: Option<WeightType>,

    /// Show only models with this tag (can be repeated)
    #[arg(long, value_name = "KEY=VALUE")]
    tag: Vec<Tag>,

    /// Sort order: name, or created (newest first) [default: order of the service]
    #[arg(long, value_name = "ORDER", hide_possible_values = true)]
    sort: Option<Sort>,

    /// Maximum number of models to show
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroUsize>,
}

/// Order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sort {
    /// By name, whatever the case.
    Name,
    /// Newest first.
    Created,
}

/// Lists the latest version of each model. Without a filter or an order, `--limit` reads only as many pages as it needs.
pub(super) async fn list(app: &App, args: ListArgs) -> Result<(), CliError> {
    let ListArgs { source_job_id: source_job, name, weight_type, tag: tags, sort, limit } = args;
    let foundry = connect::foundry(app).await?;
    let filter = Arc::new(ModelFilter { name, weight_type, tags, source_job });
    let listing =
        ModelListSeed { filter: Arc::clone(&filter), with_documents: app.globals.output == OutputFormat::Json };
    let limit = limit.map(NonZeroUsize::get);
    let (mut models, is_whole) = match limit {
        // Only a filter or an order needs models beyond the limit.
        Some(limit) if filter.is_empty() && sort.is_none() => foundry.first_models(limit, listing).await?,
        _ => (foundry.list_models(listing).await?, true),
    };
    // A filter applies to the latest version: an older matching one is not listed in its place.
    keep_latest(&mut models);
    models.retain(ListedModel::meets_filter);
    match sort {
        Some(Sort::Name) => by_name(&mut models),
        Some(Sort::Created) => by_creation(&mut models),
        None => {}
    }
    let found = models.len();
    models.truncate(limit.unwrap_or(usize::MAX));
    app.show(&ModelList { models: &models, counted: RowKind::Models })?;
    let shown = units::grouped(models.len() as u64);
    if !is_whole {
        app.console.notice(&format!("{shown} shown, more exist. Remove --limit to see all."));
    } else if models.len() < found {
        app.console.notice(&format!("{shown} of {} shown. Remove --limit to see all.", units::grouped(found as u64)));
    }
    Ok(())
}
