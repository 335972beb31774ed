//! AzCopy for `create`: the installed one, otherwise a downloaded one.

use std::path::Path;

use crate::app::App;
use crate::error::CliError;
use azure_ai_models_core::azcopy::{self, AzCopy, DownloadSource, InstallEvent, Installer, LocateError};

/// Returns the given AzCopy, otherwise the first in `PATH` and the default directories, otherwise downloads it.
pub(super) async fn find(app: &App, explicit: Option<&Path>) -> Result<AzCopy, CliError> {
    match azcopy::locate(&app.env, explicit) {
        Ok(candidate) => Ok(AzCopy::verify(candidate, &app.env, &app.timings, &app.reporter()).await?),
        Err(why @ LocateError::NotFound { .. }) => install(app, &why).await,
        Err(why) => Err(why.into()),
    }
}

/// Downloads AzCopy as the last resort; `why` is reported before any network request.
async fn install(app: &App, why: &LocateError) -> Result<AzCopy, CliError> {
    let source = DownloadSource::from_env(app.trusted_env())?;
    let mut view = app.console.azcopy_download_view(app.timings.status_line);
    let mut on = |event| match event {
        InstallEvent::Waiting => app.console.notice("Waiting for another process to download AzCopy..."),
        InstallEvent::Downloading => app.console.status(&format!("{why}; downloading it from {}", source.shown())),
        InstallEvent::Progress { bytes, total } => view.on(bytes, total),
    };
    let (http, reporter) = (app.http(), app.reporter());
    let installer = Installer { env: app.trusted_env(), http: &http, timings: &app.timings, report: &reporter };
    let installed = installer.run(&source, &mut on).await?;
    drop(view);
    if let Some(sha256) = installed.sha256 {
        app.console.done(&format!("AzCopy {} installed", installed.azcopy.version()));
        app.console.detail("SHA-256 of the archive", &sha256);
    }
    Ok(installed.azcopy)
}
