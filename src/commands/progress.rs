//! Option for the display of progress.

use clap::Args;

use super::headings;
use crate::console::ProgressMode;

/// `--progress`.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct ProgressArgs {
    /// Progress display: auto, bar, plain, json or none
    #[arg(long, value_name = "MODE", help_heading = headings::OUTPUT, value_enum, default_value_t, hide_possible_values = true)]
    progress: ProgressMode,
}

impl ProgressArgs {
    /// Progress mode for the console, which is created before the command runs.
    #[must_use]
    pub(crate) fn mode(self) -> ProgressMode {
        self.progress
    }
}
