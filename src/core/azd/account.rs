//! Subscriptions of the account that is signed in to azd, and azd commands that azd runs for this program.

use super::host::{with_limit, without_limit};
use super::proto::account_service_client::AccountServiceClient;
use super::proto::workflow_service_client::WorkflowServiceClient;
use super::proto::{self, ListSubscriptionsRequest, LookupTenantRequest, RunWorkflowRequest};
use super::{Host, HostError};

/// Subscription of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AzdSubscription {
    /// Subscription id.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Tenant through which the user has access: the one to request tokens from.
    pub tenant: String,
}

impl From<proto::Subscription> for AzdSubscription {
    fn from(one: proto::Subscription) -> Self {
        // Older hosts omit the user's own tenant.
        let tenant = if one.user_tenant_id.is_empty() { one.tenant_id } else { one.user_tenant_id };
        Self { id: one.id, name: one.name, tenant }
    }
}

impl Host {
    /// Lists all subscriptions, or those of one tenant.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn subscriptions(&self, tenant: Option<&str>) -> Result<Vec<AzdSubscription>, HostError> {
        let mut client = AccountServiceClient::new(self.channel()?);
        let message = ListSubscriptionsRequest { tenant_id: tenant.map(str::to_owned) };
        let answer = with_limit(self.timings().request, client.list_subscriptions(self.request(message))).await;
        let answer = answer.map_err(|error| error.while_doing(|| "listing the subscriptions".to_owned()))?;
        Ok(answer.subscriptions.into_iter().map(AzdSubscription::from).collect())
    }

    /// Returns the tenant through which the user has access to a subscription.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn tenant_of(&self, subscription: &str) -> Result<String, HostError> {
        let mut client = AccountServiceClient::new(self.channel()?);
        let message = LookupTenantRequest { subscription_id: subscription.to_owned() };
        let answer = with_limit(self.timings().request, client.lookup_tenant(self.request(message))).await;
        let purpose = || format!("looking up the tenant of subscription {subscription}");
        Ok(answer.map_err(|error| error.while_doing(purpose))?.tenant_id)
    }

    /// Runs one azd command inside azd, on the same terminal; `args` excludes the word `azd`. azd does not print the
    /// command's error, so the caller must.
    ///
    /// # Errors
    /// See [`HostError`]; `AlreadyExists` for an existing environment.
    pub async fn run(&self, args: &[&str]) -> Result<(), HostError> {
        let mut client = WorkflowServiceClient::new(self.channel()?);
        let command = proto::WorkflowCommand { args: args.iter().map(|&arg| arg.to_owned()).collect() };
        let steps = vec![proto::WorkflowStep { command: Some(command) }];
        let workflow = proto::Workflow { name: args.first().copied().unwrap_or_default().to_owned(), steps };
        let run = without_limit(client.run(self.request(RunWorkflowRequest { workflow: Some(workflow) }))).await;
        run.map(drop).map_err(|error| error.of_command(args))
    }
}
