//! Deployments: one implementation of each command for the groups `custom deployments`, `base deployments` and
//! `deployments`, which differ in what they list, accept and can create.

pub(crate) mod create;
mod delete;
mod examples;
mod existing;
mod list;
mod options;
mod products;
mod show;
mod test;
mod update;
mod wait;

use std::fmt::Debug;

use clap::{Args, Subcommand};

use self::examples::KindHelp;
use crate::app::App;
use crate::console::ProgressMode;
use crate::error::CliError;
use azure_ai_models_core::model::{DeploymentKind, DeploymentView, FIREWORKS_FORMAT};

/// A group of commands that work on deployments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// `custom deployments`.
    Custom,
    /// `base deployments`.
    Base,
    /// `deployments`.
    All,
}

impl Group {
    /// Group of the deployments of a kind.
    fn of_kind(kind: DeploymentKind) -> Self {
        match kind {
            DeploymentKind::Custom => Self::Custom,
            DeploymentKind::Base => Self::Base,
        }
    }

    /// A command of the group, with its options.
    fn command<'a>(self, args: &[&'a str]) -> Vec<&'a str> {
        let group: &[&str] = match self {
            Self::Custom => &["custom", "deployments"],
            Self::Base => &["base", "deployments"],
            Self::All => &["deployments"],
        };
        [group, args].concat()
    }

    /// True if the group lists deployments of this kind.
    fn lists(self, kind: DeploymentKind) -> bool {
        self == Self::All || self == Self::of_kind(kind)
    }

    /// True if the commands of the group work on this deployment. A catalog model of Fireworks may have a custom
    /// model as its draft model, so it belongs to both groups.
    fn accepts(self, deployment: &DeploymentView) -> bool {
        self.lists(deployment.kind())
            || deployment.format().is_some_and(|format| format.eq_ignore_ascii_case(FIREWORKS_FORMAT))
    }
}

/// Group of the deployments of one kind of model: the input of `create`, and the texts of its help.
pub(crate) trait KindGroup {
    /// Group.
    const GROUP: Group;
    /// Help of its commands.
    const HELP: KindHelp;
    /// Options of `create`.
    type Create: Args + Debug;

    /// Progress mode of `create`.
    fn progress(args: &Self::Create) -> ProgressMode;

    /// Runs `create`.
    async fn create(app: &App, args: Self::Create) -> Result<(), CliError>;
}

/// `custom deployments`.
#[derive(Debug)]
pub(crate) struct CustomKind;

impl KindGroup for CustomKind {
    const GROUP: Group = Group::Custom;
    const HELP: KindHelp = examples::CUSTOM;
    type Create = create::CustomCreateArgs;

    fn progress(args: &Self::Create) -> ProgressMode {
        args.progress()
    }

    async fn create(app: &App, args: Self::Create) -> Result<(), CliError> {
        create::custom(app, args).await
    }
}

/// `base deployments`.
#[derive(Debug)]
pub(crate) struct BaseKind;

impl KindGroup for BaseKind {
    const GROUP: Group = Group::Base;
    const HELP: KindHelp = examples::BASE;
    type Create = create::BaseCreateArgs;

    fn progress(args: &Self::Create) -> ProgressMode {
        args.progress()
    }

    async fn create(app: &App, args: Self::Create) -> Result<(), CliError> {
        create::base(app, args).await
    }
}

/// Commands of `custom deployments` and of `base deployments`.
#[derive(Debug, Subcommand)]
pub(crate) enum KindCommand<G: KindGroup> {
    #[command(about = G::HELP.create_about, args_override_self = true, after_help = G::HELP.create)]
    Create(Box<G::Create>),
    #[command(about = G::HELP.list_about, args_override_self = true, after_help = G::HELP.list)]
    List(list::DeploymentListArgs),
    /// Show a deployment: state, capacity, endpoint
    #[command(args_override_self = true, after_help = G::HELP.show)]
    Show(show::DeploymentShowArgs),
    /// Change a deployment: capacity, tags, content filter, model version
    #[command(args_override_self = true, after_help = G::HELP.update)]
    Update(Box<update::DeploymentUpdateArgs>),
    #[command(about = G::HELP.delete_about, args_override_self = true, after_help = G::HELP.delete)]
    Delete(delete::DeploymentDeleteArgs),
    /// Wait until a deployment is ready
    #[command(args_override_self = true, after_help = G::HELP.wait)]
    Wait(wait::DeploymentWaitArgs),
}

