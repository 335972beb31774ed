//! Settings of the console.

use super::ProgressMode;

/// Settings of the console, from the options and the environment.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// True to show no progress and no hints.
    pub(crate) quiet: bool,
    /// True to show traces.
    pub(crate) debug: bool,
    /// True if the product and errors are JSON.
    pub(crate) json: bool,
    /// True if a coding agent runs this program: no bar, and errors with one `hint:` line.
    pub(crate) agent: bool,
    /// True for colour on standard error.
    pub(crate) colour_stderr: bool,
    /// True if standard output is a terminal.
    pub(crate) stdout_terminal: bool,
    /// True if standard error is a terminal.
    pub(crate) stderr_terminal: bool,
    /// True if standard error is a terminal that supports escape sequences.
    pub(crate) stderr_escapes: bool,
    /// Width from `COLUMNS`.
    pub(crate) columns: Option<u16>,
    /// Progress mode.
    pub(crate) progress: ProgressMode,
}

/// True for colour: `NO_COLOR` overrides `FORCE_COLOR=1`, which overrides the kind of the stream.
#[must_use]
pub(crate) fn colour(no_color: bool, force_color: bool, terminal: bool) -> bool {
    !no_color && (force_color || terminal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_wins_over_force_color() {
        assert!(!colour(true, true, true));
        assert!(colour(false, true, false));
        assert!(colour(false, false, true));
        assert!(!colour(false, false, false));
    }
}
