//! `custom deployments create`: a registered model, or a catalog model of Fireworks with a registered model as its
//! draft model.

use std::str::FromStr;

use clap::Args;

use super::answers::{RequiredOption, check_answers};
use super::custom_plan::plan;
use super::if_not_exists::{RequestedProperties, keep_existing};
use super::options::CreateOptions;
use super::plan::show_dry_run;
use super::registered::{choose_registered, choose_target, target, target_with_draft};
use super::{Checks, DeploymentPlan, NameLookup, check_consent, confirm_billed, report_plan};
use crate::app::App;
use crate::commands::account::access;
use crate::commands::deployments::Group;
use crate::commands::deployments::existing::DeploymentCommand;
use crate::commands::headings;
use crate::commands::number::one_or_more;
use crate::console::ProgressMode;
use crate::error::CliError;
use azure_ai_models_core::arm::{DraftModel, NewDeployment, NewModel};
use azure_ai_models_core::model::{ModelName, ModelVersion, NewDeploymentName};

/// Additional options that may be required, depending on the catalog.
const LATER_OPTIONS: &str =
    "If the catalog lists no SKU for the model, --sku-name SKU and --sku-capacity N are required too.";

/// Options of `custom deployments create`.
#[derive(Args, Debug)]
#[command(next_help_heading = headings::MODEL)]
pub(crate) struct CustomCreateArgs {
    /// Deployment name: 2 to 64 letters, digits, '.', '_' or '-'
    #[arg(short, long, help_heading = headings::DEPLOYMENT, value_name = "NAME")]
    name: Option<NewDeploymentName>,

    /// Registered model, or with --draft-model a catalog model from Fireworks
    #[arg(long, value_name = "MODEL")]
    model: Option<ModelName>,

    /// Model version [default: the latest]
    #[arg(long, value_name = "VERSION")]
    model_version: Option<ModelVersion>,

    /// Registered draft model for speculative decoding
    #[arg(long, value_name = "NAME[:VERSION]", requires = "draft_tokens")]
    draft_model: Option<DraftName>,

    /// Number of tokens that the draft model proposes at a time
    #[arg(long, value_name = "N", requires = "draft_model", value_parser = one_or_more::<u32>)]
    draft_tokens: Option<u32>,

    #[command(flatten)]
    options: CreateOptions,
}

/// A registered model with or without a version.
#[derive(Clone, Debug)]
pub(super) struct DraftName {
    pub(super) name: ModelName,
    pub(super) version: Option<ModelVersion>,
}

impl FromStr for DraftName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, version) = text.split_once(':').map_or((text, None), |(name, version)| (name, Some(version)));
        Ok(Self { name: name.parse()?, version: version.map(str::parse).transpose()? })
    }
}

impl CustomCreateArgs {
    /// Progress mode of the command.
    pub(crate) fn progress(&self) -> ProgressMode {
        self.options.wait_limit.progress()
    }
}

/// Deploys a registered model, or a catalog model with a registered draft model. Otherwise like
/// [`base`](super::base::base).
pub(crate) async fn custom(app: &App, args: CustomCreateArgs) -> Result<(), CliError> {
    let CustomCreateArgs { name, model, model_version, draft_model, draft_tokens, options } = args;
    let draft = draft_model.zip(draft_tokens);
    let needed = [
        RequiredOption { option: "--name NAME", meaning: "name of the deployment", is_missing: name.is_none() },
        RequiredOption { option: "--model MODEL", meaning: "registered model", is_missing: model.is_none() },
    ];
    let is_agreed = options.yes || options.dry_run || options.if_not_exists;
    check_answers(app, &needed, is_agreed, (&options, LATER_OPTIONS))?;
    let context = access(app, &options.account).await?.full()?;
    let model = match model {
        Some(model) => model,
        None if draft.is_some() => choose_target(app, &context).await?,
        None => choose_registered(app, &context.foundry).await?,
    };
    let name = match name {
        Some(name) => name,
        None => {
            let default = Some(model.as_str()).filter(|name| name.parse::<NewDeploymentName>().is_ok());
            app.value("Name of the deployment", default, NewDeploymentName::from_str).await?
        }
    };
    let name = name.as_name();
    let about = DeploymentCommand { app, account: &options.account, group: Group::Custom, verb: "create", name };
    let mut checks = Checks::new(&about, &context, options.dry_run);
    if let NameLookup::Taken(deployment) = checks.check_name().await? {
        let version = model_version.as_ref().map(ModelVersion::as_str);
        let wanted = RequestedProperties { model: model.as_str(), version, options: &options };
        if options.if_not_exists {
            return keep_existing(&about, &context, &wanted, *deployment).await;
        }
        checks.name_is_taken(&deployment, &wanted.suggestion(&about, &deployment));
    }
    if !options.dry_run && options.if_not_exists {
        check_consent(app, options.yes)?;
    }
    let target = match &draft {
        Some((draft, tokens)) => {
            target_with_draft(&mut checks, &context, (&model, &model_version), (draft, *tokens)).await?
        }
        None => target(&mut checks, &context, &model, model_version.as_ref()).await?,
    };
    let plan = match target {
        Some(target) => plan(&mut checks, &about, &context, target, &options).await?,
        None => None,
    };
    let again = |plan: &DeploymentPlan| CommandWithCapacity {
        app,
        name: name.as_str(),
        model: model.as_str(),
        options: &options,
        plan: plan.clone(),
    };
    if let Some(plan) = &plan {
        let again = again(plan);
        let suggestions = |left| plan.suggestions(&about, Some(left), &|capacity| again.command(capacity));
        checks.read_and_check_quota(&plan.sku_choice(), true, &suggestions).await?;
    }
    if options.dry_run {
        return show_dry_run(&about, &context, checks, plan.as_ref());
    }
    checks.outcome()?;
    let Some(plan) = plan else { return Err(CliError::failure("nothing to deploy")) };
    report_plan(app, &context, name.as_str(), &plan);
    confirm_billed(app, options.yes).await?;
    let limit = (!options.no_wait).then(|| options.wait_limit.limit(app));
    let again = again(&plan);
    let created = plan.create(&about, &context, limit, &|capacity| again.command(capacity)).await?;
    created.show(&about, &context).await
}

/// The user's own command, with another capacity.
struct CommandWithCapacity<'a> {
    app: &'a App,
    name: &'a str,
    model: &'a str,
    options: &'a CreateOptions,
    plan: DeploymentPlan,
}

impl CommandWithCapacity<'_> {
    fn command(&self, capacity: u64) -> String {
        let NewDeployment { model: NewModel { version, .. }, draft, .. } = &self.plan.new;
        let own = ["create", "--name", self.name, "--model", self.model, "--model-version", version];
        let mut arguments: Vec<String> = own.map(str::to_owned).into();
        if let Some(DraftModel { model, tokens }) = draft {
            let (draft, tokens) = (format!("{}:{}", model.name, model.version), tokens.to_string());
            arguments.extend(["--draft-model".to_owned(), draft, "--draft-tokens".to_owned(), tokens]);
        }
        arguments.extend(self.options.arguments_with_capacity(capacity));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.options.account.command_line(self.app, &Group::Custom.command(&arguments))
    }
}