/// Commands of `deployments`.
#[derive(Debug, Subcommand)]
pub(crate) enum DeploymentsCommand {
    /// List all deployments of the account
    #[command(args_override_self = true, after_help = examples::ALL_LIST)]
    List(list::DeploymentListArgs),
    /// Show a deployment: state, capacity, endpoint
    #[command(args_override_self = true, after_help = examples::ALL_SHOW)]
    Show(show::DeploymentShowArgs),
    /// Delete a deployment
    #[command(args_override_self = true, after_help = examples::ALL_DELETE)]
    Delete(delete::DeploymentDeleteArgs),
    /// Send one prompt to a deployment and show answer, latency and tokens
    #[command(args_override_self = true, after_help = examples::TEST)]
    Test(test::TestArgs),
    /// Use 'custom deployments create' or 'base deployments create'
    #[command(hide = true, after_help = examples::ALL_CREATE)]
    Create(UnsupportedCommand),
    /// Use 'custom deployments update' or 'base deployments update'
    #[command(hide = true, after_help = examples::ALL_UPDATE)]
    Update(UnsupportedCommand),
    /// Use 'custom deployments wait' or 'base deployments wait'
    #[command(hide = true, after_help = examples::ALL_WAIT)]
    Wait(UnsupportedCommand),
}

/// Arguments of a command that only the groups of one kind have.
#[derive(Args, Debug)]
pub(crate) struct UnsupportedCommand {
    /// Arguments of that command
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<String>,
}

impl UnsupportedCommand {
    /// Error that lists the existing commands.
    fn error(&self, app: &App, verb: &str) -> CliError {
        let rest: Vec<&str> = std::iter::once(verb).chain(self.rest.iter().map(String::as_str)).collect();
        let [custom, base] = [Group::Custom, Group::Base].map(|group| app.command_line(&group.command(&rest)));
        CliError::usage(format!("'deployments {verb}' does not exist: a deployment has a custom or a base model"))
            .with_suggestion(format!("Use one of these commands:\n  {custom}\n  {base}"))
    }
}

impl<G: KindGroup> KindCommand<G> {
    /// Progress mode of the command.
    pub(crate) fn progress(&self) -> ProgressMode {
        match self {
            Self::Create(args) => G::progress(args),
            Self::Update(args) => args.progress(),
            Self::Delete(args) => args.progress(),
            Self::Wait(args) => args.progress(),
            Self::List(_) | Self::Show(_) => ProgressMode::Auto,
        }
    }

    /// Runs the command.
    ///
    /// # Errors
    /// Error of the command.
    pub(crate) async fn run(self, app: &App) -> Result<(), CliError> {
        match self {
            Self::Create(args) => G::create(app, *args).await,
            Self::List(args) => list::list(app, G::GROUP, args).await,
            Self::Show(args) => show::show(app, G::GROUP, args).await,
            Self::Update(args) => update::update(app, G::GROUP, *args).await,
            Self::Delete(args) => delete::delete(app, G::GROUP, args).await,
            Self::Wait(args) => wait::wait(app, G::GROUP, args).await,
        }
    }
}

impl DeploymentsCommand {
    /// Progress mode of the command.
    pub(crate) fn progress(&self) -> ProgressMode {
        match self {
            Self::Delete(args) => args.progress(),
            _ => ProgressMode::Auto,
        }
    }

    /// Runs the command.
    ///
    /// # Errors
    /// Error of the command.
    pub(crate) async fn run(self, app: &App) -> Result<(), CliError> {
        match self {
            Self::List(args) => list::list(app, Group::All, args).await,
            Self::Show(args) => show::show(app, Group::All, args).await,
            Self::Delete(args) => delete::delete(app, Group::All, args).await,
            Self::Test(args) => test::test(app, args).await,
            Self::Create(args) => Err(args.error(app, "create")),
            Self::Update(args) => Err(args.error(app, "update")),
            Self::Wait(args) => Err(args.error(app, "wait")),
        }
    }
}
