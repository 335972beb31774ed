//! A deployment to create: shown, or sent and awaited.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::alternatives;
use super::checks::{Checks, DeploymentCheck, SkuChoice};
use crate::commands::account::AccountContext;
use crate::commands::deployments::existing::DeploymentCommand;
use crate::commands::deployments::wait::{await_end, show_ready};
use crate::commands::similar::similar;
use crate::console::TableStyle;
use crate::console::deployments_page::{DeploymentDryRunPage, accepted_page, dry_run_page};
use crate::console::product::{self, JsonPieces, Product};
use crate::error::{CliError, DeploySuggestions};
use azure_ai_models_core::arm::{
    AcceptedWrite, AccountModel, AccountModelView, DeployError, ModelSku, NewDeployment, QuotaShortage, WaitTarget,
};
use azure_ai_models_core::model::{Deployment, ModelListSeed, Versioned, is_fireworks};

/// A deployment to create.
#[derive(Clone, Debug)]
pub(crate) struct DeploymentPlan {
    /// Deployment to send.
    pub(crate) new: NewDeployment,
    /// Row of the catalog with the SKU, if there is one.
    pub(crate) row: Option<ModelSku>,
}

impl DeploymentPlan {
    /// SKU and capacity of the plan.
    pub(crate) fn sku_choice(&self) -> SkuChoice {
        SkuChoice { name: self.new.sku.clone(), capacity: self.new.capacity, row: self.row.clone() }
    }

    /// True if the model is one of Fireworks.
    pub(crate) fn is_fireworks(&self) -> bool {
        is_fireworks(&self.new.model.format)
    }

    /// Suggestions for errors of this plan; `again` returns the user's own command with another capacity.
    pub(crate) fn suggestions(
        &self,
        about: &DeploymentCommand<'_>,
        left: Option<u64>,
        again: &dyn Fn(u64) -> String,
    ) -> DeploySuggestions {
        let fitting =
            left.and_then(|left| self.sku_choice().range().largest_up_to(left)).filter(|fitting| *fitting > 0);
        let retry = fitting.map(again);
        DeploySuggestions { is_fireworks: self.is_fireworks(), retry, ..about.suggestions() }
    }

    /// Sends the request, and waits until the deployment is ready.
    ///
    /// # Errors
    /// Rejection by the service, or failure of the deployment.
    pub(crate) async fn create(
        &self,
        about: &DeploymentCommand<'_>,
        context: &AccountContext,
        limit: Option<Duration>,
        again: &dyn Fn(u64) -> String,
    ) -> Result<CreateOutcome, CliError> {
        let app = about.app;
        app.on_interrupt(about.interrupted_before_answer());
        let accepted = match context.deployments.create(about.name, &self.new).await {
            Ok(accepted) => accepted,
            Err(error) => return Err(self.refused(about, context, error, again).await),
        };
        let Some(limit) = limit else { return Ok(CreateOutcome::Accepted(accepted)) };
        app.console.status(&format!("Deployment '{}' is being created...", about.name));
        Ok(CreateOutcome::Ready(await_end(about, context, WaitTarget::Created(&accepted), limit).await?))
    }

    async fn refused(
        &self,
        about: &DeploymentCommand<'_>,
        context: &AccountContext,
        error: DeployError,
        again: &dyn Fn(u64) -> String,
    ) -> CliError {
        let left = match &error {
            DeployError::Refused(error) => {
                error.service().and_then(|error| QuotaShortage::read(&error.message)).map(|shortage| shortage.available)
            }
            _ => None,
        };
        let mut suggestions = self.suggestions(about, left, again);
        if left.is_some() && self.new.model.source.is_none() {
            suggestions.alternatives = alternatives::lines(about, context, self).await;
        }
        if error.is_about_content_filter() {
            // If these cannot be read, the error is sufficient without them.
            suggestions.content_filters = context.deployments.content_filters().await.unwrap_or_default();
        }
        if error.is_about_model() {
            suggestions.similar_models = self.similar_models(context).await;
        }
        CliError::deployment(error, about.name, &suggestions)
    }

    /// Models that the user may have meant: registered ones for a custom model, otherwise those of the catalog. Empty
    /// without permission to read them.
    async fn similar_models(&self, context: &AccountContext) -> Vec<String> {
        let wanted = &self.new.model.name;
        if self.new.model.source.is_some() {
            let models = context.foundry.list_models(ModelListSeed::default()).await.unwrap_or_default();
            let names = models.iter().map(Versioned::name).filter(|name| *name != wanted.as_str());
            return similar(names, wanted).into_iter().map(str::to_owned).collect();
        }
        let rows = context.deployments.arm().account_models(context.id()).await.unwrap_or_default();
        let is_it = |view: &&AccountModelView| view.name == *wanted && view.format() == self.new.model.format;
        let views = || rows.iter().map(AccountModel::view).filter(|view| !view.is_custom() && !is_it(view));
        let named = similar(views().map(|view| view.name.as_str()), wanted);
        let of_name = |name: &str| views().find(|view| view.name == name);
        let row = |view: &AccountModelView| format!("{} ({})", view.name, view.format());
        named.into_iter().filter_map(of_name).map(row).collect()
    }
}

