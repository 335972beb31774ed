//! Colours: the 16 that azd uses. Text is complete without them.

use anstyle::{AnsiColor, Effects};

/// Colours text, or leaves it unchanged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    on: bool,
}

impl Style {
    /// Colors with `on`; otherwise text is returned unchanged.
    pub(super) fn new(on: bool) -> Self {
        Self { on }
    }

    /// Colours text green.
    pub(super) fn green(self, text: &str) -> String {
        self.wrap(AnsiColor::Green.on_default(), text)
    }

    /// Colours text red.
    pub(super) fn red(self, text: &str) -> String {
        self.wrap(AnsiColor::Red.on_default(), text)
    }

    /// Colours text yellow.
    pub(super) fn yellow(self, text: &str) -> String {
        self.wrap(AnsiColor::Yellow.on_default(), text)
    }

    /// Colours text blue.
    pub(super) fn blue(self, text: &str) -> String {
        self.wrap(AnsiColor::BrightBlue.on_default(), text)
    }

    /// Colours text grey.
    pub(super) fn grey(self, text: &str) -> String {
        self.wrap(AnsiColor::BrightBlack.on_default(), text)
    }

    /// Makes text bold.
    pub(super) fn bold(self, text: &str) -> String {
        self.wrap(anstyle::Style::new().effects(Effects::BOLD), text)
    }

    fn wrap(self, style: anstyle::Style, text: &str) -> String {
        if self.on && !text.is_empty() { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}
