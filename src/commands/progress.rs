//! The option that chooses how progress is shown.

use clap::{Args, ValueEnum};

use crate::console::ProgressMode;

/// `--progress`.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct ProgressArgs {
    /// How progress is shown: auto, bar, plain, json or none
    #[arg(long, value_name = "HOW", value_enum, default_value_t, hide_possible_values = true)]
    progress: Progress,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Progress {
    /// A bar on a terminal, plain lines elsewhere.
    #[default]
    Auto,
    /// A bar.
    Bar,
    /// Plain lines.
    Plain,
    /// One JSON object a line, on standard error.
    Json,
    /// Nothing.
    None,
}

impl ProgressArgs {
    /// Mode for the console, which is made before the command runs.
    #[must_use]
    pub(crate) fn mode(self) -> ProgressMode {
        match self.progress {
            Progress::Auto => ProgressMode::Auto,
            Progress::Bar => ProgressMode::Bar,
            Progress::Plain => ProgressMode::Plain,
            Progress::Json => ProgressMode::Json,
            Progress::None => ProgressMode::None,
        }
    }
}
