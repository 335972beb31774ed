//! Options that several commands share.

use std::time::Duration;

use clap::Args;

use crate::app::App;
use crate::commands::headings;
use crate::commands::progress::ProgressArgs;
use crate::console::ProgressMode;
use azure_ai_models_core::units;

/// Options of commands that wait.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct WaitLimitArgs {
    /// Time limit, such as 90s, 30m or 1h30m [default: 45m]
    #[arg(long, help_heading = headings::RUN, value_name = "DURATION", value_parser = units::parse_duration)]
    timeout: Option<Duration>,

    #[command(flatten)]
    progress: ProgressArgs,
}

impl WaitLimitArgs {
    /// Time limit on this run's clock.
    pub(super) fn limit(self, app: &App) -> Duration {
        self.timeout.map_or(app.timings.deploy, |timeout| app.timings.scaled(timeout))
    }

    /// Progress mode of the command.
    pub(super) fn progress(self) -> ProgressMode {
        self.progress.mode()
    }
}
