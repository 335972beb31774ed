//! Settings of the console.

use super::ProgressMode;

/// Settings of the console, from the options and the environment.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// No progress, no hints.
    pub(crate) quiet: bool,
    /// Traces are shown.
    pub(crate) debug: bool,
    /// The product is JSON, and so are errors.
    pub(crate) json: bool,
    /// A coding agent reads: no bar, and errors with one `hint:` line.
    pub(crate) agent: bool,
    /// Colour on standard error.
    pub(crate) colour_stderr: bool,
    /// Standard output is a terminal.
    pub(crate) stdout_terminal: bool,
    /// Standard error is a terminal.
    pub(crate) stderr_terminal: bool,
    /// Standard error is a terminal that follows escape sequences.
    pub(crate) stderr_escapes: bool,
    /// Width that `COLUMNS` asks for.
    pub(crate) columns: Option<u16>,
    /// How progress is shown.
    pub(crate) progress: ProgressMode,
}

/// True for colour: `NO_COLOR` wins over `FORCE_COLOR=1`, which wins over the kind of the stream.
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
