//! What a native upload that broke means for the person.

use azure_ai_models_core::http::HttpError;
use azure_ai_models_core::native::NativeError;

use super::upload::{BROKEN_UPLOAD, LEAVE_FILES, STALLED, interrupted_at};
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
            NativeError::Refused(refusal) => broken(code_of(refusal))
                .with_suggestion("Check this machine's clock, and the network rules of the project's storage."),
            NativeError::NoFreshSas(why) => {
                let text = format!("{BROKEN_UPLOAD}\n{message}: {why}");
                broken("no_fresh_sas").with_message(text)
            }
            NativeError::Moved => broken("location_moved"),
            NativeError::Store { error: refusal, .. } => broken(code_of(refusal)),
            NativeError::File { .. } | NativeError::Changing { .. } => {
                broken("files_failed").with_suggestion(LEAVE_FILES)
            }
            NativeError::Incomplete { .. } => broken("incomplete_upload"),
            NativeError::Record(_) => Self::failure(message)
                .with_code("no_upload_directory")
                .with_suggestion("Make room, or allow writing there, or name another directory with AZD_CONFIG_DIR."),
        }
    }
}

/// The store's word, else `upload_failed`.
fn code_of(error: &HttpError) -> &str {
    error.service().and_then(|error| error.code.as_deref()).unwrap_or("upload_failed")
}
