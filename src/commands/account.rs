//! Foundry account of the project, from Azure Resource Manager: by the values of the azd environment, otherwise by a
//! search through the visible subscriptions.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::connect;
use super::finder::ProjectFinder;
use super::headings;
use super::search::AccountMatch;
use crate::app::App;
use crate::error::CliError;
use azure_ai_models_core::arm::{Account, AccountId, ArmClient, ArmError, Deployments, ProjectId};
use azure_ai_models_core::azd::{Azd, AzdSubscription};
use azure_ai_models_core::env::var;
use azure_ai_models_core::foundry::FoundryClient;
use azure_ai_models_core::project::{EndpointSource, ProjectEndpoint};

/// Options that name the account.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = headings::ACCOUNT)]
pub(crate) struct AccountArgs {
    /// Resource group of the Foundry account [default: that of the project endpoint]
    #[arg(short = 'g', long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) resource_group: Option<String>,

    /// Azure resource name of the Foundry account [default: that of the project endpoint]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) account: Option<String>,

    /// API version of requests to Microsoft.CognitiveServices
    #[arg(long, value_name = "VERSION", hide = true, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) api_version: Option<String>,
}

impl AccountArgs {
    /// Command with the given options, so that it works on the same account.
    pub(crate) fn command_line(&self, app: &App, args: &[&str]) -> String {
        let given = [
            ("--resource-group", &self.resource_group),
            ("--account", &self.account),
            ("--api-version", &self.api_version),
        ];
        let given = given.iter().filter_map(|(option, value)| Some([*option, value.as_deref()?])).flatten();
        app.command_line(&args.iter().copied().chain(given).collect::<Vec<_>>())
    }
}

/// Project, and its account as far as the user may see it.
pub(crate) enum AccountAccess {
    /// The account is accessible.
    Full(Box<AccountContext>),
    /// Azure Resource Manager does not show the account to this user.
    ProjectOnly {
        /// Client of the project.
        foundry: FoundryClient,
        /// Error for commands that need the account.
        why: CliError,
    },
}

/// Project and its account.
pub(crate) struct AccountContext {
    /// The project.
    pub(crate) foundry: FoundryClient,
    /// The account.
    pub(crate) account: Account,
    /// Client of the account's deployments.
    pub(crate) deployments: Deployments,
}

impl AccountContext {
    /// ARM id of the project, the source of its models.
    pub(crate) fn source(&self) -> String {
        self.deployments.account().project(self.foundry.endpoint().project())
    }

    /// Id of the account.
    pub(crate) fn id(&self) -> &AccountId {
        self.deployments.account()
    }
}

impl AccountAccess {
    /// Returns the account, for a command that cannot work without it.
    ///
    /// # Errors
    /// Reason why the user cannot see it.
    pub(crate) fn full(self) -> Result<AccountContext, CliError> {
        match self {
            Self::Full(context) => Ok(*context),
            Self::ProjectOnly { why, .. } => Err(why),
        }
    }
}

/// Finds the account of the project of this run.
///
/// # Errors
/// When no project is specified, when several accounts match, or when Azure Resource Manager fails. An account that the
/// user may not see is not yet an error.
pub(crate) async fn access(app: &App, args: &AccountArgs) -> Result<AccountAccess, CliError> {
    let foundry = connect::foundry(app).await?;
    access_of(app, args, foundry).await
}

/// Finds the account of this project.
///
/// # Errors
/// See [`access`].
pub(crate) async fn access_of(
    app: &App,
    args: &AccountArgs,
    foundry: FoundryClient,
) -> Result<AccountAccess, CliError> {
    match Box::pin(find(app, args, foundry.endpoint())).await {
        Ok((arm, account)) => {
            let id =
                account.account_id().ok_or_else(|| CliError::unexpected_response("an account without an ARM id"))?;
            Ok(AccountAccess::Full(Box::new(AccountContext {
                foundry,
                account,
                deployments: Deployments::new(arm, id),
            })))
        }
        Err(AccountNotFound::NotVisible(why)) => Ok(AccountAccess::ProjectOnly { foundry, why }),
        Err(AccountNotFound::Failed(error)) => Err(error),
    }
}

/// Reason why the account was not found.
enum AccountNotFound {
    /// Not found, or not visible to this user: ARM does not distinguish the two.
    NotVisible(CliError),
    Failed(CliError),
}

impl From<CliError> for AccountNotFound {
    fn from(error: CliError) -> Self {
        Self::Failed(error)
    }
}

impl From<ArmError> for AccountNotFound {
    fn from(error: ArmError) -> Self {
        if error.is_forbidden() { Self::NotVisible(error.into()) } else { Self::Failed(error.into()) }
    }
}

