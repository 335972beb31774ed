//! Failures of a `create` before its registration, with the commands to continue.

use std::collections::BTreeSet;

use super::version::next_free;
use super::view::resumable_sentence;
use super::{CreateRun, CreateSpec, VersionChoice};
use crate::error::{CliError, VersionConflict};
use azure_ai_models_core::model::ModelVersion;
use azure_ai_models_core::source::Selection;
use azure_ai_models_core::upload::UploadError;

/// Early end of a `create` for one version.
pub(super) enum CreateFailure {
    /// The service reports that the version exists.
    VersionExists(CliError),
    /// Another process on this machine uploads the version.
    InUse(CliError),
    /// Anything else.
    Failed(CliError),
}

impl From<CliError> for CreateFailure {
    fn from(error: CliError) -> Self {
        Self::Failed(error)
    }
}

impl From<CreateFailure> for CliError {
    fn from(ended: CreateFailure) -> Self {
        match ended {
            CreateFailure::VersionExists(error) | CreateFailure::InUse(error) | CreateFailure::Failed(error) => error,
        }
    }
}

impl CreateRun<'_> {
    /// Error of an upload in the form shown to the user.
    pub(super) async fn not_uploaded(&self, version: &ModelVersion, error: UploadError) -> CreateFailure {
        match error {
            UploadError::Conflict(error) if self.is_taken(version, &error).await => {
                CreateFailure::VersionExists(self.version_exists(version, VersionConflict::Upload(error)).await)
            }
            UploadError::UndeletableFile { path, why, earlier } => {
                let error = UploadError::UndeletableFile { path, why, earlier: earlier.clone() };
                CreateFailure::Failed(self.undeletable_file_error(version, error, earlier.map(|one| *one)).await)
            }
            error => CreateFailure::Failed(self.upload_failed(error)),
        }
    }

    /// Error of an incomplete upload: the kept content, and the command that resumes it.
    pub(super) fn upload_failed(&self, error: UploadError) -> CliError {
        let again = &self.spec.resume_command;
        match error {
            UploadError::Incomplete(incomplete) => {
                let kept = resumable_sentence(&incomplete.kept);
                let cli_error = CliError::from(incomplete.failure).with_changed_files(&incomplete.changed);
                let cli_error = cli_error.and_message(&kept).with_resume(again);
                match incomplete.no_location {
                    Some(why) => {
                        let why = CliError::from(*why);
                        cli_error
                            .and_message(&format!("Foundry did not provide a new upload location: {}", why.message()))
                    }
                    None => cli_error,
                }
            }
            error @ (UploadError::Unreachable(_) | UploadError::SasRejected(_) | UploadError::NoFreshSas(_)) => {
                CliError::from(error).with_run_again(again)
            }
            error => error.into(),
        }
    }

    /// Error with both suggestions if the location keeps a file that is no longer part of the source; `earlier` is the
    /// selection that included it.
    async fn undeletable_file_error(
        &self,
        version: &ModelVersion,
        error: UploadError,
        earlier: Option<Selection>,
    ) -> CliError {
        let (app, spec) = (self.app, self.spec);
        let mut cli_error = CliError::from(error);
        if let Some(earlier) = earlier {
            let advice = match earlier == spec.selection {
                true => "Restore the file, then run the same command again (no file is sent again):",
                false => {
                    "To upload it too, run the command without the new --include or --exclude (no file is sent again):"
                }
            };
            let as_before = CreateSpec { selection: earlier, plan: None, ..spec.clone() };
            cli_error = cli_error.and_suggestion(&format!("{advice}\n  {}", as_before.command_line(app)));
        }
        let taken = BTreeSet::from([version.to_string()]);
        let elsewhere = match next_free(self.foundry, &spec.name, &taken).await {
            Ok(next) => {
                CreateSpec { version: VersionChoice::Named(next), plan: None, ..spec.clone() }.command_line(app)
            }
            Err(_) => "--version VERSION".to_owned(),
        };
        cli_error.and_suggestion(&format!("Or use another version (all files are sent again):\n  {elsewhere}"))
    }
}
