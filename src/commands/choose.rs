//! Choice of the Foundry project: prompted by azd if azd runs this program, otherwise on this program's terminal.
//! Without a prompt, the default project or the only one.

use std::collections::BTreeMap;

use super::finder::{LocatedProject, ProjectFinder};
use crate::app::App;
use crate::error::CliError;
use azure_ai_models_core::arm::{FoundryProject, ProjectId};
use azure_ai_models_core::azd::{self, AzdSubscription};
use azure_ai_models_core::project::{EnvironmentValues, FindError, ResolvedProject};

/// Asks for a project for this run only.
///
/// # Errors
/// When nothing was chosen, or ARM does not list the projects.
pub(crate) async fn choose_for_run(
    app: &App,
    subscription: Option<String>,
    tenant: Option<String>,
) -> Result<ResolvedProject, CliError> {
    let finder = ProjectFinder::new(app, None, tenant)?;
    app.console.status("No Foundry project is configured.");
    let located = choose(&finder, app.globals.subscription.clone().or(subscription)).await.map_err(|error| {
        // azd cannot prompt in this run: the error lists the options.
        if error.is_missing_answer() { FindError::NotConfigured.into() } else { error }
    })?;
    let tip = app.command_line(&["init"]);
    app.console.notice(&format!("Tip: to keep this choice in an azd environment, run: {tip}"));
    let values: BTreeMap<String, String> =
        located.values().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let values = EnvironmentValues::new("", values, &app.env);
    Ok(ResolvedProject::chosen(located.endpoint, Some(located.tenant), values))
}

async fn choose(finder: &ProjectFinder<'_>, subscription: Option<String>) -> Result<LocatedProject, CliError> {
    let subscription = match subscription {
        Some(id) => finder.subscription(&id).await?,
        None => finder.choose_subscription().await?,
    };
    finder.choose_project(&subscription).await
}

impl ProjectFinder<'_> {
    /// Subscription that the user chooses; without a prompt the default: `named` by the user, azd's default one, or the
    /// only one.
    ///
    /// # Errors
    /// When there is none, or there are several and no prompt is possible.
    pub(crate) async fn choose_or_default_subscription(
        &self,
        named: Option<&str>,
    ) -> Result<AzdSubscription, CliError> {
        if self.app.can_choose() {
            match self.choose_subscription().await {
                Err(error) if error.is_missing_answer() => {}
                outcome => return outcome,
            }
        }
        let default = || {
            let stored = azd::default_subscription(&self.app.env.azd_config_dir()?);
            stored.unwrap_or_else(|error| {
                self.app.console.warn(&error.to_string());
                None
            })
        };
        if let Some(id) = named.map(str::to_owned).or_else(default) {
            return self.subscription(&id).await;
        }
        let mut all = self.subscriptions().await?;
        match all.len() {
            0 => Err(CliError::no_subscriptions()),
            1 => Ok(all.swap_remove(0)),
            _ => Err(CliError::open_subscription(all.iter().map(row))),
        }
    }

    /// Project of the subscription that the user chooses; without a prompt the only one.
    ///
    /// # Errors
    /// When there is none, or there are several and no prompt is possible.
    pub(crate) async fn choose_or_only_project(
        &self,
        subscription: &AzdSubscription,
    ) -> Result<LocatedProject, CliError> {
        if self.app.can_choose() {
            match self.choose_project(subscription).await {
                Err(error) if error.is_missing_answer() => {}
                outcome => return outcome,
            }
        }
        let arm = self.arm(&subscription.tenant)?;
        let mut all = Vec::new();
        for account in arm.accounts(&subscription.id).await? {
            all.extend(arm.projects(&account).await?);
        }
        match all.len() {
            0 => Err(CliError::no_projects(&subscription.id)),
            1 => self.locate(all.swap_remove(0), subscription, None),
            _ => Err(CliError::open_project(&subscription.id, all.iter().map(|one| one.id.to_string()))),
        }
    }

    /// Asks for a subscription.
    ///
    /// # Errors
    /// When there is none, or none was chosen.
    pub(crate) async fn choose_subscription(&self) -> Result<AzdSubscription, CliError> {
        const QUESTION: &str = "Select an Azure subscription";
        if let Some(host) = &self.host {
            return host.choose_subscription(QUESTION).await.map_err(|error| self.failed(error));
        }
        let mut all = self.subscriptions().await?;
        if all.is_empty() {
            return Err(CliError::no_subscriptions());
        }
        let rows = all.iter().map(row).collect();
        Ok(all.swap_remove(self.app.select(QUESTION, rows).await?))
    }

    /// Asks for a project of the subscription: resource group, then project.
    ///
    /// # Errors
    /// When there is none, or none was chosen.
    pub(crate) async fn choose_project(&self, subscription: &AzdSubscription) -> Result<LocatedProject, CliError> {
        const GROUP: &str = "Select a resource group";
        const PROJECT: &str = "Select a Foundry project";
        if let Some(host) = &self.host {
            let failed = |error| self.failed(error);
            let group = host.choose_resource_group(subscription, GROUP).await.map_err(failed)?;
            let chosen = host.choose_foundry_project(subscription, &group.name, PROJECT).await.map_err(failed)?;
            let id = ProjectId::parse(&chosen.id)
                .map_err(|_| CliError::unexpected_response("a project without an ARM id"))?;
            return self.project(subscription, &id, None).await;
        }
        let arm = self.arm(&subscription.tenant)?;
        let accounts = arm.accounts(&subscription.id).await?;
        let mut groups: Vec<&str> = accounts.iter().filter_map(|account| account.group()).collect();
        groups.sort_unstable_by_key(|group| group.to_lowercase());
        groups.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
        if groups.is_empty() {
            return Err(CliError::no_projects(&subscription.id));
        }
        let rows = groups.iter().map(|&group| group.to_owned()).collect();
        let group = groups[self.app.select(GROUP, rows).await?];
        let mut projects = Vec::new();
        let here = accounts.iter().filter(|account| account.group().is_some_and(|one| one.eq_ignore_ascii_case(group)));
        for account in here {
            projects.extend(arm.projects(account).await?);
        }
        if projects.is_empty() {
            return Err(CliError::no_projects(&subscription.id));
        }
        let row = |one: &FoundryProject| format!("{} ({}, {})", one.id.project, one.id.account, one.location);
        let rows = projects.iter().map(row).collect();
        let project = projects.swap_remove(self.app.select(PROJECT, rows).await?);
        self.locate(project, subscription, None)
    }
}

/// Text of a subscription in a list.
fn row(one: &AzdSubscription) -> String {
    format!("{} ({})", one.name, one.id)
}
