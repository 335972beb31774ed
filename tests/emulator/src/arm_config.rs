//! Behaviour of Azure Resource Manager: accounts, deployments, and the catalog.

use serde_json::Value;

use crate::base_models;
use crate::quota;

/// Resources in Azure Resource Manager: tenants with their subscriptions. The first subscription of the first tenant
/// contains the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm {
    /// Tenants of the user.
    pub tenants: Vec<ArmTenant>,
    /// Resource group of the account.
    pub resource_group: String,
    /// Region of the account.
    pub location: String,
    /// Kind of the account.
    pub kind: String,
    /// First label of the account's host, if it differs from the account's name.
    pub subdomain: Option<String>,
    /// Merged into the account, for example other `endpoints`.
    pub account: Option<Value>,
    /// Further accounts in the list of the subscription: each is merged into a copy of the account.
    pub more_accounts: Vec<Value>,
    /// The user has no role on the account: lists omit it, and everything below it returns 403 `AuthorizationFailed`.
    pub hides_account: bool,
    /// Further projects of the account, listed after the emulator's own.
    pub more_projects: Vec<String>,
    /// Each list begins with an empty page, which links to the rest in the form of [`crate::Config::next_link`].
    pub in_pages: bool,
    /// Accepted API versions of Microsoft.CognitiveServices.
    pub api_versions: Vec<String>,
    /// State of the feature `Fireworks.EnableDeploy`.
    pub feature: String,
    /// Deployable models, as `AccountModel`.
    pub models: Vec<Value>,
    /// The account's models include the registered models of the project (format `FireworksCustom`).
    pub lists_custom_models: bool,
    /// Usages of the account's region; deployments are added to `currentValue`.
    pub usages: Vec<Value>,
    /// Other regions and their available capacity for every model.
    pub other_regions: Vec<(String, u64)>,
    /// Names of the account's content filters.
    pub content_filters: Vec<String>,
    /// Behaviour of writes to deployments.
    pub deploying: Deploying,
    /// Deployments that exist at start, see [`crate::Emulator::seed_deployment`].
    pub deployments: Vec<Value>,
}

/// Tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArmTenant {
    /// Tenant id.
    pub id: String,
    /// The only token accepted for the tenant; `None`: any.
    pub token: Option<String>,
    /// Id and name of each subscription.
    pub subscriptions: Vec<(String, String)>,
}

/// Response to a write to a deployment, and its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deploying {
    /// Status of PUT for a new deployment: 200, 201 or 202 (without a body).
    pub put_status: u16,
    /// Status of PATCH: 200 or 202 (without a body).
    pub patch_status: u16,
    /// Status of DELETE: 200 (deleted immediately), or 202. Always 204 for a missing deployment.
    pub delete_status: u16,
    /// Header with the URL of a write's operation.
    pub polling: Polling,
    /// The URL that `polling` names returns 403 `AuthorizationFailed`.
    pub denies_operation: bool,
    /// `Retry-After` in seconds in responses to writes, to status URLs, and to GETs of an unfinished deployment.
    pub retry_after: Option<u64>,
    /// States of an unfinished deployment, one per poll; the last repeats.
    pub states: Vec<String>,
    /// Number of polls (GETs of the deployment or of its status URL, and writes rejected meanwhile) that see it
    /// unfinished.
    pub polls_until_done: u32,
    /// A SKU of the Standard family is `Succeeded` in the response to PUT.
    pub standard_at_once: bool,
    /// Number of GETs of a new deployment that still return 404.
    pub hidden_gets: u32,
    /// Result of creations and updates.
    pub end: DeploymentEnd,
    /// PATCH merges `tags` into the existing ones instead of replacing them.
    pub patch_merges_tags: bool,
}

/// Header with the URL of a write's operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polling {
    /// None: the deployment itself must be polled.
    Resource,
    /// `Azure-AsyncOperation`: `{status, error}`.
    AsyncOperation,
    /// `Location`: 202 until the end, then the result.
    Location,
    /// `Azure-AsyncOperation` on another host, which must not receive a token.
    Foreign(url::Url),
}

/// Result of the creation or update of a deployment.
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
    /// Subscription that contains the account: the first one.
    pub(crate) fn subscription(&self) -> &str {
        self.tenants
            .iter()
            .flat_map(|tenant| &tenant.subscriptions)
            .map(|(id, _)| id.as_str())
            .next()
            .unwrap_or_default()
    }

    /// Row of a model; its default version if none is requested. Case-sensitive, as in the service.
    pub(crate) fn row(&self, format: &Value, name: &Value, version: Option<&Value>) -> Option<&Value> {
        let is_version = |row: &Value| match version {
            Some(version) if !version.is_null() => row["version"] == *version,
            _ => row["isDefaultVersion"] == true,
        };
        self.models.iter().find(|row| row["format"] == *format && row["name"] == *name && is_version(row))
    }
}
