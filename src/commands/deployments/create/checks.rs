//! Checks before a deployment is created. They only read, and skip what the user may not read.

use serde::Serialize;

use super::options::CreateOptions;
use crate::commands::account::Reach;
use crate::commands::deployments::existing::About;
use crate::error::{CliError, DeployAdvice, ErrorCode, ErrorKind};
use azure_ai_models_core::arm::{AccountModel, ArmError, CapacityRange, ModelSku, NewModel, Usage, usage_left};
use azure_ai_models_core::display::harmless;
use azure_ai_models_core::model::{Deployment, DeploymentName, DeploymentState};

/// Feature that a subscription needs for models of Fireworks.
const FEATURE: &str = "Fireworks.EnableDeploy";
/// Why something was not checked.
pub(super) const NO_PERMISSION: &str = "no permission";
/// Why something was not checked: no list has it.
pub(super) const NOT_LISTED: &str = "not listed";

/// One check.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    id: &'static str,
    status: Status,
    message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Status {
    Passed,
    Failed,
    NotChecked,
}

impl Check {
    /// The check in one line.
    pub(super) fn line(&self) -> String {
        let status = match self.status {
            Status::Passed => "passed",
            Status::Failed => "failed",
            Status::NotChecked => "not checked",
        };
        harmless(&format!("{}: {status}: {}", self.id, self.message))
    }
}

/// The checks of one `create`, each said as it is made.
pub(crate) struct Checks<'a> {
    about: &'a About<'a>,
    reach: &'a Reach,
    list: Vec<Check>,
    failed: Option<CliError>,
}

/// A deployment that has the name.
pub(crate) enum Existing {
    /// None.
    Free,
    /// This one.
    Taken(Box<Deployment>),
}

/// SKU and capacity, and the row of the catalogue that they are in.
#[derive(Clone, Debug)]
pub(crate) struct SkuChoice {
    /// Name, as the catalogue spells it.
    pub(crate) name: String,
    /// Capacity.
    pub(crate) capacity: u64,
    /// Row of the catalogue, where there is one.
    pub(crate) row: Option<ModelSku>,
}

impl SkuChoice {
    /// Capacities that it accepts.
    pub(crate) fn range(&self) -> CapacityRange {
        self.row.as_ref().map_or(CapacityRange::UNKNOWN, |row| row.range().clone())
    }
}

impl<'a> Checks<'a> {
    /// No check yet.
    pub(crate) fn new(about: &'a About<'a>, reach: &'a Reach) -> Self {
        Self { about, reach, list: Vec::new(), failed: None }
    }

    /// A command as the user would type it.
    pub(crate) fn command(&self, args: &[&str]) -> String {
        self.about.app.command_line(args)
    }

    pub(super) fn all(&self) -> &[Check] {
        &self.list
    }

    /// Fails with the error of the first failed check.
    ///
    /// # Errors
    /// That one.
    pub(crate) fn outcome(self) -> Result<(), CliError> {
        self.failed.map_or(Ok(()), Err)
    }

    fn add(&mut self, id: &'static str, status: Status, message: &str) {
        let message = message.lines().next().unwrap_or_default().to_owned();
        let check = Check { id, status, message };
        self.about.app.console.status(&format!("  {}", check.line()));
        self.list.push(check);
    }

    /// A check that passed.
    pub(crate) fn pass(&mut self, id: &'static str, message: &str) {
        self.add(id, Status::Passed, message);
    }

    /// A check that failed.
    pub(crate) fn fail(&mut self, id: &'static str, error: CliError) {
        self.add(id, Status::Failed, error.message());
        self.failed.get_or_insert(error);
    }

    /// A check that could not be made.
    pub(crate) fn skip(&mut self, id: &'static str, why: &str) {
        self.add(id, Status::NotChecked, why);
    }

    /// Result of a read; `None` where the user may not read it, which is reported.
    ///
    /// # Errors
    /// Any other failure of the read.
    pub(crate) fn readable<T>(&mut self, id: &'static str, read: Result<T, ArmError>) -> Result<Option<T>, CliError> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_forbidden() => {
                self.skip(id, NO_PERMISSION);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Looks for a deployment of the name. This look cannot be omitted: PUT over an existing deployment changes it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) async fn look_at_name(&mut self) -> Result<Existing, CliError> {
        Ok(match self.reach.deployments.get(self.about.name).await? {
            Some(deployment) => Existing::Taken(Box::new(deployment)),
            None => {
                self.pass("name", &format!("'{}' is free", self.about.name));
                Existing::Free
            }
        })
    }

