//! Prompts before the transfer: an overwrite, and a long upload.

use std::time::Duration;

use super::CreateRun;
use crate::app::{AcceptedAnswer, Confirm};
use crate::error::CliError;
use azure_ai_models_core::model::ModelVersion;
use azure_ai_models_core::units;
use azure_ai_models_core::upload::expected_rate;

/// Minimum size of an upload that needs confirmation, in bytes (design/cli.md#large-uploads).
const LARGE_UPLOAD: u64 = 10 << 30;
/// Maximum rate assumed in the estimate, in bytes per second (design/cli.md#large-uploads).
const EXPECTED_MAX_RATE: u64 = 100 << 20;

impl CreateRun<'_> {
    /// Asks for all confirmations that are needed before this many bytes are sent, and deletes the version on
    /// overwrite.
    pub(super) async fn confirm_and_overwrite(&self, version: &ModelVersion, bytes: u64) -> Result<(), CliError> {
        let (app, spec) = (self.app, self.spec);
        let overwrites = self.overwrites(version).await?;
        self.confirm_large(bytes).await?;
        if overwrites {
            self.foundry.delete(&spec.name, version, app.timings.register).await?;
            app.console.done(&format!("Model '{}' (version {version}) deleted", spec.name));
            app.console.status("");
        }
        Ok(())
    }

    /// True if the version exists and the user confirmed the overwrite. Without `--overwrite` there is no prompt: the
    /// service reports the conflict when the upload begins.
    async fn overwrites(&self, version: &ModelVersion) -> Result<bool, CliError> {
        let (app, spec) = (self.app, self.spec);
        if !spec.overwrite {
            return Ok(false);
        }
        match self.foundry.get_model(&spec.name, version).await {
            Ok(_) => {}
            Err(error) if error.status() == Some(404) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        let what = format!(
            "Model '{}' (version {version}) already exists. Replacing it deletes its weights before the new weights are uploaded.",
            spec.name
        );
        if spec.yes {
            app.console.warn(&what);
            return Ok(true);
        }
        let confirm = Confirm {
            action: "the overwrite",
            unattended: "Use --yes to replace it without a prompt.",
            question: "Replace it?",
            accepts: AcceptedAnswer::Yes,
            declined: "Upload cancelled.",
        };
        confirm.can_be_asked(spec.prompt_obstacle)?;
        app.console.warn(&what);
        app.confirm(&confirm).await.map(|()| true)
    }

    /// Asks for confirmation of a large upload if a prompt is possible (design/cli.md#large-uploads).
    async fn confirm_large(&self, bytes: u64) -> Result<(), CliError> {
        let (app, spec) = (self.app, self.spec);
        if bytes < LARGE_UPLOAD || spec.yes || spec.prompt_obstacle.is_some() {
            return Ok(());
        }
        app.console.warn(&format!("Large file detected: {}", units::bytes(bytes)));
        app.console.status(&format!(
            "    Estimated upload time: {} (depending on network speed)\n\n    \
             {}\n    \
             The model will be registered automatically after upload.\n",
            estimate(bytes, spec.limit_rate),
            match spec.detach {
                Some(_) => "The upload continues without this terminal.",
                None => "IMPORTANT: Keep this terminal open until upload completes.",
            }
        ));
        match app.ask("    Press Enter to continue or Ctrl+C to cancel...").await? {
            Some(_) => Ok(()),
            None => Err(CliError::cancelled("Upload cancelled.")),
        }
    }
}

/// Estimated duration of an upload: `12-24 minutes`, `1h 10m 00s - 2h 20m 00s`.
pub(super) fn estimate(bytes: u64, limit: Option<u64>) -> String {
    let seconds = |rate: u64| bytes.div_ceil(rate);
    let low = seconds(limit.map_or(EXPECTED_MAX_RATE, |limit| limit.clamp(1, EXPECTED_MAX_RATE)));
    let high = seconds(expected_rate(limit));
    match (low, high) {
        (low, high) if low == high => format!("about {}", units::duration(Duration::from_secs(low))),
        (_, high) if high < 60 => format!("{low}-{high} seconds"),
        (_, high) if high < 3600 => format!("{}-{} minutes", low.div_ceil(60), high.div_ceil(60)),
        (low, high) => {
            let shown = |seconds| units::duration(Duration::from_secs(seconds));
            format!("{} - {}", shown(low), shown(high))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_a_range_in_fitting_units() {
        for (bytes, limit, expected) in [
            (1 << 30, None, "11-21 seconds"),
            (70_141_440_000, None, "12-23 minutes"),
            (700 << 30, None, "1h 59m 28s - 3h 58m 56s"),
            (1 << 30, Some(10 << 20), "about 1m 43s"),
            (1 << 30, Some(80 << 20), "13-21 seconds"),
            (0, None, "about 0s"),
        ] {
            assert_eq!(estimate(bytes, limit), expected);
        }
    }
}
