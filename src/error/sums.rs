//! Translation of sums that could not be computed.

use azure_ai_models_core::source::HashError;

use super::{CliError, ErrorCode};

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
                .with_suggestion("Run the command again once nothing writes to the source any more. Nothing was sent."),
        }
    }
}
