//! `create --dry-run`: the plan, and nothing else. No AzCopy, no download, no question, no request that changes
//! anything; only `--version auto` asks which versions there are, where a project is known.

use serde::Serialize;

use super::args::CreateArgs;
use super::import;
use super::questions::estimate;
use super::spec::{CreateSpec, VersionChoice};
use super::version::next_free;
use crate::app::App;
use crate::commands::connect;
use crate::commands::custom::hub;
use crate::commands::custom::selection::Planned;
use crate::console::TableStyle;
use crate::console::product::{self, JsonPieces, Product};
use crate::console::render::{self, DryRunPage};
use crate::error::CliError;
use azure_ai_models_core::hub::{HubPin, HubSource};
use azure_ai_models_core::model::Finding;
use azure_ai_models_core::source::{self, UploadSource};
use azure_ai_models_core::upload::expected_rate;

/// Plan of a dry run, as a page or as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DryRun<'a> {
    name: &'a str,
    version: &'a str,
    source: &'a str,
    files: Vec<File<'a>>,
    excluded: Vec<Excluded<'a>>,
    totals: Totals,
    findings: &'a [Finding],
    requests: Vec<PlannedRequest>,
    estimate: Estimate,
    #[serde(skip_serializing_if = "Option::is_none")]
    import: Option<Import<'a>>,
    #[serde(skip)]
    limit_rate: Option<u64>,
}

#[derive(Serialize)]
struct File<'a> {
    path: &'a str,
    bytes: u64,
}

#[derive(Serialize)]
struct Excluded<'a> {
    path: &'a str,
    reason: String,
    /// Known of an import.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
}

/// Import from the Hugging Face Hub, and how its bytes would travel.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Import<'a> {
    #[serde(flatten)]
    pin: &'a HubPin,
    repository: Repository,
    license: Option<&'a str>,
    base_model: Option<&'a str>,
    copy: Copy,
    verify: &'static str,
    #[serde(skip)]
    source: &'a HubSource,
}

/// Files and bytes of the repository or of the folder that is imported, with what is left out.
#[derive(Serialize)]
struct Repository {
    files: u64,
    bytes: u64,
}

/// Carrier of the bytes, as far as it is known without writing a byte.
#[derive(Serialize)]
struct Copy {
    mode: &'static str,
    reason: String,
}

impl<'a> Import<'a> {
    async fn of(spec: &CreateSpec, planned: &'a Planned) -> Result<Option<Self>, CliError> {
        let (UploadSource::Hub(source), Some(reader)) = (&planned.source, &planned.reader) else { return Ok(None) };
        let (mode, reason) = hub::expected_mode(source, reader, spec.copy).await?;
        let (files, bytes) = source.all();
        Ok(Some(Self {
            pin: &source.pin,
            repository: Repository { files, bytes },
            license: source.license.as_deref(),
            base_model: source.base_model.as_deref(),
            copy: Copy { mode, reason },
            verify: spec.verify.as_str(),
            source,
        }))
    }

    /// Lines of the page.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let HubPin { repo, sha, reference, .. } = self.pin;
        let mut lines = vec![
            ("Commit", format!("{repo}@{reference}, {sha}")),
            ("Taking", hub::taken_line(self.source)),
            ("Copy", self.copy.reason.clone()),
        ];
        lines.extend(import::card_lines(self.source));
        lines
    }
}

/// Unknown for a remote source.
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

impl Product for DryRun<'_> {
    fn json(&self) -> JsonPieces<'_> {
        product::document(self)
    }

    fn text(&self, _: TableStyle) -> String {
        let requests: Vec<String> = self.requests.iter().map(|one| format!("{} {}", one.method, one.path)).collect();
        render::dry_run_page(&DryRunPage {
            name: self.name,
            version: self.version,
            source: self.source,
            import: self.import.as_ref().map(Import::lines).unwrap_or_default(),
            files: self.files.iter().map(|file| (file.path, file.bytes)).collect(),
            excluded: self.excluded.iter().map(|left| (left.path, left.reason.clone())).collect(),
            excluded_bytes: self.excluded.iter().filter_map(|left| left.bytes).collect(),
            findings: self.findings,
            requests: &requests,
            estimate: self.totals.bytes.map(|bytes| estimate(bytes, self.limit_rate)),
        })
    }
}

pub(super) async fn dry_run(app: &App, args: CreateArgs) -> Result<(), CliError> {
    let spec = args.into_spec(app).await?;
    let planned = spec.plan(app, None).await?;
    super::check_publisher(app, &spec)?;
    let version = version(app, &spec).await;
    let requests = requests(&spec, &version);
    let import = Import::of(&spec, &planned).await?;
    app.show(&document(&spec, &planned, &version, requests, import))?;
    CliError::check_failed(&planned.findings).map_or(Ok(()), Err)
}

/// The version as far as it is known: `auto` where no project tells more.
async fn version(app: &App, spec: &CreateSpec) -> String {
    let VersionChoice::Auto = spec.version else { return spec.version.to_string() };
    let Ok(foundry) = connect::foundry(app).await else { return spec.version.to_string() };
    match next_free(&foundry, &spec.name, &std::collections::BTreeSet::new()).await {
        Ok(version) => version.to_string(),
        Err(why) => {
            app.console.warn(&format!("The next version is not known: {}", why.message()));
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
    planned: &'a Planned,
    version: &'a str,
    requests: Vec<PlannedRequest>,
    import: Option<Import<'a>>,
) -> DryRun<'a> {
    let (plan, findings) = (&planned.source, &planned.findings);
    let rate = expected_rate(spec.limit_rate);
    DryRun {
        name: spec.name.as_str(),
        version,
        source: &spec.shown_source,
        files: files(plan),
        excluded: excluded(plan),
        totals: Totals { files: plan.file_count(), bytes: plan.bytes() },
        findings,
        requests,
        estimate: Estimate { seconds: plan.bytes().map(|bytes| bytes.div_ceil(rate)), bytes_per_second: rate },
        import,
        limit_rate: spec.limit_rate,
    }
}

fn files(plan: &UploadSource) -> Vec<File<'_>> {
    match plan {
        UploadSource::Local { files, .. } => {
            files.iter().map(|file| File { path: &file.path, bytes: file.bytes }).collect()
        }
        UploadSource::Hub(hub) => hub.files.iter().map(|file| File { path: &file.path, bytes: file.bytes }).collect(),
        UploadSource::Remote { .. } => Vec::new(),
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
