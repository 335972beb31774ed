//! Saved plan of a dry run for `create --plan`: its content, the options that it replaces, and the check that its files
//! are unchanged. Holds no secret: URLs are stored without their query.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::args::{CreateArgs, LoraArgs};
use super::engine_args::EngineArgs;
use super::spec::{CreateSpec, EngineChoice, VersionChoice};
use crate::app::App;
use crate::commands::custom::selection::{AllowedFiles, SelectionArgs};
use crate::commands::custom::source::{SourceText, absolute, decode};
use crate::error::{CliError, ErrorCode, ErrorKind};
use azure_ai_models_core::display::printable;
use azure_ai_models_core::hub::HubPin;
use azure_ai_models_core::model::{BlobPath, ContentHash, ModelDetails, Source, Tag};
use azure_ai_models_core::source::{FileSums, Pattern, UploadSource};
use azure_ai_models_core::store::{BlobListing, BlobVersion};
use azure_ai_models_core::units;

/// Version of the document; another one is refused.
pub(super) const SCHEMA: u32 = 1;
/// A plan of a million files is smaller, in bytes.
const MAX_BYTES: u64 = 512 << 20;

/// A file of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::commands::custom) struct PlannedFile {
    pub(super) path: BlobPath,
    pub(super) bytes: u64,
    /// Modification time in nanoseconds since 1970, of a local file.
    pub(super) mtime_ns: Option<u64>,
    pub(super) sha256: Option<ContentHash>,
    /// Version of the blob, where the source is a blob store.
    #[serde(flatten)]
    pub(super) version: BlobVersion,
}

/// Options that a plan holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::commands::custom) struct PlanOptions {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
    default_excludes: bool,
    skip_check: bool,
    overwrite: bool,
    if_changed: bool,
    pub(super) parallel: Option<u32>,
    pub(super) no_hash: bool,
    /// Word of `--copy`, for sources of the Hub.
    pub(super) copy: Option<String>,
    /// Word of `--verify`, for sources of the Hub.
    pub(super) verify: Option<String>,
    /// Bytes per second.
    limit_rate: Option<u64>,
    no_wait: bool,
    timeout_seconds: Option<u64>,
    deploy: Option<PlannedDeployment>,
}

/// Deployment that the model becomes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlannedDeployment {
    name: String,
    sku_name: Option<String>,
    sku_capacity: Option<u64>,
}

/// The part of a plan that `create` reads.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::commands::custom) struct SavedPlan {
    #[serde(skip)]
    pub(super) file: PathBuf,
    name: String,
    version: String,
    source: String,
    engine: String,
    registration: ModelDetails,
    options: PlanOptions,
    files: Vec<PlannedFile>,
    #[serde(default)]
    import: Option<HubPin>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlanHeader {
    schema_version: Option<u32>,
}

/// Word of an engine in a plan.
pub(super) fn engine_name(spec: &CreateSpec) -> &'static str {
    match spec.engine {
        EngineChoice::AzCopy => "azcopy",
        EngineChoice::Native { .. } => "native",
    }
}

impl PlanOptions {
    pub(super) fn of(spec: &CreateSpec) -> Self {
        let (parallel, no_hash) = match spec.engine {
            EngineChoice::AzCopy => (None, false),
            EngineChoice::Native { parallel, hash } => (parallel, !hash),
        };
        let is_hub = matches!(spec.source, Source::Hub(_));
        let deploy = spec.deploy.as_ref();
        Self {
            include: spec.selection.include().to_vec(),
            exclude: spec.selection.exclude().to_vec(),
            default_excludes: spec.selection.has_default_excludes(),
            skip_check: !spec.check,
            overwrite: spec.overwrite,
            if_changed: spec.if_changed,
            parallel,
            no_hash,
            copy: is_hub.then(|| spec.copy.to_string()),
            verify: is_hub.then(|| spec.verify.to_string()),
            limit_rate: spec.limit_rate,
            no_wait: spec.no_wait || deploy.is_some_and(|deploy| deploy.limit.is_none()),
            timeout_seconds: spec.given_timeout.map(|timeout| timeout.as_secs()),
            deploy: deploy.map(|deploy| PlannedDeployment {
                name: deploy.name.to_string(),
                sku_name: deploy.sku_name.clone(),
                sku_capacity: deploy.sku_capacity,
            }),
        }
    }
}

