//! Behaviour of Azure Resource Manager: accounts, deployments, and the catalogue.

use serde_json::Value;

use crate::base_models;
use crate::quota;

/// Azure Resource Manager's view: tenants with their subscriptions, of which the first of the first holds the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm {
    /// Tenants of the user.
    pub tenants: Vec<ArmTenant>,
    /// The account's resource group.
    pub resource_group: String,
    /// The account's region.
    pub location: String,
    /// The account's kind.
    pub kind: String,
    /// The first label of the account's host, where it is not its name.
    pub subdomain: Option<String>,
    /// Merged into the account, for example other `endpoints`.
    pub account: Option<Value>,
    /// Further accounts in the list of the subscription: each is merged into a copy of the account.
    pub more_accounts: Vec<Value>,
    /// The user has no role at the account: lists omit it, all below it is 403 `AuthorizationFailed`.
    pub hides_account: bool,
    /// Further projects of the account, with the emulator's own first.
    pub more_projects: Vec<String>,
    /// Each list begins with an empty page, which leads to the rest as [`crate::Config::next_link`] says.
    pub in_pages: bool,
    /// The api-versions of Microsoft.CognitiveServices that are accepted.
    pub api_versions: Vec<String>,
    /// State of the feature `Fireworks.EnableDeploy`.
    pub feature: String,
    /// The models that can be deployed, as `AccountModel`.
    pub models: Vec<Value>,
    /// The account's models include the registered models of the project (format `FireworksCustom`).
    pub lists_custom_models: bool,
    /// The usages of the account's region; deployments are added to `currentValue`.
    pub usages: Vec<Value>,
    /// Other regions with room for every model, and how much.
    pub other_regions: Vec<(String, u64)>,
    /// Names of the account's content filters.
    pub content_filters: Vec<String>,
    /// How writes to deployments go.
    pub deploying: Deploying,
    /// Deployments that are there from the start, see [`crate::Emulator::seed_deployment`].
    pub deployments: Vec<Value>,
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArmTenant {
    /// Tenant id.
    pub id: String,
    /// The only token that opens it; `None`: any.
    pub token: Option<String>,
    /// Id and name of each subscription.
    pub subscriptions: Vec<(String, String)>,
}

/// How a write to a deployment is answered, and how it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deploying {
    /// Status of PUT for a new deployment: 200, 201 or 202 (without a body).
    pub put_status: u16,
    /// Status of PATCH: 200 or 202 (without a body).
    pub patch_status: u16,
    /// Status of DELETE: 200 (gone immediately), or 202. Always 204 for a missing deployment.
    pub delete_status: u16,
    /// Header with the URL of a write's operation.
    pub polling: Polling,
    /// The URL that `polling` names answers 403 `AuthorizationFailed`.
    pub denies_operation: bool,
    /// `Retry-After` in seconds on answers to writes, to status URLs, and to GETs of an unfinished deployment.
    pub retry_after: Option<u64>,
    /// The states of an unfinished deployment, one a look; the last repeats.
    pub states: Vec<String>,
    /// How many looks (GETs of the deployment or of its status URL, and writes refused meanwhile) see it unfinished.
    pub polls_until_done: u32,
    /// A SKU of the Standard family is `Succeeded` in the answer to PUT.
    pub standard_at_once: bool,
    /// GETs of a new deployment that still answer 404.
    pub hidden_gets: u32,
    /// How creations and updates end.
    pub end: DeploymentEnd,
    /// PATCH merges `tags` into those that are there, instead of replacing them.
    pub patch_merges_tags: bool,
}

/// Header with the URL of a write's operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polling {
    /// Nowhere: the deployment itself must be read.
    Resource,
    /// `Azure-AsyncOperation`: `{status, error}`.
    AsyncOperation,
    /// `Location`: 202 until the end, then the result.
    Location,
    /// `Azure-AsyncOperation` at another host, where no token may go.
    Foreign(url::Url),
}

/// How the creation or the update of a deployment ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeploymentEnd {
    /// `Succeeded`.
    Succeeded,
    /// This state, in a 200; only the status URL returns the error.
    Failed {
        /// `Failed`, `Canceled`, `Disabled`...
        state: String,
        /// The error's code.
        code: String,
        /// The error's message.
        message: String,
    },
    /// The deployment disappears, as if it had been deleted elsewhere.
    Gone,
}

impl Default for Arm {
    fn default() -> Self {
        let subscription = ("00000000-0000-0000-0000-000000000001".to_owned(), "Emulated".to_owned());
        let id = "00000000-0000-0000-0000-0000000000aa".to_owned();
        Self {
            tenants: vec![ArmTenant { id, token: None, subscriptions: vec![subscription] }],
            resource_group: "rg-emulator".to_owned(),
            location: "eastus2".to_owned(),
            kind: "AIServices".to_owned(),
            subdomain: None,
            account: None,
            more_accounts: Vec::new(),
            hides_account: false,
            more_projects: Vec::new(),
            in_pages: false,
            api_versions: vec!["2025-06-01".to_owned(), "2026-09-01".to_owned()],
            feature: "Registered".to_owned(),
            models: base_models::built_in(),
            lists_custom_models: true,
            usages: quota::built_in(),
            other_regions: vec![("swedencentral".to_owned(), 400), ("westus3".to_owned(), 0)],
            content_filters: vec!["Microsoft.Default".to_owned(), "Microsoft.DefaultV2".to_owned()],
            deploying: Deploying::default(),
            deployments: Vec::new(),
        }
    }
}

impl Default for Deploying {
    fn default() -> Self {
        Self {
            put_status: 201,
            patch_status: 200,
            delete_status: 202,
            polling: Polling::AsyncOperation,
            denies_operation: false,
            retry_after: None,
            states: vec!["Accepted".to_owned(), "Creating".to_owned()],
            polls_until_done: 2,
            standard_at_once: true,
            hidden_gets: 0,
            end: DeploymentEnd::Succeeded,
            patch_merges_tags: false,
        }
    }
}

impl Arm {
    /// The subscription that holds the account: the first one.
    pub(crate) fn subscription(&self) -> &str {
        self.tenants
            .iter()
            .flat_map(|tenant| &tenant.subscriptions)
            .map(|(id, _)| id.as_str())
            .next()
            .unwrap_or_default()
    }

    /// The row of a model; its default version where none is asked for. Case counts, as in the service.
    pub(crate) fn row(&self, format: &Value, name: &Value, version: Option<&Value>) -> Option<&Value> {
        let is_version = |row: &Value| match version {
            Some(version) if !version.is_null() => row["version"] == *version,
            _ => row["isDefaultVersion"] == true,
        };
        self.models.iter().find(|row| row["format"] == *format && row["name"] == *name && is_version(row))
    }
}
