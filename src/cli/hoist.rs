//! The pass before clap: clap keeps only the deepest level's value of a global option, so the ones that stand
//! before the command are moved behind it (cli.md 2).

use std::ffi::OsString;

/// Global options that take a value, long and short.
pub(super) const WITH_VALUE: [&str; 11] = [
    "--project-endpoint",
    "-e",
    "--environment",
    "-s",
    "--subscription",
    "-o",
    "--output",
    "-C",
    "--cwd",
    "--trace-log-file",
    "--trace-log-url",
];
pub(super) const SWITCHES: [&str; 6] = ["--no-prompt", "--non-interactive", "--debug", "-q", "--quiet", "--docs"];
/// Words that are followed by another command word.
const GROUPS: [&str; 1] = ["custom"];

/// Moves global options that stand before or between the command words behind the last of them. The first
/// argument is the program's name. Pure; everything from `--` or an option that is not global stays as it is.
#[must_use]
pub fn hoist_globals(args: Vec<OsString>) -> Vec<OsString> {
    let mut out = Vec::with_capacity(args.len());
    let mut globals = Vec::new();
    let mut args = args.into_iter().peekable();
    out.extend(args.next());
    while let Some(arg) = args.next() {
        let text = arg.to_string_lossy().into_owned();
        match kind(&text) {
            Kind::Global { takes_next } => {
                globals.push(arg);
                if takes_next {
                    globals.extend(args.next());
                }
            }
            Kind::Word => {
                out.push(arg);
                if !GROUPS.contains(&text.as_str()) {
                    break;
                }
            }
            Kind::Other => {
                globals.push(arg);
                break;
            }
        }
    }
    out.append(&mut globals);
    out.extend(args);
    out
}

enum Kind {
    Global { takes_next: bool },
    Word,
    Other,
}

fn kind(text: &str) -> Kind {
    if text == "--" || text == "-" {
        return Kind::Other;
    }
    if !text.starts_with('-') {
        return Kind::Word;
    }
    let name = text.split_once('=').map_or(text, |(name, _)| name);
    let has_value = name.len() < text.len();
    if WITH_VALUE.contains(&name) {
        return Kind::Global { takes_next: !has_value };
    }
    if SWITCHES.contains(&name) {
        return Kind::Global { takes_next: false };
    }
    // A short option with its value attached: `-ojson`, `-edev`.
    let attached = text.get(..2).is_some_and(|short| WITH_VALUE.contains(&short)) && !text.starts_with("--");
    if attached { Kind::Global { takes_next: false } } else { Kind::Other }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hoist(line: &str) -> String {
        let words = line.split_whitespace().map(Into::into).collect();
        hoist_globals(words).iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn globals_move_behind_the_command() {
        for (before, after) in [
            ("p -e dev custom list -e https://x", "p custom list -e dev -e https://x"),
            ("p -e dev custom -o json list --limit 3", "p custom list -e dev -o json --limit 3"),
            ("p --debug list", "p list --debug"),
            ("p -ojson --cwd=/x show --name a", "p show -ojson --cwd=/x --name a"),
            ("p --debug=false -q version", "p version --debug=false -q"),
            ("p list -e dev", "p list -e dev"),
            ("p", "p"),
            ("p -e", "p -e"),
            ("p custom", "p custom"),
            ("p -o json", "p -o json"),
        ] {
            assert_eq!(hoist(before), after);
        }
    }

    #[test]
    fn a_value_that_looks_like_a_command_is_a_value() {
        assert_eq!(hoist("p -e list list"), "p list -e list");
        assert_eq!(hoist("p --environment custom custom list"), "p custom list --environment custom");
    }

    #[test]
    fn it_stops_at_what_it_does_not_know() {
        assert_eq!(hoist("p --wat -e dev list"), "p --wat -e dev list");
        assert_eq!(hoist("p -e dev -- list"), "p -e dev -- list");
        assert_eq!(hoist("p --help list"), "p --help list");
        assert_eq!(hoist("p -e dev --version"), "p -e dev --version");
    }
}
