//! Individual checks: the name, other deployments, the feature, the capacity, the quota.

use super::checks::NOT_LISTED;
use super::{Checks, NameLookup, SkuChoice};
use crate::commands::deployments::existing::DeploymentCommand;
use crate::error::{CliError, DeploySuggestions, ErrorCode, ErrorKind};
use azure_ai_models_core::arm::{NewModel, Usage, usage_left};
use azure_ai_models_core::model::{Deployment, DeploymentName, DeploymentState};
use azure_ai_models_core::units::grouped;

/// Feature that a subscription needs for models of Fireworks.
const FEATURE: &str = "Fireworks.EnableDeploy";

impl Checks<'_> {
    /// Checks whether the name is in use. Never omitted: a PUT over an existing deployment changes it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) async fn check_name(&mut self) -> Result<NameLookup, CliError> {
        Ok(match self.context.deployments.get(self.about.name).await? {
            Some(deployment) => NameLookup::Taken(Box::new(deployment)),
            None => {
                self.pass("name", &format!("'{}' is free", self.about.name));
                NameLookup::Free
            }
        })
    }

    /// Records that the name is in use.
    pub(crate) fn name_is_taken(&mut self, deployment: &Deployment, suggestion: &str) {
        let name = self.about.name;
        let state = deployment.view().properties().provisioning_state.clone().unwrap_or_default();
        let error = CliError::new(ErrorKind::Conflict, format!("deployment '{name}' already exists (state {state})"))
            .with_code(ErrorCode::DeploymentExists)
            .with_suggestion(suggestion);
        self.fail("name", error);
    }

    /// Checks the other deployments: no active deployment of the same custom model, and an existing spillover
    /// deployment.
    ///
    /// # Errors
    /// When the deployments cannot be read for a reason other than a missing role.
    pub(crate) async fn check_other_deployments(
        &mut self,
        twin_of: Option<&NewModel>,
        spillover: Option<&DeploymentName>,
    ) -> Result<(), CliError> {
        if twin_of.is_none() && spillover.is_none() {
            return Ok(());
        }
        let id = if twin_of.is_some() { "twin" } else { "spillover" };
        let Some(all) = self.readable(id, self.context.deployments.list().await)? else { return Ok(()) };
        if let Some(model) = twin_of {
            match all.iter().find(|one| is_active_duplicate(one, model)) {
                None => self.pass("twin", "no other active deployment of the model in this project"),
                Some(twin) => {
                    let twin = &twin.view().name;
                    let account = self.about.account;
                    let delete = self.about.group.command(&["delete", "--name", twin]);
                    let delete = account.command_line(self.about.app, &delete);
                    let message = format!(
                        "model '{}' is already deployed as '{twin}': one active deployment of a custom model is allowed in a project",
                        model.name
                    );
                    let error = CliError::new(ErrorKind::Conflict, message)
                        .with_code(ErrorCode::DeploymentExists)
                        .with_suggestion(format!("Use that deployment, or delete it first:\n  {delete}"));
                    self.fail("twin", error);
                }
            }
        }
        if let Some(spillover) = spillover {
            match all.iter().any(|one| one.view().name.eq_ignore_ascii_case(spillover.as_str())) {
                true => self.pass("spillover", &format!("deployment '{spillover}' exists")),
                false => {
                    let names = all.iter().map(|one| one.view().name.as_str());
                    let missing = DeploymentCommand { name: spillover, ..*self.about }.missing_among(names);
                    self.fail("spillover", missing);
                }
            }
        }
        Ok(())
    }

    /// Checks whether the subscription may deploy models of Fireworks.
    ///
    /// # Errors
    /// When the state cannot be read for a reason other than a missing role.
    pub(crate) async fn check_feature(&mut self) -> Result<(), CliError> {
        let subscription = &self.context.id().subscription;
        let read = self.context.deployments.arm().feature(subscription, FEATURE).await;
        let Some(state) = self.readable("feature", read)? else { return Ok(()) };
        match state.as_deref() {
            Some(state) if state.eq_ignore_ascii_case("registered") => {
                self.pass("feature", &format!("{FEATURE} is registered"));
            }
            Some(state) => self.fail("feature", CliError::feature_not_registered(FEATURE, state)),
            None => self.skip("feature", NOT_LISTED),
        }
        Ok(())
    }

    /// Records that the model does not offer the given SKU, with the offered ones.
    pub(crate) fn sku_not_offered(&mut self, name: &str, offered: &[&str]) {
        let error = CliError::usage(format!("SKU '{name}' is not offered for this model"))
            .with_code(ErrorCode::SkuNotOffered)
            .with_suggestion(format!("Use one of: {}.", offered.join(", ")));
        self.fail("sku", error);
    }

    /// Checks the capacity against the row of the catalog.
    pub(crate) fn check_capacity(&mut self, choice: &SkuChoice) {
        let SkuChoice { name, capacity, row } = choice;
        let Some(row) = row else { return self.skip("sku", NOT_LISTED) };
        match row.range().check(*capacity) {
            Ok(()) => self.pass("sku", &format!("{name} with capacity {}", grouped(*capacity))),
            Err(fault) => {
                let accepted = fault.neighbours().unwrap_or_else(|| row.range().description());
                let message = format!("capacity {} is not accepted by SKU '{name}': {fault}", grouped(*capacity));
                let error = CliError::usage(message)
                    .with_code(ErrorCode::BadCapacity)
                    .with_suggestion(format!("Use a --sku-capacity of {accepted}."));
                self.fail("sku", error);
            }
        }
    }

    /// Reads and checks the remaining quota; `suggestions` are added to the error if it is insufficient.
    ///
    /// # Errors
    /// When it cannot be read for a reason other than a missing role.
    pub(crate) async fn read_and_check_quota(
        &mut self,
        choice: &SkuChoice,
        is_custom: bool,
        suggestions: &dyn Fn(u64) -> DeploySuggestions,
    ) -> Result<(), CliError> {
        let location = &self.context.account.location;
        if location.is_empty() {
            self.skip("quota", NOT_LISTED);
            return Ok(());
        }
        let read = self.context.deployments.arm().usages(&self.context.id().subscription, location).await;
        let Some(usages) = self.readable("quota", read)? else { return Ok(()) };
        self.check_quota(&usages, choice, is_custom, suggestions);
        Ok(())
    }

    /// Checks the remaining quota.
    pub(crate) fn check_quota(
        &mut self,
        usages: &[Usage],
        choice: &SkuChoice,
        is_custom: bool,
        suggestions: &dyn Fn(u64) -> DeploySuggestions,
    ) {
        let Some((name, left)) = quota_left(usages, choice, is_custom) else {
            return self.skip("quota", NOT_LISTED);
        };
        if left >= choice.capacity {
            self.pass("quota", &format!("{} available, {} needed", grouped(left), grouped(choice.capacity)));
        } else {
            self.fail("quota", CliError::quota(&name, choice.capacity, left, &suggestions(left)));
        }
    }
}

