//! View of an upload: its events as steps, notices and transfer progress.

use azure_ai_models_core::model::TransferEvent;
use azure_ai_models_core::units;
use azure_ai_models_core::upload::{LifetimeWarning, ResumeTotals, UploadEvent};

use super::STEPS;
use crate::app::App;
use crate::console::TransferView;

/// Line for an upload that starts over (design/cli.md#interrupted-uploads).
pub(super) const STARTING_OVER: &str = "Previous upload may exist but was not registered. Starting fresh upload...";
/// Maximum number of listed names, so that they do not drown out the rest.
const MAX_NAMED: usize = 3;

/// Shows the events of an upload; owns the transfer view during the transfer.
pub(super) struct UploadView<'a> {
    app: &'a App,
    source_line: String,
    transfer: Option<TransferView<'a>>,
}

impl<'a> UploadView<'a> {
    /// `source_line` describes the source: `./weights (12 files, 8.6 GB)`.
    pub(super) fn new(app: &'a App, source_line: String) -> Self {
        Self { app, source_line, transfer: None }
    }

    /// Shows one event.
    pub(super) fn on(&mut self, event: UploadEvent<'_>) {
        let console = &self.app.console;
        match event {
            UploadEvent::RequestingLocation => console.step(1, STEPS, "Requesting upload location..."),
            UploadEvent::StraysDeleted { files } => console.status(&format!(
                "  {} of an earlier upload {} no longer part of the source and removed from the upload location.",
                units::count(files, "file", "files"),
                if files == 1 { "is" } else { "are" },
            )),
            UploadEvent::LocationReady(blob_uri) => {
                console.done("Upload location ready");
                console.detail("Blob URI", blob_uri.as_str());
                console.status("");
            }
            UploadEvent::Uploading => {
                console.step(2, STEPS, "Uploading model files...");
                console.detail("Source", &self.source_line);
            }
            UploadEvent::Resuming(kept) => {
                if let Some(text) = resuming(&kept) {
                    console.status(&format!("  {text}"));
                }
            }
            UploadEvent::Changed(paths) => {
                let paths: Vec<&str> = paths.iter().map(|path| path.as_str()).collect();
                console.status(&format!("  {}", changed(&paths)));
            }
            UploadEvent::StartingOver => console.status(&format!("  {STARTING_OVER}")),
            UploadEvent::Lifetime(warning) => console.warn(&lifetime(&warning)),
            UploadEvent::RenewingSas => {
                console.status("  The upload SAS was rejected. Requesting a new one...");
            }
            UploadEvent::Transfer(event) => self.transfer(&event),
            UploadEvent::Tick => {
                if let Some(view) = &mut self.transfer {
                    view.tick();
                }
            }
            UploadEvent::Stopping { waits } => {
                if let Some(view) = &mut self.transfer {
                    view.stopping(waits);
                }
            }
            UploadEvent::TransferEnded => self.transfer = None,
            UploadEvent::Uploaded => {
                console.done("Upload complete");
                console.status("");
            }
        }
    }

    fn transfer(&mut self, event: &TransferEvent) {
        let app = self.app;
        self.transfer.get_or_insert_with(|| app.console.transfer_view(app.timings.status_line)).on(event);
    }
}

/// Describes what is already uploaded when an upload is resumed; `None` if nothing is.
fn resuming(kept: &ResumeTotals) -> Option<String> {
    let (blocks, total) = (units::bytes(kept.partial_bytes), units::bytes(kept.total_bytes));
    let uploaded = match (kept.files, kept.partial_bytes) {
        (0, 0) => return None,
        (0, _) => format!("{blocks} of {total} already uploaded."),
        (_, 0) => format!("{} already uploaded.", files_of(kept)),
        (..) => format!("{} already uploaded, and {blocks} of the rest.", files_of(kept)),
    };
    Some(format!("Resuming upload: {uploaded}"))
}

/// Describes the content of an interrupted upload that is not sent again.
pub(super) fn resumable_sentence(kept: &ResumeTotals) -> String {
    let complete = format!("{} are complete and will not be sent again", files_of(kept));
    let blocks = units::bytes(kept.partial_bytes);
    match (kept.files, kept.total_files, kept.partial_bytes, kept.keeps_partial_files) {
        (_, 0, ..) => "The copy starts over.".to_owned(),
        (0, 1, 0, false) => "AzCopy does not resume within a file: this file starts over.".to_owned(),
        (0, _, 0, false) => "No file is complete yet: the upload starts over.".to_owned(),
        // A block may be stored whose acknowledgement was not received, or could not be recorded.
        (0, _, 0, true) => {
            "Nothing is recorded as uploaded yet: what the blob store does not have is sent again.".to_owned()
        }
        (0, ..) => {
            format!("{blocks} are uploaded and will not be sent again; the blob store keeps them for 7 days.")
        }
        (all, files, 0, _) if all == files => format!("{complete}."),
        (_, _, 0, false) => format!("{complete}; the rest starts over."),
        (_, _, 0, true) => format!("{complete}; what the blob store does not have of the rest is sent again."),
        _ => format!("{complete}, nor will {blocks} of the rest, which the blob store keeps for 7 days."),
    }
}

