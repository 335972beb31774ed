//! Error messages for a failed upload by the native engine.

use azure_ai_models_core::hub::HubError;
use azure_ai_models_core::store::StoreError;
use azure_ai_models_core::upload::NativeError;

use super::upload::{CHECK_FILES, INTERRUPTED_UPLOAD, STALLED, code_of_store, is_store_refusal};
use super::{CliError, ErrorCode, ErrorKind, is_refusal};

impl From<NativeError> for CliError {
    fn from(error: NativeError) -> Self {
        let error = match error {
            NativeError::Hub(error) => return Self::of_import(*error),
            error => error,
        };
        let message = match &error {
            NativeError::Location(StoreError::NoFreshSas(why)) => format!("{error}: {why}"),
            _ => error.to_string(),
        };
        let broken =
            |code| Self::new(ErrorKind::UploadFailed, format!("{INTERRUPTED_UPLOAD}\n{message}")).with_code(code);
        match &error {
            NativeError::Interrupted { progress } => Self::upload_interrupted(*progress),
            NativeError::Stalled { .. } => broken(ErrorCode::UploadStalled).with_suggestion(STALLED),
            NativeError::Location(StoreError::SasRejected(refusal)) => broken(code_of_store(refusal))
                .with_suggestion("Check this machine's clock, and the network rules of the project's storage.")
                .lasting(),
            NativeError::Location(StoreError::NoFreshSas(why)) => {
                broken(ErrorCode::NoFreshSas).lasting_if(why.status().is_some_and(is_refusal))
            }
            NativeError::Location(_) => broken(ErrorCode::LocationMoved),
            NativeError::Store { error: refusal, .. } => {
                broken(code_of_store(refusal)).lasting_if(is_store_refusal(refusal)).suggest_for_intermediary(refusal)
            }
            NativeError::File { .. } | NativeError::Changing { .. } => {
                broken(ErrorCode::FilesFailed).with_suggestion(CHECK_FILES).lasting()
            }
            NativeError::NotCopied { .. } => Self::new(ErrorKind::Service, format!("{INTERRUPTED_UPLOAD}\n{message}"))
                .with_code(ErrorCode::NotCopied)
                .with_suggestion(
                    "Use --copy auto, which transfers through this machine the files that the blob store cannot copy.",
                )
                .lasting(),
            NativeError::WriteOnly => Self::usage(message)
                .with_code(ErrorCode::NotReadable)
                .with_suggestion("Use --copy client, which verifies files during the transfer, or omit --verify."),
            NativeError::Hub(_) | NativeError::BlocksLost { .. } => broken(ErrorCode::IncompleteUpload),
            NativeError::Record(_) => Self::failure(message)
                .with_code(ErrorCode::NoUploadDirectory)
                .with_suggestion("Free disk space, allow writing there, or set AZD_CONFIG_DIR to another directory.")
                .lasting(),
        }
    }
}

impl CliError {
    /// Error for a failure of the Hub during the upload.
    fn of_import(error: HubError) -> Self {
        let is_other_content = matches!(error, HubError::Mismatch { .. });
        let mut cli_error = Self::from(error);
        if !is_other_content {
            cli_error.details.message = format!("{INTERRUPTED_UPLOAD}\n{}", cli_error.details.message);
        }
        cli_error
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use azure_ai_models_core::http::{HttpError, NetworkFault, ServiceError};
    use azure_ai_models_core::model::TransferProgress;

    use super::*;

    /// A failure that would repeat does not suggest running the same command unchanged.
    #[test]
    fn rerunning_is_suggested_only_where_it_can_help() {
        let service = |status| HttpError::Service(Box::new(ServiceError { status, ..ServiceError::default() }));
        let network = || HttpError::Network {
            host: "h".into(),
            fault: NetworkFault::Reset,
            connecting: false,
            message: String::new(),
        };
        let store = |error| NativeError::Store { path: "a".into(), error };
        let file = |kind: io::ErrorKind| NativeError::File { path: "a".into(), why: kind.into() };
        let stalled = || NativeError::Stalled {
            silent: std::time::Duration::from_secs(600),
            progress: TransferProgress::default(),
        };
        for (error, helps) in [
            (store(network()), true),
            (store(service(500)), true),
            (store(service(429)), true),
            (store(service(404)), true),
            (stalled(), true),
            (NativeError::BlocksLost { path: "a".into() }, true),
            (NativeError::Location(StoreError::NoFreshSas(network())), true),
            (NativeError::Location(StoreError::Moved), true),
            (store(service(403)), false),
            (store(service(400)), false),
            (NativeError::Location(StoreError::SasRejected(service(403))), false),
            (NativeError::Location(StoreError::NoFreshSas(service(403))), false),
            (NativeError::NotCopied { path: "a".into(), reason: "403".into() }, false),
            (NativeError::Changing { path: "a".into() }, false),
            (file(io::ErrorKind::PermissionDenied), false),
            (NativeError::Record(io::ErrorKind::StorageFull.into()), false),
        ] {
            let message = format!("{error:?}");
            let error = CliError::from(error).with_resume("COMMAND");
            let page = error.page();
            let suggestion = page.suggestion.expect("a suggestion");
            assert_eq!(suggestion.contains("To resume, run the same command again:"), helps, "{message}: {suggestion}");
            assert!(suggestion.ends_with("run the same command again:\n  COMMAND"), "{message}: {suggestion}");
            assert_eq!(page.message.contains("Fix the problem"), !helps && !message.contains("Record"), "{message}");
        }
    }
}
