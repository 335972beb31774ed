//! Catalog that a command refers to: that of the account, or that of a region.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::app::App;
use crate::commands::account::{AccountArgs, AccountContext, access};
use crate::commands::{headings, similar};
use crate::error::{CliError, ErrorCode, ErrorKind};
use azure_ai_models_core::arm::{AccountModel, ArmClient, ArmError, Usage};

/// Options that choose the catalog.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct CatalogArgs {
    /// Azure region [default: the account's region]
    #[arg(long, help_heading = headings::ACCOUNT, value_name = "REGION", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) location: Option<String>,

    #[command(flatten)]
    pub(crate) account: AccountArgs,
}

/// Models that can be deployed, and the region for which they were read.
pub(crate) struct Catalog {
    /// Models, one row per version.
    pub(crate) models: Vec<AccountModel>,
    arm: ArmClient,
    subscription: String,
    location: String,
}

impl Catalog {
    fn new(models: Vec<AccountModel>, context: &AccountContext, location: String) -> Self {
        let (arm, subscription) = (context.deployments.arm().clone(), context.id().subscription.clone());
        Self { models, arm, subscription, location }
    }

    async fn of_region(context: &AccountContext, location: String) -> Result<Self, ArmError> {
        let models = context.deployments.arm().region_models(&context.id().subscription, &location).await?;
        Ok(Self::new(models, context, location))
    }

    /// Versions of the models with this name, case-insensitively and of any format.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = &AccountModel> {
        let models = self.models.iter().filter(|model| !model.view().is_custom());
        models.filter(move |model| model.view().name.eq_ignore_ascii_case(name))
    }

    /// Quota in the region; `None` if the user may not see it, or the service lists none.
    ///
    /// # Errors
    /// Other failures of Azure Resource Manager.
    pub(crate) async fn usages(&self) -> Result<Option<Vec<Usage>>, CliError> {
        match self.arm.usages(&self.subscription, &self.location).await {
            Ok(usages) => Ok(Some(usages).filter(|usages| !usages.is_empty())),
            Err(error) if error.is_forbidden() || error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Reads the catalog.
///
/// # Errors
/// When the account is not found, or neither list can be read.
pub(super) async fn read(app: &App, args: &CatalogArgs) -> Result<Catalog, CliError> {
    let context = access(app, &args.account).await?.full()?;
    match &args.location {
        None => Ok(of_account(app, &context).await?),
        Some(location) => Ok(Catalog::of_region(&context, location.clone()).await?),
    }
}

/// Reads the models that can be deployed in the account; falls back to the list of its region if the user may not read
/// that of the account.
///
/// # Errors
/// When neither list can be read.
pub(crate) async fn of_account(app: &App, context: &AccountContext) -> Result<Catalog, ArmError> {
    let location = context.account.location.clone();
    match context.deployments.arm().account_models(context.id()).await {
        Err(error) if error.is_forbidden() && !location.is_empty() => {
            app.console.notice("The models of the account cannot be read; using those of its region.");
            Catalog::of_region(context, location).await
        }
        models => Ok(Catalog::new(models?, context, location)),
    }
}

/// Error for a model that is not in the catalog, with similar names.
pub(crate) fn no_such_model(app: &App, account: &AccountArgs, catalog: &Catalog, name: &str) -> CliError {
    let models = catalog.models.iter().map(AccountModel::view).filter(|model| !model.is_custom());
    let list = account.command_line(app, &["base", "list"]);
    let suggestion = similar::suggestion(models.map(|model| model.name.as_str()), name, &list);
    CliError::new(ErrorKind::NotFound, format!("base model '{name}' not found"))
        .with_code(ErrorCode::ModelNotFound)
        .with_suggestion(suggestion)
}
