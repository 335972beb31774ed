//! The command line: clap's tree, the global options, and the dual `-e`.
//!
//! Owns option names and their meaning; the behaviour of a command is in `commands`.

mod globals;
mod help;
mod hoist;
mod read;

pub(crate) use globals::{GlobalArgs, merge};
pub(crate) use hoist::hoist_globals;
pub(crate) use read::{Action, Invocation, read};

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::commands::base::{self, BaseCommand};
use crate::commands::custom::{CustomCommand, CustomGroup};
use crate::commands::deployments::DeploymentsCommand;
use crate::commands::doctor::{self, DoctorArgs};
use crate::commands::headings;
use crate::commands::init::InitArgs;
use crate::console::ProgressMode;
use crate::globals::PROGRAM;

const ROOT_EXAMPLES: &str = "\
Examples:
  azd ai models init
  azd ai models custom create --name my-model --source ./model-weights
  azd ai models custom list
  azd ai models custom show --name my-model
  azd ai models custom deployments create --name my-deployment --model my-model
  azd ai models deployments test my-deployment
  azd ai models base list
  azd ai models base deployments create --model gpt-4.1
  azd ai models custom delete --name my-model --version 1

Exit codes:
  0 success          3 not found       6 model check failed     9 service or network
  1 failure          4 sign-in         7 upload failed        130 interrupted
  2 wrong usage      5 conflict        8 registration failed";

/// Upload, register and manage custom models in a Foundry project.
#[derive(Debug, Parser)]
#[command(
    name = PROGRAM,
    after_help = ROOT_EXAMPLES,
    disable_version_flag = true,
    disable_help_flag = true,
    args_override_self = true,
    max_term_width = 110
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: GlobalArgs,

    /// Print the version
    #[arg(long = "version", action = clap::ArgAction::SetTrue, hide_short_help = true, help_heading = headings::GLOBAL)]
    pub(crate) show_version: bool,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Commands of the program.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Connect an azd environment to a Foundry project
    #[command(
        args_override_self = true,
        after_help = "\
Prompts for missing values: subscription, resource group, project. Stores them in the environment as AZURE_TENANT_ID, \
AZURE_SUBSCRIPTION_ID, AZURE_RESOURCE_GROUP_NAME, AZURE_ACCOUNT_NAME, AZURE_PROJECT_NAME, AZURE_LOCATION and \
AZURE_PROJECT_ENDPOINT.

Examples:
  azd ai models init
  azd ai models init -n dev -s 8861a79b-122e-4733-b9f0-bb521b0268ce
  azd ai models init -s 8861a79b-122e-4733-b9f0-bb521b0268ce -e https://my-account.services.ai.azure.com/api/projects/my-project"
    )]
    Init(InitArgs),
    /// Upload, register and manage custom models
    #[command(
        arg_required_else_help = false,
        args_override_self = true,
        after_help = "\
Examples:
  azd ai models custom create --name my-model --source ./model-weights
  azd ai models custom list -o json"
    )]
    Custom {
        #[command(subcommand)]
        command: Option<CustomGroup>,
    },
    /// List, show and deploy catalog models
    #[command(arg_required_else_help = false, args_override_self = true, after_help = base::EXAMPLES)]
    Base {
        #[command(subcommand)]
        command: Option<BaseCommand>,
    },
    /// List, show, test and delete all deployments of the account
    #[command(
        arg_required_else_help = false,
        args_override_self = true,
        after_help = "\
Examples:
  azd ai models deployments list
  azd ai models deployments show --name my-deployment
  azd ai models deployments test my-deployment --prompt 'Say hello'
  azd ai models deployments delete --name my-deployment

To create, update or wait for a deployment, use 'custom deployments' or 'base deployments'."
    )]
    Deployments {
        #[command(subcommand)]
        command: Option<DeploymentsCommand>,
    },
    /// Commands of `custom`, without that word
    #[command(flatten)]
    Short(CustomCommand),
    /// Check sign-in, network, role, AzCopy and this machine
    #[command(after_help = doctor::EXAMPLES)]
    Doctor(DoctorArgs),
    /// Print the version
    #[command(after_help = "\
