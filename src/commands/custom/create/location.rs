//! Step 1: a location that takes what is sent, what lies there already, and how long its SAS lives.

use std::collections::BTreeSet;
use std::time::Duration;

use time::OffsetDateTime;

use super::questions::expected_rate;
use super::steps::{Create, Files, Stop};
use crate::error::CliError;
use azure_ai_models_core::foundry::PendingUpload;
use azure_ai_models_core::units;
use azure_ai_models_core::upload::{self, Blobs, Journal, PlannedFile};

impl Create<'_> {
    /// A location that is proved to take what is sent.
    pub(super) async fn location(&self) -> Result<PendingUpload, Stop> {
        let (app, spec, foundry) = (self.work.app, self.work.spec, self.work.foundry);
        let (name, version) = (&spec.name, &self.version);
        let interrupted = || CliError::interrupted().with_run_again(&spec.again);
        let started = app.cancel.or(foundry.start_pending_upload(name, version)).await;
        let pending = match started.ok_or_else(interrupted)? {
            Ok(pending) => pending,
            Err(error) if error.status() == Some(409) => {
                return Err(Stop::Taken(self.version_exists(error.into()).await));
            }
            Err(error) => return Err(Stop::Failed(error.into())),
        };
        let http = app.http();
        let usable = upload::usable_location(foundry, &http, app.timings.probe, (name, version), pending);
        match app.cancel.or(usable).await.ok_or_else(interrupted)? {
            Ok(pending) => Ok(pending),
            Err(error) => Err(Stop::Failed(CliError::from(error).with_run_again(&spec.again))),
        }
    }

    /// What the location holds; `None` where that cannot be told.
    pub(super) async fn blobs(&self, pending: &PendingUpload) -> Result<Option<Blobs>, CliError> {
        let app = self.work.app;
        let http = app.http();
        let listed = app.cancel.or(upload::blobs(&http, &pending.sas)).await;
        Ok(listed.ok_or_else(CliError::interrupted)?.unwrap_or_else(|why| {
            app.console.debug(&format!("the upload location cannot be listed: {why}"));
            None
        }))
    }

    /// Takes out of the location what would be registered with the model and is no part of it: files that an earlier
    /// try of ours sent. Files of somebody else are not touched: they end the command.
    pub(super) async fn clear(
        &self,
        pending: &PendingUpload,
        there: Option<&Blobs>,
        earlier: Option<&Journal>,
        files: &Files,
    ) -> Result<(), CliError> {
        let app = self.work.app;
        let ours: BTreeSet<&String> = earlier
            .filter(|journal| *journal.blob_uri() == pending.blob_uri)
            .map(|journal| journal.files.keys().collect())
            .unwrap_or_default();
        let strays: Vec<&String> = match there {
            Some(there) => there.keys().filter(|name| !files.contains_key(*name)).collect(),
            // What cannot be listed is removed all the same, if it may be there.
            None => ours.iter().copied().filter(|name| !files.contains_key(*name)).collect(),
        };
        // A remote source has names of its own, which are known to AzCopy alone.
        if self.work.plan.file_count().is_none() && earlier.is_none_or(|journal| self.keeps(journal)) {
            return Ok(());
        }
        if let Some(stranger) = strays.iter().find(|name| !ours.contains(*name)) {
            return Err(CliError::stray_file(stranger));
        }
        let http = app.http();
        for stray in &strays {
            let removed = app.cancel.or(upload::remove_blob(&http, &pending.sas, stray)).await;
            if let Err(why) = removed.ok_or_else(CliError::interrupted)? {
                app.console.debug(&format!("the blob store does not remove {stray}: {why}"));
                return Err(CliError::stray_file(stray));
            }
        }
        if !strays.is_empty() {
            app.console.status(&format!(
                "  {} of an earlier upload {} no part of the source any more and removed from the upload location.",
                units::count(strays.len() as u64, "file", "files"),
                if strays.len() == 1 { "is" } else { "are" },
            ));
        }
        Ok(())
    }

    /// Warns where the SAS may end before the upload does: AzCopy cannot change a SAS in flight.
    pub(super) fn warn_of_the_end(&self, pending: &PendingUpload, missing: &[&PlannedFile]) {
        let Some(end) = upload::sas_end(&pending.sas) else { return };
        let left = Duration::try_from(end - OffsetDateTime::now_utc()).unwrap_or_default();
        let rate = expected_rate(self.work.spec.limit_rate);
        let console = &self.work.app.console;
        let shown = |limit: Duration| units::duration(limit);
        if let Some(longest) = missing.iter().max_by_key(|file| file.bytes)
            && Duration::from_secs(longest.bytes / rate) > left
        {
            return console.warn(&format!(
                "{} ({}) alone takes {} at {}, and the upload location's SAS ends in {}: AzCopy sends a file whole or not at all, so this upload cannot end at that rate.",
                longest.path,
                units::bytes(longest.bytes),
                shown(Duration::from_secs(longest.bytes / rate)),
                format_args!("{}/s", units::bytes(rate)),
                shown(left),
            ));
        }
        let bytes = missing.iter().map(|file| file.bytes).sum();
        if upload::needed_lifetime(bytes, rate) > left {
            console.warn(&format!(
                "The upload location's SAS ends in {}, perhaps before the upload does. A fresh one is then asked for; files that are complete are not sent again, the one under way starts over.",
                shown(left),
            ));
        }
    }
}
