//! Selection prompts on a real terminal.

use std::io;

use ::console::Term;
use dialoguer::FuzzySelect;
use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};

use super::Console;
use azure_ai_models_core::display::printable;
use azure_ai_models_core::redact::mask_known;

/// Visible rows of a list; typing filters it.
const ROWS: usize = 7;

/// Terminal settings, restored on drop: ending the program during a question would leave the terminal without echo and
/// cursor.
#[derive(Debug)]
pub(crate) struct TerminalGuard {
    #[cfg(unix)]
    before: Option<rustix::termios::Termios>,
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(before) = &self.before {
            // An error means that the terminal is gone.
            let _: rustix::io::Result<()> =
                rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, before);
        }
        drop(Term::stderr().show_cursor());
    }
}

impl Console {
    /// Holds on to the terminal while a question is open.
    #[must_use]
    pub(crate) fn guard(&self) -> TerminalGuard {
        TerminalGuard {
            #[cfg(unix)]
            before: rustix::termios::tcgetattr(io::stdin()).ok(),
        }
    }

    /// Asks for one of the choices; `None` if the user cancels the question. Blocks.
    ///
    /// # Errors
    /// When the terminal cannot be used; `Interrupted` after Ctrl+C.
    pub(crate) fn select(&self, question: &str, choices: &[String]) -> io::Result<Option<usize>> {
        let theme: &dyn Theme = if self.settings.colour_stderr { &ColorfulTheme::default() } else { &SimpleTheme };
        let chosen = FuzzySelect::with_theme(theme)
            .with_prompt(printable(question))
            .items(choices.iter().map(|choice| mask_known(printable(choice))))
            .default(0)
            .max_length(ROWS)
            .interact_on_opt(&Term::stderr());
        chosen.map_err(|dialoguer::Error::IO(why)| why)
    }
}
