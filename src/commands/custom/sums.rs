//! SHA-256 of local files, with progress.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::app::App;
use crate::error::CliError;
use azure_ai_models_core::model::FileList;
use azure_ai_models_core::source::{FileSums, HashProgress, hash_files};
use azure_ai_models_core::units;

/// Interval between progress reports.
const TICK: Duration = Duration::from_millis(200);

/// Cancels the work when the command is dropped.
struct StopOnDrop(Arc<HashProgress>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Hashes local files, and shows the progress.
pub(super) async fn local(app: &App, directory: &Path, files: &FileList) -> Result<FileSums, CliError> {
    let total = files.bytes();
    let what = units::count(files.len() as u64, "file", "files");
    app.console.status(&format!("Computing the SHA-256 of {what} ({})...", units::bytes(total)));
    let progress = StopOnDrop(Arc::default());
    let (directory, files, shared) = (directory.to_owned(), files.clone(), Arc::clone(&progress.0));
    let mut work = tokio::task::spawn_blocking(move || hash_files(&directory, &files, &shared));
    let mut view = app.console.hash_view(app.timings.status_line);
    let mut tick = tokio::time::interval_at(Instant::now() + TICK, TICK);
    loop {
        tokio::select! {
            biased;
            done = &mut work => {
                let sums = done.map_err(|_| CliError::interrupted())??;
                view.on(total, Some(total));
                return Ok(sums);
            }
            _ = tick.tick() => view.on(progress.0.bytes(), Some(total)),
        }
    }
}
