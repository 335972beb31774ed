//! Pass over the arguments before clap: clap keeps only the deepest level's value of a global option, so options before
//! the command are moved after it. Groups and options are read from clap's tree.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command};

/// Moves global options before or between the command words to the position after the last of them. The first argument
/// is the program's name. Pure; everything from `--` or an option that is not global stays unchanged.
#[must_use]
pub(crate) fn hoist_globals(tree: &Command, args: Vec<OsString>) -> Vec<OsString> {
    let mut out = Vec::with_capacity(args.len());
    let mut globals = Vec::new();
    let mut args = args.into_iter();
    out.extend(args.next());
    let mut group = tree;
    while let Some(arg) = args.next() {
        let text = arg.to_string_lossy().into_owned();
        match kind(tree, &text) {
            ArgumentKind::Global { takes_next } => {
                globals.push(arg);
                if takes_next {
                    globals.extend(args.next());
                }
            }
            ArgumentKind::Word => {
                out.push(arg);
                match group.find_subcommand(&text).filter(|command| command.has_subcommands()) {
                    Some(command) => group = command,
                    None => break,
                }
            }
            ArgumentKind::Other => {
                globals.push(arg);
                break;
            }
        }
    }
    out.append(&mut globals);
    out.extend(args);
    out
}

enum ArgumentKind {
    Global { takes_next: bool },
    Word,
    Other,
}

fn kind(tree: &Command, text: &str) -> ArgumentKind {
    if text == "--" || text == "-" {
        return ArgumentKind::Other;
    }
    if !text.starts_with('-') {
        return ArgumentKind::Word;
    }
    let (name, has_value) = text.split_once('=').map_or((text, false), |(name, _)| (name, true));
    if let Some(option) = global(tree, name) {
        return ArgumentKind::Global { takes_next: !has_value && takes_next(option) };
    }
    // A short option with its value attached: `-ojson`, `-edev`.
    let short = text.char_indices().nth(2).map(|(end, _)| &text[..end]);
    let attached = short.and_then(|short| global(tree, short)).is_some_and(takes_next);
    if attached { ArgumentKind::Global { takes_next: false } } else { ArgumentKind::Other }
}

/// Global option with this name: `--output`, `-o`.
fn global<'a>(tree: &'a Command, name: &str) -> Option<&'a Arg> {
    let is_named = |arg: &&Arg| match name.strip_prefix("--") {
        Some(long) => arg.get_long() == Some(long) || arg.get_all_aliases().is_some_and(|all| all.contains(&long)),
        None => arg.get_short().is_some_and(|short| name.strip_prefix('-') == Some(short.encode_utf8(&mut [0; 4]))),
    };
    tree.get_arguments().filter(|arg| arg.is_global_set() && !is_help(arg)).find(is_named)
}

/// True for `--help`, which requests the page of the words before it.
fn is_help(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::Help)
}

/// True if the next argument is the option's value; a flag accepts one only after `=`.
fn takes_next(option: &Arg) -> bool {
    option.get_action().takes_values() && !option.is_require_equals_set()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::super::Cli;
    use super::*;

    fn hoist(line: &str) -> String {
        let words = line.split_whitespace().map(Into::into).collect();
        hoist_globals(&Cli::command(), words)
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn global_options_move_after_the_command() {
        for (before, after) in [
            ("p -e dev custom list -e https://x", "p custom list -e dev -e https://x"),
            ("p -e dev custom -o json list --limit 3", "p custom list -e dev -o json --limit 3"),
            ("p --debug list", "p list --debug"),
            ("p -ojson --cwd=/x show --name a", "p show -ojson --cwd=/x --name a"),
            ("p --debug=false -q version", "p version --debug=false -q"),
            ("p custom uploads -e a list -e b", "p custom uploads list -e a -e b"),
            ("p uploads -C x --non-interactive list -C y", "p uploads list -C x --non-interactive -C y"),
            ("p -q custom --debug uploads --docs discard --all", "p custom uploads discard -q --debug --docs --all"),
            ("p list -e dev", "p list -e dev"),
            ("p", "p"),
            ("p -e", "p -e"),
            ("p custom", "p custom"),
            ("p custom uploads", "p custom uploads"),
            ("p -o json", "p -o json"),
        ] {
            assert_eq!(hoist(before), after);
        }
    }

    #[test]
    fn a_value_that_looks_like_a_command_is_a_value() {
        assert_eq!(hoist("p -e list list"), "p list -e list");
        assert_eq!(hoist("p --environment custom custom list"), "p custom list --environment custom");
        assert_eq!(hoist("p uploads -e list list"), "p uploads list -e list");
    }

    #[test]
    fn hoisting_stops_at_an_unknown_option() {
        assert_eq!(hoist("p --wat -e dev list"), "p --wat -e dev list");
        assert_eq!(hoist("p -e dev -- list"), "p -e dev -- list");
        assert_eq!(hoist("p --help list"), "p --help list");
        assert_eq!(hoist("p -e dev --version"), "p -e dev --version");
    }
}