impl SavedPlan {
    /// Reads a plan.
    ///
    /// # Errors
    /// When the file cannot be read or holds no plan that this program understands.
    pub(super) fn read(cwd: &Path, file: &Path) -> Result<Self, CliError> {
        let path = absolute(cwd, file);
        let unreadable = |why| CliError::unreadable(&path, &why);
        let mut bytes = Vec::new();
        std::fs::File::open(&path)
            .map_err(unreadable)?
            .take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        let bad = |why: String| {
            CliError::usage(format!("{} is not a plan of this extension: {why}", path.display()))
                .with_code(ErrorCode::BadPlan)
                .with_suggestion("Create a plan with 'custom create ... --dry-run -o json > plan.json'.")
        };
        // The shells of Windows write UTF-16.
        let text = decode(&bytes).filter(|_| bytes.len() as u64 <= MAX_BYTES);
        let text = text.ok_or_else(|| bad("not a text file, or too large".into()))?;
        if !text.trim_start().starts_with('{') {
            return Err(bad("not a JSON object".into()));
        }
        let head: PlanHeader = serde_json::from_str(&text).map_err(|why| bad(why.to_string()))?;
        match head.schema_version {
            Some(SCHEMA) => {}
            Some(other) => return Err(bad(format!("schemaVersion {other} is not supported, only {SCHEMA}"))),
            None => return Err(bad("no schemaVersion".into())),
        }
        let mut plan: Self = serde_json::from_str(&text).map_err(|why| bad(why.to_string()))?;
        plan.file = path;
        Ok(plan)
    }

    /// Arguments that the plan stands for, combined with those given on the command line.
    pub(super) fn arguments(&self, given: CreateArgs) -> Result<CreateArgs, CliError> {
        let broken = |what: &str| {
            CliError::usage(format!("{} contains no valid {what}", self.file.display())).with_code(ErrorCode::BadPlan)
        };
        let ModelDetails { weight_type, base_model, description, tags, lora, publisher } = self.registration.clone();
        let options = &self.options;
        let version: VersionChoice = self.version.parse().map_err(|_| broken("version"))?;
        let is_url_given = given.source.is_some() || given.source_file.is_some();
        let planned = options.deploy.as_ref();
        let mut args = CreateArgs {
            name: Some(self.name.parse().map_err(|_| broken("name"))?),
            version,
            description,
            tag: tags.into_iter().map(|(key, value)| Tag { key, value }).collect(),
            base_model,
            weight_type,
            publisher,
            overwrite: options.overwrite,
            selection: SelectionArgs::of(options.include.clone(), options.exclude.clone(), options.default_excludes),
            skip_check: options.skip_check,
            if_changed: options.if_changed,
            sku_name: planned.and_then(|deploy| deploy.sku_name.clone()),
            sku_capacity: planned.and_then(|deploy| deploy.sku_capacity),
            no_wait: given.no_wait || options.no_wait,
            engine: EngineArgs::of_plan(&self.engine, options).ok_or_else(|| broken("engine"))?,
            limit_rate: options.limit_rate,
            lora: LoraArgs {
                lora_rank: lora.rank,
                lora_alpha: lora.alpha,
                lora_target_modules: lora.target_modules.unwrap_or_default(),
                lora_dropout: lora.dropout,
            },
            ..given
        };
        if !is_url_given {
            args.source = Some(SourceText::from(self.source.clone()));
        }
        let timeout = options.timeout_seconds.map(Duration::from_secs);
        args.timeout = match (args.timeout, timeout) {
            (Some(given), Some(planned)) if given != planned => return Err(self.contradiction("--timeout")),
            (given, planned) => given.or(planned),
        };
        if let Some(planned) = planned {
            let name = planned.name.parse().map_err(|_| broken("deployment"))?;
            args.deploy = match args.deploy.take() {
                Some(Some(given)) if given != name => return Err(self.contradiction("--deploy")),
                _ => Some(Some(name)),
            };
        }
        Ok(args)
    }