    /// The name is taken.
    pub(crate) fn name_is_taken(&mut self, deployment: &Deployment) {
        let name = self.about.name;
        let state = deployment.view().properties().provisioning_state.clone().unwrap_or_default();
        let update = self.about.command(self.about.group, "update");
        let error = CliError::new(ErrorKind::Conflict, format!("deployment '{name}' already exists (state {state})"))
            .with_code(ErrorCode::DeploymentExists)
            .with_suggestion(format!(
                "Use another --name, or --if-not-exists to keep what is there. To change it:\n  {update}"
            ));
        self.fail("name", error);
    }

    /// Looks for what a deployment of a custom model depends on: no active twin, and a spillover deployment that is there.
    ///
    /// # Errors
    /// When the deployments cannot be read for another reason than a missing role.
    pub(crate) async fn look_at_others(
        &mut self,
        twin_of: Option<&NewModel>,
        spillover: Option<&DeploymentName>,
    ) -> Result<(), CliError> {
        if twin_of.is_none() && spillover.is_none() {
            return Ok(());
        }
        let id = if twin_of.is_some() { "twin" } else { "spillover" };
        let Some(all) = self.readable(id, self.reach.deployments.list().await)? else { return Ok(()) };
        if let Some(model) = twin_of {
            match all.iter().find(|one| is_active_twin(one, model)) {
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
                true => self.pass("spillover", &format!("deployment '{spillover}' is there")),
                false => {
                    let names = all.iter().map(|one| one.view().name.as_str());
                    let missing = About { name: spillover, ..*self.about }.missing_among(names);
                    self.fail("spillover", missing);
                }
            }
        }
        Ok(())
    }

