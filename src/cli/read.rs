//! Parses raw arguments into one invocation: a command to run, a text to print instead, or an error.

use std::ffi::OsString;
use std::mem::ManuallyDrop;

use clap::FromArgMatches;
use clap::error::{ContextKind, ContextValue, Error as ClapError, ErrorKind};

use super::help::help;
use super::{Cli, Command, hoist_globals, merge, tree};
use crate::commands::base::BaseCommand;
use crate::commands::custom::{CustomCommand, CustomGroup};
use crate::error::CliError;
use crate::globals::{AZD_PROGRAM, Globals, OutputFormat, PROGRAM};
use crate::shell::quoted;

const DOCUMENTATION: &str = "https://learn.microsoft.com/azure/ai-foundry/";

/// Parsed command line.
#[derive(Debug)]
pub(crate) struct Invocation {
    /// Global options; defaults if the arguments could not be parsed.
    pub(crate) globals: Globals,
    /// Action to run.
    pub(crate) action: Action,
}

/// Action that the arguments request.
#[derive(Debug)]
pub(crate) enum Action {
    /// Print a text: help, or the address of the documentation.
    Print(String),
    /// Report invalid arguments.
    Refuse(UsageError),
    /// Run a command.
    Run(Box<Command>),
}

/// Invalid arguments.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UsageError {
    /// Error message.
    pub(crate) message: String,
    /// Suggestion for the user.
    pub(crate) suggestion: String,
}

impl From<UsageError> for CliError {
    fn from(error: UsageError) -> Self {
        Self::usage(error.message).with_suggestion(error.suggestion)
    }
}

/// Parses the arguments, beginning with the program's name. Pure.
#[must_use]
pub(crate) fn read(args: Vec<OsString>, run_by_azd: bool) -> Invocation {
    // Tools request this often, and building clap's tree takes a third of the time. With any option the tree is used.
    if let [_, word] = args.as_slice()
        && (word == "version" || word == "--version")
    {
        let action = Action::Run(Box::new(Command::Version));
        return Invocation { globals: Globals::default(), action };
    }
    let program = if run_by_azd { AZD_PROGRAM } else { PROGRAM };
    // Read before clap: an error about the arguments is JSON too if JSON was requested.
    let wants_json = asks_for_json(&args);
    let refuse = |message: String, suggestion: String| Invocation {
        globals: Globals {
            output: if wants_json { OutputFormat::Json } else { OutputFormat::Table },
            ..Globals::default()
        },
        action: Action::Refuse(UsageError { message, suggestion }),
    };
    // Built once per process, and dropping the tree takes a quarter of the time of `version`.
    let mut tree = ManuallyDrop::new(tree(program));
    let args = hoist_globals(&tree, args);
    let path = path_of(&tree, &args);
    let cli = match tree.try_get_matches_from_mut(&args).and_then(|found| Cli::from_arg_matches(&found)) {
        Ok(cli) => cli,
        Err(error)
            if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand) =>
        {
            return Invocation { globals: Globals::default(), action: Action::Print(help(program, args)) };
        }
        Err(error) => {
            let command: String = path.iter().map(|word| format!(" {word}")).collect();
            let (message, suggestion) = explain(&error, &format!("{program}{command}"));
            let suggestion = match name_without_option(&tree, &path, &args, &error) {
                Some(name) => format!("Use --name {}. {suggestion}", quoted(&name)),
                None => suggestion,
            };
            return refuse(message, suggestion);
        }
    };
    let globals = match merge(&cli.globals) {
        Ok(globals) => globals,
        Err(error) => return refuse(error.to_string(), format!("See '{program} --help' for the global options.")),
    };
    let action = match cli.command {
        _ if cli.globals.docs == Some(true) => Action::Print(format!("{DOCUMENTATION}\n")),
        Some(
            Command::Custom {
                command:
                    None
                    | Some(
                        CustomGroup::Models(CustomCommand::Uploads { command: None })
                        | CustomGroup::Deployments { command: None },
                    ),
            }
            | Command::Short(CustomCommand::Uploads { command: None })
            | Command::Base { command: None | Some(BaseCommand::Deployments { command: None }) }
            | Command::Deployments { command: None },
        ) => Action::Print(help_of(program, path)),
        Some(command) => Action::Run(Box::new(command)),
        None if cli.show_version => Action::Run(Box::new(Command::Version)),
        None => Action::Print(help_of(program, path)),
    };
    Invocation { globals, action }
}

/// Converts clap's message to this program's form: one sentence for the error, then the suggestion.
fn explain(error: &ClapError, command: &str) -> (String, String) {
    let text = error.render().to_string();
    let mut parts = text.split("\n\n");
    let message = parts.next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(message).trim().to_owned();
    let tips: Vec<&str> = parts.flat_map(str::lines).filter_map(|line| line.trim().strip_prefix("tip: ")).collect();
    let help = format!("See '{command} --help'.");
    let suggestion = match tips.as_slice() {
        [] => help,
        tips => format!("{} {help}", tips.iter().map(|tip| sentence(tip)).collect::<Vec<_>>().join(" ")),
    };
    (message, suggestion)
}