    fn contradiction(&self, option: &str) -> CliError {
        CliError::usage(format!("{option} contradicts the plan in {}", self.file.display()))
            .with_code(ErrorCode::Contradiction)
            .with_suggestion(format!("Remove {option}, or create another plan."))
    }

    /// Fails if the source given beside the plan is another one: only the SAS of its URL may come from there.
    pub(super) fn check_source(&self, source: &Source, cwd: &Path) -> Result<(), CliError> {
        let given = match source {
            Source::Local(path) => absolute(cwd, path).display().to_string(),
            source => source.shown(cwd),
        };
        if given == self.source {
            return Ok(());
        }
        Err(CliError::usage(format!("the plan is for {}, not for {given}", self.source))
            .with_code(ErrorCode::Contradiction)
            .with_suggestion(
                "Remove --source. Use it only to add the SAS of the plan's URL, which a plan does not contain.",
            ))
    }

    /// Names of the local files that the plan allows.
    pub(super) fn only(&self) -> AllowedFiles {
        Some(Arc::new(self.files.iter().map(|file| file.path.clone()).collect::<HashSet<_>>()))
    }

    /// Commit that the plan pins.
    pub(super) fn pin(&self) -> Option<&HubPin> {
        self.import.as_ref()
    }

    /// True if the plan holds the SHA-256 of a file of this machine.
    pub(super) fn has_sums(&self) -> bool {
        self.import.is_none() && self.files.iter().any(|file| file.sha256.is_some())
    }

    /// Fails if a file differs from the plan, by size and time, or by the checksum of an import. `newer` are files that
    /// the plan does not list; they are reported.
    pub(super) fn check_files(&self, app: &App, source: &UploadSource, newer: &[BlobPath]) -> Result<(), CliError> {
        let now: Vec<PlannedFile> = planned_files(source, None);
        if let UploadSource::Remote { .. } = source {
            return Ok(());
        }
        self.compare(&now)?;
        for path in newer {
            app.console.status(&format!("{} is not in the plan and is not uploaded.", printable(path)));
        }
        Ok(())
    }

    /// Fails if a content differs from the plan.
    pub(super) fn check_sums(&self, sums: &FileSums) -> Result<(), CliError> {
        let is_other = |file: &&PlannedFile| file.sha256.is_some_and(|sum| sums.get(&file.path) != Some(sum));
        let changed = self.files.iter().filter(is_other);
        self.refuse(changed.map(|file| format!("{}: content differs (same size and time)", file.path)).collect())
    }

    /// Fails if the blobs differ from the plan: AzCopy copies all blobs.
    pub(super) fn check_blobs(&self, listing: &BlobListing) -> Result<(), CliError> {
        if self.files.is_empty() {
            return Err(CliError::usage("the plan does not list the blobs of the source")
                .with_code(ErrorCode::BadPlan)
                .with_suggestion("Create the plan with a SAS that allows listing or reading the source."));
        }
        let planned: HashSet<&str> = self.files.iter().map(|file| file.path.as_str()).collect();
        let mut changed = differences(&self.files, &blobs(listing));
        let new = listing.keys().filter(|path| !planned.contains(path.as_str()));
        changed.extend(new.map(|path| format!("{path}: not in the plan")));
        self.refuse(changed)
    }

    fn compare(&self, now: &[PlannedFile]) -> Result<(), CliError> {
        self.refuse(differences(&self.files, now))
    }

