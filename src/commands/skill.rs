//! `skill`: one page in Markdown that describes this program to a coding agent. Derived from clap's tree, the kinds of
//! failure and the table of JSON shapes, so it always matches the behaviour. Sends no request.

mod shapes;

use clap::{Arg, Command};

use self::shapes::{ResultShape, SHAPES};
use crate::app::App;
use crate::console::ProgressEvent;
use crate::error::{CliError, ErrorKind};
use crate::globals::AZD_PROGRAM;

const HEAD: &str = "\
---
name: azd-ai-models
description: Upload model weights, register them as custom models in a Foundry project, deploy them, and manage both, \
with the command `azd ai models`.
---

# azd ai models

";

const RULES: &str = "\
## Rules

- Set `AI_AGENT=1` (or `AGENT`) in the environment: no prompts, no progress bar, no color, and an error has one \
line `hint:` with the suggestion.
- Add `-o json` to read a result: standard output is then one JSON document, or empty after a failure. Standard error has \
messages; its last line after a failure is the JSON error.
- Add `-q` for names only, one per line: `create`, `list`, `versions`, `deployments list`.
- Decide by the exit code or by `kind` of the JSON error. azd ends with 1 for every failure of an extension.
- Consent is never assumed: `delete` needs `--force`, an overwrite or a deployment that is billed needs `--yes`. Ask your \
user before you use them.
- `delete --if-exists` and `deployments create --if-not-exists` succeed if there is nothing to do.
- To resume an interrupted upload, run the same command again; uploaded data is not sent again.
- To show your user what will happen, write a plan and run exactly that: `custom create ... --dry-run -o json > plan.json`, \
then `custom create --plan plan.json`. A plan whose files have changed is refused with exit code 5, code `plan-changed`.
- `custom create --version auto --if-changed` creates no version if one with the same content exists.
- Put secrets into files or variables, not on the command line: use `--source-file` for a blob URL with a SAS.
";

/// Prints the page.
///
/// # Errors
/// Only when standard output cannot be written.
pub(crate) fn skill(app: &App, tree: &Command) -> Result<(), CliError> {
    app.text(&page(tree))
}

fn page(tree: &Command) -> String {
    let mut page = HEAD.to_owned();
    page.push_str(&tree.get_about().map(|about| format!("{about}\n\n")).unwrap_or_default());
    page.push_str(RULES);
    page.push_str(&failures());
    page.push_str(&events());
    page.push_str("\n## Global options\n\n");
    tree.get_arguments().filter(|arg| arg.is_global_set()).for_each(|arg| page.push_str(&option_line(arg)));
    page.push_str(
        "\n## Commands\n\nThe commands of `custom` that work on models also work without the word `custom`.\n",
    );
    for (path, command) in leaves(tree) {
        page.push_str(&command_section(&path, command));
    }
    page
}

/// Exit codes and the JSON error.
fn failures() -> String {
    let mut text = "\n## Exit codes\n\n| code | `kind` | when |\n|---|---|---|\n| 0 | | success |\n".to_owned();
    for kind in ErrorKind::ALL {
        text = format!("{text}| {} | `{}` | {} |\n", kind.exit_code(), kind.as_str(), kind.meaning());
    }
    text.push_str(
        "\nThe JSON error: `{\"error\":{\"kind\",\"code\",\"message\",\"status\",\"requestId\",\"suggestion\"}}`; what is \
         unknown is `null`.\n",
    );
    text
}

/// Events of `--progress json`.
fn events() -> String {
    let head = "\n## Progress events\n\nWith `--progress json`, standard error has one JSON object per line, each with `event` and `time`.\n\n| event | fields | meaning |\n|---|---|---|\n".to_owned();
    ProgressEvent::ALL.iter().fold(head, |text, event| {
        let fields: Vec<String> = event.fields().iter().map(|field| format!("`{field}`")).collect();
        format!(
            "{text}| `{}` | {} | {} |\n",
            event.name(),
            fields.join(", "),
            event.description().trim_end_matches('.')
        )
    })
}

