//! `create --dry-run`: the plan, and nothing else. No AzCopy, no download, no question, no request that changes
//! anything; only `--version auto` asks which versions there are, where a project is known.

use serde::Serialize;

use super::args::CreateArgs;
use super::questions::estimate;
use super::spec::{CreateSpec, VersionChoice};
use super::version::next_free;
use crate::app::App;
use crate::commands::connect;
use crate::console::TableStyle;
use crate::console::product::{self, JsonPieces, Product};
use crate::console::render::{self, DryRunPage};
use crate::error::CliError;
use azure_ai_models_core::model::Finding;
use azure_ai_models_core::source::UploadSource;
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
            files: self.files.iter().map(|file| (file.path, file.bytes)).collect(),
            excluded: self.excluded.iter().map(|left| (left.path, left.reason.clone())).collect(),
            findings: self.findings,
            requests: &requests,
            estimate: self.totals.bytes.map(|bytes| estimate(bytes, self.limit_rate)),
        })
    }
}

pub(super) async fn dry_run(app: &App, args: CreateArgs) -> Result<(), CliError> {
    let spec = args.into_spec(app).await?;
    let (plan, findings) = spec.plan(app).await?;
    super::check_publisher(app, &spec)?;
    let version = version(app, &spec).await;
    let requests = requests(&spec, &version);
    app.show(&document(&spec, &plan, &version, &findings, requests))?;
    CliError::check_failed(&findings).map_or(Ok(()), Err)
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
    plan: &'a UploadSource,
    version: &'a str,
    findings: &'a [Finding],
    requests: Vec<PlannedRequest>,
) -> DryRun<'a> {
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
        limit_rate: spec.limit_rate,
    }
}

fn files(plan: &UploadSource) -> Vec<File<'_>> {
    match plan {
        UploadSource::Local { files, .. } => {
            files.iter().map(|file| File { path: &file.path, bytes: file.bytes }).collect()
        }
        UploadSource::Remote { .. } => Vec::new(),
    }
}

fn excluded(plan: &UploadSource) -> Vec<Excluded<'_>> {
    match plan {
        UploadSource::Local { excluded, .. } => {
            excluded.iter().map(|left| Excluded { path: &left.path, reason: left.reason.to_string() }).collect()
        }
        UploadSource::Remote { .. } => Vec::new(),
    }
}
