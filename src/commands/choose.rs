//! A Foundry project by ARM: the one that options name, or the one that a person chooses: in azd's own voice when azd
//! runs the program, else on the program's terminal.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::App;
use crate::error::CliError;
use azure_ai_models_core::arm::{ArmClient, ArmEndpoint, FoundryProject, ProjectId};
use azure_ai_models_core::azd::{Host, HostError, Subscription};
use azure_ai_models_core::credential::{Audience, Target, TokenSource};
use azure_ai_models_core::env::var;
use azure_ai_models_core::project::{Cloud, Found, ProjectEndpoint, Values};

/// Looks for projects. `endpoint` is the one that is looked for, if it is known: its cloud decides where ARM is.
pub(crate) struct Finder<'a> {
    app: &'a App,
    host: Option<Host>,
    arm: ArmEndpoint,
    /// The host that the scope of tokens follows.
    cloud_of: String,
    /// Tenant that is tried first.
    tenant: Option<String>,
}

/// A project and the way to it.
pub(crate) struct Place {
    pub(crate) project: FoundryProject,
    pub(crate) endpoint: ProjectEndpoint,
    pub(crate) tenant: String,
}

/// The light prompt: a project for this run alone.
///
/// # Errors
/// When nothing was chosen, or ARM does not tell what there is.
pub(crate) async fn light(app: &App, subscription: Option<String>, tenant: Option<String>) -> Result<Found, CliError> {
    let finder = Finder::new(app, None, tenant)?;
    app.console.status("No Foundry project is configured.");
    let subscription = match app.globals.subscription.clone().or(subscription) {
        Some(id) => finder.subscription(&id).await?,
        None => finder.choose_subscription().await?,
    };
    let place = finder.choose_project(&subscription).await?;
    let tip = app.command_line(&["init"]);
    app.console.notice(&format!("Tip: to keep this choice in an azd environment, run: {tip}"));
    let values: BTreeMap<String, String> =
        place.values().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let values = Values::new("", values, &app.env);
    Ok(Found::chosen(place.endpoint, Some(place.tenant), values))
}

impl Place {
    /// What `init` stores.
    pub(crate) fn values(&self) -> [(&'static str, String); 7] {
        let ProjectId { subscription, group, account, project } = &self.project.id;
        [
            (var::AZURE_TENANT_ID, self.tenant.clone()),
            (var::AZURE_SUBSCRIPTION_ID, subscription.clone()),
            (var::AZURE_RESOURCE_GROUP_NAME, group.clone()),
            (var::AZURE_ACCOUNT_NAME, account.clone()),
            (var::AZURE_PROJECT_NAME, project.clone()),
            (var::AZURE_LOCATION, self.project.location.clone()),
            (var::AZURE_PROJECT_ENDPOINT, self.endpoint.to_string()),
        ]
    }
}

impl<'a> Finder<'a> {
    /// Sends nothing yet.
    ///
    /// # Errors
    /// When the variable that names ARM breaks a rule.
    pub(crate) fn new(
        app: &'a App,
        endpoint: Option<&ProjectEndpoint>,
        tenant: Option<String>,
    ) -> Result<Self, CliError> {
        let cloud = endpoint.map_or(Cloud::Public, ProjectEndpoint::cloud);
        let arm = ArmEndpoint::choose(app.trusted_env(), cloud)?;
        let cloud_of = endpoint.map_or_else(String::new, |endpoint| endpoint.host().to_owned());
        Ok(Self { app, host: app.host(), arm, cloud_of, tenant })
    }

    /// A subscription by its id.
    ///
    /// # Errors
    /// When the person does not reach it.
    pub(crate) async fn subscription(&self, id: &str) -> Result<Subscription, CliError> {
        let id = id.trim();
        let Some(host) = &self.host else {
            let all = self.subscriptions().await?;
            let named = all.into_iter().find(|one| one.id.eq_ignore_ascii_case(id) || one.name == id);
            return named.ok_or_else(|| CliError::no_subscription(id));
        };
        match host.tenant_of(id).await {
            Ok(tenant) => Ok(Subscription { id: id.to_owned(), name: String::new(), tenant }),
            Err(HostError::Refused { words, .. }) => Err(CliError::no_subscription(id).and_message(&words)),
            Err(error) => Err(error.into()),
        }
    }

    /// A subscription that the person chooses.
    ///
    /// # Errors
    /// When there is none, or none was chosen.
    pub(crate) async fn choose_subscription(&self) -> Result<Subscription, CliError> {
        const QUESTION: &str = "Select an Azure subscription";
        if let Some(host) = &self.host {
            return Ok(host.choose_subscription(QUESTION).await?);
        }
        let mut all = self.subscriptions().await?;
        if all.is_empty() {
            return Err(CliError::no_subscriptions());
        }
        let rows = all.iter().map(|one| format!("{} ({})", one.name, one.id)).collect();
        Ok(all.swap_remove(self.app.select(QUESTION, rows).await?))
    }