/// Commands that have an action, with their names, each once: without short forms and hidden commands.
fn leaves(tree: &Command) -> Vec<(String, &Command)> {
    fn collect<'a>(command: &'a Command, path: &str, into: &mut Vec<(String, &'a Command)>) {
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
            let path = format!("{path} {}", sub.get_name());
            match sub.has_subcommands() {
                true => collect(sub, &path, into),
                false => into.push((path.trim_start().to_owned(), sub)),
            }
        }
    }
    let mut all = Vec::new();
    collect(tree, "", &mut all);
    let long: Vec<String> = all.iter().filter_map(|(path, _)| Some(path.strip_prefix("custom ")?.to_owned())).collect();
    // `deployments list` is not a short form: it lists the deployments of all models.
    all.retain(|(path, _)| path.starts_with("deployments ") || !long.contains(path));
    all
}

fn command_section(path: &str, command: &Command) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut text = format!("\n### `{AZD_PROGRAM} {path}`\n\n{about}\n\n");
    let options = command.get_arguments().filter(|arg| !arg.is_global_set() && !arg.is_hide_set());
    options.for_each(|arg| text.push_str(&option_line(arg)));
    if let Some(ResultShape { json, .. }) = SHAPES.iter().find(|shape| shape.command == path) {
        text = format!("{text}\nResult: {json}\n");
    }
    text.replace("\n\n\n", "\n\n")
}

fn option_line(arg: &Arg) -> String {
    let value = || {
        let names = arg.get_value_names().into_iter().flatten();
        names.map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let takes_value = arg.get_action().takes_values() && !arg.is_require_equals_set();
    let mut name = match (arg.get_long(), arg.get_short()) {
        (Some(long), Some(short)) => format!("-{short}, --{long}"),
        (Some(long), None) => format!("--{long}"),
        (None, Some(short)) => format!("-{short}"),
        (None, None) => String::new(),
    };
    if takes_value {
        name = format!("{name} {}", value()).trim().to_owned();
    }
    let required = if arg.is_required_set() { " (required)" } else { "" };
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    match arg.is_hide_set() {
        true => String::new(),
        false => format!("- `{name}`{required}: {help}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;
    use crate::globals::PROGRAM;

    /// A new command must describe its result, and a shape must belong to an existing command.
    #[test]
    fn every_command_has_a_shape_and_every_shape_a_command() {
        let tree = cli::tree(PROGRAM);
        let commands: Vec<String> = leaves(&tree).into_iter().map(|(path, _)| path).collect();
        let shapes: Vec<&str> = SHAPES.iter().map(|shape| shape.command).collect();
        for command in &commands {
            assert!(shapes.contains(&command.as_str()), "shapes.rs does not describe the result of '{command}'");
        }
        for shape in shapes {
            assert!(commands.iter().any(|command| command == shape), "there is no command '{shape}'");
        }
    }

    #[test]
    fn the_page_has_every_command_option_and_exit_code() {
        let tree = cli::tree(PROGRAM);
        let page = page(&tree);
        for (path, command) in leaves(&tree) {
            let start = page.find(&format!("### `{AZD_PROGRAM} {path}`")).unwrap_or_else(|| panic!("no {path}"));
            let section = page[start..].split("\n### ").next().unwrap_or_default();
            for arg in command.get_arguments().filter(|arg| !arg.is_hide_set() && !arg.is_global_set()) {
                if let Some(long) = arg.get_long() {
                    assert!(section.contains(&format!("--{long}")), "{path} --{long}: {section}");
                }
            }
        }
        for kind in ErrorKind::ALL {
            assert!(page.contains(&format!("| {} | `{}` |", kind.exit_code(), kind.as_str())), "{kind:?}");
        }
    }
}
