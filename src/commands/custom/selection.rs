//! Files of a directory that `create` and `check` select, with their plan and check.

use std::collections::HashSet;
use std::sync::Arc;

use clap::Args;

use super::hub;

use crate::app::App;
use crate::commands::headings;
use crate::error::CliError;
use azure_ai_models_core::check;
use azure_ai_models_core::hub::{HubAddress, HubImport, HubPin, HubReader};
use azure_ai_models_core::model::{BlobPath, Finding, Source, WeightType};
use azure_ai_models_core::source::{self, ExcludeReason, Excluded, Pattern, PlanError, Selection, UploadSource};

/// Maximum number of names reported on one line.
const MAX_NAMED_SECRETS: usize = 10;

/// Options that select files of a directory.
#[derive(Args, Debug, Default, PartialEq)]
#[command(next_help_heading = headings::SOURCE)]
pub(super) struct SelectionArgs {
    /// Include only files that match (can be repeated)
    ///
    /// *.json matches at any depth, /*.json at the top only, sub/ a directory.
    #[arg(long, value_name = "GLOB")]
    include: Vec<Pattern>,

    /// Exclude files and directories that match (can be repeated)
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<Pattern>,

    /// Include files that are excluded by default, such as .git/, .cache/ and *.lock
    #[arg(long, hide_short_help = true)]
    no_default_excludes: bool,
}

impl SelectionArgs {
    /// Options for this selection.
    pub(super) fn of(include: Vec<Pattern>, exclude: Vec<Pattern>, default_excludes: bool) -> Self {
        Self { include, exclude, no_default_excludes: !default_excludes }
    }

    /// Selection by these options.
    pub(super) fn selection(&self) -> Selection {
        Selection::new(self.include.clone(), self.exclude.clone(), !self.no_default_excludes)
    }
}

/// A plan, and the findings of its check.
pub(super) struct CheckedPlan {
    pub(super) source: UploadSource,
    pub(super) findings: Vec<Finding>,
    /// Reader of the files of an import.
    pub(super) reader: Option<Arc<HubReader>>,
    /// Existing files that are not permitted by the saved plan.
    pub(super) newer: Vec<BlobPath>,
}

/// Permitted files, if a saved plan lists them.
pub(super) type AllowedFiles = Option<Arc<HashSet<BlobPath>>>;

/// A plan, or the reason why there is none.
pub(super) type PlanResult = Result<CheckedPlan, PlanError>;

/// Plans the upload and checks the files. Can be interrupted on a slow file system. `earlier`: commit of an earlier
/// attempt of an import.
pub(super) async fn plan_and_check(
    app: &App,
    source: &Source,
    selection: &Selection,
    checked: CheckMode,
    earlier: Option<&HubPin>,
    only: AllowedFiles,
) -> Result<PlanResult, CliError> {
    let checked = match source {
        Source::Hub(address) => plan_and_check_hub(app, address, selection, checked, earlier).await?,
        Source::Local(_) | Source::Blob(_) => plan_and_check_local(app, source, selection, checked, only).await?,
    };
    let unmatched = match &checked {
        Ok(planned) => planned.source.unmatched(selection),
        Err(PlanError::Empty { unmatched, .. }) => unmatched.clone(),
        Err(_) => Vec::new(),
    };
    unmatched.iter().for_each(|glob| app.console.warn(&glob.to_string()));
    Ok(checked)
}

async fn plan_and_check_hub(
    app: &App,
    address: &HubAddress,
    selection: &Selection,
    checked: CheckMode,
    earlier: Option<&HubPin>,
) -> Result<PlanResult, CliError> {
    let HubImport { source, reader, .. } = match hub::plan(app, address, selection, earlier).await? {
        Ok(import) => import,
        Err(error) => return Ok(Err(error)),
    };
    let findings = match checked {
        CheckMode::As(weight_type) => check::check_hub(&source, &reader, weight_type).await?,
        CheckMode::Skipped => Vec::new(),
    };
    Ok(Ok(CheckedPlan { source: UploadSource::Hub(source), findings, reader: Some(reader), newer: Vec::new() }))
}

async fn plan_and_check_local(
    app: &App,
    source: &Source,
    selection: &Selection,
    checked: CheckMode,
    only: AllowedFiles,
) -> Result<PlanResult, CliError> {
    let (source, cwd, selection) = (source.clone(), app.env.cwd().to_owned(), selection.clone());
    let config_dir = app.config_dir().ok();
    let work = move || {
        let mut plan = match source::plan(&source, &cwd, &selection, config_dir.as_deref()) {
            Ok(plan) => plan,
            Err(error) => return Ok(Err(error)),
        };
        let newer = only.map(|only| plan.keep_only(|path| only.contains(path))).unwrap_or_default();
        // No planned file is left: a specific error reports that.
        let checked = if plan.file_count() == Some(0) { CheckMode::Skipped } else { checked };
        let findings = match checked {
            CheckMode::As(weight_type) => check::check(&plan, weight_type)?,
            CheckMode::Skipped => Vec::new(),
        };
        Ok(Ok(CheckedPlan { source: plan, findings, reader: None, newer }))
    };
    let checked = tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(CliError::interrupted()))?;
    if let Ok(CheckedPlan { source: UploadSource::Local { excluded, .. }, .. }) = &checked {
        name_secrets(app, excluded);
    }
    Ok(checked)
}

/// Names files that are excluded because they may contain a secret.
fn name_secrets(app: &App, excluded: &[Excluded]) {
    let secrets: Vec<&str> =
        excluded.iter().filter(|left| left.reason == ExcludeReason::MaySecret).map(|left| left.path.as_str()).collect();
    if !secrets.is_empty() {
        let more = secrets.len().saturating_sub(MAX_NAMED_SECRETS);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let named = secrets[..secrets.len().min(MAX_NAMED_SECRETS)].join(", ");
        app.console.status(&format!("Excluded because they may contain secrets: {named}{more}"));
    }
}

/// Mode of the model check.
#[derive(Clone, Copy, Debug)]
pub(super) enum CheckMode {
    /// Checked as this weight type; `None` derives it from the files.
    As(Option<WeightType>),
    /// Not checked.
    Skipped,
}
