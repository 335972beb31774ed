//! Translation of a failed upload by the native engine.

use azure_ai_models_core::store::StoreError;
use azure_ai_models_core::upload::NativeError;

use super::upload::{BROKEN_UPLOAD, LEAVE_FILES, STALLED, code_of_store};
use super::{CliError, ErrorCode, ErrorKind};

impl From<NativeError> for CliError {
    fn from(error: NativeError) -> Self {
        let message = match &error {
            NativeError::Location(StoreError::NoFreshSas(why)) => format!("{error}: {why}"),
            _ => error.to_string(),
        };
        let broken = |code| Self::new(ErrorKind::UploadFailed, format!("{BROKEN_UPLOAD}\n{message}")).with_code(code);
        match &error {
            NativeError::Interrupted { progress } => Self::upload_interrupted(*progress),
            NativeError::Stalled { .. } => broken(ErrorCode::UploadStalled).with_suggestion(STALLED),
            NativeError::Location(StoreError::SasRejected(refusal)) => broken(code_of_store(refusal))
                .with_suggestion("Check this machine's clock, and the network rules of the project's storage."),
            NativeError::Location(StoreError::NoFreshSas(_)) => broken(ErrorCode::NoFreshSas),
            NativeError::Location(_) => broken(ErrorCode::LocationMoved),
            NativeError::Store { error: refusal, .. } => broken(code_of_store(refusal)),
            NativeError::File { .. } | NativeError::Changing { .. } => {
                broken(ErrorCode::FilesFailed).with_suggestion(LEAVE_FILES)
            }
            NativeError::BlocksLost { .. } => broken(ErrorCode::IncompleteUpload),
            NativeError::Record(_) => Self::failure(message)
                .with_code(ErrorCode::NoUploadDirectory)
                .with_suggestion("Make room, or allow writing there, or name another directory with AZD_CONFIG_DIR."),
        }
    }
}