/// Name and remaining amount of the quota that applies.
pub(super) fn quota_left(usages: &[Usage], choice: &SkuChoice, is_custom: bool) -> Option<(String, u64)> {
    let usage_name = choice.row.as_ref().and_then(|row| row.usage_name.as_deref());
    if let Some(left) = usage_left(usages, usage_name) {
        let title = usages.iter().find(|one| usage_name.is_some_and(|name| one.name().eq_ignore_ascii_case(name)));
        return Some((title.map_or_else(String::new, |one| one.title().to_owned()), left));
    }
    // The usage has no other stable name.
    let is_fireworks = |usage: &&Usage| usage.title().contains("Provisioned") && usage.title().contains("Fireworks");
    let usage = usages.iter().find(is_fireworks).filter(|_| is_custom)?;
    Some((usage.title().to_owned(), usage.left()?))
}

/// True for a deployment of the same custom model that is neither being deleted nor failed.
fn is_active_duplicate(deployment: &Deployment, model: &NewModel) -> bool {
    let view = deployment.view();
    let same = |field: Option<&str>, wanted: Option<&str>| matches!((field, wanted), (Some(field), Some(wanted)) if field.eq_ignore_ascii_case(wanted));
    let is_active = !matches!(view.state(), DeploymentState::Failed(_) | DeploymentState::Deleting);
    let other = view.model();
    is_active
        && same(view.format(), Some(&model.format))
        && same(other.and_then(|other| other.name.as_deref()), Some(&model.name))
        && same(other.and_then(|other| other.source.as_deref()), model.source.as_deref())
}
