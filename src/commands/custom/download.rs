//! `custom download`: downloads the files of a registered model, and verifies them.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use serde::Serialize;

use super::existing;
use super::source::absolute;
use super::sums;
use crate::app::App;
use crate::commands::connect;
use crate::commands::progress::ProgressArgs;
use crate::console::product::{self, JsonPieces, Product};
use crate::console::{ProgressMode, TableStyle, TransferView, download_page};
use crate::error::CliError;
use crate::shell::option_arguments;
use azure_ai_models_core::download::{
    Download, DownloadControls, DownloadError, DownloadPlan, DownloadRequest, DownloadedFile, PresentContent,
};
use azure_ai_models_core::foundry::ModelFiles;
use azure_ai_models_core::model::{ContentHash, ModelName, ModelVersion, TransferEvent};
use azure_ai_models_core::source::{Pattern, Selection};

pub(super) const EXAMPLES: &str = "\
The content of each file is compared with the SHA-256 that its upload recorded. To resume, run the same command again.

Examples:
  azd ai models custom download --name my-model --to ./my-model
  azd ai models custom download --name my-model --version 2 --to ./out --include \"*.json\"
  azd ai models custom download --name my-model --to ./my-model --force --progress json";

/// Options of `custom download`.
#[derive(Args, Debug)]
pub(crate) struct DownloadArgs {
    /// Model name
    #[arg(short, long, value_name = "NAME")]
    name: ModelName,

    /// Model version [default: the latest]
    #[arg(long, value_name = "VERSION")]
    version: Option<ModelVersion>,

    /// Target directory, created if missing
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    to: PathBuf,

    /// Download only files that match (can be repeated)
    ///
    /// *.json matches at any depth, /*.json at the top only, sub/ a directory.
    #[arg(long, value_name = "GLOB")]
    include: Vec<Pattern>,

    /// Exclude files that match (can be repeated)
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<Pattern>,

    /// Overwrite existing files
    #[arg(long)]
    force: bool,

    /// Concurrent requests, 1 to 256 [default: 32]
    #[arg(long, hide_short_help = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    parallel: Option<u32>,

    #[command(flatten)]
    progress: ProgressArgs,
}

impl DownloadArgs {
    /// Progress mode of the command.
    pub(super) fn progress(&self) -> ProgressMode {
        self.progress.mode()
    }

    /// Command that resumes this download.
    fn again(&self, app: &App, version: &ModelVersion) -> String {
        let mut words: Vec<String> =
            ["custom", "download", "--name", self.name.as_str(), "--version", version.as_str()]
                .map(str::to_owned)
                .into();
        words.extend(option_arguments("--to", &self.to.display().to_string()));
        for (option, patterns) in [("--include", &self.include), ("--exclude", &self.exclude)] {
            words.extend(patterns.iter().flat_map(|pattern| option_arguments(option, &pattern.to_string())));
        }
        words.extend(self.force.then(|| "--force".to_owned()));
        words.extend(self.parallel.iter().flat_map(|number| option_arguments("--parallel", &number.to_string())));
        app.command_line(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// Result of the command.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Downloaded<'a> {
    name: &'a str,
    version: &'a str,
    to: String,
    totals: Totals,
    files: Vec<FileEntry<'a>>,
}

/// Number of files and bytes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Totals {
    files: u64,
    bytes: u64,
    downloaded_files: u64,
    downloaded_bytes: u64,
    hashed: u64,
}

/// One file that is in place.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FileEntry<'a> {
    path: &'a str,
    bytes: u64,
    /// SHA-256 that was compared with the recorded one.
    sha256: Option<ContentHash>,
    /// `downloaded`, or `present` if it existed before this run.
    status: &'static str,
    proof: &'static str,
}

impl<'a> Downloaded<'a> {
    fn of(name: &'a ModelName, version: &'a ModelVersion, to: &Path, files: &'a [DownloadedFile]) -> Self {
        let sum = |is_counted: &dyn Fn(&&DownloadedFile) -> bool| {
            files.iter().filter(is_counted).fold((0, 0), |(files, bytes), file| (files + 1, bytes + file.bytes))
        };
        let (all, bytes) = sum(&|_| true);
        let (downloaded_files, downloaded_bytes) = sum(&|file| !file.is_present);
        let (hashed, _) = sum(&|file| file.sha256.is_some());
        let entry = |file: &'a DownloadedFile| FileEntry {
            path: &file.path,
            bytes: file.bytes,
            sha256: file.sha256,
            status: if file.is_present { "present" } else { "downloaded" },
            proof: if file.sha256.is_some() { "hashed" } else { "sized" },
        };
        Self {
            name: name.as_str(),
            version: version.as_str(),
            to: to.display().to_string(),
            totals: Totals { files: all, bytes, downloaded_files, downloaded_bytes, hashed },
            files: files.iter().map(entry).collect(),
        }
    }
}

