//! The group `base`: models of the catalog and their deployments.

mod catalog;
mod list;
mod show;

use clap::Subcommand;

pub(crate) use self::catalog::{Catalog, no_such_model, of_account};
use super::deployments::{BaseKind, KindCommand};
use crate::app::App;
use crate::console::ProgressMode;
use crate::error::CliError;

/// Commands for models of the catalog.
#[derive(Debug, Subcommand)]
pub(crate) enum BaseCommand {
    /// List the catalog models that can be deployed
    #[command(args_override_self = true, after_help = list::EXAMPLES)]
    List(list::BaseListArgs),
    /// Show a catalog model: versions, SKUs, quota
    #[command(args_override_self = true, after_help = show::EXAMPLES)]
    Show(show::BaseShowArgs),
    /// Deploy catalog models and manage their deployments
    #[command(args_override_self = true, arg_required_else_help = false, after_help = DEPLOYMENTS)]
    Deployments {
        #[command(subcommand)]
        command: Option<KindCommand<BaseKind>>,
    },
}

const DEPLOYMENTS: &str = "\
Examples:
  azd ai models base deployments create --model gpt-4.1
  azd ai models base deployments list
  azd ai models base deployments show --name gpt-4.1";

pub(crate) const EXAMPLES: &str = "\
Examples:
  azd ai models base list
  azd ai models base show --name gpt-4.1
  azd ai models base deployments create --model gpt-4.1";

impl BaseCommand {
    /// Progress mode of the command.
    pub(crate) fn progress(&self) -> ProgressMode {
        match self {
            Self::Deployments { command: Some(command) } => command.progress(),
            Self::List(_) | Self::Show(_) | Self::Deployments { command: None } => ProgressMode::Auto,
        }
    }
}

/// Runs a command of the group.
///
/// # Errors
/// Error of the command.
pub(crate) async fn run(app: &App, command: BaseCommand) -> Result<(), CliError> {
    match command {
        BaseCommand::List(args) => list::list(app, args).await,
        BaseCommand::Show(args) => show::show(app, args).await,
        BaseCommand::Deployments { command: Some(command) } => command.run(app).await,
        // clap prints the help of a group without a command.
        BaseCommand::Deployments { command: None } => Ok(()),
    }
}
