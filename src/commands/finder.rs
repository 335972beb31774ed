//! Access to Foundry projects through Azure Resource Manager, or through azd if azd runs this program.

use std::sync::Arc;

use crate::app::App;
use crate::error::CliError;
use azure_ai_models_core::arm::{ArmClient, ArmEndpoint, FoundryProject, ProjectId};
use azure_ai_models_core::azd::{AzdSubscription, Host, HostError};
use azure_ai_models_core::credential::{Audience, TokenSource, TokenTarget};
use azure_ai_models_core::env::var;
use azure_ai_models_core::project::{Cloud, ProjectEndpoint};

/// Finder of projects. `endpoint` is the requested one, if known: its cloud determines the address of ARM.
pub(crate) struct ProjectFinder<'a> {
    pub(super) app: &'a App,
    pub(super) host: Option<Host>,
    arm: ArmEndpoint,
    /// Host that determines the cloud, and so the scope of tokens.
    cloud_of: String,
    /// Tenant that is tried first.
    tenant: Option<String>,
}

/// Project, its endpoint and its tenant.
pub(crate) struct LocatedProject {
    pub(crate) project: FoundryProject,
    pub(crate) endpoint: ProjectEndpoint,
    pub(crate) tenant: String,
}

impl LocatedProject {
    /// Values stored by `init`.
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

impl<'a> ProjectFinder<'a> {
    /// Creates a finder; sends nothing yet.
    ///
    /// # Errors
    /// When the variable with the address of ARM has an invalid value.
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

    /// Finds a subscription by its id.
    ///
    /// # Errors
    /// When it is not found, or the user has no access.
    pub(crate) async fn subscription(&self, id: &str) -> Result<AzdSubscription, CliError> {
        let id = id.trim();
        let Some(host) = &self.host else {
            let all = self.subscriptions().await?;
            let named = all.into_iter().find(|one| one.id.eq_ignore_ascii_case(id) || one.name == id);
            return named.ok_or_else(|| CliError::no_subscription(id));
        };
        match host.tenant_of(id).await {
            Ok(tenant) => Ok(AzdSubscription { id: id.to_owned(), name: String::new(), tenant }),
            Err(HostError::Refused { message, .. }) => Err(CliError::no_subscription(id).and_message(&message)),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Finds a project by its id; a given endpoint stays unchanged.
    ///
    /// # Errors
    /// When it is not found.
    pub(crate) async fn project(
        &self,
        subscription: &AzdSubscription,
        id: &ProjectId,
        endpoint: Option<&ProjectEndpoint>,
    ) -> Result<LocatedProject, CliError> {
        let arm = self.arm(&subscription.tenant)?;
        let found = arm.project(id).await?;
        let project = found.ok_or_else(|| CliError::no_project(&id.to_string()))?;
        self.locate(project, subscription, endpoint)
    }

    /// Combines a project with its endpoint: the given one, otherwise the one that ARM reports.
    ///
    /// # Errors
    /// When ARM reports no usable endpoint or region.
    pub(super) fn locate(
        &self,
        project: FoundryProject,
        subscription: &AzdSubscription,
        endpoint: Option<&ProjectEndpoint>,
    ) -> Result<LocatedProject, CliError> {
        let endpoint = match endpoint {
            Some(endpoint) => endpoint.clone(),
            None => {
                let ProjectId { account, project: name, .. } = &project.id;
                let usual = || format!("https://{account}.services.ai.azure.com/api/projects/{name}");
                let text = project.endpoint.clone().unwrap_or_else(usual);
                let allowed = self.app.trusted_env().get(var::ALLOW_HOST);
                ProjectEndpoint::parse(&text, allowed).map_err(CliError::rejected_endpoint)?
            }
        };
        if project.location.is_empty() {
            return Err(CliError::unexpected_response("a project without a region"));
        }
        Ok(LocatedProject { project, endpoint, tenant: subscription.tenant.clone() })
    }

    /// Lists the subscriptions of the user, including those of other tenants: a guest's are not in the account's own
    /// tenant.
    ///
    /// # Errors
    /// When Azure Resource Manager does not list them.
    pub(crate) async fn subscriptions(&self) -> Result<Vec<AzdSubscription>, CliError> {
        let own = self.tenant.clone().unwrap_or_default();
        let arm = self.arm(&own)?;
        let mut all: Vec<AzdSubscription> = Vec::new();
        let mut add = |found: Vec<azure_ai_models_core::arm::Subscription>, asked: &str| {
            for one in found {
                let tenant = if one.tenant.is_empty() { asked.to_owned() } else { one.tenant };
                if !all.iter().any(|known| known.id == one.id) {
                    all.push(AzdSubscription { id: one.id, name: one.name, tenant });
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
                // A tenant that needs a separate sign-in must not hide the others.
                Err(why) => {
                    self.app.console.notice(&format!("The subscriptions of tenant {tenant} are skipped: {why}"));
                }
            }
        }
        Ok(all)
    }

    /// Client of Azure Resource Manager for a tenant; an empty one is the user's own.
    ///
    /// # Errors
    /// When the sign-in configuration breaks a rule.
    pub(crate) fn arm(&self, tenant: &str) -> Result<ArmClient, CliError> {
        let app = self.app;
        let target = TokenTarget {
            host: &self.cloud_of,
            loopback: self.arm.is_loopback(),
            named_by_user: true,
            audience: Audience::Arm,
        };
        let tenant = Some(tenant).filter(|tenant| !tenant.is_empty());
        let tokens = TokenSource::new(app.trusted_env(), target, tenant, app.timings.clone(), app.reporter())?;
        Ok(ArmClient::new(app.http(), Arc::new(tokens), self.arm.clone()))
    }

    /// Error for a failure of azd's server. Its own page about a rejection by Azure is only for `--debug`.
    pub(super) fn failed(&self, error: HostError) -> CliError {
        if let HostError::Azure(refusal) = &error {
            self.app.console.debug(&refusal.page);
        }
        error.into()
    }
}