/// Result of a creation.
pub(crate) enum CreateOutcome {
    /// Ready.
    Ready(Deployment),
    /// Accepted, and not awaited.
    Accepted(AcceptedWrite),
}

impl CreateOutcome {
    /// Shows the product of `create`.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) async fn show(self, about: &DeploymentCommand<'_>, context: &AccountContext) -> Result<(), CliError> {
        match self {
            Self::Ready(deployment) => show_ready(about, context, &deployment),
            Self::Accepted(accepted) => show_accepted(about, context, accepted).await,
        }
    }
}

/// A write that is not awaited, with the state from the response or one GET.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum PendingDeployment {
    Shown(Deployment),
    Bare(Value),
}

impl PendingDeployment {
    /// Reads the state once if the response to the write does not contain it.
    pub(crate) async fn of(about: &DeploymentCommand<'_>, context: &AccountContext, accepted: AcceptedWrite) -> Self {
        let shown = match accepted.deployment {
            Some(deployment) => Some(deployment),
            None => context.deployments.get(about.name).await.ok().flatten(),
        };
        let bare = || json!({ "name": about.name.as_str(), "properties": { "provisioningState": "Accepted" } });
        shown.map_or_else(|| Self::Bare(bare()), Self::Shown)
    }

    /// State, as far as known.
    pub(crate) fn state(&self) -> &str {
        match self {
            Self::Shown(deployment) => deployment.view().properties().provisioning_state.as_deref(),
            Self::Bare(_) => None,
        }
        .unwrap_or("Accepted")
    }
}

struct AcceptedProduct {
    name: String,
    progress: PendingDeployment,
    wait: String,
}

impl Product for AcceptedProduct {
    fn json(&self) -> JsonPieces<'_> {
        product::document(&self.progress)
    }

    fn text(&self, _: TableStyle) -> String {
        accepted_page(&self.name, self.progress.state(), &self.wait)
    }
}

/// Shows a write that is not awaited.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) async fn show_accepted(
    about: &DeploymentCommand<'_>,
    context: &AccountContext,
    accepted: AcceptedWrite,
) -> Result<(), CliError> {
    let progress = PendingDeployment::of(about, context, accepted).await;
    let wait = about.command(about.group, "wait");
    about.app.console.done(&format!("Deployment '{}' accepted", about.name));
    about.app.show(&AcceptedProduct { name: about.name.to_string(), progress, wait })
}

/// Product of `--dry-run`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeploymentDryRun<'a> {
    schema_version: u8,
    name: &'a str,
    account: &'a str,
    resource_group: &'a str,
    subscription: &'a str,
    checks: &'a [DeploymentCheck],
    requests: Vec<DeploymentRequest>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeploymentRequest {
    method: &'static str,
    path: String,
    api_version: String,
    body: Value,
}

impl Product for DeploymentDryRun<'_> {
    fn json(&self) -> JsonPieces<'_> {
        product::document(self)
    }

    fn text(&self, _: TableStyle) -> String {
        let request = self.requests.first();
        let body = request.and_then(|request| serde_json::to_string_pretty(&request.body).ok());
        dry_run_page(&DeploymentDryRunPage {
            name: self.name,
            account: self.account,
            group: self.resource_group,
            subscription: self.subscription,
            checks: &self.checks.iter().map(DeploymentCheck::line).collect::<Vec<_>>(),
            request: request
                .map(|request| format!("{} {}?api-version={}", request.method, request.path, request.api_version)),
            body,
        })
    }
}

/// Shows what would be sent; a failed check ends it with its own error.
///
/// # Errors
/// Error of the first failed check.
pub(super) fn show_dry_run(
    about: &DeploymentCommand<'_>,
    context: &AccountContext,
    checks: Checks<'_>,
    plan: Option<&DeploymentPlan>,
) -> Result<(), CliError> {
    let request = |plan: &DeploymentPlan| DeploymentRequest {
        method: "PUT",
        path: context.deployments.path(about.name),
        api_version: about.account.api_version.clone().unwrap_or_else(|| plan.new.api_version().to_owned()),
        body: plan.new.body(),
    };
    let id = context.id();
    about.app.show(&DeploymentDryRun {
        schema_version: 1,
        name: about.name.as_str(),
        account: &id.account,
        resource_group: &id.group,
        subscription: &id.subscription,
        checks: checks.all(),
        requests: plan.map(request).into_iter().collect(),
    })?;
    checks.outcome()
}
