//! Saved plan of a dry run for `create --plan`. Contains no secret: URLs are stored without their query.

mod arguments;
mod compare;

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::spec::{CreateSpec, EngineChoice};
use crate::commands::custom::selection::AllowedFiles;
use crate::commands::custom::source::{absolute, decode};
use crate::error::{CliError, ErrorCode};
use azure_ai_models_core::hub::HubPin;
use azure_ai_models_core::model::{BlobPath, ContentHash, ModelDetails, Source};
use azure_ai_models_core::source::{FileSums, Pattern, UploadSource};
use azure_ai_models_core::store::{BlobListing, BlobVersion};

/// Version of the document; others are rejected.
pub(super) const SCHEMA: u32 = 1;
/// Maximum size in bytes; a plan of a million files is smaller.
const MAX_BYTES: u64 = 512 << 20;

/// A file of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::commands::custom) struct PlannedFile {
    pub(super) path: BlobPath,
    pub(super) bytes: u64,
    /// Modification time of a local file in nanoseconds since 1970.
    pub(super) mtime_ns: Option<u64>,
    pub(super) sha256: Option<ContentHash>,
    /// Version of the blob, if the source is a blob store.
    #[serde(flatten)]
    pub(super) version: BlobVersion,
}

/// Options stored in a plan.
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
    /// Value of `--copy`, for sources on the Hub.
    pub(super) copy: Option<String>,
    /// Value of `--verify`, for sources on the Hub.
    pub(super) verify: Option<String>,
    /// Rate limit in bytes per second.
    pub(super) limit_rate: Option<u64>,
    no_wait: bool,
    timeout_seconds: Option<u64>,
    deploy: Option<PlannedDeployment>,
}

/// Deployment to create from the model.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlannedDeployment {
    name: String,
    sku_name: Option<String>,
    sku_capacity: Option<u64>,
}

/// Fields of a plan that `create` reads.
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

/// Name of an engine in a plan.
pub(super) fn engine_name(spec: &CreateSpec) -> &'static str {
    match spec.engine {
        EngineChoice::AzCopy => "azcopy",
        EngineChoice::Native { .. } => "native",
    }
}

impl PlanOptions {
    /// Options of this upload. Options of other engines or sources have their defaults.
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
    /// When the file cannot be read or is not a plan that this program supports.
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
        // Windows shells write UTF-16.
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

    /// Names of the local files that the plan permits.
    pub(super) fn only(&self) -> AllowedFiles {
        Some(Arc::new(self.files.iter().map(|file| file.path.clone()).collect::<HashSet<_>>()))
    }

    /// Commit that the plan pins.
    pub(super) fn pin(&self) -> Option<&HubPin> {
        self.import.as_ref()
    }

    /// True if the plan contains the SHA-256 of a local file.
    pub(super) fn has_sums(&self) -> bool {
        self.import.is_none() && self.files.iter().any(|file| file.sha256.is_some())
    }
}

/// Files of a source in the form of a plan, sorted by path; none for a remote source.
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

    /// Entry of a local file.
    pub(super) fn file(path: &str, bytes: u64, mtime_ns: u64) -> PlannedFile {
        PlannedFile {
            path: path.into(),
            bytes,
            mtime_ns: Some(mtime_ns),
            sha256: None,
            version: BlobVersion::default(),
        }
    }

    /// Without a version, only the documented keys are written.
    #[test]
    fn a_planned_file_has_the_documented_keys() {
        let json = serde_json::to_string(&file("a", 1, 7)).expect("JSON");
        assert_eq!(json, r#"{"path":"a","bytes":1,"mtimeNs":7,"sha256":null}"#);
        assert_eq!(serde_json::from_str::<PlannedFile>(&json).expect("a file"), file("a", 1, 7));
    }
}
