//! Error messages for checksums that could not be computed, and for blobs that could not be listed for the comparison
//! with a plan.

use azure_ai_models_core::source::HashError;

use super::{CliError, ErrorCode, ErrorKind};
use azure_ai_models_core::http::HttpError;

impl From<HashError> for CliError {
    fn from(error: HashError) -> Self {
        let message = error.to_string();
        match error {
            HashError::Stopped => Self::interrupted(),
            HashError::Unreadable { .. } => Self::failure(message)
                .with_code(ErrorCode::SourceUnreadable)
                .with_suggestion("Check the file and the disk. Nothing was sent."),
            HashError::Changed(_) => Self::failure(message)
                .with_code(ErrorCode::SourceChanged)
                .with_suggestion("Run the command again when no program is writing to the source. Nothing was sent."),
        }
    }
}

impl CliError {
    /// Error for a plan's blobs that the store does not list: usually because the SAS is missing, which plans do not
    /// contain.
    pub(crate) fn unlisted_source(error: &HttpError) -> Self {
        let kind = match error.status() {
            Some(400..=499) => ErrorKind::Auth,
            _ => ErrorKind::Service,
        };
        Self::new(kind, format!("the blobs of the plan cannot be listed: {error}"))
            .with_code(ErrorCode::RemoteSource)
            .with_suggestion("A plan contains no SAS: use --source-file FILE with a URL whose SAS allows listing.")
    }
}
