//! Checks before a deployment is created. They only read, and skip reads that are not permitted.

use serde::Serialize;

use crate::commands::account::AccountContext;
use crate::commands::deployments::existing::DeploymentCommand;
use crate::error::CliError;
use azure_ai_models_core::arm::{AccountModel, ArmError, CapacityRange, ModelSku};
use azure_ai_models_core::display::printable;
use azure_ai_models_core::model::Deployment;

/// Reason why a check was skipped.
pub(super) const NO_PERMISSION: &str = "no permission";
/// Reason for a skipped check: no list contains the value.
pub(super) const NOT_LISTED: &str = "not listed";

/// One check.
#[derive(Debug, Serialize)]
pub(crate) struct DeploymentCheck {
    id: &'static str,
    status: CheckStatus,
    message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum CheckStatus {
    Passed,
    Failed,
    NotChecked,
}

impl DeploymentCheck {
    /// The check in one line.
    pub(super) fn line(&self) -> String {
        let status = match self.status {
            CheckStatus::Passed => "passed",
            CheckStatus::Failed => "failed",
            CheckStatus::NotChecked => "not checked",
        };
        printable(&format!("{}: {status}: {}", self.id, self.message))
    }
}

/// Checks of one `create`; reported as they complete, except in a dry run.
pub(crate) struct Checks<'a> {
    pub(super) about: &'a DeploymentCommand<'a>,
    pub(super) context: &'a AccountContext,
    /// True for a dry run, whose product includes them.
    is_dry_run: bool,
    list: Vec<DeploymentCheck>,
    failed: Option<CliError>,
}

/// Result of a lookup by name.
pub(crate) enum NameLookup {
    /// No deployment has the name.
    Free,
    /// This deployment has the name.
    Taken(Box<Deployment>),
}

/// SKU and capacity, and their row of the catalog.
#[derive(Clone, Debug)]
pub(crate) struct SkuChoice {
    /// Name in the catalog's spelling.
    pub(crate) name: String,
    /// Capacity.
    pub(crate) capacity: u64,
    /// Row of the catalog, if there is one.
    pub(crate) row: Option<ModelSku>,
}

impl SkuChoice {
    /// Capacities that it accepts.
    pub(crate) fn range(&self) -> CapacityRange {
        self.row.as_ref().map_or(CapacityRange::UNKNOWN, |row| row.range().clone())
    }
}

impl<'a> Checks<'a> {
    /// Creates an empty list of checks.
    pub(crate) fn new(about: &'a DeploymentCommand<'a>, context: &'a AccountContext, is_dry_run: bool) -> Self {
        Self { about, context, is_dry_run, list: Vec::new(), failed: None }
    }

    /// Command as the user would type it.
    pub(crate) fn command(&self, args: &[&str]) -> String {
        self.about.app.command_line(args)
    }

    /// All checks so far.
    pub(super) fn all(&self) -> &[DeploymentCheck] {
        &self.list
    }

    /// Fails with the error of the first failed check.
    ///
    /// # Errors
    /// Error of the first failed check.
    pub(crate) fn outcome(self) -> Result<(), CliError> {
        self.failed.map_or(Ok(()), Err)
    }

    fn add(&mut self, id: &'static str, status: CheckStatus, message: &str) {
        let message = message.lines().next().unwrap_or_default().to_owned();
        let check = DeploymentCheck { id, status, message };
        if !self.is_dry_run {
            self.about.app.console.status(&format!("  {}", check.line()));
        }
        self.list.push(check);
    }

    /// Adds a passed check.
    pub(crate) fn pass(&mut self, id: &'static str, message: &str) {
        self.add(id, CheckStatus::Passed, message);
    }

    /// Adds a failed check.
    pub(crate) fn fail(&mut self, id: &'static str, error: CliError) {
        self.add(id, CheckStatus::Failed, error.message());
        self.failed.get_or_insert(error);
    }

    /// Adds a skipped check.
    pub(crate) fn skip(&mut self, id: &'static str, why: &str) {
        self.add(id, CheckStatus::NotChecked, why);
    }

    /// Result of a read; `None` if the user lacks permission, which is reported.
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
}

/// SKUs of a row that are still available, by name.
pub(crate) fn offered(row: &AccountModel) -> Vec<&str> {
    row.view().open_skus(time::OffsetDateTime::now_utc()).map(|sku| sku.name.as_str()).collect()
}
