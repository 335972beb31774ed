//! What a native upload that broke means for the person.

use azure_ai_models_core::store::StoreError;
use azure_ai_models_core::upload::NativeError;

use super::upload::{BROKEN_UPLOAD, LEAVE_FILES, STALLED, code_of_store, interrupted_at};
use super::{CliError, ErrorKind};

impl From<NativeError> for CliError {
    fn from(error: NativeError) -> Self {
        let message = error.to_string();
        let broken =
            |code: &str| Self::new(ErrorKind::UploadFailed, format!("{BROKEN_UPLOAD}\n{message}")).with_code(code);
        match &error {
            NativeError::Interrupted { progress } => {
                Self::interrupted().with_code("upload_interrupted").with_message(interrupted_at(*progress))
            }
            NativeError::Stalled { .. } => broken("upload_stalled").with_suggestion(STALLED),
            NativeError::Location(StoreError::SasRejected(refusal)) => broken(code_of_store(refusal))
                .with_suggestion("Check this machine's clock, and the network rules of the project's storage."),
            NativeError::Location(StoreError::NoFreshSas(why)) => {
                let text = format!("{BROKEN_UPLOAD}\n{message}: {why}");
                broken("no_fresh_sas").with_message(text)
            }
            NativeError::Location(_) => broken("location_moved"),
            NativeError::Store { error: refusal, .. } => broken(code_of_store(refusal)),
            NativeError::File { .. } | NativeError::Changing { .. } => {
                broken("files_failed").with_suggestion(LEAVE_FILES)
            }
            NativeError::BlocksLost { .. } => broken("incomplete_upload"),
            NativeError::Record(_) => Self::failure(message)
                .with_code("no_upload_directory")
                .with_suggestion("Make room, or allow writing there, or name another directory with AZD_CONFIG_DIR."),
        }
    }
}