/// Detects a positional argument if the command has `--name`.
fn name_without_option(tree: &clap::Command, path: &[String], args: &[OsString], error: &ClapError) -> Option<String> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else { return None };
    let command = path.iter().try_fold(tree, |command, word| command.find_subcommand(word))?;
    let has_name = command.get_arguments().any(|arg| arg.get_long() == Some("name"));
    let is_named =
        args.iter().filter_map(|arg| arg.to_str()).any(|arg| arg.starts_with("--name") || arg.starts_with("-n"));
    let is_word = error.kind() == ErrorKind::UnknownArgument && !word.starts_with('-');
    (is_word && has_name && !is_named).then(|| word.clone())
}

/// Leading arguments that are commands of the tree.
fn path_of(tree: &clap::Command, args: &[OsString]) -> Vec<String> {
    let mut path = Vec::new();
    let mut command = tree;
    for word in args.iter().skip(1) {
        let Some(next) = word.to_str().and_then(|word| command.find_subcommand(word)) else { break };
        path.push(next.get_name().to_owned());
        command = next;
    }
    path
}

/// Help of a group that was given without a command.
fn help_of(program: &'static str, path: Vec<String>) -> String {
    let words = std::iter::once(program.to_owned()).chain(path).chain(["--help".to_owned()]);
    help(program, words.map(OsString::from))
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str().trim_end_matches('.'))
}

fn asks_for_json(args: &[OsString]) -> bool {
    let words: Vec<String> = args.iter().map(|arg| arg.to_string_lossy().to_ascii_lowercase()).collect();
    words.iter().any(|word| matches!(word.as_str(), "-ojson" | "-o=json" | "--output=json"))
        || words.windows(2).any(|pair| matches!(pair[0].as_str(), "-o" | "--output") && pair[1] == "json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_line(line: &str) -> Invocation {
        read(line.split_whitespace().map(Into::into).collect(), false)
    }

    fn refusal(line: &str) -> (String, String) {
        match read_line(line).action {
            Action::Refuse(error) => (error.message, error.suggestion),
            other => panic!("{line}: {other:?}"),
        }
    }

    /// Without and with clap's tree.
    #[test]
    fn the_version_can_be_requested_in_several_ways() {
        for line in ["p version", "p --version", "p version -q", "p --debug version"] {
            let Action::Run(command) = read_line(line).action else { panic!("{line}") };
            assert!(matches!(*command, Command::Version), "{line}");
        }
        assert_eq!(read_line("p version -o json").globals.output, OutputFormat::Json);
    }

    #[test]
    fn groups_without_a_command_print_their_help() {
        for (line, start) in [
            ("p", "Upload, register and manage custom models in"),
            ("p custom", "Upload, register and manage custom models\n"),
            ("p custom --help", "Upload, register and manage custom models\n"),
            ("p -e dev custom list -h", "List the latest version"),
            ("p --docs", "https://learn.microsoft.com/"),
            ("p list --docs", "https://learn.microsoft.com/"),
        ] {
            let Action::Print(text) = read_line(line).action else { panic!("{line}") };
            assert!(text.starts_with(start), "{line}: {text}");
        }
    }

    #[test]
    fn usage_errors_are_one_sentence_with_a_suggestion() {
        assert_eq!(
            refusal("p custom lst"),
            (
                "unrecognized subcommand 'lst'".into(),
                "A similar subcommand exists: 'list'. See 'azure-ai-models custom --help'.".into()
            )
        );
        assert_eq!(
            refusal("p show --nam x"),
            (
                "unexpected argument '--nam' found".into(),
                "A similar argument exists: '--name'. See 'azure-ai-models show --help'.".into()
            )
        );
        let (_, suggestion) = refusal("p -o json custom create --name x --source y");
        assert_eq!(suggestion, "See 'azure-ai-models custom create --help'.");
        let (_, suggestion) = refusal("p base show gpt-4.1");
        assert_eq!(suggestion, "Use --name gpt-4.1. See 'azure-ai-models base show --help'.");
        let (_, suggestion) = refusal("p deployments show -n chat other");
        assert_eq!(suggestion, "See 'azure-ai-models deployments show --help'.");
        let (message, _) = refusal("p show");
        assert!(message.contains("--name <NAME>"), "{message}");
    }

    #[test]
    fn json_output_is_detected_even_in_invalid_arguments() {
        for line in ["p list --wat -o json", "p -ojson --wat", "p list --output=JSON --wat"] {
            assert_eq!(read_line(line).globals.output, OutputFormat::Json, "{line}");
        }
        assert_eq!(read_line("p list --wat json").globals.output, OutputFormat::Table);
    }
}
