//! Help pages: `-h` is the summary, `--help` has everything. clap wraps both to the terminal, which suits prose but
//! breaks commands that users paste.

use std::ffi::OsString;

use clap::Command;
use clap::builder::StyledStr;

use super::tree;
use crate::globals::AZD_PROGRAM;

/// No-break space that replaces the spaces of lines that clap must not wrap.
const GLUE: &str = "\u{a0}";

/// Returns the help that these arguments, beginning with the program's name, request from clap.
pub(super) fn help(program: &'static str, args: impl IntoIterator<Item = OsString>) -> String {
    match pasteable(tree(program), program).try_get_matches_from(args) {
        Err(error) => error.render().to_string().replace(GLUE, " "),
        Ok(_) => String::new(),
    }
}

/// Prepares clap's tree so that examples run as printed: they call this program as the user did, and neither they nor
/// other indented text after the options is wrapped.
fn pasteable(command: Command, program: &'static str) -> Command {
    let line = |line: &str| match line.starts_with(' ') {
        true => line.replace(AZD_PROGRAM, program).replace(' ', GLUE),
        false => line.to_owned(),
    };
    let text = |text: Option<&StyledStr>| Some(text?.to_string().lines().map(line).collect::<Vec<_>>().join("\n"));
    let (short, long) = (text(command.get_after_help()), text(command.get_after_long_help()));
    let command = short.into_iter().fold(command, Command::after_help);
    let command = long.into_iter().fold(command, Command::after_long_help);
    command.mut_subcommands(|sub| pasteable(sub, program))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::super::Cli;
    use super::*;
    use crate::commands::headings;
    use crate::globals::PROGRAM;

    /// Maximum number of own options without headings; a command with more groups them under headings.
    const WITHOUT_HEADING: usize = 8;
    /// Maximum length of the first line of a help text in characters, without clap's trailing brackets.
    const FIRST_LINE: usize = 80;

    fn each(command: &Command, path: &str, look: &mut dyn FnMut(&Command, &str)) {
        look(command, path);
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            each(sub, &format!("{path} {}", sub.get_name()), look);
        }
    }

    /// First lines of all help texts, of commands and of options, with their owners.
    fn first_lines() -> Vec<(String, String)> {
        let mut found = Vec::new();
        each(&Cli::command(), PROGRAM, &mut |command, path| {
            found.push((path.to_owned(), command.get_about().map(ToString::to_string).unwrap_or_default()));
            for arg in command.get_arguments() {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                found.push((format!("{path} {}", arg.get_id()), help));
            }
        });
        assert!(found.len() > 200, "{}", found.len());
        found
    }

    /// Returns the text without a trailing `[default: x]`, `[env: X]` and the like.
    fn without_brackets(text: &str) -> &str {
        let mut text = text.trim_end();
        while let Some((before, _)) = text.strip_suffix(']').and_then(|inner| inner.rsplit_once(" [")) {
            text = before.trim_end();
        }
        text
    }

    #[test]
    fn a_first_line_is_one_short_sentence() {
        for (whose, line) in first_lines() {
            let text = without_brackets(&line);
            assert!(!text.is_empty(), "{whose} has no help");
            assert!(text.chars().count() <= FIRST_LINE, "{whose}: {} characters: {text}", text.chars().count());
            assert!(!text.ends_with('.'), "{whose} ends with a full stop: {text}");
            assert!(text.starts_with(char::is_uppercase) || text.starts_with("azd "), "{whose}: {text}");
            let first = text.split(' ').next().unwrap_or_default();
            assert!(!["It", "Its", "What", "Where", "The", "Whether", "Only"].contains(&first), "{whose}: {text}");
        }
    }

    #[test]
    fn help_uses_one_term_per_concept() {
        let banned = [
            "catalogue",
            "somebody",
            "nobody",
            "at once",
            "leave out",
            "left out",
            "take also",
            "may stand",
            "anew",
            "under way",
            "go on",
            "goes on",
            "there is none",
            "and the like",
            "such a name",
            "sends the bytes",
        ];
        let mut texts = Vec::new();
        each(&Cli::command(), PROGRAM, &mut |command, path| {
            let of_command = [
                command.get_about(),
                command.get_long_about(),
                command.get_after_help(),
                command.get_after_long_help(),
            ];
            let of_args = command.get_arguments().flat_map(|arg| [arg.get_help(), arg.get_long_help()]);
            for text in of_command.into_iter().chain(of_args).flatten() {
                texts.push((path.to_owned(), text.to_string().to_lowercase()));
            }
        });
        for (path, text) in texts {
            let found = banned.iter().find(|word| text.contains(*word));
            assert!(found.is_none(), "{path} says '{}': {text}", found.unwrap_or(&""));
        }
    }

    #[test]
    fn many_options_are_grouped_and_global_ones_come_last() {
        each(&Cli::command(), PROGRAM, &mut |command, path| {
            let shown: Vec<_> = command.get_opts().filter(|arg| !arg.is_hide_set() && !arg.is_global_set()).collect();
            let of_global = |arg: &&&clap::Arg| arg.get_help_heading() == Some(headings::GLOBAL);
            let own: Vec<_> = shown.iter().filter(|arg| !of_global(arg)).collect();
            for arg in &own {
                let is_grouped = arg.get_help_heading().is_some();
                assert!(is_grouped || own.len() <= WITHOUT_HEADING, "{path} --{} has no heading", arg.get_id());
            }
        });
    }
}
