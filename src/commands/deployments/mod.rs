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

pub(super) use self::existing::is_similar;

use clap::Subcommand;

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

    /// True where the group lists deployments of this kind.
    fn lists(self, kind: DeploymentKind) -> bool {
        self == Self::All || self == Self::of_kind(kind)
    }

    /// True where the commands of the group work on this deployment. A catalogue model of Fireworks may have a custom
    /// model as its draft, so it belongs to both.
    fn accepts(self, deployment: &DeploymentView) -> bool {
        self.lists(deployment.kind())
            || deployment.format().is_some_and(|format| format.eq_ignore_ascii_case(FIREWORKS_FORMAT))
    }
}

/// Commands of `custom deployments`.
#[derive(Debug, Subcommand)]
pub(crate) enum CustomDeployments {
    /// Deploy a registered model
    #[command(args_override_self = true, after_help = examples::CUSTOM_CREATE)]
    Create(Box<create::CustomCreateArgs>),
    /// List the deployments of custom models
    #[command(args_override_self = true, after_help = examples::CUSTOM_LIST)]
    List(list::ListArgs),
    /// Show a deployment: state, capacity, endpoint
    #[command(args_override_self = true, after_help = examples::CUSTOM_SHOW)]
    Show(show::ShowArgs),
    /// Change a deployment: capacity, tags, content filter, version
    #[command(args_override_self = true, after_help = examples::CUSTOM_UPDATE)]
    Update(Box<update::UpdateArgs>),
    /// Delete a deployment; the model stays registered
    #[command(args_override_self = true, after_help = examples::CUSTOM_DELETE)]
    Delete(delete::DeleteArgs),
    /// Wait until a deployment is ready
    #[command(args_override_self = true, after_help = examples::CUSTOM_WAIT)]
    Wait(wait::WaitArgs),
}

/// Commands of `base deployments`.
#[derive(Debug, Subcommand)]
pub(crate) enum BaseDeployments {
    /// Deploy a model of the catalogue
    #[command(args_override_self = true, after_help = examples::BASE_CREATE)]
    Create(Box<create::BaseCreateArgs>),
    /// List the deployments of catalogue models
    #[command(args_override_self = true, after_help = examples::BASE_LIST)]
    List(list::ListArgs),
    /// Show a deployment: state, capacity, endpoint
    #[command(args_override_self = true, after_help = examples::BASE_SHOW)]
    Show(show::ShowArgs),
    /// Change a deployment: capacity, tags, content filter, version
    #[command(args_override_self = true, after_help = examples::BASE_UPDATE)]
    Update(Box<update::UpdateArgs>),
    /// Delete a deployment
    #[command(args_override_self = true, after_help = examples::BASE_DELETE)]
    Delete(delete::DeleteArgs),
    /// Wait until a deployment is ready
    #[command(args_override_self = true, after_help = examples::BASE_WAIT)]
    Wait(wait::WaitArgs),
}

/// Commands of `deployments`.
#[derive(Debug, Subcommand)]
pub(crate) enum AllDeployments {
    /// List all deployments of the account
    #[command(args_override_self = true, after_help = examples::ALL_LIST)]
    List(list::ListArgs),
    /// Show a deployment: state, capacity, endpoint
    #[command(args_override_self = true, after_help = examples::ALL_SHOW)]
    Show(show::ShowArgs),
    /// Delete a deployment
    #[command(args_override_self = true, after_help = examples::ALL_DELETE)]
    Delete(delete::DeleteArgs),
    /// Ask a deployment one question: answer, latency, tokens
    #[command(args_override_self = true, after_help = examples::TEST)]
    Test(test::TestArgs),
    /// Deploy a model: use 'custom deployments create' or 'base deployments create'
    #[command(hide = true, after_help = examples::ALL_CREATE)]
    Create {
        /// Whatever was meant for the command that does not exist
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        rest: Vec<String>,
    },
}

impl CustomDeployments {
    /// How progress is shown.
    pub(crate) fn progress(&self) -> ProgressMode {
        match self {
            Self::Create(args) => args.progress(),
            Self::Update(args) => args.progress(),
            Self::Delete(args) => args.progress(),
            Self::Wait(args) => args.progress(),
            Self::List(_) | Self::Show(_) => ProgressMode::Auto,
        }
    }
}

impl BaseDeployments {
    /// How progress is shown.
    pub(crate) fn progress(&self) -> ProgressMode {
        match self {
            Self::Create(args) => args.progress(),
            Self::Update(args) => args.progress(),
            Self::Delete(args) => args.progress(),
            Self::Wait(args) => args.progress(),
            Self::List(_) | Self::Show(_) => ProgressMode::Auto,
        }
    }
}

impl AllDeployments {
    /// How progress is shown.
    pub(crate) fn progress(&self) -> ProgressMode {
        match self {
            Self::Delete(args) => args.progress(),
            Self::List(_) | Self::Show(_) | Self::Test(_) | Self::Create { .. } => ProgressMode::Auto,
        }
    }
}

/// Runs a command of `custom deployments`.
///
/// # Errors
/// Whatever the command failed with.
pub(crate) async fn run_custom(app: &App, command: CustomDeployments) -> Result<(), CliError> {
    match command {
        CustomDeployments::Create(args) => create::custom(app, *args).await,
        CustomDeployments::List(args) => list::list(app, Group::Custom, args).await,
        CustomDeployments::Show(args) => show::show(app, Group::Custom, args).await,
        CustomDeployments::Update(args) => update::update(app, Group::Custom, *args).await,
        CustomDeployments::Delete(args) => delete::delete(app, Group::Custom, args).await,
        CustomDeployments::Wait(args) => wait::wait(app, Group::Custom, args).await,
    }
}

/// Runs a command of `base deployments`.
///
/// # Errors
/// Whatever the command failed with.
pub(crate) async fn run_base(app: &App, command: BaseDeployments) -> Result<(), CliError> {
    match command {
        BaseDeployments::Create(args) => create::base(app, *args).await,
        BaseDeployments::List(args) => list::list(app, Group::Base, args).await,
        BaseDeployments::Show(args) => show::show(app, Group::Base, args).await,
        BaseDeployments::Update(args) => update::update(app, Group::Base, *args).await,
        BaseDeployments::Delete(args) => delete::delete(app, Group::Base, args).await,
        BaseDeployments::Wait(args) => wait::wait(app, Group::Base, args).await,
    }
}

/// Runs a command of `deployments`.
///
/// # Errors
/// Whatever the command failed with.
pub(crate) async fn run_all(app: &App, command: AllDeployments) -> Result<(), CliError> {
    match command {
        AllDeployments::List(args) => list::list(app, Group::All, args).await,
        AllDeployments::Show(args) => show::show(app, Group::All, args).await,
        AllDeployments::Delete(args) => delete::delete(app, Group::All, args).await,
        AllDeployments::Test(args) => test::test(app, args).await,
        AllDeployments::Create { .. } => {
            let [custom, base] =
                [Group::Custom, Group::Base].map(|group| app.command_line(&group.command(&["create"])));
            Err(CliError::usage("'deployments create' does not exist: a deployment has a custom or a base model")
                .with_suggestion(format!("Use one of these commands:\n  {custom}\n  {base}")))
        }
    }
}