Examples:
  azd ai models version
  azd ai models version -o json")]
    Version,
    /// Describe the commands to azd (called when the extension is installed)
    #[command(
        hide = true,
        after_help = "\
Examples:
  azd ai models metadata"
    )]
    Metadata,
    /// Print a Markdown guide to these commands for coding agents
    #[command(after_help = "\
Examples:
  azd ai models skill > SKILL.md")]
    Skill,
    /// Print a completion script for a shell
    #[command(after_help = "\
Examples:
  azd ai models completion bash
  azd ai models completion powershell")]
    Completion {
        /// Shell to complete for
        #[arg(value_enum, value_name = "SHELL")]
        shell: Shell,
    },
}

impl Command {
    /// True unless the command only reports about the program itself.
    pub(crate) fn is_work(&self) -> bool {
        matches!(
            self,
            Self::Init(_)
                | Self::Doctor(_)
                | Self::Custom { command: Some(_) }
                | Self::Short(_)
                | Self::Base { command: Some(_) }
                | Self::Deployments { command: Some(_) }
        )
    }

    /// Progress mode; the console is created before the command runs.
    pub(crate) fn progress(&self) -> ProgressMode {
        match self {
            Self::Custom { command: Some(command) } => command.progress(),
            Self::Short(command) => command.progress(),
            Self::Base { command: Some(command) } => command.progress(),
            Self::Deployments { command: Some(command) } => command.progress(),
            _ => ProgressMode::Auto,
        }
    }
}

/// clap's tree with the program's name in this run. Not built yet: that would cost more than everything else in
/// `version`.
#[must_use]
pub(crate) fn tree(program: &'static str) -> clap::Command {
    Cli::command().bin_name(program)
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches;

    use super::*;
    use crate::globals::AZD_PROGRAM;

    #[test]
    fn the_command_tree_is_valid() {
        Cli::command().debug_assert();
    }

    /// azd reserves these names for its own options. `-e` has a second meaning here.
    #[test]
    fn reserved_names_keep_their_meaning_everywhere() {
        const LONG: [&str; 8] =
            ["environment", "cwd", "debug", "no-prompt", "output", "docs", "trace-log-file", "trace-log-url"];
        const SHORT: [char; 3] = ['e', 'C', 'o'];
        fn check(command: &clap::Command, path: &str) {
            for arg in command.get_arguments() {
                let long = arg.get_long().unwrap_or_default();
                let reserved = LONG.contains(&long) || arg.get_short().is_some_and(|short| SHORT.contains(&short));
                assert!(!reserved || arg.is_global_set(), "{path} {long} uses a reserved name");
            }
            for sub in command.get_subcommands() {
                check(sub, &format!("{path} {}", sub.get_name()));
            }
        }
        check(&Cli::command(), PROGRAM);
    }

    /// Every command needs an example, and every example must parse.
    #[test]
    fn every_command_has_an_example_and_every_example_parses() {
        fn check(command: &clap::Command, path: &str) {
            let helps = [command.get_after_help(), command.get_after_long_help()];
            let help: String = helps.into_iter().flatten().map(|help| format!("{help}\n")).collect();
            let examples: Vec<&str> = help.lines().filter_map(|line| line.trim().strip_prefix(AZD_PROGRAM)).collect();
            assert!(!examples.is_empty(), "{path} has no example");
            for example in examples {
                let mut words = shell_words::split(example).expect("an example that a shell can read");
                // Redirections are not part of the command.
                words.truncate(words.iter().position(|word| word == ">").unwrap_or(words.len()));
                words.insert(0, PROGRAM.into());
                let words = hoist_globals(&Cli::command(), words.into_iter().map(Into::into).collect());
                let matches =
                    Cli::command().try_get_matches_from(words).unwrap_or_else(|error| panic!("{example}: {error}"));
                let cli = Cli::from_arg_matches(&matches).expect("an example");
                merge(&cli.globals).unwrap_or_else(|error| panic!("{example}: {error}"));
            }
            for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
                check(sub, &format!("{path} {}", sub.get_name()));
            }
        }
        check(&Cli::command(), PROGRAM);
    }
}
