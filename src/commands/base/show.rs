//! `base show`: all versions of a model of the catalog, with SKUs and quota.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde::Serialize;
use time::OffsetDateTime;

use super::catalog::{self, CatalogArgs};
use crate::app::App;
use crate::console::TableStyle;
use crate::console::catalog_page::{self, ModelPageContext};
use crate::console::product::{JsonPieces, Product, document};
use crate::error::CliError;
use azure_ai_models_core::arm::{AccountModel, AccountModelView, Usage, newest_first};

pub(super) const EXAMPLES: &str = "\
Examples:
  azd ai models base show --name gpt-4.1
  azd ai models base show --name gpt-4.1 -o json";

/// Options of `base show`.
#[derive(Args, Debug)]
pub(crate) struct BaseShowArgs {
    /// Model name
    #[arg(short, long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    name: String,

    #[command(flatten)]
    catalog: CatalogArgs,
}

/// A model with its versions and its quota.
struct BaseModelPage<'a> {
    versions: Vec<&'a AccountModel>,
    usages: Option<Vec<Usage>>,
    deploy: Option<String>,
    now: OffsetDateTime,
}

/// JSON document of a model.
#[derive(Serialize)]
struct BaseModelDocument<'a> {
    name: &'a str,
    versions: &'a [&'a AccountModel],
    usages: Vec<UsageRow<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UsageRow<'a> {
    usage_name: &'a str,
    limit: Option<f64>,
    current_value: Option<f64>,
    available: Option<u64>,
}

impl<'a> UsageRow<'a> {
    fn of(usage: &'a Usage) -> Self {
        Self { usage_name: usage.name(), limit: usage.limit, current_value: usage.used, available: usage.left() }
    }
}

impl Product for BaseModelPage<'_> {
    fn json(&self) -> JsonPieces<'_> {
        let is_used = |usage: &&Usage| {
            let skus = self.versions.iter().flat_map(|model| model.view().skus());
            skus.filter_map(|sku| sku.usage_name.as_deref()).any(|name| name.eq_ignore_ascii_case(usage.name()))
        };
        let usages = self.usages.iter().flatten().filter(is_used).map(UsageRow::of).collect();
        let name = self.versions.first().map_or("", |model| &model.view().name);
        document(&BaseModelDocument { name, versions: &self.versions, usages })
    }

    fn text(&self, style: TableStyle) -> String {
        let versions: Vec<&AccountModelView> = self.versions.iter().map(|model| model.view()).collect();
        if !style.summary {
            return catalog_page::table(&versions, self.now, style);
        }
        let surroundings =
            ModelPageContext { usages: self.usages.as_deref(), deploy: self.deploy.as_deref(), now: self.now };
        catalog_page::page(&versions, &surroundings)
    }
}

/// Shows all versions of a catalog model with their SKUs, and the quota of the account.
///
/// # Errors
/// Not found, with similar names.
pub(super) async fn show(app: &App, args: BaseShowArgs) -> Result<(), CliError> {
    let BaseShowArgs { name, catalog: catalog_args } = args;
    let now = OffsetDateTime::now_utc();
    let catalog = catalog::read(app, &catalog_args).await?;
    let mut versions: Vec<&AccountModel> = catalog.named(&name).collect();
    versions.sort_by(|left, right| newest_first(left.view(), right.view()));
    let Some(first) = versions.first() else {
        return Err(catalog::no_such_model(app, &catalog_args.account, &catalog, &name));
    };
    let is_open = versions.iter().any(|model| !model.view().has_ended(now));
    let command = ["base", "deployments", "create", "--model", &first.view().name];
    let deploy = is_open.then(|| catalog_args.account.command_line(app, &command));
    let usages = catalog.usages().await?;
    app.show(&BaseModelPage { versions, usages, deploy, now })
}