/// `1 of 2 files (50 B)`.
fn files_of(kept: &ResumeTotals) -> String {
    let (some, all) = (units::grouped(kept.files), units::count(kept.total_files, "file", "files"));
    format!("{some} of {all} ({})", units::bytes(kept.bytes))
}

/// Names files that an earlier attempt began and that have changed since; at least one.
fn changed(paths: &[&str]) -> String {
    let shown = paths[..paths.len().min(MAX_NAMED)].join(", ");
    match paths.len() {
        ..=1 => format!("{shown} changed since the last attempt: it starts over."),
        2..=MAX_NAMED => format!("{shown} changed since the last attempt: they start over."),
        all => {
            format!("{} files changed since the last attempt and start over: {shown}, ...", units::grouped(all as u64))
        }
    }
}

fn lifetime(warning: &LifetimeWarning) -> String {
    match warning {
        LifetimeWarning::FileTooLong { path, bytes, takes, rate, left } => format!(
            "{path} ({}) takes {} at {}/s, but the upload SAS expires in {}. AzCopy does not resume within a file, so this upload cannot finish at that rate.",
            units::bytes(*bytes),
            units::duration(*takes),
            units::bytes(*rate),
            units::duration(*left),
        ),
        LifetimeWarning::MayEndEarly { left } => format!(
            "The upload SAS expires in {}, possibly before the upload ends. A new one is then requested; complete files are not sent again, the file in progress starts over.",
            units::duration(*left),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: ResumeTotals = ResumeTotals {
        files: 0,
        bytes: 0,
        total_files: 3,
        total_bytes: 30,
        partial_bytes: 0,
        keeps_partial_files: true,
    };

    #[test]
    fn resuming_reports_what_is_already_uploaded() {
        for (kept, text) in [
            (NOTHING, None),
            (ResumeTotals { partial_bytes: 8, ..NOTHING }, Some("8 B of 30 B already uploaded.")),
            (ResumeTotals { files: 1, bytes: 10, ..NOTHING }, Some("1 of 3 files (10 B) already uploaded.")),
            (
                ResumeTotals { files: 1, bytes: 10, partial_bytes: 8, ..NOTHING },
                Some("1 of 3 files (10 B) already uploaded, and 8 B of the rest."),
            ),
        ] {
            let expected = text.map(|text| format!("Resuming upload: {text}"));
            assert_eq!(resuming(&kept), expected);
        }
    }

    #[test]
    fn an_interrupted_upload_reports_what_each_engine_keeps() {
        let azcopy = ResumeTotals { keeps_partial_files: false, ..NOTHING };
        for (kept, text) in [
            (ResumeTotals { total_files: 0, ..azcopy }, "The copy starts over."),
            (ResumeTotals { total_files: 1, ..azcopy }, "AzCopy does not resume within a file: this file starts over."),
            (azcopy, "No file is complete yet: the upload starts over."),
            (NOTHING, "Nothing is recorded as uploaded yet: what the blob store does not have is sent again."),
            (
                ResumeTotals { files: 1, bytes: 10, ..NOTHING },
                "1 of 3 files (10 B) are complete and will not be sent again; what the blob store does not have of the rest \
                 is sent again.",
            ),
            (
                ResumeTotals { partial_bytes: 8, ..NOTHING },
                "8 B are uploaded and will not be sent again; the blob store keeps them for 7 days.",
            ),
            (
                ResumeTotals { files: 3, bytes: 30, ..azcopy },
                "3 of 3 files (30 B) are complete and will not be sent again.",
            ),
            (
                ResumeTotals { files: 1, bytes: 10, ..azcopy },
                "1 of 3 files (10 B) are complete and will not be sent again; the rest starts over.",
            ),
            (
                ResumeTotals { files: 1, bytes: 10, partial_bytes: 8, ..NOTHING },
                "1 of 3 files (10 B) are complete and will not be sent again, nor will 8 B of the rest, which the blob store keeps for 7 days.",
            ),
        ] {
            assert_eq!(resumable_sentence(&kept), text);
        }
    }

    #[test]
    fn only_the_first_changed_files_are_named() {
        for (paths, text) in [
            (&["a"][..], "a changed since the last attempt: it starts over."),
            (&["a", "b"], "a, b changed since the last attempt: they start over."),
            (&["a", "b", "c", "d"], "4 files changed since the last attempt and start over: a, b, c, ..."),
        ] {
            assert_eq!(changed(paths), text);
        }
    }
}
