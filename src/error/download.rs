//! Error messages for a download.

use std::fmt::Display;

use azure_ai_models_core::display::printable;
use azure_ai_models_core::download::DownloadError;
use azure_ai_models_core::model::{FindingCode, TransferProgress};
use azure_ai_models_core::units;

use super::{CliError, ErrorCode, ErrorKind};

/// Maximum number of names in a message.
const NAMED: usize = 10;

impl From<DownloadError> for CliError {
    fn from(error: DownloadError) -> Self {
        let message = error.to_string();
        match error {
            DownloadError::NothingSelected => Self::new(ErrorKind::NotFound, message)
                .with_code(ErrorCode::NothingSelected)
                .with_suggestion("Check the globs of --include and --exclude; without them all files are downloaded."),
            DownloadError::BadNames(names) => Self::failure(message)
                .with_code(ErrorCode::Finding(FindingCode::BadFileName))
                .listing(&names)
                .with_suggestion("Nothing was downloaded. To download the other files, omit these with --exclude."),
            DownloadError::Blocked(obstacles) => Self::new(ErrorKind::Conflict, message)
                .with_code(ErrorCode::FileExists)
                .listing(&obstacles)
                .with_suggestion("Nothing was downloaded. Use another directory, or move these away."),
            DownloadError::Exists(names) => Self::new(ErrorKind::Conflict, message)
                .with_code(ErrorCode::FileExists)
                .listing(&names.into_iter().map(|name| (name, "")).collect::<Vec<_>>())
                .with_suggestion(
                    "Content that is there differs from the model, or has no recorded SHA-256 to be compared with. Use another directory, or --force to overwrite it.",
                ),
            DownloadError::InUse(_) => Self::new(ErrorKind::Conflict, message)
                .with_code(ErrorCode::DownloadRunning)
                .with_suggestion("Wait until it ends, or use another directory."),
            DownloadError::NoRoom { .. } => Self::failure(message)
                .with_code(ErrorCode::NoRoom)
                .with_suggestion("Make room, use another directory, or select fewer files with --include."),
            DownloadError::Disk { .. } => Self::failure(message)
                .with_code(ErrorCode::WriteFailed)
                .with_suggestion("Make room, or allow writing there."),
            DownloadError::Changed(_) => Self::changed_blob(message),
            DownloadError::Mismatch(_) | DownloadError::DigestMismatch => Self::new(ErrorKind::Service, message)
                .with_code(ErrorCode::ContentDiffers)
                .with_suggestion(
                    "What was fetched is discarded. Run the same command again; if it fails again, the registered files are \
                     not those that were uploaded: see 'custom verify --full'.",
                ),
            DownloadError::Store(error) => Self::of_reading(error),
            DownloadError::Stalled(_) => {
                Self::new(ErrorKind::Service, message).with_code(ErrorCode::DownloadStalled).with_suggestion("Check the network.")
            }
            DownloadError::Stopped => Self::interrupted(),
        }
    }
}

impl CliError {
    /// Error for a download that the user ended at this progress.
    pub(crate) fn download_interrupted(progress: Option<TransferProgress>) -> Self {
        let far = progress.map(|progress| {
            let bytes = units::bytes(progress.bytes);
            match progress.total_bytes.filter(|total| *total > 0) {
                Some(total) => {
                    let percent = u128::from(progress.bytes) * 100 / u128::from(total);
                    format!(" at {percent}% ({bytes} of {} downloaded)", units::bytes(total))
                }
                None => format!(" ({bytes} downloaded)"),
            }
        });
        Self::new(ErrorKind::Interrupted, format!("Download interrupted{}.", far.unwrap_or_default()))
            .with_code(ErrorCode::DownloadInterrupted)
    }

    /// Adds the first of these names to the message, each with its fault.
    fn listing<W: Display>(mut self, names: &[(String, W)]) -> Self {
        for (name, what) in names.iter().take(NAMED) {
            self = self.and_message(format!("  {} {what}", printable(name)).trim_end());
        }
        match names.len().saturating_sub(NAMED) {
            0 => self,
            more => self.and_message(&format!("  and {} more", units::grouped(more as u64))),
        }
    }
}
