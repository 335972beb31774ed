//! `base list`: deployable models of the catalog, one row per version.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use time::OffsetDateTime;

use super::catalog::{self, CatalogArgs};
use crate::app::App;
use crate::commands::headings;
use crate::console::product::{JsonPieces, Product, list as json_list};
use crate::console::{TableStyle, catalog_page};
use crate::error::CliError;
use azure_ai_models_core::arm::{AccountModel, AccountModelView, CatalogFilter};
use azure_ai_models_core::display::printable;
use azure_ai_models_core::model::NamePattern;
use azure_ai_models_core::units;

pub(super) const EXAMPLES: &str = "\
Examples:
  azd ai models base list
  azd ai models base list --publisher Microsoft --sku GlobalStandard
  azd ai models base list --name \"gpt-*\" --capability chatCompletion -o json
  azd ai models base list --location swedencentral --all";

/// Options of `base list`.
#[derive(Args, Debug)]
#[command(next_help_heading = headings::FILTER)]
pub(crate) struct BaseListArgs {
    /// Show only models of this publisher
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    publisher: Option<String>,

    /// Show only models of this format, such as OpenAI
    #[arg(long, value_name = "FORMAT", value_parser = NonEmptyStringValueParser::new())]
    format: Option<String>,

    /// Show only models whose name matches, such as 'gpt-*'
    #[arg(short, long, value_name = "GLOB")]
    name: Option<NamePattern>,

    /// Show only models offered with this SKU, such as GlobalStandard
    #[arg(long, value_name = "SKU", value_parser = NonEmptyStringValueParser::new())]
    sku: Option<String>,

    /// Show only models with this capability, such as chatCompletion
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    capability: Option<String>,

    /// Show only models in this lifecycle state, such as Preview
    #[arg(long, value_name = "STATE", value_parser = NonEmptyStringValueParser::new())]
    lifecycle: Option<String>,

    /// Show deprecated and retired models too
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    catalog: CatalogArgs,
}

/// Models, as a list or a table.
struct ModelRows {
    models: Vec<AccountModel>,
    now: OffsetDateTime,
}

impl Product for ModelRows {
    fn json(&self) -> JsonPieces<'_> {
        json_list(&self.models)
    }

    fn text(&self, style: TableStyle) -> String {
        let models: Vec<&AccountModelView> = self.models.iter().map(AccountModel::view).collect();
        catalog_page::table(&models, self.now, style)
    }
}

/// Lists the catalog models that match the filters; retired ones are counted on standard error, unless `--all` is
/// given.
///
/// # Errors
/// A lifecycle state that no model has is a usage error that lists the existing ones.
pub(super) async fn list(app: &App, args: BaseListArgs) -> Result<(), CliError> {
    let BaseListArgs { publisher, format, name, sku, capability, lifecycle, all, catalog } = args;
    let filter = CatalogFilter { publisher, format, name, sku, capability, lifecycle, all };
    let now = OffsetDateTime::now_utc();
    let mut models = catalog::read(app, &catalog).await?.models;
    if let Some(states) = filter.unknown_lifecycle(&models) {
        let wanted = filter.lifecycle.as_deref().unwrap_or_default();
        return Err(CliError::usage(format!("no model has the lifecycle state '{wanted}'"))
            .with_suggestion(format!("Use one of: {}.", printable(&states.join(", ")))));
    }
    models.retain(|model| filter.fits(model.view(), now));
    let found = models.len();
    models.retain(|model| !filter.hides(model.view(), now));
    let hidden = found - models.len();
    app.show(&ModelRows { models, now })?;
    if hidden > 0 {
        let hidden = units::grouped(hidden as u64);
        app.console.status(&format!("{hidden} deprecated or retired not shown. Use --all to show them."));
    }
    Ok(())
}
