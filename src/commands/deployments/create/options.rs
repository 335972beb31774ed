//! Options of `create` that all groups share.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::commands::account::AccountArgs;
use crate::commands::deployments::options::WaitLimitArgs;
use crate::commands::headings;
use crate::commands::number::one_or_more;
use crate::shell::option_arguments;
use azure_ai_models_core::model::{DeploymentName, Tag};

/// Options of `create` that all groups have.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = headings::DEPLOYMENT)]
pub(crate) struct CreateOptions {
    /// SKU [default: from the catalog]
    #[arg(long, value_name = "SKU", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) sku_name: Option<String>,

    /// Capacity, 1 or more [default: from the catalog]
    #[arg(long, value_name = "N", value_parser = one_or_more::<u64>)]
    pub(crate) sku_capacity: Option<u64>,

    /// Content filter (RAI policy) [default: the service's]
    #[arg(long, value_name = "POLICY", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) rai_policy: Option<String>,

    /// Deployment that receives the requests beyond the capacity
    #[arg(long, value_name = "DEPLOYMENT")]
    pub(crate) spillover: Option<DeploymentName>,

    /// Automatic upgrade of the model version
    ///
    /// OnceNewDefaultVersionAvailable, OnceCurrentVersionExpired or NoAutoUpgrade.
    #[arg(long, value_name = "OPTION", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) version_upgrade: Option<String>,

    /// Deployment tag (can be repeated)
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) tag: Vec<Tag>,

    /// Succeed if a deployment of this name has the same model
    #[arg(long, help_heading = headings::RUN)]
    pub(crate) if_not_exists: bool,

    /// Show the checks and the request, without changing anything
    #[arg(long, help_heading = headings::RUN)]
    pub(crate) dry_run: bool,

    /// Answer yes to the prompt about billing
    #[arg(short, long, help_heading = headings::RUN)]
    pub(crate) yes: bool,

    /// Return when the deployment is accepted; 'wait' waits for its result
    #[arg(long, help_heading = headings::RUN)]
    pub(crate) no_wait: bool,

    #[command(flatten)]
    pub(crate) wait_limit: WaitLimitArgs,

    #[command(flatten)]
    pub(crate) account: AccountArgs,
}

impl CreateOptions {
    /// Given options, with another capacity.
    pub(crate) fn arguments_with_capacity(&self, capacity: u64) -> Vec<String> {
        let capacity = capacity.to_string();
        let spillover = self.spillover.as_ref().map(DeploymentName::as_str);
        let values = [
            ("--sku-name", self.sku_name.as_deref()),
            ("--sku-capacity", Some(capacity.as_str())),
            ("--rai-policy", self.rai_policy.as_deref()),
            ("--spillover", spillover),
            ("--version-upgrade", self.version_upgrade.as_deref()),
        ];
        let mut arguments: Vec<String> =
            values.into_iter().filter_map(|(name, value)| Some(option_arguments(name, value?))).flatten().collect();
        for Tag { key, value } in &self.tag {
            arguments.extend(option_arguments("--tag", &format!("{key}={value}")));
        }
        let switches = [("--if-not-exists", self.if_not_exists), ("--yes", self.yes), ("--no-wait", self.no_wait)];
        arguments.extend(switches.iter().filter(|(_, given)| *given).map(|(name, _)| (*name).to_owned()));
        arguments
    }
}
