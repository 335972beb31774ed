//! Deployment that `custom create --deploy` creates for the model that it registers: checked and confirmed before the
//! upload, created after the registration.

use std::time::Duration;

use serde_json::Value;

use super::custom_plan::plan;
use super::plan::PendingDeployment;
use super::registered::{DeployTarget, custom_model};
use super::{Checks, CreateOptions, CreateOutcome, DeploymentPlan, NameLookup, confirm_billed, report_plan};
use crate::app::App;
use crate::commands::account::{AccountArgs, AccountContext, access_of};
use crate::commands::deployments::Group;
use crate::commands::deployments::existing::DeploymentCommand;
use crate::commands::deployments::products::DeploymentPage;
use crate::console::TableStyle;
use crate::console::deployments_page::accepted_page;
use crate::console::product::Product;
use crate::error::CliError;
use crate::shell::option_arguments;
use azure_ai_models_core::foundry::FoundryClient;
use azure_ai_models_core::model::{DeploymentName, ModelName, ModelVersion};

/// Deployment options of `custom create`.
#[derive(Clone, Debug)]
pub(crate) struct DeployRequest {
    /// Name of the deployment.
    pub(crate) name: DeploymentName,
    /// SKU, if given.
    pub(crate) sku_name: Option<String>,
    /// Capacity, if given.
    pub(crate) sku_capacity: Option<u64>,
    /// True to answer all prompts with yes.
    pub(crate) yes: bool,
    /// Time limit of the wait; `None` if the end is not awaited.
    pub(crate) limit: Option<Duration>,
}

impl DeployRequest {
    /// Name and SKU as options of `deployments create`.
    pub(crate) fn options(&self) -> Vec<String> {
        let mut options = option_arguments("--name", self.name.as_str());
        options.extend(self.sku_name.iter().flat_map(|name| option_arguments("--sku-name", name)));
        options.extend(self.sku_capacity.iter().flat_map(|n| option_arguments("--sku-capacity", &n.to_string())));
        options
    }
}

/// A deployment whose checks passed and that the user agreed to.
pub(crate) struct PreparedDeployment {
    request: DeployRequest,
    account: AccountArgs,
    context: AccountContext,
    plan: DeploymentPlan,
}

/// Deployment in the output of `custom create`.
pub(crate) struct DeploymentSection {
    /// Value of the key `deployment`.
    pub(crate) json: Value,
    /// Text below the page of the model.
    pub(crate) text: String,
}

impl DeployRequest {
    /// Runs the checks, and asks for consent to the billing. The model itself is not registered yet.
    ///
    /// # Errors
    /// A failed check, or a declined prompt.
    pub(crate) async fn prepare(
        &self,
        app: &App,
        foundry: &FoundryClient,
        model: &ModelName,
        base_model: Option<String>,
    ) -> Result<PreparedDeployment, CliError> {
        let options = CreateOptions {
            sku_name: self.sku_name.clone(),
            sku_capacity: self.sku_capacity,
            ..CreateOptions::default()
        };
        let account = AccountArgs::default();
        let context = access_of(app, &account, foundry.clone()).await?.full()?;
        let about =
            DeploymentCommand { app, account: &account, group: Group::Custom, verb: "create", name: &self.name };
        let mut checks = Checks::new(&about, &context, false);
        if let NameLookup::Taken(deployment) = checks.check_name().await? {
            checks.name_is_taken(&deployment, &taken(&about));
        }
        // Only the registration determines the version, and no check depends on it.
        let model = custom_model(&context, model, "1");
        let target = DeployTarget { model, draft: None, base_model };
        let plan = plan(&mut checks, &about, &context, target, &options).await?;
        if let Some(plan) = &plan {
            let suggestions =
                |left| plan.suggestions(&about, Some(left), &|capacity| self.command(app, plan, capacity));
            checks.read_and_check_quota(&plan.sku_choice(), true, &suggestions).await?;
        }
        checks.outcome()?;
        let plan = plan.ok_or_else(|| CliError::failure("nothing to deploy"))?;
        report_plan(app, &context, self.name.as_str(), &plan);
        confirm_billed(app, self.yes).await?;
        Ok(PreparedDeployment { request: self.clone(), account, context, plan })
    }

    /// Command that deploys the registered model.
    fn command(&self, app: &App, plan: &DeploymentPlan, capacity: u64) -> String {
        let (model, capacity) = (&plan.new.model, capacity.to_string());
        let args = [
            "custom",
            "deployments",
            "create",
            "--name",
            self.name.as_str(),
            "--model",
            &model.name,
            "--model-version",
            &model.version,
            "--sku-name",
            &plan.new.sku,
            "--sku-capacity",
            &capacity,
        ];
        app.command_line(&args)
    }
}

/// Suggestion if the name is in use.
fn taken(about: &DeploymentCommand<'_>) -> String {
    format!(
        "Use another name with --deploy NAME. To show the existing deployment:\n  {}",
        about.command(Group::All, "show")
    )
}

impl PreparedDeployment {
    /// Deploys the registered version.
    ///
    /// # Errors
    /// Failure of the deployment; the model stays registered, which is reported.
    pub(crate) async fn deploy(&self, app: &App, version: &ModelVersion) -> Result<DeploymentSection, CliError> {
        let mut plan = self.plan.clone();
        plan.new.model.version = version.to_string();
        let again = |capacity| self.request.command(app, &plan, capacity);
        let outcome = self.create(app, &plan, &again).await;
        outcome.map_err(|error| {
            let model = &plan.new.model.name;
            let suggestion = format!(
                "The model is registered. After fixing the problem, deploy it:\n  {}",
                again(plan.new.capacity)
            );
            error
                .and_message(&format!("Model '{model}' (version {version}) is registered but not deployed."))
                .and_suggestion(&suggestion)
        })
    }

    async fn create(
        &self,
        app: &App,
        plan: &DeploymentPlan,
        again: &dyn Fn(u64) -> String,
    ) -> Result<DeploymentSection, CliError> {
        let Self { request, account, context, .. } = self;
        let about = DeploymentCommand { app, account, group: Group::Custom, verb: "create", name: &request.name };
        // Checked again: the upload may have taken hours, and PUT over an existing deployment changes it.
        if let Some(deployment) = context.deployments.get(&request.name).await? {
            let mut checks = Checks::new(&about, context, false);
            checks.name_is_taken(&deployment, &taken(&about));
            checks.outcome()?;
        }
        let wait = about.command(Group::Custom, "wait");
        let bad = |_| CliError::unexpected_response("a deployment that is not valid JSON");
        match plan.create(&about, context, request.limit, again).await? {
            CreateOutcome::Ready(deployment) => {
                app.console.done(&format!("Deployment '{}' is ready", request.name));
                let page = DeploymentPage { deployment: &deployment, context, wait };
                let text = page.text(TableStyle { width: None, summary: true });
                Ok(DeploymentSection { json: serde_json::to_value(&deployment).map_err(bad)?, text })
            }
            CreateOutcome::Accepted(accepted) => {
                let progress = PendingDeployment::of(&about, context, accepted).await;
                app.console.done(&format!("Deployment '{}' accepted", request.name));
                let text = accepted_page(request.name.as_str(), progress.state(), &wait);
                Ok(DeploymentSection { json: serde_json::to_value(&progress).map_err(bad)?, text })
            }
        }
    }
}
