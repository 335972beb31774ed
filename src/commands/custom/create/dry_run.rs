//! `create --dry-run`: the plan, without AzCopy, downloads, prompts, or requests that change anything. Only `--version
//! auto` lists the existing versions, if a project is known.

use serde::Serialize;

use super::args::CreateArgs;
use super::import;
use super::plan::{self, PlanOptions, PlannedFile, engine_name, planned_files};
use super::questions::estimate;
use super::spec::{CreateSpec, VersionChoice};
use super::version::next_free;
use crate::app::App;
use crate::commands::connect;
use crate::commands::custom::hub;
use crate::commands::custom::selection::CheckedPlan;
use crate::commands::custom::sums;
use crate::console::TableStyle;
use crate::console::product::{self, JsonPieces, Product};
use crate::console::render::{self, CreateDryRunPage};
use crate::error::CliError;
use crate::globals::OutputFormat;
use azure_ai_models_core::hub::{HubPin, HubSource};
use azure_ai_models_core::model::{Finding, ModelDetails};
use azure_ai_models_core::redact::SecretUrl;
use azure_ai_models_core::source::{self, UploadSource};
use azure_ai_models_core::store::source_blobs;
use azure_ai_models_core::upload::expected_rate;

/// Plan of a dry run, as a page or as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreateDryRun<'a> {
    schema_version: u32,
    name: &'a str,
    version: &'a str,
    /// Project endpoint, if known; for information.
    endpoint: Option<String>,
    source: &'a str,
    engine: &'static str,
    registration: &'a ModelDetails,
    options: PlanOptions,
    files: Vec<PlannedFile>,
    excluded: Vec<Excluded<'a>>,
    totals: Totals,
    findings: &'a [Finding],
    requests: Vec<PlannedRequest>,
    estimate: Estimate,
    #[serde(skip_serializing_if = "Option::is_none")]
    import: Option<ImportPlan<'a>>,
    #[serde(skip)]
    limit_rate: Option<u64>,
}

#[derive(Serialize)]
struct Excluded<'a> {
    path: &'a str,
    reason: String,
    /// Total bytes, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
}

/// Import from the Hugging Face Hub, and how its bytes would be transferred.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ImportPlan<'a> {
    #[serde(flatten)]
    pin: &'a HubPin,
    repository: RepositoryTotals,
    license: Option<&'a str>,
    base_model: Option<&'a str>,
    copy: CopyPlan,
    verify: &'static str,
    #[serde(skip)]
    source: &'a HubSource,
}

/// Files and bytes of the imported repository or folder, including excluded ones.
#[derive(Serialize)]
struct RepositoryTotals {
    files: u64,
    bytes: u64,
}

/// Carrier of the bytes, as far as known without a transfer.
#[derive(Serialize)]
struct CopyPlan {
    mode: &'static str,
    reason: String,
}

impl<'a> ImportPlan<'a> {
    async fn of(spec: &CreateSpec, planned: &'a CheckedPlan) -> Result<Option<Self>, CliError> {
        let (UploadSource::Hub(source), Some(reader)) = (&planned.source, &planned.reader) else { return Ok(None) };
        let (mode, reason) = hub::expected_mode(source, reader, spec.copy).await?;
        let (files, bytes) = source.all();
        Ok(Some(Self {
            pin: &source.pin,
            repository: RepositoryTotals { files, bytes },
            license: source.license.as_deref(),
            base_model: source.base_model.as_deref(),
            copy: CopyPlan { mode, reason },
            verify: spec.verify.as_str(),
            source,
        }))
    }

    /// Lines of the page.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let HubPin { repo, sha, reference, .. } = self.pin;
        let mut lines = vec![
            ("Commit", format!("{repo}@{reference}, {sha}")),
            ("Taking", hub::selected_line(self.source)),
            ("Copy", self.copy.reason.clone()),
        ];
        lines.extend(import::card_lines(self.source));
        lines
    }
}

/// Totals; unknown for a remote source.
#[derive(Serialize)]
struct Totals {
    files: Option<u64>,
    bytes: Option<u64>,
}

/// One request that `create` would send to the project; the path is relative to its endpoint.
#[derive(Serialize)]
pub(super) struct PlannedRequest {
    method: &'static str,
    path: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Estimate {
    seconds: Option<u64>,
    bytes_per_second: u64,
}

impl Product for CreateDryRun<'_> {
    fn json(&self) -> JsonPieces<'_> {
        product::document(self)
    }

    fn text(&self, _: TableStyle) -> String {
        let requests: Vec<String> = self.requests.iter().map(|one| format!("{} {}", one.method, one.path)).collect();
        render::dry_run_page(&CreateDryRunPage {
            name: self.name,
            version: self.version,
            source: self.source,
            import: self.import.as_ref().map(ImportPlan::lines).unwrap_or_default(),
            files: self.files.iter().map(|file| (file.path.as_str(), file.bytes)).collect(),
            excluded: self.excluded.iter().map(|left| (left.path, left.reason.clone())).collect(),
            excluded_bytes: self.excluded.iter().filter_map(|left| left.bytes).collect(),
            findings: self.findings,
            requests: &requests,
            estimate: self.totals.bytes.map(|bytes| estimate(bytes, self.limit_rate)),
        })
    }
}

