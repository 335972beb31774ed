//! Model to create, from the command line or from the journal of an earlier attempt.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::detach::DetachRequest;
use super::plan::SavedPlan;
use crate::app::PromptObstacle;
use crate::commands::deployments::create::DeployRequest;
use azure_ai_models_core::hub::{CopyMode, VerifyMode};
use azure_ai_models_core::model::{ModelDetails, ModelName, ModelVersion, Source};
use azure_ai_models_core::source::Selection;

/// Validated settings of one upload.
#[derive(Clone, Debug)]
pub(in crate::commands::custom) struct CreateSpec {
    pub(in crate::commands::custom) name: ModelName,
    pub(in crate::commands::custom) version: VersionChoice,
    pub(in crate::commands::custom) source: Source,
    /// Source as stored in the journal: an absolute path, a URL without its query, or an address on the Hub.
    pub(in crate::commands::custom) shown_source: String,
    /// File from which the source was read.
    pub(in crate::commands::custom) source_file: Option<PathBuf>,
    pub(in crate::commands::custom) selection: Selection,
    /// True to check the files before the upload.
    pub(in crate::commands::custom) check: bool,
    pub(in crate::commands::custom) details: ModelDetails,
    pub(in crate::commands::custom) overwrite: bool,
    /// True to answer all prompts with yes.
    pub(in crate::commands::custom) yes: bool,
    /// Reason why the user cannot be asked: a source on standard input leaves no input for answers.
    pub(in crate::commands::custom) prompt_obstacle: Option<PromptObstacle>,
    /// Deployment of the model.
    pub(in crate::commands::custom) deploy: Option<DeployRequest>,
    /// Name and SKU of the deployment, as options: from `deploy`, or from the `create` that this one resumes.
    pub(in crate::commands::custom) deployment: Vec<String>,
    /// True if the end of the registration is not awaited.
    pub(in crate::commands::custom) no_wait: bool,
    /// Time limit of the registration, if given.
    pub(in crate::commands::custom) timeout: Option<Duration>,
    /// Time limit as given by the user, unscaled.
    pub(in crate::commands::custom) given_timeout: Option<Duration>,
    pub(in crate::commands::custom) engine: EngineChoice,
    /// Permitted carriers of an import.
    pub(in crate::commands::custom) copy: CopyMode,
    /// Extent of the verification of an import.
    pub(in crate::commands::custom) verify: VerifyMode,
    pub(in crate::commands::custom) azcopy_path: Option<PathBuf>,
    /// Rate limit in bytes per second.
    pub(in crate::commands::custom) limit_rate: Option<u64>,
    /// Settings to detach the upload, if requested.
    pub(in crate::commands::custom) detach: Option<DetachRequest>,
    /// True to create nothing if a version has the same content.
    pub(in crate::commands::custom) if_changed: bool,
    /// Saved plan of a dry run, if one is run.
    pub(in crate::commands::custom) plan: Option<Arc<SavedPlan>>,
    /// Command that resumes this upload.
    pub(in crate::commands::custom) resume_command: String,
}

/// Upload engine and its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands::custom) enum EngineChoice {
    AzCopy,
    /// Native engine, with the number of concurrent requests, and with or without the SHA-256 of each file.
    Native {
        parallel: Option<u32>,
        hash: bool,
    },
}

/// A given version, or one that the program chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands::custom) enum VersionChoice {
    Named(ModelVersion),
    /// Highest existing version plus 1.
    Auto,
}

impl FromStr for VersionChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        // Existing models may have any version; a new one should be easy to type.
        if text.contains(char::is_whitespace) {
            return Err("a version cannot contain spaces".into());
        }
        text.parse().map(Self::Named)
    }
}

impl fmt::Display for VersionChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(version) => version.fmt(f),
            Self::Auto => f.write_str("auto"),
        }
    }
}
