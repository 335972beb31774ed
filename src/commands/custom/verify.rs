//! `custom verify`: compares the files of a registered model with a source, and with the recorded checksums.

use clap::Args;
use serde::Serialize;

use super::existing;
use super::selection::{self, CheckMode, SelectionArgs};
use super::source::SourceText;
use super::sums;
use crate::app::App;
use crate::commands::progress::ProgressArgs;
use crate::commands::{connect, headings};
use crate::console::product::{self, JsonPieces, Product};
use crate::console::{ProgressMode, TableStyle, verify_page};
use crate::error::{CliError, ErrorCode};
use azure_ai_models_core::foundry::ModelFiles;
use azure_ai_models_core::model::{ContentHash, FileList, ModelName, ModelVersion, Source};
use azure_ai_models_core::source::{FileSums, UploadSource};
use azure_ai_models_core::units;
use azure_ai_models_core::verify::{
    Comparison, DigestStatus, FileStatus, Proof, Verification, VerifiedFile, comparable_files, read_back,
};

pub(super) const EXAMPLES: &str = "\
Each file is ok, missing, extra, of other size, of other content, or unproved, with its proof:
  hashed  content that was read has the SHA-256 that it should have
  sized   name and size are what they should be
  listed  the blob store lists the file, and nothing says what it should be

Examples:
  azd ai models custom verify --name my-model --source ./model-weights
  azd ai models custom verify --name my-model --version 2 --full
  azd ai models custom verify --name my-model --source ./model-weights --strict -o json

Differences end with exit code 6. So do unproved files with --strict.";

/// Options of `custom verify`.
#[derive(Args, Debug)]
#[command(next_help_heading = headings::MODEL)]
pub(crate) struct VerifyArgs {
    /// Model name
    #[arg(short, long, value_name = "NAME")]
    name: ModelName,

    /// Model version [default: the latest]
    #[arg(long, value_name = "VERSION")]
    version: Option<ModelVersion>,

    /// File, directory or hf://ORG/NAME to compare with
    #[arg(long, help_heading = headings::SOURCE, value_name = "PATH|URL", value_hint = clap::ValueHint::AnyPath)]
    source: Option<SourceText>,

    /// Read the files back from the blob store and compute their SHA-256
    #[arg(long, help_heading = headings::RUN)]
    full: bool,

    /// Fail if the content of a file is not proved
    #[arg(long, help_heading = headings::RUN)]
    strict: bool,

    #[command(flatten)]
    selection: SelectionArgs,

    #[command(flatten)]
    progress: ProgressArgs,
}

impl VerifyArgs {
    /// Progress mode of the command.
    pub(super) fn progress(&self) -> ProgressMode {
        self.progress.mode()
    }
}

/// Files with which the registered ones are compared.
struct SourceFiles {
    files: FileList,
    sums: Option<FileSums>,
}

/// Result of the command.
struct Verified<'a> {
    name: &'a ModelName,
    version: &'a ModelVersion,
    source: Option<&'a str>,
    is_full: bool,
    recorded: Option<ContentHash>,
    verification: &'a Verification,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    name: &'a str,
    version: &'a str,
    source: Option<&'a str>,
    full: bool,
    content_digest: Option<ContentHash>,
    content_digest_status: DigestStatus,
    totals: Totals,
    files: &'a [VerifiedFile],
}

/// Number of files per status.
#[derive(Serialize)]
struct Totals {
    files: u64,
    hashed: u64,
    sized: u64,
    listed: u64,
    unproved: u64,
    differences: u64,
}

impl Product for Verified<'_> {
    fn json(&self) -> JsonPieces<'_> {
        let of = self.verification;
        let differences = of.files.iter().filter(|file| file.status.is_difference()).count() as u64;
        product::document(&Document {
            name: self.name.as_str(),
            version: self.version.as_str(),
            source: self.source,
            full: self.is_full,
            content_digest: self.recorded,
            content_digest_status: of.digest,
            totals: Totals {
                files: of.files.len() as u64,
                hashed: of.proved(Proof::Hashed),
                sized: of.proved(Proof::Sized),
                listed: of.proved(Proof::Listed),
                unproved: of.count(FileStatus::Unproved),
                differences,
            },
            files: &of.files,
        })
    }

    fn text(&self, style: TableStyle) -> String {
        verify_page::verify_page(self.verification, style)
    }
}

