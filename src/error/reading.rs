//! Error messages for files of a registered model that cannot be read, or that differ.

use azure_ai_models_core::foundry::ReadError;
use azure_ai_models_core::http::HttpError;
use azure_ai_models_core::store::StoreError;
use azure_ai_models_core::verify::ReadBackError;

use super::service::INTERMEDIARY;
use super::{CliError, ErrorCode, ErrorKind};

impl From<ReadError> for CliError {
    fn from(error: ReadError) -> Self {
        let message = error.to_string();
        match error {
            ReadError::NoPlace => Self::unexpected_response("a model without the place of its files")
                .with_suggestion("Look at the model with 'custom show'; a registration that failed has no files."),
            ReadError::NoSas(error) => {
                Self::from(error).with_headline("Foundry gave no SAS to read the files of the model")
            }
            ReadError::NotListed => Self::new(ErrorKind::Auth, message)
                .with_code(ErrorCode::NotReadable)
                .with_suggestion("Ask an administrator of the project's storage whether its files may be listed."),
            ReadError::Store(error) => Self::of_reading(error),
        }
    }
}

impl From<ReadBackError> for CliError {
    fn from(error: ReadBackError) -> Self {
        let message = error.to_string();
        match error {
            ReadBackError::Changed(_) => Self::changed_blob(message),
            ReadBackError::Store(error) => Self::of_reading(error),
            ReadBackError::Stalled(_) => Self::new(ErrorKind::Service, message)
                .with_code(ErrorCode::DownloadStalled)
                .with_suggestion("Check the network, then run the same command again."),
            ReadBackError::Stopped => Self::interrupted(),
        }
    }
}

/// Code of a failed read: the store's own, if it sent one.
fn code_of_reading(error: &HttpError) -> ErrorCode {
    match error {
        HttpError::Network { .. } => ErrorCode::Network,
        HttpError::Setup { .. } => ErrorCode::HttpsSetup,
        HttpError::Service(answer) if !error.is_of_intermediary() => {
            ErrorCode::of_answer(answer.code.clone(), answer.status)
        }
        _ => ErrorCode::BadAnswer,
    }
}

impl CliError {
    /// Error for a failure of the blob store while files are read.
    pub(super) fn of_reading(error: StoreError) -> Self {
        let service = |message: String| Self::new(ErrorKind::Service, message);
        match error {
            StoreError::SasRejected(refusal) => {
                let message =
                    format!("the blob store refused to let the files be read, also with a fresh SAS ({refusal})");
                Self::new(ErrorKind::Auth, message)
                    .with_code(code_of_reading(&refusal))
                    .with_suggestion("Check this machine's clock, and the network rules of the project's storage.")
            }
            StoreError::NoFreshSas(why) => {
                Self::from(why).with_headline("the SAS was refused, and Foundry gave no fresh one")
            }
            StoreError::Moved | StoreError::Stale => service("the files of the model are elsewhere by now".into())
                .with_code(ErrorCode::LocationMoved)
                .with_suggestion("Run the same command again."),
            StoreError::Http(error) => {
                let kind = match &error {
                    HttpError::Service(answer) if matches!(answer.status, 401 | 403) => ErrorKind::Auth,
                    HttpError::Setup { .. } => ErrorKind::Failure,
                    _ => ErrorKind::Service,
                };
                let suggestion = match (error.is_of_intermediary(), &error) {
                    (true, _) => INTERMEDIARY,
                    (_, HttpError::Network { .. }) => "Check the network, then run the same command again.",
                    _ => "Run the same command again; with --debug every request is traced.",
                };
                Self::new(kind, format!("the files of the model cannot be read: {error}"))
                    .with_code(code_of_reading(&error))
                    .with_suggestion(suggestion)
            }
        }
    }

    /// Error for a blob that was overwritten while it was read.
    pub(super) fn changed_blob(message: String) -> Self {
        Self::new(ErrorKind::Service, message)
            .with_code(ErrorCode::BlobReplaced)
            .with_suggestion("Run the same command again; find out who writes to the files of a registered model.")
    }

    /// Error for registered files that differ.
    pub(crate) fn other_files(differences: &str) -> Self {
        Self::new(ErrorKind::CheckFailed, format!("the files of the model differ: {differences}"))
            .with_code(ErrorCode::FilesDiffer)
    }

    /// Error for unverified registered files if all must be verified.
    pub(crate) fn unproved_files(words: &str) -> Self {
        Self::new(ErrorKind::CheckFailed, words).with_code(ErrorCode::FilesUnproved)
    }
}
