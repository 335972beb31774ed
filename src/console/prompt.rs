//! Prompts on a real terminal.

use std::io::{self, BufRead, Read, Write};
use std::panic;
#[cfg(unix)]
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
#[cfg(feature = "test-fakes")]
use std::{path::PathBuf, process, thread, time::Duration};

use ::console::Term;
use dialoguer::FuzzySelect;
use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};

use super::Console;
use azure_ai_models_core::display::{printable, printable_lines};
#[cfg(feature = "test-fakes")]
use azure_ai_models_core::env::{Env, var};
use azure_ai_models_core::redact::mask_known;

/// Maximum size of one answer in bytes. Longer than any path or URL: input without a line end would fill the memory.
const MAX_ANSWER: u64 = 64 * 1024;
/// Number of visible rows of a list; typing filters it.
const ROWS: usize = 7;

/// Settings of the terminal while a prompt is open.
#[cfg(unix)]
static SETTINGS: Mutex<Option<rustix::termios::Termios>> = Mutex::new(None);

/// Suggestion after a bug in this program.
const BUG: &str = concat!(
    "This is a bug in azure-ai-models ",
    env!("CARGO_PKG_VERSION"),
    ". To report it, open an issue in its repository with the lines above and the command, without secrets."
);

/// Restores the terminal before a panic ends the program, since the release build does not unwind, and prints how to
/// report it.
pub(crate) fn restore_terminal_on_panic() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        restore_terminal();
        report(info);
        drop(Term::stderr().write_line(BUG));
    }));
}

/// Panics like the release build, which aborts, as soon as the file in this variable exists; only in builds for tests.
#[cfg(feature = "test-fakes")]
pub(crate) fn panic_on_demand(env: &Env) {
    let Some(file) = env.get(var::TEST_PANIC).map(PathBuf::from) else { return };
    thread::spawn(move || {
        while !file.exists() {
            thread::sleep(Duration::from_millis(10));
        }
        drop(panic::catch_unwind(|| panic!("requested by {}", var::TEST_PANIC)));
        process::abort();
    });
}

/// Restores echo and, on a terminal, the cursor.
fn restore_terminal() {
    #[cfg(unix)]
    if let Some(before) = SETTINGS.try_lock().ok().and_then(|mut settings| settings.take()) {
        // An error means that the terminal is closed.
        let _: rustix::io::Result<()> =
            rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, &before);
    }
    let terminal = Term::stderr();
    if terminal.is_term() {
        drop(terminal.show_cursor());
    }
}

/// Terminal settings, restored on drop: ending the program during a prompt would leave the terminal without echo and
/// cursor.
#[derive(Debug)]
pub(crate) struct TerminalGuard(());

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        restore_terminal();
    }
}

impl Console {
    /// Saves the terminal settings while a prompt is open.
    #[must_use]
    pub(crate) fn guard(&self) -> TerminalGuard {
        #[cfg(unix)]
        {
            *SETTINGS.lock().unwrap_or_else(PoisonError::into_inner) = rustix::termios::tcgetattr(io::stdin()).ok();
        }
        TerminalGuard(())
    }

    /// Asks for one of the choices; `None` if the user cancels the prompt. Blocks.
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

    /// Asks for one line on the terminal; `None` at the end of the input. Blocks.
    ///
    /// # Errors
    /// When the answer cannot be read.
    pub(crate) fn ask(&self, question: &str) -> io::Result<Option<String>> {
        {
            let mut stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
            stderr.write_all(mask_known(printable_lines(question)).as_bytes())?;
            stderr.flush()?;
        }
        self.asking.store(true, Ordering::SeqCst);
        let mut answer = String::new();
        let read = io::stdin().lock().take(MAX_ANSWER).read_line(&mut answer);
        self.asking.store(false, Ordering::SeqCst);
        let read = read?;
        if read as u64 == MAX_ANSWER {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        Ok((read > 0).then(|| answer.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// Ends the line after Ctrl+C: the terminal has written `^C` at the cursor. A prompt keeps its line, any other line
    /// is removed.
    pub(super) fn end_prompt_line(&self) {
        if self.settings.stderr_terminal {
            let erased = self.settings.stderr_escapes && !self.asking.load(Ordering::SeqCst) && !self.bars.is_hidden();
            self.write(if erased { "\r\u{1b}[2K" } else { "\n" });
        }
    }
}