/// Compares the registered files with a source, their recorded SHA-256 and, with `--full`, their content.
///
/// # Errors
/// Exit code 6 for a difference; the result is printed before.
pub(super) async fn verify(app: &App, args: VerifyArgs) -> Result<(), CliError> {
    let source = args.source.as_ref().map(|text| local_source(app, text)).transpose()?;
    if source.is_none() && args.selection != SelectionArgs::default() {
        return Err(CliError::usage("--include, --exclude and --no-default-excludes require --source")
            .with_code(ErrorCode::Contradiction)
            .with_suggestion("Use --source PATH."));
    }
    // Errors of the source are reported before any request.
    let planned = match &source {
        Some(source) => Some(
            selection::plan_and_check(app, source, &args.selection.selection(), CheckMode::Skipped, None, None)
                .await?
                .map_err(CliError::from)?,
        ),
        None => None,
    };
    let foundry = connect::foundry(app).await?;
    let model = existing::model(app, &foundry, &args.name, args.version.as_ref()).await?;
    let version = existing::version_of(&model)?;
    let stored = foundry.model_files((&args.name, &version), &model, &app.reporter()).await?;
    let recorded = existing::recorded_digest(&model);
    let needs_all = args.full || recorded.is_some();
    let files = match planned {
        Some(planned) => Some(source_files(app, planned, &stored, needs_all).await?),
        None => None,
    };
    let read = match args.full {
        true => Some(read(app, &stored).await?),
        false => None,
    };
    let compared = Comparison {
        stored: stored.files(),
        source: files.as_ref().map(|source| (&source.files, source.sums.as_ref())),
        read_back: read.as_deref(),
        digest: recorded,
    };
    let verification = compared.verify();
    app.console.gap();
    app.show(&Verified {
        name: &args.name,
        version: &version,
        // Contains no secret: URLs of blob stores are rejected.
        source: args.source.as_ref().map(SourceText::expose),
        is_full: args.full,
        recorded,
        verification: &verification,
    })?;
    conclude(app, &args, &verification)
}

/// Parses a source whose files can be compared.
fn local_source(app: &App, text: &SourceText) -> Result<Source, CliError> {
    match app.source(text.expose())? {
        Source::Blob(_) => Err(CliError::usage("only local files and hf:// sources can be compared")
            .with_code(ErrorCode::BadSource)
            .with_suggestion("Use a file, a directory or hf://ORG/NAME.")),
        source => Ok(source),
    }
}

/// Files of the source, with checksums for those that can be compared.
async fn source_files(
    app: &App,
    planned: selection::CheckedPlan,
    stored: &ModelFiles,
    needs_all: bool,
) -> Result<SourceFiles, CliError> {
    match (planned.source, planned.reader) {
        (UploadSource::Local { directory, files, .. }, _) => {
            let worth = comparable_files(stored.files(), &files, needs_all);
            let sums = match worth.is_empty() {
                true => None,
                false => Some(sums::local(app, &directory, &worth).await?),
            };
            Ok(SourceFiles { files, sums })
        }
        (UploadSource::Hub(hub), Some(reader)) => {
            let sums = FileSums::new(hub.list().clone(), reader.sums(&hub).await?);
            Ok(SourceFiles { files: hub.list().clone(), sums })
        }
        (UploadSource::Hub(_) | UploadSource::Remote { .. }, _) => {
            Ok(SourceFiles { files: FileList::default(), sums: None })
        }
    }
}

/// Reads the registered files back, and shows the progress.
async fn read(app: &App, stored: &ModelFiles) -> Result<Vec<ContentHash>, CliError> {
    let total = stored.files().iter().map(|file| file.bytes).sum();
    let what = units::count(stored.files().len() as u64, "file", "files");
    app.console.status(&format!("Reading {what} back from the blob store ({})...", units::bytes(total)));
    let mut view = app.console.read_back_view(app.timings.status_line);
    let sums = read_back(stored, app.stall_limit()?, &mut |bytes| view.on(bytes, Some(total))).await?;
    view.on(total, Some(total));
    Ok(sums)
}

/// Exit code and message of the result.
fn conclude(app: &App, args: &VerifyArgs, verification: &Verification) -> Result<(), CliError> {
    if verification.differs() {
        let error = CliError::other_files(&verify_page::differences(verification));
        let Some(source) = args.source.as_ref().filter(|_| !args.full) else { return Err(error) };
        let create = ["custom", "create", "--name", args.name.as_str(), "--source", source.expose()];
        let command = app.command_line(&[&create[..], &["--version", "auto"]].concat());
        return Err(error.with_suggestion(format!("To register the source as another version:\n  {command}")));
    }
    let unproved = verification.count(FileStatus::Unproved);
    if unproved == 0 {
        return Ok(());
    }
    let words = verify_page::unproved(unproved, args.source.is_some(), args.full);
    if args.strict {
        return Err(CliError::unproved_files(&words));
    }
    app.console.warn(&words);
    Ok(())
}
