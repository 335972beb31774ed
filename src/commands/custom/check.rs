//! `custom check`: the checks of `create` on the files, without Azure, and for local files without network access.

use clap::{Args, ValueHint};

use super::hub;
use super::selection::{self, CheckMode, CheckedPlan, SelectionArgs};
use super::source::SourceText;
use crate::app::App;
use crate::console::TableStyle;
use crate::console::product::{self, JsonPieces, Product};
use crate::console::render::{self, CheckSummary};
use crate::error::{CliError, ErrorCode};
use azure_ai_models_core::check;
use azure_ai_models_core::model::{Finding, Source, WeightType};
use azure_ai_models_core::source::UploadSource;

pub(super) const EXAMPLES: &str = "\
Examples:
  azd ai models custom check ./model-weights
  azd ai models custom check ./adapter --weight-type LoRA
  azd ai models custom check ./model-weights --exclude \"*.bin\" -o json
  azd ai models custom check hf://org/repo

Errors stop 'custom create' and give exit code 6. Warnings do not.";

/// Options of `custom check`.
#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// File, directory, or Hugging Face repository (hf://ORG/NAME)
    #[arg(value_name = "PATH|URL", value_hint = ValueHint::AnyPath)]
    path: SourceText,

    /// Weight type: FullWeight, LoRA or DraftModel [default: detected]
    #[arg(long, value_name = "TYPE")]
    weight_type: Option<WeightType>,

    #[command(flatten)]
    selection: SelectionArgs,
}

/// Findings of the check; `checked` is true if the files could be read.
struct Findings<'a> {
    findings: &'a [Finding],
    checked: Option<CheckSummary>,
}

impl Product for Findings<'_> {
    fn json(&self) -> JsonPieces<'_> {
        product::document(&self.findings)
    }

    fn text(&self, style: TableStyle) -> String {
        render::findings_page(self.findings, self.checked, style.summary)
    }
}

/// Checks files without an upload. Sends requests only for hf:// sources.
///
/// # Errors
/// Exit code 6 if a finding is an error; the findings are printed before.
pub(super) async fn check(app: &App, args: CheckArgs) -> Result<(), CliError> {
    let source = app.source(args.path.expose())?;
    if matches!(source, Source::Blob(_)) {
        return Err(CliError::usage("only local files and hf:// sources can be checked")
            .with_code(ErrorCode::BadSource)
            .with_suggestion("Use a file, a directory or hf://ORG/NAME."));
    }
    let (findings, checked) = match selection::plan_and_check(
        app,
        &source,
        &args.selection.selection(),
        CheckMode::As(args.weight_type),
        None,
        None,
    )
    .await?
    {
        Ok(CheckedPlan { source: plan, findings, .. }) => {
            if let UploadSource::Hub(hub) = &plan {
                app.console.status(&hub::checked_line(hub));
            }
            let weight_type = args.weight_type.or_else(|| check::weight_type(&plan)).unwrap_or_default();
            let (files, bytes) = (plan.file_count().unwrap_or(0), plan.bytes().unwrap_or(0));
            (findings, Some(CheckSummary { files, bytes, weight_type }))
        }
        Err(error) => match check::of_walk(&error) {
            findings if findings.is_empty() => return Err(error.into()),
            findings => (findings, None),
        },
    };
    app.show(&Findings { findings: &findings, checked })?;
    CliError::check_failed(&findings).map_or(Ok(()), Err)
}
