//! `deployments wait`, and the wait at the end of other commands.

use std::cell::RefCell;
use std::time::Duration;

use clap::Args;

use super::Group;
use super::existing::{DeploymentCommand, with_draft};
use super::options::WaitLimitArgs;
use super::products::DeploymentPage;
use crate::app::App;
use crate::commands::account::{AccountArgs, AccountContext, access};
use crate::console::ProgressMode;
use crate::error::{CliError, DeploySuggestions, ErrorCode, ErrorKind};
use azure_ai_models_core::arm::{AcceptedWrite, DeployError, DeployStatus, WaitTarget};
use azure_ai_models_core::model::{Deployment, DeploymentName, is_fireworks};

/// Options of `deployments wait`.
#[derive(Args, Debug)]
pub(crate) struct DeploymentWaitArgs {
    /// Deployment name
    #[arg(short, long, value_name = "NAME")]
    name: DeploymentName,

    #[command(flatten)]
    wait_limit: WaitLimitArgs,

    #[command(flatten)]
    account: AccountArgs,
}

impl DeploymentWaitArgs {
    /// Progress mode of the command.
    pub(super) fn progress(&self) -> ProgressMode {
        self.wait_limit.progress()
    }
}

/// Waits until a deployment of this group is ready, failed or gone.
pub(super) async fn wait(app: &App, group: Group, args: DeploymentWaitArgs) -> Result<(), CliError> {
    let about = DeploymentCommand { app, account: &args.account, group, verb: "wait", name: &args.name };
    let context = access(app, &args.account).await?.full()?;
    // A deployment of another group is reported before the wait.
    if let Some(deployment) = context.deployments.get(&args.name).await? {
        about.check_group(deployment.view())?;
    }
    let deployment = await_end(&about, &context, WaitTarget::Known, args.wait_limit.limit(app)).await?;
    let deployment = with_draft(&context, &args.name, deployment).await;
    show_ready(&about, &context, &deployment)
}

/// Waits for a deployment and shows the progress; on Ctrl+C it reports the deployment's state.
///
/// # Errors
/// When the deployment failed, or its end is unknown.
pub(super) async fn await_end(
    about: &DeploymentCommand<'_>,
    context: &AccountContext,
    expected: WaitTarget<'_>,
    limit: Duration,
) -> Result<Deployment, CliError> {
    let app = about.app;
    app.on_interrupt(about.interrupted("is still being deployed", "wait"));
    let view = RefCell::new(app.console.deploy_view(about.name.as_str(), app.timings.status_line));
    let mut on = |status: DeployStatus| view.borrow_mut().on(&status.status, status.elapsed);
    let ended = context.deployments.wait(about.name, expected, limit, &mut on).await;
    let deployment = match ended {
        Ok(deployment) => deployment,
        Err(DeployError::NotFound) => return Err(about.missing(&context.deployments).await),
        Err(error) => return Err(about.explain(error)),
    };
    let version = deployment.view().model().and_then(|model| model.version.as_deref()).unwrap_or_default();
    let state = deployment.view().properties().provisioning_state.as_deref().unwrap_or_default();
    view.borrow_mut().done(about.name.as_str(), version, state);
    drop(view);
    Ok(deployment)
}

/// Waits until a deployment is gone.
///
/// # Errors
/// When it cannot be deleted, or its end is unknown.
pub(super) async fn await_gone(
    about: &DeploymentCommand<'_>,
    context: &AccountContext,
    accepted: &AcceptedWrite,
    limit: Duration,
) -> Result<(), CliError> {
    let app = about.app;
    app.on_interrupt(about.interrupted("is still being deleted", "show"));
    let view = RefCell::new(app.console.deploy_view(about.name.as_str(), app.timings.status_line));
    let mut on = |status: DeployStatus| view.borrow_mut().on(&status.status, status.elapsed);
    let ended = context.deployments.wait_gone(about.name, accepted, limit, &mut on).await;
    ended.map_err(|error| about.explain(error))?;
    view.borrow_mut().done(about.name.as_str(), "", "Deleted");
    Ok(())
}

/// Shows a deployment that is ready.
///
/// # Errors
/// When standard output cannot be written.
pub(super) fn show_ready(
    about: &DeploymentCommand<'_>,
    context: &AccountContext,
    deployment: &Deployment,
) -> Result<(), CliError> {
    let app = about.app;
    app.console.done(&format!("Deployment '{}' is ready", about.name));
    app.console.gap();
    let wait = about.command(Group::of_kind(deployment.view().kind()), "wait");
    app.show(&DeploymentPage { deployment, context, wait })
}

impl DeploymentCommand<'_> {
    /// Error for a wait that Ctrl+C ended.
    pub(super) fn interrupted(&self, still: &str, verb: &str) -> CliError {
        let command = self.command(self.group, verb);
        CliError::deployment_interrupted(&format!("Interrupted. Deployment '{}' {still}.", self.name), &command)
    }

    /// Error for an interruption before the service accepted the write: a request may or may not be in flight.
    pub(super) fn interrupted_before_answer(&self) -> CliError {
        let message = format!("Interrupted before the service accepted deployment '{}'.", self.name);
        let show = self.command(self.group, "show");
        CliError::new(ErrorKind::Interrupted, message)
            .with_code(ErrorCode::DeploymentInterrupted)
            .with_suggestion(format!("To check whether it exists:\n  {show}"))
    }

    /// Error for a failed write or wait.
    pub(super) fn explain(&self, error: DeployError) -> CliError {
        CliError::deployment(error, self.name, &self.suggestions())
    }

    /// Error for a rejected change, with the alternatives of the account.
    pub(super) async fn refused(&self, context: &AccountContext, error: DeployError, format: Option<&str>) -> CliError {
        let is_fireworks = format.is_some_and(is_fireworks);
        let content_filters = match error.is_about_content_filter() {
            // If these cannot be read, the error is sufficient without them.
            true => context.deployments.content_filters().await.unwrap_or_default(),
            false => Vec::new(),
        };
        CliError::deployment(
            error,
            self.name,
            &DeploySuggestions { is_fireworks, content_filters, ..self.suggestions() },
        )
    }

    /// Suggestions for errors about this deployment.
    pub(super) fn suggestions(&self) -> DeploySuggestions {
        let verb = if self.verb == "delete" { "show" } else { "wait" };
        let [show_command, delete] = [verb, "delete"].map(|verb| self.command(self.group, verb));
        DeploySuggestions { show_command, delete, ..DeploySuggestions::default() }
    }
}
