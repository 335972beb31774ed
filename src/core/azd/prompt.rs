//! Prompts that azd shows on its own terminal. Nothing may be drawn while a prompt is open.
//!
//! They have no timeout, since they wait for the user. If azd may not prompt, it returns the given default or rejects
//! the call.

use tonic::transport::Channel;

use super::host::without_limit;
use super::proto::prompt_service_client::PromptServiceClient;
use super::proto::{self, AzureContext, AzureScope, PromptResourceSelectOptions};
use super::{AzdSubscription, Host, HostError, RefusalKind};

/// ARM type of a Foundry project.
const PROJECT_TYPE: &str = "Microsoft.CognitiveServices/accounts/projects";

/// Resource that the user chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChosenResource {
    /// ARM id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Azure region.
    pub location: String,
}

/// Prompt for a model of the catalog.
#[derive(Clone, Copy, Debug)]
pub struct ModelQuestion<'a> {
    /// Text of the prompt.
    pub message: &'a str,
    /// Tenant of the subscription; empty if unknown.
    pub tenant: &'a str,
    /// Subscription.
    pub subscription: &'a str,
    /// Azure region whose models are offered.
    pub location: &'a str,
    /// Format of the models that are offered; `None` for any.
    pub format: Option<&'a str>,
}

impl Host {
    /// Prompts for yes or no.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn confirm(&self, message: &str, default: Option<bool>) -> Result<bool, HostError> {
        let options =
            proto::ConfirmOptions { message: message.to_owned(), default_value: default, ..Default::default() };
        let request = self.request(proto::ConfirmRequest { options: Some(options) });
        let answer = without_limit(self.prompt_service()?.confirm(request)).await?;
        answer.value.ok_or_else(|| nothing("answer"))
    }

    /// Prompts for one line of text, not empty.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn text(&self, message: &str, default: &str) -> Result<String, HostError> {
        let options = proto::PromptOptions {
            message: message.to_owned(),
            default_value: default.to_owned(),
            required: true,
            ..Default::default()
        };
        let request = self.request(proto::PromptRequest { options: Some(options) });
        Ok(without_limit(self.prompt_service()?.prompt(request)).await?.value)
    }

    /// Prompts for one of several choices; returns its index.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn select(&self, message: &str, choices: &[String], selected: Option<usize>) -> Result<usize, HostError> {
        let choice = |text: &String| proto::SelectChoice { value: text.clone(), label: text.clone() };
        let options = proto::SelectOptions {
            message: message.to_owned(),
            choices: choices.iter().map(choice).collect(),
            selected_index: selected.and_then(|index| i32::try_from(index).ok()),
            ..Default::default()
        };
        let request = self.request(proto::SelectRequest { options: Some(options) });
        let answer = without_limit(self.prompt_service()?.select(request)).await?;
        let index = answer.value.and_then(|index| usize::try_from(index).ok());
        index.filter(|index| *index < choices.len()).ok_or_else(|| nothing("choice"))
    }

    /// Prompts for a subscription.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn choose_subscription(&self, message: &str) -> Result<AzdSubscription, HostError> {
        let message = proto::PromptSubscriptionRequest { message: message.to_owned(), ..Default::default() };
        let answer = without_limit(self.prompt_service()?.prompt_subscription(self.request(message))).await;
        let answer = answer.map_err(|error| error.while_doing(|| "listing the subscriptions".to_owned()))?;
        answer.subscription.map(AzdSubscription::from).ok_or_else(|| nothing("subscription"))
    }

    /// Prompts for a resource group of the subscription; azd does not offer to create one.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn choose_resource_group(
        &self,
        subscription: &AzdSubscription,
        message: &str,
    ) -> Result<ChosenResource, HostError> {
        let options = proto::PromptResourceGroupOptions { select_options: Some(existing_only(message)) };
        let request = proto::PromptResourceGroupRequest {
            azure_context: Some(context(subscription, "")),
            options: Some(options),
        };
        let answer = without_limit(self.prompt_service()?.prompt_resource_group(self.request(request))).await;
        let purpose = || format!("listing the resource groups of subscription {}", subscription.id);
        let answer = answer.map_err(|error| error.while_doing(purpose))?;
        let group = answer.resource_group.ok_or_else(|| nothing("resource group"))?;
        Ok(ChosenResource { id: group.id, name: group.name, location: group.location })
    }

    /// Prompts for a Foundry project of the resource group; azd does not offer to create one.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn choose_foundry_project(
        &self,
        subscription: &AzdSubscription,
        group: &str,
        message: &str,
    ) -> Result<ChosenResource, HostError> {
        let options = proto::PromptResourceOptions {
            resource_type: PROJECT_TYPE.to_owned(),
            resource_type_display_name: "Foundry project".to_owned(),
            select_options: Some(existing_only(message)),
            ..Default::default()
        };
        let request = proto::PromptResourceGroupResourceRequest {
            azure_context: Some(context(subscription, group)),
            options: Some(options),
        };
        let answer = without_limit(self.prompt_service()?.prompt_resource_group_resource(self.request(request))).await;
        let purpose = || format!("listing the Foundry projects of resource group '{group}'");
        let answer = answer.map_err(|error| error.while_doing(purpose))?;
        let chosen = answer.resource.ok_or_else(|| nothing("project"))?;
        Ok(ChosenResource { id: chosen.id, name: chosen.name, location: chosen.location })
    }

    /// Prompts for a model of the catalog, which azd reads itself; returns its name.
    ///
    /// # Errors
    /// See [`HostError`]; older versions of azd do not support this prompt.
    pub async fn choose_ai_model(&self, question: &ModelQuestion<'_>) -> Result<String, HostError> {
        let ModelQuestion { message, tenant, subscription, location, format } = *question;
        let subscription = AzdSubscription { id: subscription.into(), name: String::new(), tenant: tenant.into() };
        let filter = proto::AiModelFilterOptions {
            locations: vec![location.to_owned()],
            formats: format.into_iter().map(str::to_owned).collect(),
        };
        let request = proto::PromptAiModelRequest {
            azure_context: Some(context(&subscription, "")),
            filter: Some(filter),
            select_options: Some(proto::SelectOptions { message: message.to_owned(), ..Default::default() }),
        };
        let answer = without_limit(self.prompt_service()?.prompt_ai_model(self.request(request))).await?;
        let name = answer.model.map(|model| model.name).filter(|name| !name.is_empty());
        name.ok_or_else(|| nothing("model"))
    }

    fn prompt_service(&self) -> Result<PromptServiceClient<Channel>, HostError> {
        Ok(PromptServiceClient::new(self.channel()?))
    }
}

/// Restricts the choice to existing resources: azd offers a new one by default.
fn existing_only(message: &str) -> PromptResourceSelectOptions {
    PromptResourceSelectOptions { allow_new_resource: Some(false), message: message.to_owned(), ..Default::default() }
}

fn context(subscription: &AzdSubscription, group: &str) -> AzureContext {
    let scope = AzureScope {
        tenant_id: subscription.tenant.clone(),
        subscription_id: subscription.id.clone(),
        resource_group: group.to_owned(),
        ..Default::default()
    };
    AzureContext { scope: Some(scope), resources: Vec::new() }
}

fn nothing(what: &str) -> HostError {
    HostError::Refused {
        refusal: RefusalKind::Other,
        message: format!("its response contains no {what}"),
        suggestion: None,
    }
}