    fn refuse(&self, changed: Vec<String>) -> Result<(), CliError> {
        if changed.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> = changed.iter().map(|line| format!("  {}", printable(line))).collect();
        let what = units::count(changed.len() as u64, "file has", "files have");
        Err(CliError::new(
            ErrorKind::Conflict,
            format!("{what} changed since the plan was made:\n{}", lines.join("\n")),
        )
        .with_code(ErrorCode::PlanChanged)
        .with_suggestion("Create the plan again and review it. Nothing was sent."))
    }
}

/// Planned files that are gone or another size, time, sum or write by now. Both lists are sorted by path.
fn differences(planned: &[PlannedFile], now: &[PlannedFile]) -> Vec<String> {
    let difference = |file: &PlannedFile| {
        let at = now.binary_search_by(|other| other.path.cmp(&file.path)).ok();
        let Some(now) = at.map(|at| &now[at]) else { return Some("gone".to_owned()) };
        if now.bytes != file.bytes {
            return Some(format!("{} now, {} in the plan", byte_count(now.bytes), byte_count(file.bytes)));
        }
        if now.mtime_ns != file.mtime_ns {
            return Some("modification time differs".to_owned());
        }
        if now.version.differs_from(&file.version) {
            return Some("blob was written again".to_owned());
        }
        matches!((now.sha256, file.sha256), (Some(now), Some(planned)) if now != planned)
            .then(|| "content differs".to_owned())
    };
    planned.iter().filter_map(|file| Some(format!("{}: {}", file.path, difference(file)?))).collect()
}

fn byte_count(bytes: u64) -> String {
    format!("{} bytes", units::grouped(bytes))
}

/// Files of a source in the form of a plan, sorted by path; none of a remote source.
pub(super) fn planned_files(source: &UploadSource, sums: Option<&FileSums>) -> Vec<PlannedFile> {
    match source {
        UploadSource::Local { files, .. } => files
            .iter()
            .map(|file| PlannedFile {
                path: file.path.clone(),
                bytes: file.bytes,
                mtime_ns: Some(file.modified),
                sha256: sums.and_then(|sums| sums.get(&file.path)),
                version: BlobVersion::default(),
            })
            .collect(),
        UploadSource::Hub(hub) => hub
            .files
            .iter()
            .map(|file| PlannedFile {
                path: file.path.clone(),
                bytes: file.bytes,
                mtime_ns: None,
                sha256: file.sum.sha256(),
                version: BlobVersion::default(),
            })
            .collect(),
        UploadSource::Remote { .. } => Vec::new(),
    }
}

/// Blobs of a remote source in the form of a plan.
pub(super) fn blobs(listing: &BlobListing) -> Vec<PlannedFile> {
    let file = |(path, blob): (&BlobPath, &azure_ai_models_core::store::ListedBlob)| PlannedFile {
        path: path.clone(),
        bytes: blob.bytes,
        mtime_ns: None,
        sha256: None,
        version: blob.version.clone(),
    };
    listing.iter().map(file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, bytes: u64, mtime_ns: u64) -> PlannedFile {
        PlannedFile {
            path: path.into(),
            bytes,
            mtime_ns: Some(mtime_ns),
            sha256: None,
            version: BlobVersion::default(),
        }
    }

    #[test]
    fn each_difference_names_its_file() {
        let planned = [file("a", 1, 1), file("b", 2, 1), file("c", 3, 1), file("d", 4, 1)];
        let now = [file("a", 1, 1), file("b", 2000, 1), file("d", 4, 2), file("e", 5, 1)];
        assert_eq!(
            differences(&planned, &now),
            ["b: 2,000 bytes now, 2 bytes in the plan", "c: gone", "d: modification time differs"]
        );
        assert!(differences(&planned, &planned).is_empty());
    }

    /// Without a version, only the documented keys are written.
    #[test]
    fn a_file_has_the_documented_keys() {
        let json = serde_json::to_string(&file("a", 1, 7)).expect("JSON");
        assert_eq!(json, r#"{"path":"a","bytes":1,"mtimeNs":7,"sha256":null}"#);
        assert_eq!(serde_json::from_str::<PlannedFile>(&json).expect("a file"), file("a", 1, 7));
    }
}
