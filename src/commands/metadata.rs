//! `metadata`: the commands in azd's format for the installation of the extension. Sends no request; derived from
//! clap's tree, so it always matches the behaviour.

mod help_text;

use std::any::TypeId;
use std::collections::BTreeSet;

use clap::{Arg, ArgAction};
use serde::Serialize;

use self::help_text::HelpText;
use crate::app::App;
use crate::console::product;
use crate::error::CliError;
use azure_ai_models_core::env::var;

/// Id of the extension.
pub(crate) const EXTENSION_ID: &str = "azure.ai.models";
const SCHEMA_VERSION: &str = "1.0";
/// Option that azd has under this letter; here `-e` also accepts an endpoint, without a separate long name.
const ENVIRONMENT: (&str, char) = ("environment", 'e');

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    schema_version: &'static str,
    id: &'static str,
    commands: Vec<Described>,
    configuration: Configuration,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    environment_variables: Vec<EnvironmentVariable>,
}

#[derive(Serialize)]
struct EnvironmentVariable {
    name: &'static str,
    description: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    default: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    example: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    name: Vec<String>,
    short: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    long: String,
    usage: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    examples: Vec<Example>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    args: Vec<Argument>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flags: Vec<Flag>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subcommands: Vec<Self>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    hidden: bool,
}

#[derive(Serialize)]
struct Example {
    description: String,
    command: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Argument {
    name: String,
    description: String,
    required: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    valid_values: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Flag {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    shorthand: Option<char>,
    description: String,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    required: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    valid_values: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    hidden: bool,
}

/// Prints the metadata of the commands in clap's tree.
///
/// # Errors
/// Only when standard output cannot be written.
pub(crate) fn metadata(app: &App, mut tree: clap::Command) -> Result<(), CliError> {
    tree.build();
    let commands = described(&tree, &tree, &[]);
    let configuration = Configuration { environment_variables: environment_variables() };
    app.json(product::document(&Metadata { schema_version: SCHEMA_VERSION, id: EXTENSION_ID, commands, configuration }))
}

fn environment_variables() -> Vec<EnvironmentVariable> {
    let row = |&var::Variable { name, description, default, example }| {
        // The table is Markdown, but azd shows plain text.
        EnvironmentVariable { name, description: description.replace('`', ""), default, example }
    };
    var::TABLE.iter().map(row).collect()
}

fn described(tree: &clap::Command, command: &clap::Command, path: &[String]) -> Vec<Described> {
    let named = command.get_subcommands().filter(|sub| sub.get_name() != "help");
    named
        .map(|sub| {
            let name: Vec<String> = path.iter().cloned().chain([sub.get_name().to_owned()]).collect();
            let help = HelpText::of(sub);
            let short = sub.get_about().map(ToString::to_string).unwrap_or_default();
            Described {
                long: if help.prose.is_empty() { String::new() } else { format!("{short}\n\n{}", help.prose) },
                short,
                usage: usage(sub, &name),
                examples: help.examples.iter().map(|one| one.described(tree)).collect(),
                args: sub.get_positionals().map(argument).collect(),
                flags: flags(sub),
                subcommands: described(tree, sub, &name),
                hidden: sub.is_hide_set(),
                name,
            }
        })
        .collect()
}

fn usage(command: &clap::Command, name: &[String]) -> String {
    let args: String = command.get_positionals().map(|arg| format!(" {}", value_name(arg))).collect();
    format!("azd ai models {}{args} [options]", name.join(" "))
}

fn argument(arg: &Arg) -> Argument {
    Argument {
        name: value_name(arg),
        description: help(arg),
        required: arg.is_required_set(),
        valid_values: valid_values(arg),
    }
}

/// Flags of a command, each name and short letter once: azd panics on duplicates.
fn flags(command: &clap::Command) -> Vec<Flag> {
    let mut letters = BTreeSet::new();
    let options = command.get_arguments().filter_map(|arg| Some((arg, arg.get_long()?)));
    options
        .map(|(arg, long)| {
            let letter = if long == ENVIRONMENT.0 { Some(ENVIRONMENT.1) } else { arg.get_short() };
            Flag {
                name: long.to_owned(),
                shorthand: letter.filter(|letter| letters.insert(*letter)),
                description: help(arg),
                r#type: type_of(arg),
                default: arg.get_default_values().first().map(|value| value.to_string_lossy().into_owned()),
                required: arg.is_required_set(),
                valid_values: valid_values(arg),
                hidden: arg.is_hide_set(),
            }
        })
        .collect()
}

fn type_of(arg: &Arg) -> &'static str {
    let parser = arg.get_value_parser().type_id();
    let is_number = [TypeId::of::<u32>(), TypeId::of::<u64>(), TypeId::of::<std::num::NonZeroUsize>()]
        .into_iter()
        .any(|number| parser == number);
    match arg.get_action() {
        ArgAction::SetTrue | ArgAction::SetFalse => "bool",
        // Global options accept one value; they are collected only to report duplicates.
        ArgAction::Append if !arg.is_global_set() => "stringArray",
        _ if parser == TypeId::of::<bool>() => "bool",
        _ if is_number => "int",
        _ => "string",
    }
}

fn valid_values(arg: &Arg) -> Vec<String> {
    let is_switch = type_of(arg) == "bool";
    arg.get_possible_values().iter().filter(|_| !is_switch).map(|value| value.get_name().to_owned()).collect()
}

fn value_name(arg: &Arg) -> String {
    arg.get_value_names().and_then(|names| names.first()).map_or_else(|| arg.get_id().to_string(), ToString::to_string)
}

fn help(arg: &Arg) -> String {
    arg.get_help().map(ToString::to_string).unwrap_or_default()
}