impl Product for Downloaded<'_> {
    fn json(&self) -> JsonPieces<'_> {
        product::document(self)
    }

    fn text(&self, style: TableStyle) -> String {
        let Totals { files, bytes, downloaded_files, hashed, .. } = self.totals;
        match style.summary {
            true => download_page::summary(&self.to, (files, bytes), downloaded_files, hashed),
            false => self.files.iter().fold(String::new(), |page, file| page + file.path + "\n"),
        }
    }
}

/// Downloads the files of a version. Existing files with the recorded SHA-256 count as downloaded.
///
/// # Errors
/// Conflict, before anything is fetched, if another file would be overwritten without `--force`.
pub(super) async fn download(app: &App, args: DownloadArgs) -> Result<(), CliError> {
    let directory = absolute(app.env.cwd(), &args.to);
    let foundry = connect::foundry(app).await?;
    let model = existing::model(app, &foundry, &args.name, args.version.as_ref()).await?;
    let version = existing::version_of(&model)?;
    let stored = foundry.model_files((&args.name, &version), &model, &app.reporter()).await?;
    let again = args.again(app, &version);
    let request = DownloadRequest {
        directory: directory.clone(),
        selection: Selection::new(args.include.clone(), args.exclude.clone(), false),
        force: args.force,
        identity: format!("{}\n{}\n{version}\n{}", foundry.endpoint(), args.name, stored.blob_uri()),
        digest: existing::recorded_digest(&model),
    };
    let plan = planned(app, &stored, request, &directory).await?;
    let there = plan.present_content();
    let shown = args.to.display().to_string();
    let files = match there.missing {
        0 => {
            app.console.status(&download_page::present_content(&there).unwrap_or_default());
            plan.present()
        }
        _ => {
            let target = (args.name.as_str(), version.as_str(), shown.as_str());
            fetched(app, &stored, plan, args.parallel, (target, &there), &again).await?
        }
    };
    app.console.gap();
    let downloaded = Downloaded::of(&args.name, &version, &args.to, &files);
    let unproved = downloaded.totals.files - downloaded.totals.hashed;
    if unproved > 0 {
        app.console.warn(&download_page::unproved(unproved));
    }
    app.show(&downloaded)
}

/// Checks that the plan can be executed.
async fn planned(
    app: &App,
    stored: &ModelFiles,
    request: DownloadRequest,
    directory: &Path,
) -> Result<DownloadPlan, CliError> {
    let files = stored.clone();
    let mut plan = blocking(move || DownloadPlan::make(files.files(), &request)).await?;
    let candidates = plan.candidates();
    if !candidates.is_empty() {
        plan.compare(&sums::local(app, directory, &candidates).await?);
    }
    blocking(move || plan.check().map(|()| plan)).await
}

/// Fetches the missing files, and shows the progress.
async fn fetched(
    app: &App,
    stored: &ModelFiles,
    plan: DownloadPlan,
    parallel: Option<u32>,
    ((name, version, to), there): ((&str, &str, &str), &PresentContent),
    again: &str,
) -> Result<Vec<DownloadedFile>, CliError> {
    let stored = stored.clone();
    let controls = DownloadControls {
        timings: app.timings.clone(),
        stall_limit: app.stall_limit()?,
        parallel,
        reporter: app.reporter(),
    };
    let download = blocking(move || Download::begin(&stored, plan, controls)).await?;
    app.console.status(&download_page::start_line(name, version, to, there));
    if let Some(words) = download_page::present_content(there) {
        app.console.status(&words);
    }
    app.on_interrupt(CliError::download_interrupted(None).with_resume(again));
    let mut view = app.console.download_transfer_view(app.timings.status_line);
    let mut on = |event: TransferEvent| follow(app, &mut view, &event, again);
    let ended = download.run(&mut on).await;
    drop(view);
    let files = ended.map_err(|error| match error.is_resumable() {
        true => CliError::from(error).with_resume(again),
        false => CliError::from(error),
    })?;
    app.console.done("Download complete");
    Ok(files)
}

fn follow(app: &App, view: &mut TransferView<'_>, event: &TransferEvent, again: &str) {
    view.on(event);
    if let TransferEvent::Progress(progress) = event {
        view.tick();
        app.on_interrupt(CliError::download_interrupted(Some(*progress)).with_resume(again));
    }
}

/// Inspects the disk on a blocking thread.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DownloadError> + Send + 'static,
) -> Result<T, CliError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(CliError::interrupted()),
    }
}