/// Shows what `create` would send. Reads headers of the files, and with `--with-hashes` their content; sends only GETs.
///
/// # Errors
/// Exit code 6 if the model check found an error; the plan is printed before.
pub(super) async fn dry_run(app: &App, args: CreateArgs) -> Result<(), CliError> {
    let with_hashes = args.with_hashes();
    let spec = args.into_spec(app).await?;
    let planned = spec.plan(app, None).await?;
    super::check_publisher(app, &spec)?;
    let version = version(app, &spec).await;
    let requests = requests(&spec, &version);
    let import = ImportPlan::of(&spec, &planned).await?;
    let sums = match &planned.source {
        UploadSource::Local { directory, files, .. } if with_hashes => Some(sums::local(app, directory, files).await?),
        _ => None,
    };
    let files = match &planned.source {
        // The blobs are only needed for a plan that will be run.
        UploadSource::Remote { url } if app.globals.output == OutputFormat::Json => blobs_of(app, url).await,
        source => planned_files(source, sums.as_ref()),
    };
    let endpoint = app.project().map(|project| project.endpoint.to_string());
    app.show(&document(&spec, &planned, (&version, endpoint), requests, (files, import)))?;
    CliError::check_failed(&planned.findings).map_or(Ok(()), Err)
}

/// Blobs of the source; none if they cannot be listed, which is reported: such a plan cannot be run.
async fn blobs_of(app: &App, url: &SecretUrl) -> Vec<PlannedFile> {
    match source_blobs(&app.http(), url).await {
        Ok(listing) => plan::blobs(&listing),
        Err(why) => {
            let why = CliError::from(why);
            app.console.warn(&format!("The plan cannot be run because the source cannot be listed: {}", why.message()));
            Vec::new()
        }
    }
}

/// Version, if known; `auto` if no project reports existing ones.
async fn version(app: &App, spec: &CreateSpec) -> String {
    let VersionChoice::Auto = spec.version else { return spec.version.to_string() };
    let Ok(foundry) = connect::foundry(app).await else { return spec.version.to_string() };
    match next_free(&foundry, &spec.name, &std::collections::BTreeSet::new()).await {
        Ok(version) => version.to_string(),
        Err(why) => {
            app.console.warn(&format!("The next version is unknown: {}", why.message()));
            spec.version.to_string()
        }
    }
}

fn requests(spec: &CreateSpec, version: &str) -> Vec<PlannedRequest> {
    let model = format!("/models/{}/versions/{version}", spec.name);
    let request = |method, path: String| PlannedRequest { method, path };
    let mut requests = Vec::new();
    if spec.overwrite {
        requests.push(request("GET", model.clone()));
        requests.push(request("DELETE", model.clone()));
    }
    requests.push(request("POST", format!("{model}/startPendingUpload")));
    requests.push(request("POST", format!("{model}/createAsync")));
    if !spec.no_wait {
        requests.push(request("GET", model));
    }
    requests
}

fn document<'a>(
    spec: &'a CreateSpec,
    planned: &'a CheckedPlan,
    (version, endpoint): (&'a str, Option<String>),
    requests: Vec<PlannedRequest>,
    (files, import): (Vec<PlannedFile>, Option<ImportPlan<'a>>),
) -> CreateDryRun<'a> {
    let (plan, findings) = (&planned.source, &planned.findings);
    let rate = expected_rate(spec.limit_rate);
    let is_listed = plan.bytes().is_some() || !files.is_empty();
    let listed = || (files.len() as u64, files.iter().map(|file| file.bytes).sum());
    let (count, bytes) = is_listed.then(listed).unzip();
    CreateDryRun {
        schema_version: plan::SCHEMA,
        name: spec.name.as_str(),
        version,
        source: &spec.shown_source,
        endpoint,
        engine: engine_name(spec),
        registration: &spec.details,
        options: PlanOptions::of(spec),
        files,
        excluded: excluded(plan),
        totals: Totals { files: count, bytes },
        findings,
        requests,
        estimate: Estimate { seconds: bytes.map(|bytes| bytes.div_ceil(rate)), bytes_per_second: rate },
        import,
        limit_rate: spec.limit_rate,
    }
}

fn excluded<'a>(plan: &'a UploadSource) -> Vec<Excluded<'a>> {
    match plan {
        UploadSource::Local { excluded, .. } => {
            let of = |left: &'a source::Excluded| Excluded {
                path: &left.path,
                reason: left.reason.to_string(),
                bytes: None,
            };
            excluded.iter().map(of).collect()
        }
        UploadSource::Hub(hub) => hub
            .excluded
            .iter()
            .map(|left| Excluded { path: &left.path, reason: left.reason.to_string(), bytes: Some(left.bytes) })
            .collect(),
        UploadSource::Remote { .. } => Vec::new(),
    }
}