async fn find(
    app: &App,
    args: &AccountArgs,
    endpoint: &ProjectEndpoint,
) -> Result<(ArmClient, Account), AccountNotFound> {
    // A project on this machine has no account in Azure, unless the user sets its Azure Resource Manager as well.
    if endpoint.is_loopback() && app.trusted_env().get(var::ARM_ENDPOINT).is_none() {
        return Err(AccountNotFound::NotVisible(CliError::no_account(&endpoint.to_string())));
    }
    let tenant = app.project().and_then(|project| project.tenant.clone());
    let finder = ProjectFinder::new(app, Some(endpoint), tenant.clone())?;
    let client = |tenant: &str| finder.arm(tenant).map(|arm| arm.with_api_version(args.api_version.clone()));
    if let Some(id) = known(app, args, endpoint) {
        let arm = client(tenant.as_deref().unwrap_or_default())?;
        let account = arm.account(&id).await?;
        let account =
            account.ok_or_else(|| AccountNotFound::NotVisible(CliError::no_account(&endpoint.to_string())))?;
        return Ok((arm, account));
    }
    let own = app.project().and_then(|project| project.value(&app.env, var::AZURE_SUBSCRIPTION_ID));
    let named = app.globals.subscription.as_deref();
    let matches =
        finder.search(named, own, args.api_version.as_deref(), |account| fits(args, account, endpoint)).await?;
    let mut found = matches.found.into_iter();
    match (found.next(), found.as_slice()) {
        (None, _) => Err(AccountNotFound::NotVisible(
            matches.forbidden.unwrap_or_else(|| CliError::no_account(&endpoint.to_string())),
        )),
        (Some(AccountMatch { arm, account, subscription }), []) => {
            store_in_environment(app, &account, endpoint, &subscription).await;
            Ok((arm, account))
        }
        (Some(first), rest) => {
            let ids = std::iter::once(&first).chain(rest).map(|one| format!("/{}", one.account.id()));
            Err(CliError::ambiguous_account(&endpoint.to_string(), ids)
                .with_suggestion("Use --account NAME and --subscription ID.")
                .into())
        }
    }
}

/// True if this is the searched account: by name if given, otherwise by the endpoint.
fn fits(args: &AccountArgs, account: &Account, endpoint: &ProjectEndpoint) -> bool {
    let is_named = match &args.account {
        Some(name) => account.name.eq_ignore_ascii_case(name),
        None => account.serves(endpoint),
    };
    let group = args.resource_group.as_deref();
    is_named && group.is_none_or(|group| account.group().is_some_and(|own| own.eq_ignore_ascii_case(group)))
}

/// Account that options or the azd environment specify completely.
fn known(app: &App, args: &AccountArgs, endpoint: &ProjectEndpoint) -> Option<AccountId> {
    let given = [app.globals.subscription.as_deref(), args.resource_group.as_deref(), args.account.as_deref()];
    if let [Some(subscription), Some(group), Some(account)] = given {
        return Some(AccountId { subscription: subscription.into(), group: group.into(), account: account.into() });
    }
    let value = |name| app.project().and_then(|project| project.value(&app.env, name));
    let seven = [var::AZURE_SUBSCRIPTION_ID, var::AZURE_RESOURCE_GROUP_NAME, var::AZURE_ACCOUNT_NAME].map(value);
    let of_id = || {
        let id = ProjectId::parse(value(var::AZURE_AI_PROJECT_ID)?).ok()?;
        let is_it = id.project.eq_ignore_ascii_case(endpoint.project());
        is_it.then(|| id.account_id())
    };
    let known = match seven {
        [Some(subscription), Some(group), Some(account)] => {
            AccountId { subscription: subscription.into(), group: group.into(), account: account.into() }
        }
        _ => of_id()?,
    };
    // An option with another value selects a different account than the environment's.
    let own = [&known.subscription, &known.group, &known.account];
    let agrees = given.iter().zip(own).all(|(given, own)| given.is_none_or(|given| given.eq_ignore_ascii_case(own)));
    agrees.then_some(known)
}

/// Stores the account in the azd environment with the endpoint, so that the next run need not search.
async fn store_in_environment(
    app: &App,
    account: &Account,
    endpoint: &ProjectEndpoint,
    subscription: &AzdSubscription,
) {
    let Some(project) = app.project() else { return };
    let EndpointSource::Environment { name, keys: [var::AZURE_PROJECT_ENDPOINT] } = &project.source else { return };
    let Some(id) = account.account_id() else { return };
    let values = [
        (var::AZURE_TENANT_ID, subscription.tenant.as_str()),
        (var::AZURE_SUBSCRIPTION_ID, &id.subscription),
        (var::AZURE_RESOURCE_GROUP_NAME, &id.group),
        (var::AZURE_ACCOUNT_NAME, &id.account),
        (var::AZURE_PROJECT_NAME, endpoint.project()),
        (var::AZURE_LOCATION, &account.location),
    ];
    let is_missing = |(key, value): &(&str, &str)| !value.is_empty() && project.value(&app.env, key).is_none();
    let missing: Vec<(&str, &str)> = values.into_iter().filter(is_missing).collect();
    if missing.is_empty() {
        return;
    }
    let host = app.host();
    let saved = Azd::new(&app.env, &app.timings, host.as_ref(), true).save(name, &missing).await;
    match saved {
        Ok(()) => app.console.debug(&format!("the account was saved in the azd environment '{name}'")),
        // Only the next run is affected.
        Err(error) => app.console.warn(CliError::not_saved(name, error).message()),
    }
}
