//! The group `custom`: custom models of a Foundry project.

mod check;
mod create;
mod delete;
mod deployed;
mod download;
mod engine;
mod existing;
mod hub;
mod list;
mod products;
mod running;
mod selection;
mod show;
mod source;
mod sums;
mod update;
mod uploads;
mod verify;
mod versions;
mod wait;
mod web;

use clap::Subcommand;

use super::deployments::{CustomKind, KindCommand};
use crate::app::App;
use crate::console::ProgressMode;
use crate::error::CliError;

/// The group: the commands of models, which have short forms without `custom`, and those of their deployments.
#[derive(Debug, Subcommand)]
pub(crate) enum CustomGroup {
    #[command(flatten)]
    Models(CustomCommand),
    /// Deploy custom models and manage their deployments
    #[command(args_override_self = true, arg_required_else_help = false, after_help = DEPLOYMENTS)]
    Deployments {
        #[command(subcommand)]
        command: Option<KindCommand<CustomKind>>,
    },
}

const DEPLOYMENTS: &str = "\
Examples:
  azd ai models custom deployments create --name my-deployment --model my-model
  azd ai models custom deployments list
  azd ai models custom deployments delete --name my-deployment";

impl CustomGroup {
    /// Progress mode of the command.
    pub(crate) fn progress(&self) -> ProgressMode {
        match self {
            Self::Models(command) => command.progress(),
            Self::Deployments { command: Some(command) } => command.progress(),
            Self::Deployments { command: None } => ProgressMode::Auto,
        }
    }
}

impl CustomCommand {
    /// Progress mode of the command.
    pub(crate) fn progress(&self) -> ProgressMode {
        match self {
            Self::Create(args) => args.progress(),
            Self::Verify(args) => args.progress(),
            Self::Download(args) => args.progress(),
            Self::Uploads { command: Some(command) } => command.progress(),
            _ => ProgressMode::Auto,
        }
    }
}

/// Commands for custom models.
#[derive(Debug, Subcommand)]
pub(crate) enum CustomCommand {
    /// Upload weights and register them as a custom model
    #[command(args_override_self = true, after_help = create::SUMMARY, after_long_help = create::EXAMPLES)]
    Create(Box<create::CreateArgs>),
    /// List the latest version of each custom model
    #[command(args_override_self = true, after_help = list::EXAMPLES)]
    List(list::ListArgs),
    /// List all versions of a custom model, newest first
    #[command(args_override_self = true, after_help = versions::EXAMPLES)]
    Versions(versions::VersionsArgs),
    /// Check model files before uploading them
    #[command(args_override_self = true, after_help = check::EXAMPLES)]
    Check(check::CheckArgs),
    /// Manage the uploads of this machine: list, attach, stop, log, resume, discard
    #[command(args_override_self = true, arg_required_else_help = false, after_help = uploads::EXAMPLES)]
    Uploads {
        #[command(subcommand)]
        command: Option<uploads::UploadsCommand>,
    },
    /// Show a custom model
    #[command(args_override_self = true, after_help = show::EXAMPLES)]
    Show(show::ShowArgs),
    /// Compare registered files with a source and with the recorded checksums
    #[command(args_override_self = true, after_help = verify::EXAMPLES)]
    Verify(verify::VerifyArgs),
    /// Download the files of a custom model
    #[command(args_override_self = true, after_help = download::EXAMPLES)]
    Download(download::DownloadArgs),
    /// Change the description or tags of a custom model
    #[command(args_override_self = true, after_help = update::EXAMPLES)]
    Update(update::UpdateArgs),
    /// Delete a version of a custom model
    #[command(args_override_self = true, after_help = delete::EXAMPLES)]
    Delete(delete::DeleteArgs),
    /// Wait until a model is registered
    #[command(args_override_self = true, after_help = wait::EXAMPLES)]
    Wait(wait::WaitArgs),
}

impl CustomCommand {
    /// True for commands that send or read the content of models.
    pub(crate) fn carries_content(&self) -> bool {
        matches!(
            self,
            Self::Create(_)
                | Self::Verify(_)
                | Self::Download(_)
                | Self::Uploads { command: Some(uploads::UploadsCommand::Resume(_)) }
        )
    }
}

impl CustomGroup {
    /// True for commands that send or read the content of models.
    pub(crate) fn carries_content(&self) -> bool {
        matches!(self, Self::Models(command) if command.carries_content())
    }
}

/// Runs a command of the group.
///
/// # Errors
/// Error of the command.
pub(crate) async fn run_group(app: &App, command: CustomGroup) -> Result<(), CliError> {
    match command {
        CustomGroup::Models(command) => run(app, command).await,
        CustomGroup::Deployments { command: Some(command) } => command.run(app).await,
        // clap prints the help of a group without a command.
        CustomGroup::Deployments { command: None } => Ok(()),
    }
}

/// Runs a command of models.
///
/// # Errors
/// Error of the command.
pub(crate) async fn run(app: &App, command: CustomCommand) -> Result<(), CliError> {
    match command {
        CustomCommand::Create(args) => create::create(app, *args).await,
        CustomCommand::List(args) => list::list(app, args).await,
        CustomCommand::Versions(args) => versions::versions(app, args).await,
        CustomCommand::Check(args) => check::check(app, args).await,
        CustomCommand::Uploads { command: Some(command) } => uploads::run(app, command).await,
        // clap prints the help of a group without a command.
        CustomCommand::Uploads { command: None } => Ok(()),
        CustomCommand::Show(args) => show::show(app, args).await,
        CustomCommand::Verify(args) => verify::verify(app, args).await,
        CustomCommand::Download(args) => download::download(app, args).await,
        CustomCommand::Update(args) => update::update(app, args).await,
        CustomCommand::Delete(args) => delete::delete(app, args).await,
        CustomCommand::Wait(args) => wait::wait(app, args).await,
    }
}
