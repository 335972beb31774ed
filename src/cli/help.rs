//! Help pages. clap wraps them to the terminal, which is right for prose and breaks commands that are to be pasted.

use std::ffi::OsString;

use clap::Command;

use super::tree;

/// No-break space that replaces the spaces of lines which clap must not wrap.
const GLUE: &str = "\u{a0}";

/// Returns the help that these arguments, the program's name first, ask clap for.
pub(super) fn help(program: &'static str, args: impl IntoIterator<Item = OsString>) -> String {
    match glued(tree(program)).try_get_matches_from(args) {
        Err(error) => error.render().to_string().replace(GLUE, " "),
        Ok(_) => String::new(),
    }
}

/// clap's tree, in which the examples, and all else that is indented behind the help, are never wrapped.
fn glued(command: Command) -> Command {
    let glue = |line: &str| if line.starts_with(' ') { line.replace(' ', GLUE) } else { line.to_owned() };
    let after = command.get_after_help().map(ToString::to_string);
    let command = match after {
        Some(after) => command.after_help(after.lines().map(glue).collect::<Vec<_>>().join("\n")),
        None => command,
    };
    command.mut_subcommands(glued)
}