    /// A project of the subscription that the person chooses: resource group, then project.
    ///
    /// # Errors
    /// When there is none, or none was chosen.
    pub(crate) async fn choose_project(&self, subscription: &Subscription) -> Result<Place, CliError> {
        const GROUP: &str = "Select a resource group";
        const PROJECT: &str = "Select a Foundry project";
        if let Some(host) = &self.host {
            let group = host.choose_resource_group(subscription, GROUP).await?;
            let chosen = host.choose_foundry_project(subscription, &group.name, PROJECT).await?;
            let id = ProjectId::parse(&chosen.id).map_err(|_| CliError::odd_answer("a project without an ARM id"))?;
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
        self.place(project, subscription, None)
    }

    /// A project by its id; the endpoint that is given stays as it is.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) async fn project(
        &self,
        subscription: &Subscription,
        id: &ProjectId,
        endpoint: Option<&ProjectEndpoint>,
    ) -> Result<Place, CliError> {
        let arm = self.arm(&subscription.tenant)?;
        let found = arm.project(id).await?;
        let project = found.ok_or_else(|| CliError::no_project(&id.to_string()))?;
        self.place(project, subscription, endpoint)
    }

    /// The project at an endpoint, which stays as it is.
    ///
    /// # Errors
    /// When no account of the subscription has it.
    pub(crate) async fn project_at(
        &self,
        subscription: &Subscription,
        endpoint: &ProjectEndpoint,
    ) -> Result<Place, CliError> {
        let arm = self.arm(&subscription.tenant)?;
        let found = arm.project_at(&subscription.id, endpoint).await?;
        let project = found.ok_or_else(|| CliError::no_project_at(&endpoint.to_string(), &subscription.id))?;
        self.place(project, subscription, Some(endpoint))
    }

    fn place(
        &self,
        project: FoundryProject,
        subscription: &Subscription,
        endpoint: Option<&ProjectEndpoint>,
    ) -> Result<Place, CliError> {
        let endpoint = match endpoint {
            Some(endpoint) => endpoint.clone(),
            None => {
                let ProjectId { account, project: name, .. } = &project.id;
                let usual = || format!("https://{account}.services.ai.azure.com/api/projects/{name}");
                let text = project.endpoint.clone().unwrap_or_else(usual);
                let allowed = self.app.trusted_env().get(var::ALLOW_HOST);
                ProjectEndpoint::parse(&text, allowed).map_err(CliError::odd_endpoint)?
            }
        };
        if project.location.is_empty() {
            return Err(CliError::odd_answer("a project without a region"));
        }
        Ok(Place { project, endpoint, tenant: subscription.tenant.clone() })
    }

    /// The person's subscriptions, those of other tenants too: a guest's are in another one than the account's own.
    ///
    /// # Errors
    /// When Azure Resource Manager does not list them.
    pub(crate) async fn subscriptions(&self) -> Result<Vec<Subscription>, CliError> {
        let own = self.tenant.clone().unwrap_or_default();
        let arm = self.arm(&own)?;
        let mut all: Vec<Subscription> = Vec::new();
        let mut add = |found: Vec<azure_ai_models_core::arm::Subscription>, asked: &str| {
            for one in found {
                let tenant = if one.tenant.is_empty() { asked.to_owned() } else { one.tenant };
                if !all.iter().any(|known| known.id == one.id) {
                    all.push(Subscription { id: one.id, name: one.name, tenant });
                }
            }
        };
        let first = arm.subscriptions().await?;
        let mut seen: Vec<String> = first.iter().map(|one| one.tenant.clone()).collect();
        seen.push(own.clone());
        add(first, &own);
        for tenant in arm.tenants().await? {
            if seen.contains(&tenant) {
                continue;
            }
            match self.arm(&tenant)?.subscriptions().await {
                Ok(found) => add(found, &tenant),
                // One that wants a sign-in of its own must not hide the others.
                Err(why) => {
                    self.app.console.notice(&format!("The subscriptions of tenant {tenant} are left out: {why}"));
                }
            }
        }
        Ok(all)
    }

    /// Azure Resource Manager as a tenant shows it; an empty one is the user's own.
    ///
    /// # Errors
    /// When the way to sign in breaks a rule.
    pub(crate) fn arm(&self, tenant: &str) -> Result<ArmClient, CliError> {
        let app = self.app;
        let target = Target {
            host: &self.cloud_of,
            loopback: self.arm.is_loopback(),
            named_by_user: true,
            audience: Audience::Arm,
        };
        let tenant = Some(tenant).filter(|tenant| !tenant.is_empty());
        let tokens = TokenSource::new(app.trusted_env(), target, tenant, app.timings.clone(), app.reporter())?;
        Ok(ArmClient::new(app.http(), Arc::new(tokens), self.arm.clone()))
    }
}
