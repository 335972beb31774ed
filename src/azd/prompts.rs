//! azd's own questions; it draws them on the terminal, and they take as long as the person does.

use super::error::HostError;
use super::host::{AzdHost, answer};
use super::proto::prompt_service_client::PromptServiceClient;
use super::proto::{
    AzureContext, AzureScope, ConfirmOptions, ConfirmRequest, PromptOptions, PromptRequest, PromptResourceGroupOptions,
    PromptResourceGroupRequest, PromptResourceGroupResourceRequest, PromptResourceOptions, PromptResourceSelectOptions,
    PromptSubscriptionRequest, SelectChoice, SelectOptions, SelectRequest,
};

const PROJECT_TYPE: &str = "Microsoft.CognitiveServices/accounts/projects";

/// A subscription that the person chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PickedSubscription {
    /// Its id.
    pub id: String,
    /// The tenant for tokens: the one that the person reaches it through.
    pub tenant: String,
}

/// A resource group that the person chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PickedGroup {
    /// Its name.
    pub name: String,
}

/// A Foundry project that the person chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PickedProject {
    /// Its ARM id.
    pub id: String,
    /// Its region.
    pub location: String,
}

impl AzdHost {
    /// Asks for a subscription.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn ask_subscription(&self) -> Result<PickedSubscription, HostError> {
        let request = PromptSubscriptionRequest {
            message: "Select the subscription of the Foundry project".into(),
            help_message: String::new(),
        };
        let picked = answer(PromptServiceClient::new(self.line()).prompt_subscription(request).await)?;
        let picked = picked.subscription.ok_or_else(nothing)?;
        let tenant = if picked.user_tenant_id.is_empty() { picked.tenant_id } else { picked.user_tenant_id };
        Ok(PickedSubscription { id: picked.id, tenant })
    }

    /// Asks for a resource group that is there.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn ask_group(&self, subscription: &str, tenant: &str) -> Result<PickedGroup, HostError> {
        let select = existing("Select the resource group of the Foundry project");
        let request = PromptResourceGroupRequest {
            azure_context: context(subscription, tenant, ""),
            options: Some(PromptResourceGroupOptions { select_options: Some(select) }),
        };
        let picked = answer(PromptServiceClient::new(self.line()).prompt_resource_group(request).await)?;
        Ok(PickedGroup { name: picked.resource_group.ok_or_else(nothing)?.name })
    }

    /// Asks for a Foundry project that is there.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn ask_project(&self, subscription: &str, tenant: &str, group: &str) -> Result<PickedProject, HostError> {
        let request = PromptResourceGroupResourceRequest {
            azure_context: context(subscription, tenant, group),
            options: Some(PromptResourceOptions {
                resource_type: PROJECT_TYPE.into(),
                kinds: Vec::new(),
                resource_type_display_name: "Foundry project".into(),
                select_options: Some(existing("Select the Foundry project")),
            }),
        };
        let picked = answer(PromptServiceClient::new(self.line()).prompt_resource_group_resource(request).await)?;
        let picked = picked.resource.ok_or_else(nothing)?;
        Ok(PickedProject { id: picked.id, location: picked.location })
    }

    /// Asks for a line of text.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn ask_text(&self, message: &str, default: &str) -> Result<String, HostError> {
        let options = PromptOptions {
            message: message.to_owned(),
            required: true,
            default_value: default.to_owned(),
            ..PromptOptions::default()
        };
        let request = PromptRequest { options: Some(options) };
        Ok(answer(PromptServiceClient::new(self.line()).prompt(request).await)?.value)
    }

    /// Asks yes or no.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn ask_yes(&self, message: &str, default: bool) -> Result<bool, HostError> {
        let options =
            ConfirmOptions { default_value: Some(default), message: message.to_owned(), help_message: String::new() };
        let request = ConfirmRequest { options: Some(options) };
        Ok(answer(PromptServiceClient::new(self.line()).confirm(request).await)?.value.unwrap_or(default))
    }

    /// Asks for one of these; its place in the list.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn ask_one_of(&self, message: &str, labels: &[String]) -> Result<usize, HostError> {
        let choices = labels.iter().map(|label| SelectChoice { value: label.clone(), label: label.clone() }).collect();
        let options = SelectOptions { message: message.to_owned(), choices, ..SelectOptions::default() };
        let request = SelectRequest { options: Some(options) };
        let picked = answer(PromptServiceClient::new(self.line()).select(request).await)?.value;
        picked.and_then(|at| usize::try_from(at).ok()).filter(|at| *at < labels.len()).ok_or_else(nothing)
    }
}

/// Presence matters: without it azd offers to make a new one.
fn existing(message: &str) -> PromptResourceSelectOptions {
    PromptResourceSelectOptions {
        allow_new_resource: Some(false),
        message: message.to_owned(),
        ..PromptResourceSelectOptions::default()
    }
}

fn context(subscription: &str, tenant: &str, group: &str) -> Option<AzureContext> {
    let scope = AzureScope {
        tenant_id: tenant.to_owned(),
        subscription_id: subscription.to_owned(),
        location: String::new(),
        resource_group: group.to_owned(),
    };
    Some(AzureContext { scope: Some(scope), resources: Vec::new() })
}

fn nothing() -> HostError {
    HostError::Refused { message: "nothing was chosen".into(), suggestion: None }
}