    /// Looks whether the subscription may deploy models of Fireworks.
    ///
    /// # Errors
    /// When the state cannot be read for another reason than a missing role.
    pub(crate) async fn look_at_feature(&mut self) -> Result<(), CliError> {
        let subscription = &self.reach.id().subscription;
        let read = self.reach.deployments.arm().feature(subscription, FEATURE).await;
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

    /// The model does not have the SKU that was named, but these.
    pub(crate) fn sku_not_offered(&mut self, name: &str, offered: &[&str]) {
        let error = CliError::usage(format!("SKU '{name}' is not offered for this model"))
            .with_code(ErrorCode::SkuNotOffered)
            .with_suggestion(format!("Use one of: {}.", offered.join(", ")));
        self.fail("sku", error);
    }

    /// Checks the capacity against the row of the catalogue.
    pub(crate) fn check_capacity(&mut self, choice: &SkuChoice) {
        let SkuChoice { name, capacity, row } = choice;
        let Some(row) = row else { return self.skip("sku", NOT_LISTED) };
        match row.range().check(*capacity) {
            Ok(()) => self.pass("sku", &format!("{name} with capacity {capacity}")),
            Err(fault) => {
                let error = CliError::usage(format!("capacity {capacity} is not accepted by SKU '{name}': {fault}"))
                    .with_code(ErrorCode::BadCapacity)
                    .with_suggestion(format!("Use a --sku-capacity of {}.", row.range().words()));
                self.fail("sku", error);
            }
        }
    }

    /// Looks at the quota that is left; `advice` is what the error tells where it does not suffice.
    ///
    /// # Errors
    /// When it cannot be read for another reason than a missing role.
    pub(crate) async fn look_at_quota(
        &mut self,
        choice: &SkuChoice,
        is_custom: bool,
        advice: &dyn Fn(u64) -> DeployAdvice,
    ) -> Result<(), CliError> {
        let location = &self.reach.account.location;
        if location.is_empty() {
            self.skip("quota", NOT_LISTED);
            return Ok(());
        }
        let read = self.reach.deployments.arm().usages(&self.reach.id().subscription, location).await;
        let Some(usages) = self.readable("quota", read)? else { return Ok(()) };
        self.check_quota(&usages, choice, is_custom, advice);
        Ok(())
    }

    /// Checks the quota that is left.
    pub(crate) fn check_quota(
        &mut self,
        usages: &[Usage],
        choice: &SkuChoice,
        is_custom: bool,
        advice: &dyn Fn(u64) -> DeployAdvice,
    ) {
        let Some((name, left)) = quota_left(usages, choice, is_custom) else {
            return self.skip("quota", NOT_LISTED);
        };
        if left >= choice.capacity {
            self.pass("quota", &format!("{left} available, {} needed", choice.capacity));
        } else {
            self.fail("quota", CliError::quota(&name, choice.capacity, left, &advice(left)));
        }
    }
}

/// Name of the quota that counts, and how much of it is left.
pub(super) fn quota_left(usages: &[Usage], choice: &SkuChoice, is_custom: bool) -> Option<(String, u64)> {
    let usage_name = choice.row.as_ref().and_then(|row| row.usage_name.as_deref());
    if let Some(left) = usage_left(usages, usage_name) {
        let title = usages.iter().find(|one| usage_name.is_some_and(|name| one.name().eq_ignore_ascii_case(name)));
        return Some((title.map_or_else(String::new, |one| one.title().to_owned()), left));
    }
    // The name of this quota is known by its title alone.
    let is_fireworks = |usage: &&Usage| usage.title().contains("Provisioned") && usage.title().contains("Fireworks");
    let usage = usages.iter().find(is_fireworks).filter(|_| is_custom)?;
    Some((usage.title().to_owned(), usage.left()?))
}

/// True for a deployment of the same custom model that is neither gone nor broken.
fn is_active_twin(deployment: &Deployment, model: &NewModel) -> bool {
    let view = deployment.view();
    let same = |field: Option<&str>, wanted: Option<&str>| matches!((field, wanted), (Some(field), Some(wanted)) if field.eq_ignore_ascii_case(wanted));
    let is_active = !matches!(view.state(), DeploymentState::Failed(_) | DeploymentState::Deleting);
    let other = view.model();
    is_active
        && same(view.format(), Some(&model.format))
        && same(other.and_then(|other| other.name.as_deref()), Some(&model.name))
        && same(other.and_then(|other| other.source.as_deref()), model.source.as_deref())
}

/// SKUs of a row that have not ended, by name.
pub(crate) fn offered(row: &AccountModel) -> Vec<&str> {
    row.view().open_skus(time::OffsetDateTime::now_utc()).map(|sku| sku.name.as_str()).collect()
}

/// Properties that a deployment found by `--if-not-exists` must share.
pub(crate) struct Wanted<'a> {
    /// Name of the model.
    pub(crate) model: &'a str,
    /// Version, where one was given.
    pub(crate) version: Option<&'a str>,
    /// Options.
    pub(crate) options: &'a CreateOptions,
}

impl Wanted<'_> {
    /// What a deployment differs in, if it is another one than the wanted.
    pub(crate) fn difference(&self, deployment: &Deployment) -> Option<String> {
        let view = deployment.view();
        let model = view.model();
        let sku = view.sku.as_ref().and_then(|sku| sku.name.as_deref());
        let fields = [
            ("model", Some(self.model), model.and_then(|model| model.name.as_deref())),
            ("version", self.version, model.and_then(|model| model.version.as_deref())),
            ("SKU", self.options.sku_name.as_deref(), sku),
        ];
        fields.into_iter().find_map(|(what, wanted, is)| {
            let (wanted, is) = (wanted?, is.unwrap_or_default());
            (!wanted.eq_ignore_ascii_case(is)).then(|| format!("{what} '{is}', not '{wanted}'"))
        })
    }

    /// True where the deployment has what the options name besides.
    pub(crate) fn is_as_asked(&self, deployment: &Deployment) -> bool {
        let view = deployment.view();
        let CreateOptions { sku_capacity, rai_policy, spillover, version_upgrade, tag, .. } = self.options;
        let properties = view.properties();
        let same =
            |wanted: Option<&str>, is: &Option<String>| wanted.is_none_or(|wanted| is.as_deref() == Some(wanted));
        let capacity = view.sku.as_ref().and_then(|sku| sku.capacity);
        sku_capacity.is_none_or(|wanted| capacity == Some(wanted))
            && same(rai_policy.as_deref(), &properties.rai_policy_name)
            && same(version_upgrade.as_deref(), &properties.version_upgrade_option)
            && same(spillover.as_ref().map(DeploymentName::as_str), &properties.spillover_deployment_name)
            && tag.iter().all(|tag| view.tags.iter().any(|(key, value)| *key == tag.key && *value == tag.value))
    }
}
