//! Terminals with escape sequences: colours, and a line that is redrawn. A Windows console supports them once they are
//! enabled.

use ::console::Term;
use azure_ai_models_core::platform::Platform;

/// True if a stream is a terminal that supports escape sequences, which are enabled here.
pub(crate) fn follows_escapes(is_terminal: bool, terminal: &Term) -> bool {
    let switched_on = || anstyle_query::windows::enable_ansi_colors() == Some(true);
    // The first enables both streams at the same time; the second finds no colours if NO_COLOR is set.
    decide(is_terminal, Platform::CURRENT, || switched_on() || terminal.features().colors_supported())
}

fn decide(is_terminal: bool, platform: Platform, switch_on: impl FnOnce() -> bool) -> bool {
    is_terminal && (platform != Platform::Windows || switch_on())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_windows_console_is_queried() {
        let never = || -> bool { unreachable!("it is not asked") };
        assert!(decide(true, Platform::Linux, never) && decide(true, Platform::MacOs, never));
        assert!(!decide(false, Platform::Linux, never) && !decide(false, Platform::Windows, never));
        assert!(decide(true, Platform::Windows, || true) && !decide(true, Platform::Windows, || false));
    }
}
